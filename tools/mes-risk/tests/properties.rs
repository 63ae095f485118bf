//! Risk and a guarded paper account in the loop: no limit is broken, whatever the rows and the predictions are.

use std::collections::BTreeSet;

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    contract::price,
    interval::Interval,
    money::Cents,
    order::{Action, Order},
    prediction::Prediction,
    row::Row,
    rules::{EntrySession, Rules},
    run::Run,
    schedule::Schedule,
    session::Filter,
    statement::{Fill, Role, Statement},
    time::{self, SECOND, Ts},
    verdict::Verdict,
};
use mes_exec::{guard::Guard, sim::Sim};
use mes_pipe::{Lineage, Result, Settings, SettingsArgs};
use mes_risk::trade::{Journal, Next, Rows, Stream, trade};
use proptest::{prelude::*, test_runner::RngSeed};

const SIDE_COST: i64 = 42;

/// Returns the owner's rules: in the whole day, and if `busy`, with trailing stops, a longest time, and money for more
/// than one contract.
fn settings(busy: bool) -> Settings {
    let args = SettingsArgs { rules: "mes-1k".into(), costs: "owner".into(), ..SettingsArgs::default() };
    let mut settings = args.read().expect("the shipped settings");
    let rules = &mut settings.rules.value;
    rules.entries.session = EntrySession::All;
    if busy {
        rules.capital_usd = 2000.0;
        rules.entries.cooldown_s = 0;
        rules.exits.max_hold_s = 20;
        (rules.exits.trail_after_ticks, rules.exits.trail_ticks) = (4, 3);
    }
    settings
}

/// A row as it follows from the one before.
#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    breaks: bool,
    open: i64,
    up: i64,
    down: i64,
    close: i64,
    volume: i64,
    dir: i8,
    conf: f32,
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![
        60 => Just(1_i64), 4 => 2..400_i64, 2 => 400..8000_i64, 1 => Just(60_000), 1 => Just(200_000)
    ];
    let volume = prop_oneof![1 => Just(0_i64), 3 => 1..50_i64];
    let gap = prop_oneof![30 => Just(0_i64), 1 => -60..60_i64];
    let conf = prop_oneof![Just(0.55_f32), Just(0.65), Just(0.75), Just(0.95)];
    (seconds, 0..60_u8, gap, (-3..4_i64, 0..9_i64, 0..9_i64, 0..100_i64, volume), -1..2_i8, conf).prop_map(
        |(seconds, breaks, gap, (open, up, down, close, volume), dir, conf)| {
            let breaks = breaks == 0 || seconds > 300;
            Step { seconds, breaks, open: open + gap, up, down, close, volume, dir, conf }
        },
    )
}

const STARTS: [&str; 5] = [
    "2026-11-20T15:00:00Z",
    "2026-11-20T21:10:00Z",
    "2026-11-27T17:40:00Z",
    "2021-06-24T19:40:00Z",
    "2026-11-19T21:20:00Z",
];

fn rows(start: usize, steps: &[Step]) -> Vec<Row> {
    let mut ts = time::parse(STARTS[start]).expect("a time");
    let (mut ticks, mut seg) = (20_000, 0);
    let row = |step: &Step| {
        ts += step.seconds * SECOND;
        seg += i64::from(step.breaks);
        let still = step.volume == 0;
        let (open, up, down) = if still { (ticks, 0, 0) } else { (ticks + step.open, step.up, step.down) };
        let (high, low) = (open + up, open - down);
        ticks = low + step.close * (high - low) / 99;
        let [open, high, low, close] = [open, high, low, ticks].map(price);
        let bar = Bar { ts, open, high, low, close, volume: step.volume, seg, ..Bar::default() };
        let (dir, conf) = (Some(f32::from(step.dir)), Some(step.conf));
        Row { bar, prediction: Prediction { dir, conf, ..Prediction::default() } }
    };
    steps.iter().map(row).collect()
}

struct Walk<'a>(&'a [Row]);

impl Rows for Walk<'_> {
    fn next(&mut self) -> Result<Next<'_>> {
        let Some((row, rest)) = self.0.split_first() else { return Ok(Next::End) };
        self.0 = rest;
        Ok(Next::Row(row))
    }
}

/// A journal that believes nothing it is told.
struct Witness {
    rules: Rules,
    schedule: Schedule,
    row: Row,
    ended: bool,
    position: i64,
    balance: Cents,
    entry: Option<Fill>,
    day: Option<chrono::NaiveDate>,
    /// Equity when the day began; what exits have cost today beyond their stop and its slippage.
    day_start: Cents,
    beyond: Cents,
    equity: Cents,
    flat_at: Option<Ts>,
    /// The limit that stopped trading, and whether a new day lifts it.
    stopped: Option<(String, bool)>,
    last_order: u64,
    refused: BTreeSet<u64>,
    fills: usize,
}

impl Witness {
    fn new(settings: &Settings) -> Self {
        let rules = settings.rules.value.clone();
        let capital = rules.capital();
        Witness {
            schedule: Schedule::new(Calendar::shipped(), rules.day_end.flat_by, None, Filter::All),
            rules,
            row: Row::default(),
            ended: false,
            position: 0,
            balance: capital,
            entry: None,
            day: None,
            day_start: capital,
            beyond: Cents::ZERO,
            equity: capital,
            flat_at: None,
            stopped: None,
            last_order: 0,
            refused: BTreeSet::new(),
            fills: 0,
        }
    }

    fn new_day(&mut self) {
        let Some(label) = self.schedule.of_bar(self.row.bar.ts).map(|today| today.label()) else { return };
        if self.day != Some(label) {
            self.day = Some(label);
            (self.day_start, self.beyond) = (self.equity, Cents::ZERO);
            self.stopped = self.stopped.take().filter(|(_, daily)| !daily);
        }
    }

    fn book(&mut self, fill: &Fill) {
        assert!(!self.refused.contains(&fill.order), "a refused order filled");
        assert_eq!(fill.commission_cents, Cents(SIDE_COST * fill.contracts));
        self.fills += 1;
        self.position += fill.side.sign() * fill.contracts;
        self.balance += fill.gross_cents - fill.commission_cents;
        if fill.exit.is_none() {
            self.entry = Some(fill.clone());
            return;
        }
        let entry = self.entry.take().expect("an exit without an entry");
        let points = entry.side.sign() as f64 * (fill.price - entry.price);
        assert_eq!(fill.gross_cents, Cents((points * 500.0) as i64 * fill.contracts));
        // The plan counts one tick of slippage at the stop.
        let planned = Cents((self.rules.exits.stop_ticks + 1) * 125 * fill.contracts);
        self.beyond += (-fill.gross_cents - planned).max(Cents::ZERO);
    }

    fn check(&mut self, statement: &Statement) {
        for fill in &statement.fills {
            self.book(fill);
        }
        self.refused.extend(statement.refused.iter().map(|refusal| refusal.order));
        assert_eq!((statement.position, statement.balance_cents), (self.position, self.balance));
        let close = self.row.bar.close;
        let open = self.entry.as_ref().map_or(Cents::ZERO, |entry| {
            let points = entry.side.sign() as f64 * (close - entry.price);
            Cents(((points * 500.0) as i64 - SIDE_COST) * entry.contracts)
        });
        assert_eq!(statement.equity_cents, self.balance + open);
        self.equity = statement.equity_cents;
        assert!(self.position.abs() <= self.rules.guard.max_contracts);
        let stop = statement.working.iter().find(|order| order.role == Role::Stop);
        assert_eq!(stop.map_or(0, |stop| stop.contracts), self.position.abs(), "a position without its stop");
        if self.position == 0 {
            let lost = self.day_start - self.balance - self.beyond;
            let limit = Cents::from_usd(self.rules.limits.daily_loss_usd);
            assert!(lost <= limit, "{lost} lost on a day with a limit of {limit}");
        }
    }

    fn flat_by_the_days_end(&mut self) {
        let ts = self.row.bar.ts;
        if self.flat_at.is_some_and(|flat| flat <= ts) {
            assert_eq!(self.position, 0, "in a position at {}", time::format(ts));
        }
        self.flat_at = self.schedule.of_bar(ts).map(|today| today.end.flat).filter(|flat| ts < *flat);
    }

    fn ordered(&mut self, order: &Order) {
        assert!(order.id > self.last_order, "order {} after {}", order.id, self.last_order);
        self.last_order = order.id;
        let Action::Enter { contracts, stop_ticks, .. } = order.action else { return };
        assert_eq!((self.position, &self.stopped), (0, &None), "an entry in a trade or after a limit");
        let worst = (stop_ticks + 1) * 125 + 2 * SIDE_COST;
        assert!(Cents(contracts * worst) <= Cents::from_usd(self.rules.limits.per_trade_usd));
        let tier = self.rules.tiers.iter().rev().find(|tier| self.balance.usd() >= tier.from_usd);
        let tier = tier.expect("an entry below the lowest tier");
        assert!(contracts <= tier.contracts && stop_ticks > 0);
        let end = self.schedule.of_bar(order.ts).expect("an entry on a closed day").end;
        assert!(order.ts < end.no_entry || order.ts > end.flat, "an entry at {}", time::format(order.ts));
    }
}

impl Journal for Witness {
    fn run(&mut self, _: &Run) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.row = *row;
        self.new_day();
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        assert_eq!(statement.ts, self.row.bar.ts);
        self.check(statement);
        if self.ended {
            assert_eq!((self.position, statement.working.len()), (0, 0));
        }
        self.flat_by_the_days_end();
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        match verdict {
            Verdict::Alert { rule, .. } => {
                let daily = rule.starts_with("daily");
                // A harder limit takes the place of a softer one, never the other way round.
                assert!(
                    self.stopped.as_ref().is_none_or(|(_, was_daily)| *was_daily),
                    "{rule} after another"
                );
                self.stopped = Some((rule.clone(), daily));
            }
            Verdict::Order(order) => self.ordered(order),
            Verdict::Hold { .. } | Verdict::Deny { .. } => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Trades the rows before a witness and returns it.
fn run(start: usize, busy: bool, steps: &[Step]) -> Witness {
    let settings = settings(busy);
    let mut broker = Guard::new(Sim::new(&settings), &settings).expect("a guard");
    let mut witness = Witness::new(&settings);
    let lineage = Lineage::default();
    let (ledger, hello) = (None, None);
    let stream = Stream { interval: Interval::SECOND, session: Filter::All, lineage, ledger, hello };
    let rows = rows(start, steps);
    trade(&mut Walk(&rows), &mut broker, &mut witness, &settings, &stream, None).expect("traded");
    witness
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_limit_is_broken_for_any_rows_and_predictions(
        start in 0..STARTS.len(),
        busy in any::<bool>(),
        steps in prop::collection::vec(step(), 1..400),
    ) {
        run(start, busy, &steps);
    }
}

/// The rows above trade, and lose enough for limits to be reached.
#[test]
fn the_rows_trade_into_limits() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 400);
    let (mut fills, mut stopped) = (0, 0);
    for _ in 0..100 {
        let witness = run(0, true, &strategy.new_tree(&mut runner).expect("steps").current());
        fills += witness.fills;
        stopped += usize::from(witness.stopped.is_some());
    }
    assert!(fills > 500 && stopped > 10, "{fills} fills, {stopped} stopped");
}
