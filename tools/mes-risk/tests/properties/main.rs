//! No limit is broken, whatever the rows, the predictions and the statements are. 100,000 accounts of fixed seeds;
//! `make soak` takes more, of a random seed that it prints.

mod belief;
mod days;
mod rows;
mod statements;
mod witness;

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use mes_core::{
    rules::{Breakers, EntryBy, EntrySession, Reversals, Rules, Rung, StopBy},
    session::Filter,
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::{Lineage, Settings, SettingsArgs, clock::Clock};
use mes_risk::trade::{Stream, trade};
use proptest::{prelude::*, test_runner::RngSeed};

use rows::{STARTS, Step, Walk, step};
use witness::Witness;

/// One seed for all tests of a run.
static SEED: LazyLock<u64> =
    LazyLock::new(|| match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed,
        None if times() > 0 => {
            let seed = RandomState::new().hash_one("soak");
            eprintln!("SEED={seed} repeats this");
            seed
        }
        None => 1,
    });

/// How many times as long to soak; 0 not at all.
fn times() -> u32 {
    std::env::var("SOAK").ok().and_then(|times| times.parse().ok()).unwrap_or(0)
}

/// So many cases of a fixed seed, or, to soak, so many times more of a random one.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: cases * times().max(1),
        rng_seed: RngSeed::Fixed(*SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Accounts that reach their limits in different ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RulesOf {
    /// The owner's rules, in the whole day.
    Owner,
    /// Money for more than one contract, trailing stops, a longest time.
    Busy,
    /// Stops by ATR that move, reversals, breakers that trip soon.
    Nimble,
    /// A firm's floor, ladder, announcements and best day, all within reach.
    Firm,
    /// Entries that wait at a limit, for longer than most rows take.
    Patient,
}

const ACCOUNTS: [RulesOf; 5] =
    [RulesOf::Owner, RulesOf::Busy, RulesOf::Nimble, RulesOf::Firm, RulesOf::Patient];

/// Returns the rules of an account, with costs of 42 cents a side.
pub fn settings(account: RulesOf) -> Settings {
    let name = if matches!(account, RulesOf::Firm | RulesOf::Patient) { "topstep-50k" } else { "mes-1k" };
    let args = SettingsArgs { rules: name.into(), costs: "owner".into(), ..SettingsArgs::default() };
    let mut settings = args.read().expect("the shipped settings");
    let rules = &mut settings.rules.value;
    rules.entries.session = EntrySession::All;
    match account {
        RulesOf::Owner => {}
        RulesOf::Busy => {
            rules.capital_usd = 2000.0;
            rules.entries.cooldown_s = 0;
            rules.breakers = Breakers::off();
            rules.exits.max_hold_s = 20;
            (rules.exits.trail_after_ticks, rules.exits.trail_ticks) = (4, 3);
        }
        RulesOf::Nimble => nimble(rules),
        RulesOf::Firm => firm(rules),
        RulesOf::Patient => {
            firm(rules);
            rules.entries.entry = EntryBy::Limit;
            (rules.entries.limit_offset_ticks, rules.entries.limit_lifetime_ms) = (1, 20_000);
        }
    }
    settings
}

fn nimble(rules: &mut Rules) {
    rules.capital_usd = 2000.0;
    rules.entries.cooldown_s = 2;
    rules.reversals = Reversals { enabled: true, cooldown_s: 5, max_in_range: 2 };
    rules.breakers = Breakers {
        losses: 2,
        losses_pause_s: 60,
        more_losses: 3,
        more_losses_pause_s: 120,
        ..Breakers::default()
    };
    let exits = &mut rules.exits;
    exits.stop = StopBy::Atr;
    exits.reward_risk = 1.5;
    (exits.break_even_after_ticks, exits.break_even_ticks) = (3, 1);
    (exits.trail_after_ticks, exits.trail_ticks) = (6, 3);
    exits.tighten_ticks = 4;
}

fn firm(rules: &mut Rules) {
    rules.entries.cooldown_s = 0;
    rules.exits.stop = StopBy::Structure;
    let limits = &mut rules.limits;
    (limits.daily_loss_usd, limits.daily_drawdown_usd) = (150.0, 200.0);
    if let Some(prop) = &mut rules.prop {
        (prop.max_loss_usd, prop.target_usd) = (300.0, 200.0);
        prop.ladder = vec![Rung { from_usd: -300.0, contracts: 2 }, Rung { from_usd: 20.0, contracts: 4 }];
    }
    if let Some(news) = &mut rules.news {
        // Shortly after the starts of the rows, in New York.
        news.at = ["2026-11-20T10:04", "2026-11-19T16:25", "2026-11-27T12:42"]
            .map(|text| text.parse().unwrap_or_else(|_| format!("{text}:00").parse().expect("a time")))
            .to_vec();
        (news.before_s, news.after_s) = (120, 120);
    }
}

/// Trades the rows before a witness and returns it.
fn run(start: usize, account: RulesOf, steps: &[Step]) -> Witness {
    let settings = settings(account);
    let mut broker = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let mut witness = Witness::new(&settings);
    let lineage = Lineage::default();
    let interval = mes_core::interval::Interval::SECOND;
    let stream = Stream { quotes: true, ..Stream::new(interval, Filter::All, lineage) };
    let rows = rows::rows(start, steps);
    trade(&mut Walk(&rows), &mut broker, &mut witness, &settings, &stream, None).expect("traded");
    witness
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn no_limit_is_broken_for_any_rows_and_predictions(
        start in 0..STARTS.len(),
        account in prop::sample::select(ACCOUNTS.to_vec()),
        steps in prop::collection::vec(step(), 1..100),
    ) {
        run(start, account, &steps);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn nor_in_long_runs(
        start in 0..STARTS.len(),
        account in prop::sample::select(ACCOUNTS.to_vec()),
        steps in prop::collection::vec(step(), 300..600),
    ) {
        run(start, account, &steps);
    }
}

/// The rows above trade, lose enough for limits to be reached, move stops and turn positions over.
#[test]
fn the_rows_trade_into_limits() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 400);
    for account in ACCOUNTS {
        let (mut fills, mut stopped, mut beyond, mut moves, mut turns) = (0, 0, 0, 0, 0);
        let (mut doubted, mut jumped, mut worse, mut waited) = (0, 0, 0, 0);
        for start in 0..200 {
            let steps = strategy.new_tree(&mut runner).expect("steps").current();
            let witness = run(start % STARTS.len(), account, &steps);
            fills += witness.fills;
            stopped += usize::from(witness.stopped.is_some());
            beyond += witness.alerts_beyond;
            moves += witness.moves;
            turns += witness.turns;
            waited += witness.waited;
            doubted += witness.doubted;
            jumped += usize::from(witness.jumped);
            worse += witness.alerts_worse;
        }
        let found = format!(
            "{account:?}: {fills} fills, {stopped} stopped, {beyond} beyond, {moves} moves, {turns} turns"
        );
        assert!(doubted > 300 && jumped > 10 && worse > 10, "{found} {doubted} {jumped} {worse}");
        assert!(fills > 300 && stopped > 10 && beyond > 0, "{found}");
        assert!(account != RulesOf::Patient || waited > 30, "{found} {waited}");
        assert!(account != RulesOf::Nimble || moves > 20 && turns > 20, "{found}");
    }
}
