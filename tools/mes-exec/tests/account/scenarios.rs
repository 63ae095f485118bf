//! One small trade for every way out, with prices and cents worked out by hand.

use mes_core::{
    bar::Bar,
    broker::Broker,
    money::Cents,
    order::{Action, ExitReason, Side},
    price::Price,
    statement::{Fill, Statement},
    time,
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::clock::Clock;

use crate::desk::{order, settings};

/// A row at a UTC time of 2026-11-20 with these prices: open, high, low, close.
fn bar(clock: &str, seg: i64, prices: [f64; 4], volume: i64) -> Bar {
    let [open, high, low, close] = prices.map(Price::nearest);
    let ts = time::parse(&format!("2026-11-20T{clock}Z")).expect("a time");
    Bar { ts, open, high, low, close, volume, seg, ..Bar::default() }
}

fn flat(clock: &str, price: f64) -> Bar {
    bar(clock, 1, [price; 4], 5)
}

fn enter(side: Side, contracts: i64) -> Action {
    Action::Enter { side, contracts, stop_ticks: 8, target_ticks: 16, confidence: 0.9, limit: None }
}

/// A row, and what is ordered after it.
type Step = (Bar, Option<Action>);

/// Submits an entry after a row at 5000, lets it fill at the open of the next, which is also 5000, and then sends the
/// rows, each followed by its order if it has one. Returns the fills, the entry's first, and the balance.
fn trade(
    broker: &mut impl Broker,
    [before, first]: [&str; 2],
    entry: Action,
    rows: &[Step],
    end: bool,
) -> (Vec<Fill>, Cents) {
    let mut fills = Vec::new();
    let mut keep = |statement: &Statement| {
        fills.extend(statement.fills.iter().cloned());
        statement.balance_cents
    };
    let decided = flat(before, 5000.0);
    keep(broker.on_bar(&decided).expect("a statement"));
    broker.submit(&order(&decided, 1, entry)).expect("submitted");
    let mut balance = keep(broker.on_bar(&flat(first, 5000.0)).expect("a statement"));
    for (id, (bar, action)) in (2..).zip(rows) {
        balance = keep(broker.on_bar(bar).expect("a statement"));
        if let Some(action) = action {
            broker.submit(&order(bar, id, action.clone())).expect("submitted");
        }
    }
    if end {
        balance = keep(broker.end().expect("a statement"));
    }
    (fills, balance)
}

struct Way {
    name: &'static str,
    side: Side,
    rows: Vec<Step>,
    end: bool,
    reason: ExitReason,
    price: f64,
    gross: i64,
    ambiguous: bool,
}

/// One contract at 10:00 New York: bought at 5000.25 (stop 4998.25, target 5004.25) or sold at 4999.75 (stop 5001.75,
/// target 4995.75), a tick of slippage each time.
fn ways() -> Vec<Way> {
    let way = |name, rows, reason, price, gross| {
        let side = Side::Buy;
        Way { name, side, rows, end: false, reason, price, gross, ambiguous: false }
    };
    let row = |prices| vec![(bar("15:00:03", 1, prices, 5), None)];
    let exit = |reason| {
        vec![(flat("15:00:03", 5000.0), Some(Action::Exit { reason })), (flat("15:00:04", 5001.0), None)]
    };
    let trailed = |prices| {
        let moved = Action::MoveStop { stop: Price::nearest(5000.75) };
        vec![(flat("15:00:03", 5002.0), Some(moved)), (bar("15:00:04", 1, prices, 5), None)]
    };
    use ExitReason::{EndOfData, Limit, Signal, Stop, Target, Timeout, Trail};
    vec![
        way("through the target", row([5000.0, 5004.5, 5000.0, 5004.5]), Target, 5004.25, 2000),
        way("open beyond the target", row([5010.0; 4]), Target, 5004.25, 2000),
        way("onto the stop", row([5000.0, 5000.0, 4998.25, 4999.0]), Stop, 4998.0, -1125),
        way("gap through the stop", row([4997.0, 4999.0, 4996.0, 4999.0]), Stop, 4996.75, -1750),
        Way { ambiguous: true, ..way("both", row([5000.0, 5005.0, 4998.0, 5004.0]), Stop, 4998.0, -1125) },
        way("gap, then the target", row([4997.0, 5005.0, 4996.0, 5004.0]), Stop, 4996.75, -1750),
        way("signal", exit(Signal), Signal, 5000.75, 250),
        way("timeout", exit(Timeout), Timeout, 5000.75, 250),
        way("limit", exit(Limit), Limit, 5000.75, 250),
        way("trailed", trailed([5002.0, 5002.0, 5000.75, 5001.0]), Trail, 5000.5, 125),
        way(
            "stop moved beyond the price",
            vec![
                (flat("15:00:03", 5000.0), Some(Action::MoveStop { stop: Price::nearest(5000.5) })),
                (flat("15:00:04", 4999.0), None),
            ],
            Trail,
            4998.75,
            -750,
        ),
        Way { end: true, ..way("end", row([5000.0; 4]), EndOfData, 4999.75, -250) },
        Way {
            side: Side::Sell,
            ..way("short, target", row([4999.0, 4999.0, 4995.5, 4996.0]), Target, 4995.75, 2000)
        },
        Way {
            side: Side::Sell,
            ..way("short, stop", row([5000.0, 5001.75, 5000.0, 5001.0]), Stop, 5002.0, -1125)
        },
    ]
}

#[test]
fn every_way_out_to_the_cent() {
    for way in ways() {
        let mut paper = Paper::new(&settings());
        let entry = enter(way.side, 1);
        let (fills, balance) = trade(&mut paper, ["15:00:01", "15:00:02"], entry, &way.rows, way.end);
        let [entry, exit] = fills.as_slice() else { panic!("{}: {fills:?}", way.name) };
        assert_eq!(entry.price, Price::nearest(5000.0) + way.side.sign(), "{}", way.name);
        assert_eq!((entry.commission_cents, entry.gross_cents, entry.exit), (Cents(42), Cents(0), None));
        let found = (
            exit.exit,
            exit.price.points(),
            exit.gross_cents,
            exit.commission_cents,
            exit.ambiguous == Some(true),
        );
        let wanted = (Some(way.reason), way.price, Cents(way.gross), Cents(42), way.ambiguous);
        assert_eq!(found, wanted, "{}", way.name);
        assert_eq!(balance, Cents(100_000 + way.gross - 84), "{}", way.name);
    }
}

#[test]
fn a_touched_target_is_not_a_fill_and_a_row_without_trades_is_none() {
    for (prices, volume) in [([5000.0, 5004.25, 5000.0, 5004.0], 5), ([5000.0, 5010.0, 4990.0, 5000.0], 0)] {
        let mut paper = Paper::new(&settings());
        let rows = [(bar("15:00:03", 1, prices, volume), None)];
        let (fills, _) = trade(&mut paper, ["15:00:01", "15:00:02"], enter(Side::Buy, 1), &rows, false);
        assert_eq!(fills.len(), 1, "{fills:?}");
    }
}

/// After 16:00 New York slippage is two ticks: bought at 5000.50. Day's end is 16:30, 21:30 UTC.
#[test]
fn days_and_holes_end_trades() {
    let settings = settings();
    let check = |(fills, balance): (Vec<Fill>, Cents), reason, price, gross| {
        assert_eq!(fills[0].price, Price::nearest(5000.5));
        let exit = fills.last().expect("an exit");
        assert_eq!((exit.exit, exit.price.points(), exit.gross_cents), (Some(reason), price, Cents(gross)));
        assert_eq!(balance, Cents(100_000 + gross - 84));
    };
    let guarded = |rows: &[Step]| {
        let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        trade(&mut guard, ["21:20:00", "21:20:01"], enter(Side::Buy, 1), rows, false)
    };
    // The guard closes a minute before flat-by what risk has left open: 5000.50 to 4999.50.
    let late = ["21:28:59", "21:29:00", "21:29:01"].map(|clock| (flat(clock, 5000.0), None));
    check(guarded(&late), ExitReason::EodFlatten, 4999.5, -500);
    // Rows that stop before flat-by and come back after it: last close less twice the slippage.
    let hole = [(bar("21:40:00", 2, [5100.0; 4], 5), None)];
    check(guarded(&hole), ExitReason::DataGap, 4999.0, -750);
    // An account without a guard, in a position at the day's last row.
    let ts = time::parse("2026-11-22T23:00:01Z").expect("a time");
    let next = [(Bar { ts, ..bar("00:00:00", 2, [5100.0; 4], 5) }, None)];
    let mut paper = Paper::new(&settings);
    let alone = trade(&mut paper, ["21:59:50", "21:59:51"], enter(Side::Buy, 1), &next, false);
    check(alone, ExitReason::SessionEnd, 4999.0, -750);
}

#[test]
fn an_entry_is_refused_over_a_break_and_over_the_days_end() {
    let settings = settings();
    for (before, next) in [
        ("15:00:00", bar("15:10:00", 2, [5000.0; 4], 5)),
        // The same segment, but the day's end lies between.
        ("21:24:59", flat("21:30:00", 5000.0)),
    ] {
        let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        let decided = flat(before, 5000.0);
        guard.on_bar(&decided).expect("a statement");
        guard.submit(&order(&decided, 1, enter(Side::Buy, 1))).expect("submitted");
        let statement = guard.on_bar(&next).expect("a statement");
        assert_eq!((statement.position, statement.fills.len()), (0, 0), "{before}");
        assert_eq!(statement.refused[0].reason, "session_end", "{before}");
    }
}

#[test]
fn the_guard_refuses() {
    let settings = settings();
    let wide = Action::Enter {
        side: Side::Buy,
        contracts: 1,
        stop_ticks: 19,
        target_ticks: 8,
        confidence: 0.9,
        limit: None,
    };
    for (clock, action, reason) in [
        ("15:00:00", enter(Side::Buy, 6), Some("guard_contracts")),
        ("15:00:00", wide, Some("guard_stop")),
        ("15:00:00", enter(Side::Buy, 5), None),
        ("21:24:59", enter(Side::Buy, 1), None),
        ("21:25:00", enter(Side::Buy, 1), Some("guard_day_end")),
        ("21:30:00", enter(Side::Buy, 1), Some("guard_day_end")),
        ("22:00:00", enter(Side::Buy, 1), Some("guard_day_end")),
    ] {
        let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        let bar = flat(clock, 5000.0);
        guard.on_bar(&bar).expect("a statement");
        guard.submit(&order(&bar, 1, action)).expect("submitted");
        let next = Bar { ts: bar.ts + time::SECOND, ..bar };
        let statement = guard.on_bar(&next).expect("a statement");
        assert_eq!(statement.refused.first().map(|refusal| refusal.reason.as_str()), reason, "{clock}");
        assert_eq!(statement.seen, 1);
    }
}

#[test]
fn the_guard_refuses_entries_beyond_the_rate() {
    let settings = settings();
    let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let start = flat("15:00:00", 5000.0);
    // In and out every second: thirty orders in the minute before pass.
    for second in 0..30 {
        let bar = Bar { ts: start.ts + second * time::SECOND, ..start };
        guard.on_bar(&bar).expect("a statement");
        let action =
            if second % 2 == 0 { enter(Side::Buy, 1) } else { Action::Exit { reason: ExitReason::Signal } };
        guard.submit(&order(&bar, second as u64 + 1, action)).expect("submitted");
    }
    let at = |second: i64| Bar { ts: start.ts + second * time::SECOND, ..start };
    guard.on_bar(&at(30)).expect("a statement");
    guard.submit(&order(&at(30), 31, enter(Side::Buy, 1))).expect("submitted");
    let statement = guard.on_bar(&at(31)).expect("a statement");
    assert_eq!(statement.refused[0].reason, "guard_rate");
    guard.on_bar(&at(60)).expect("a statement");
    guard.submit(&order(&at(60), 32, enter(Side::Buy, 1))).expect("submitted");
    let statement = guard.on_bar(&at(61)).expect("a statement");
    assert_eq!((statement.refused.len(), statement.position), (0, 1), "a minute later there is room");
}

/// Decided at 15:00:00; rows of a second, so that stamped 15:00:03 begins exactly two seconds later.
#[test]
fn an_entry_expires_two_seconds_after_its_decision() {
    let settings = settings();
    for (rows, reason) in [
        (vec![("15:00:01", 5)], None),
        (vec![("15:00:03", 5)], None),
        (vec![("15:00:01", 0), ("15:00:02", 0), ("15:00:03", 5)], None),
        (vec![("15:00:04", 5)], Some("expired")),
        // Cancelled when its time is over, not only when somebody trades.
        (vec![("15:00:03", 0), ("15:00:04", 0)], Some("expired")),
        // A frozen market, 295 s and 500 points away.
        (vec![("15:04:55", 5)], Some("expired")),
    ] {
        let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        let decided = flat("15:00:00", 5000.0);
        guard.on_bar(&decided).expect("a statement");
        guard.submit(&order(&decided, 1, enter(Side::Buy, 1))).expect("submitted");
        let mut last = Statement::default();
        for (clock, volume) in &rows {
            let price = if *clock == "15:04:55" { 5500.0 } else { 5000.0 };
            last = guard.on_bar(&bar(clock, 1, [price; 4], *volume)).expect("a statement").clone();
        }
        let refused = last.refused.first().map(|refusal| refusal.reason.as_str());
        assert_eq!((refused, last.position), (reason, i64::from(reason.is_none())), "{rows:?}");
        assert!(last.working.iter().all(|order| order.role != mes_core::statement::Role::Entry), "{rows:?}");
    }
}

#[test]
fn rules_say_how_long_an_entry_lives() {
    let mut settings = settings();
    settings.rules.value.entries.entry_lifetime_ms = 60_000;
    let mut paper = Paper::new(&settings);
    let (fills, _) = trade(&mut paper, ["15:00:00", "15:01:01"], enter(Side::Buy, 1), &[], false);
    assert_eq!(fills.len(), 1);
    let mut paper = Paper::new(&settings);
    let (fills, _) = trade(&mut paper, ["15:00:00", "15:01:02"], enter(Side::Buy, 1), &[], false);
    assert_eq!(fills.len(), 0);
}
