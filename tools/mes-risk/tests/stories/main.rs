//! Small stories of an account, row by row: where stops lie and how they move, positions that are turned over, pauses,
//! limits, and where days begin and end. Every number is worked out by hand.

mod days;
mod limits;
mod moved;
mod play;
mod stops;
mod truth;

use mes_core::rules::{Breakers, Reversals, Rules};

use play::{Tape, settings};

const MORNING: &str = "2026-11-20T15:00:00Z";

/// One contract at a time, without pauses that a story does not want.
fn plain(rules: &mut Rules) {
    rules.entries.cooldown_s = 0;
    rules.breakers = Breakers::off();
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_position_is_turned_over_in_two_steps() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.entries.cooldown_s = 30;
        rules.reversals = Reversals { enabled: true, cooldown_s: 4, max_in_range: 2 };
    });
    let mut tape = Tape::new(MORNING);
    // A minute for the range that reversals are counted in: from -9 to 9.
    for _ in 0..60 {
        tape.row([0, 9, -9, 0]);
    }
    tape.still(0).signal(1.0, 0.75);
    tape.still(0).still(0).signal(-1.0, 0.75);
    // Flat here, and short on the next row, though this one says nothing.
    tape.still(0).still(0);
    // Turned over again, but not before 4 seconds have passed; else it is only closed.
    tape.still(0).signal(1.0, 0.75).still(0).still(0);
    let book = tape.play(&settings);
    let signals = ["LONG_ENTRY enter", "REVERSE_TO_SHORT exit", "REVERSE_TO_SHORT enter", "EXIT_SHORT exit"];
    assert_eq!(book.signals(), owned(&signals));
    let positions: Vec<_> = book.statements[60..].iter().map(|statement| statement.position).collect();
    assert_eq!(positions, [0, 1, 1, 0, -1, -1, 0, 0, 0]);
    assert_eq!(book.denied(), [("2026-11-20T15:01:06Z".into(), "reversal_cooldown_s".into(), 4.0)]);

    // Twice within the minute before the last one, and no third time, until a close has left it.
    let mut tape = Tape::new(MORNING);
    for _ in 0..60 {
        tape.row([0, 9, -9, 0]);
    }
    tape.still(0).signal(1.0, 0.75).still(0);
    for dir in [-1.0, 1.0, -1.0] {
        for _ in 0..4 {
            tape.still(0);
        }
        tape.signal(dir, 0.75).still(0).still(0);
    }
    let book = tape.play(&settings);
    let third = &book.denied()[0];
    assert_eq!((third.1.as_str(), third.2, book.denied().len()), ("reversals_in_range", 2.0, 1));
    assert_eq!(book.signals().last(), Some(&"EXIT_LONG exit".to_owned()));
    assert_eq!(book.signals().iter().filter(|signal| signal.starts_with("REVERSE")).count(), 4);
}

/// $1.22 a round turn where the rules are for a broker that charges it, $0.84 where they are not, or what is said.
#[test]
fn rules_name_their_costs() {
    use mes_pipe::SettingsArgs;
    let side = |rules: &str, costs: &str| {
        let args = SettingsArgs { rules: rules.into(), costs: costs.into(), ..SettingsArgs::default() };
        let costs = args.read().expect("shipped settings").costs.value;
        costs.rate("2026-11-20".parse().expect("a date")).side().0
    };
    assert_eq!((side("mes-1k", "rules"), side("mes-1k-topstep", "rules")), (42, 61));
    assert_eq!((side("topstep-150k", "rules"), side("topstep-150k", "owner")), (61, 42));
}

#[test]
fn the_opposite_needs_its_confidence() {
    let settings = settings("mes-1k", plain);
    for (conf, leaves) in [(0.59, false), (0.60, true)] {
        let mut tape = Tape::new(MORNING);
        tape.still(0).signal(1.0, 0.75).still(0).still(0).signal(-1.0, conf).still(0).still(0);
        let book = tape.play(&settings);
        assert_eq!(book.signals().contains(&"EXIT_LONG exit".to_owned()), leaves, "{conf}");
    }
}

/// Three stops in a row at 10:00:03, :06, :09 pause until 10:15:09.
#[test]
fn losses_in_a_row_pause_to_the_second() {
    let settings = settings("mes-1k", |rules| {
        rules.entries.cooldown_s = 0;
        rules.capital_usd = 3000.0;
        rules.limits.daily_loss_usd = 300.0;
        rules.limits.daily_drawdown_usd = 300.0;
        rules.limits.account_drawdown_usd = 300.0;
    });
    let mut tape = Tape::new(MORNING);
    for _ in 0..3 {
        tape.still(0).signal(1.0, 0.65).still(0).row([0, 0, -20, 0]);
    }
    let from = tape.ts;
    for _ in 0..902 {
        tape.still(0).signal(1.0, 0.65);
    }
    let book = tape.play(&settings);
    assert_eq!(mes_core::time::format(from), "2026-11-20T15:00:09Z");
    assert_eq!(book.denied(), [("2026-11-20T15:00:10Z".into(), "losses_pause_s".into(), 900.0)]);
    assert_eq!(book.entries()[3].0, "2026-11-20T15:15:09Z");
}

#[test]
fn five_losses_pause_for_longer_and_so_does_each_one_after() {
    let settings = settings("mes-1k", |rules| {
        rules.entries.cooldown_s = 0;
        rules.capital_usd = 9000.0;
        let limits = &mut rules.limits;
        (limits.daily_loss_usd, limits.daily_drawdown_usd) = (900.0, 900.0);
        (limits.account_drawdown_usd, limits.kill_loss_usd) = (900.0, 900.0);
    });
    let mut tape = Tape::new(MORNING);
    // A signal on every row: each trade is stopped out on the row that fills it.
    for _ in 0..4 * 3600 {
        tape.row([0, 0, -20, 0]).signal(1.0, 0.65);
    }
    let book = tape.play(&settings);
    let pauses: Vec<_> = book.denied().into_iter().filter(|denied| denied.1 == "losses_pause_s").collect();
    assert_eq!(pauses[..4].iter().map(|pause| pause.2).collect::<Vec<_>>(), [900.0, 1800.0, 1800.0, 1800.0]);
    let entries: Vec<_> = book.entries().into_iter().map(|entry| entry.0).collect();
    // Three, a pause, two, and from then on one at a time.
    assert_eq!(entries[..3], ["2026-11-20T15:00:01Z", "2026-11-20T15:00:02Z", "2026-11-20T15:00:03Z"]);
    assert_eq!(entries[3..5], ["2026-11-20T15:15:04Z", "2026-11-20T15:15:05Z"]);
    assert_eq!(entries[5..7], ["2026-11-20T15:45:06Z", "2026-11-20T16:15:07Z"]);
}

#[test]
fn a_wide_spread_pauses_until_it_is_narrow() {
    let settings = settings("mes-1k", plain);
    let mut tape = Tape::new(MORNING);
    for spread in [3, 2, 1] {
        tape.still(0).quote(0, spread).signal(1.0, 0.75);
    }
    let book = tape.play(&settings);
    assert_eq!(book.entries().len(), 1, "only breakers that are on");
    let settings = play::settings("mes-1k", |rules| rules.entries.cooldown_s = 0);
    let book = tape.play(&settings);
    assert_eq!(book.denied(), [("2026-11-20T15:00:01Z".into(), "spread_ticks".into(), 1.0)]);
    assert_eq!(book.entries()[0].0, "2026-11-20T15:00:03Z");
}

/// A gap of 60 ticks through an 8-tick stop: bought at 1, closed at -61, $77.50 and $0.84 lost of $50 allowed.
#[test]
fn what_a_gap_takes_beyond_the_limit_is_said() {
    let settings = settings("mes-1k", plain);
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0).still(-60).still(-60).signal(1.0, 0.95);
    let book = tape.play(&settings);
    assert_eq!(book.exits(), [("2026-11-20T15:00:03Z".into(), -61, "stop")]);
    // The drawdown is the harder to name: it is checked first.
    let alerts = [
        ("beyond_worst_case_usd", 78.34, 12.09),
        ("daily_drawdown_usd", 78.34, 75.0),
        ("beyond_limit_usd", 3.34, 75.0),
    ];
    assert_eq!(book.alerts(), alerts);
    assert_eq!(book.denied(), [("2026-11-20T15:00:04Z".into(), "daily_drawdown_usd".into(), 75.0)]);
}

/// Equity is marked at the close, less what an exit will cost; what was bought at 1 has cost $0.42 and will cost as much.
#[test]
fn a_limit_flattens() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.limits.daily_loss_usd = 20.0;
        (rules.exits.stop_ticks, rules.limits.per_trade_usd) = (12, 30.0);
    });
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.95).still(0).row([0, 0, -10, -10]).still(-10);
    let book = tape.play(&settings);
    // One contract, 11 ticks and $0.84: $14.59, not yet $20.
    assert_eq!((book.alerts(), book.exits()[0].2), (vec![], "end_of_data"));
    let settings = play::settings("mes-1k", |rules| {
        plain(rules);
        rules.limits.daily_drawdown_usd = 18.0;
    });
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0).still(12).still(-2).still(-2);
    let book = tape.play(&settings);
    // From 11 ticks ahead to 3 behind is $17.50: still within. A tick more is $18.75.
    assert!(book.alerts().is_empty());
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0).still(12).still(-3).still(-3).signal(1.0, 0.75);
    let book = tape.play(&settings);
    assert_eq!(book.alerts()[0], ("daily_drawdown_usd", 18.75, 18.0));
    assert_eq!(book.signals(), owned(&["LONG_ENTRY enter", "FLATTEN exit"]));
    assert_eq!(book.exits(), [("2026-11-20T15:00:05Z".into(), -4, "limit")]);
}

/// The firm's floor is $48,000; two bad days and a touch lose the account for good.
#[test]
fn a_firms_floor_ends_it_for_good() {
    let settings = settings("topstep-50k", |rules| {
        plain(rules);
        if let Some(prop) = &mut rules.prop {
            prop.max_loss_usd = 120.0;
        }
        rules.tiers[0].from_usd = 49_000.0;
        rules.limits.minimum_balance_usd = 49_000.0;
    });
    let mut tape = Tape::new(MORNING);
    // Eight contracts at 0.95, 9 ticks and $0.84 each: $96.72; then no more than one fits, and one more loss of $12.09.
    tape.still(0).signal(1.0, 0.95).still(0).row([0, 0, -8, 0]);
    tape.still(0).signal(1.0, 0.95).still(0).row([0, 0, -8, 0]);
    tape.still(0).signal(1.0, 0.95).still(0);
    tape.resume("2026-11-23T15:00:00Z").still(0).signal(1.0, 0.95).still(0);
    let book = tape.play(&settings);
    let contracts = |order: &mes_core::order::Order| match order.action {
        mes_core::order::Action::Enter { contracts, .. } => Some(contracts),
        _ => None,
    };
    assert_eq!(book.orders().filter_map(contracts).collect::<Vec<_>>(), [8, 1]);
    // $111.19 of $120 is not the floor, but not even one contract fits above it any more.
    assert_eq!(book.alerts(), [("max_loss_usd", 108.81, 120.0)]);
    let rules: Vec<_> = book.denied().into_iter().map(|denied| denied.1).collect();
    // Said again on the next day, which lifts nothing.
    assert_eq!(rules, ["max_loss_usd"; 2]);
}

/// Rows that do not say how old a price is say when it was last traded: five seconds without a trade are too many.
#[test]
fn the_age_of_a_price_is_known_from_the_rows() {
    let settings = settings("mes-1k", plain);
    let denials = |quiet: usize, age_ms: Option<i64>| {
        let mut tape = Tape::new(MORNING);
        tape.still(0);
        for _ in 0..quiet {
            tape.still(0).quiet();
        }
        tape.signal(1.0, 0.95).age(age_ms);
        let denied = tape.play(&settings).denied();
        denied.into_iter().map(|(_, rule, limit)| (rule, limit)).collect::<Vec<_>>()
    };
    let stale = [("stale_ms".to_owned(), 5000.0)];
    assert_eq!(denials(5, None), []);
    assert_eq!(denials(6, None), stale);
    assert_eq!(denials(33 * 60, None), stale);
    // A row that says it is believed: a quote may be younger than the last trade.
    assert_eq!(denials(6, Some(900)), []);
    assert_eq!(denials(0, Some(5001)), stale);
}
