//! Rows that are not to be believed, quotes that are none, markets that stand still, and losses beyond any plan.

use mes_core::rules::EntrySession;

use crate::{
    MORNING, plain,
    play::{Tape, at, settings},
};

/// So many ticks are ten times the price.
const TENFOLD: i64 = 180_000;

#[test]
fn a_one_sided_quote_is_no_quote() {
    let settings = settings("mes-1k", |rules| rules.entries.cooldown_s = 0);
    let denied = |bid: Option<i64>, ask: Option<i64>| {
        let mut tape = Tape::quoted(MORNING);
        tape.still(0).quote(0, 1).still(0).signal(1.0, 0.95).change(|bar| {
            (bar.bid, bar.ask) = (bid.map(at), ask.map(at));
        });
        tape.still(0).still(0);
        let book = tape.play(&settings);
        let denied = book.denied().first().map(|(_, rule, limit)| (rule.clone(), *limit));
        assert_eq!(denied.is_none(), book.entries().len() == 1, "{bid:?} {ask:?}");
        denied
    };
    let by = |rule: &str, limit| Some((rule.to_owned(), limit));
    assert_eq!(denied(Some(0), Some(1)), None);
    assert_eq!(denied(None, Some(2000)), by("quote_sides", 2.0));
    assert_eq!(denied(Some(0), None), by("quote_sides", 2.0));
    assert_eq!(denied(None, None), by("quote_sides", 2.0));
    assert_eq!(denied(Some(0), Some(0)), by("quote_crossed_ticks", 1.0));
    assert_eq!(denied(Some(5), Some(4)), by("quote_crossed_ticks", 1.0));
    assert_eq!(denied(Some(0), Some(401)), by("quote_far_percent", 2.0));
    assert_eq!(denied(Some(-2000), Some(1)), by("quote_far_percent", 2.0));
}

#[test]
fn rows_without_columns_of_bid_and_ask_trade_as_before() {
    let settings = settings("mes-1k", |rules| rules.entries.cooldown_s = 0);
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.95).still(0);
    assert_eq!(tape.play(&settings).entries().len(), 1);
    let mut tape = Tape::quoted(MORNING);
    tape.still(0).signal(1.0, 0.95).still(0);
    assert_eq!(tape.play(&settings).entries().len(), 0);
}

/// A firm's floor is tested at the quote: one far away is none.
#[test]
fn a_far_quote_marks_nothing() {
    let settings = settings("topstep-50k", |rules| rules.entries.cooldown_s = 0);
    let mut tape = Tape::quoted(MORNING);
    tape.still(0).quote(0, 1).signal(1.0, 0.95);
    for _ in 0..5 {
        tape.still(0).quote(-19_000, 1);
    }
    let book = tape.play(&settings);
    assert_eq!((book.entries().len(), book.alerts().len()), (1, 0));
}

#[test]
fn a_loss_beyond_the_worst_case_is_a_record_of_its_own() {
    let settings = settings("mes-1k", plain);
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0);
    // Bought at 1; the stop at -7 fills at -8 and costs its worst case, $12.09.
    tape.row([0, 0, -7, -7]).still(-7);
    assert_eq!(tape.play(&settings).alerts(), []);
    // A gap to -20 fills at -21: 22 ticks, and the round turn.
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0).still(-20).still(-20);
    assert_eq!(tape.play(&settings).alerts(), [("beyond_worst_case_usd", 28.34, 12.09)]);
}

#[test]
fn a_price_that_no_market_makes_marks_and_enters_nothing() {
    let settings = settings("mes-1k", plain);
    for far in [TENFOLD, -18_000, -40_000, 1001] {
        let mut tape = Tape::new(MORNING);
        tape.still(0).signal(1.0, 0.95).still(0);
        for _ in 0..9 {
            tape.still(far).signal(-1.0, 0.95);
        }
        tape.still(0).still(0);
        let book = tape.play(&settings);
        let percent = (far as f64 / 200.0).abs();
        let alerts = book.alerts();
        let [(rule, value, limit)] = alerts.as_slice() else { panic!("{far}: {alerts:?}") };
        assert_eq!((*rule, *limit), ("price_jump_percent", 5.0));
        assert!((value - percent).abs() < 1e-9, "{value} {percent}");
        // Neither the model's opposite nor any limit closed it, and no stop moved.
        let exits: Vec<_> = book.exits().into_iter().map(|(_, at, why)| (at, why)).collect();
        assert_eq!(exits, [(-1, "end_of_data")], "{far}");
        assert_eq!(book.signals(), ["LONG_ENTRY enter"]);
    }
    let mut tape = Tape::new(MORNING);
    tape.still(0).still(TENFOLD).signal(1.0, 0.95).still(0);
    let book = tape.play(&settings);
    assert_eq!(book.denied(), [("2026-11-20T15:00:02Z".into(), "price_jump_percent".into(), 5.0)]);
    assert_eq!(book.entries(), []);
}

#[test]
fn a_confirmed_jump_halts_until_a_person_resumes() {
    let settings = settings("mes-1k", plain);
    for open in [true, false] {
        let mut tape = Tape::new(MORNING);
        tape.still(0).signal(if open { 1.0 } else { 0.0 }, 0.95).still(0);
        for _ in 0..10 {
            tape.still(TENFOLD);
        }
        tape.still(TENFOLD).signal(1.0, 0.95).still(TENFOLD);
        let book = tape.play(&settings);
        let exits: Vec<_> = book.exits().into_iter().map(|(_, at, why)| (at, why)).collect();
        assert_eq!(exits, if open { vec![(-2, "price_jump")] } else { vec![] });
        assert_eq!(
            book.alerts(),
            [("price_jump_percent", 900.0, 5.0), ("new_price_points", 50_000.0, 5000.0)]
        );
        assert_eq!(book.denied(), [("2026-11-20T15:00:13Z".into(), "halted".into(), 0.0)]);
    }
}

#[test]
fn another_contract_under_a_position_is_said() {
    let settings = settings("mes-1k", plain);
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0);
    tape.still(240).change(|bar| bar.symbol = "MESH7".parse().expect("a symbol"));
    let book = tape.play(&settings);
    assert_eq!(book.alerts(), [("roll_points", 5060.0, 4999.5)]);
    let exits: Vec<_> = book.exits().into_iter().map(|(_, at, why)| (at, why)).collect();
    assert_eq!(exits, [(-2, "roll")]);
}

/// A day that closes at 5000, and the next morning at 4800.
#[test]
fn a_locked_market_is_said_and_not_entered() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.entries.session = EntrySession::Rth;
    });
    let mut tape = Tape::new("2026-11-19T20:00:00Z");
    tape.still(0).resume(MORNING).still(-800).signal(1.0, 0.75);
    for _ in 0..70 {
        tape.still(-800);
    }
    let book = tape.play(&settings);
    assert_eq!(book.alerts(), [("locked_s", 60.0, 60.0)]);
    let mut tape = Tape::new("2026-11-19T20:00:00Z");
    tape.still(0).resume(MORNING);
    for _ in 0..60 {
        tape.still(-800);
    }
    tape.signal(1.0, 0.75).still(-800);
    let book = tape.play(&settings);
    assert_eq!(book.denied(), [("2026-11-20T15:01:00Z".into(), "locked_s".into(), 60.0)]);
}
