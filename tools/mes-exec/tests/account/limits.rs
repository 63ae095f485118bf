//! Entries at a limit, to the tick, worked out by hand: where they fill, what the row of the fill does to them, and what
//! ends their wait.

use mes_core::fills::Model::{Conservative, Optimistic, Realistic};
use mes_core::{
    bar::Bar,
    broker::Broker,
    fills::Model,
    order::{Action, ExitReason, Limit, Side},
    price::Price,
    statement::{Fill, Role, Statement},
    time,
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::clock::Clock;

use crate::desk::{order, settings_of};

/// Ticks from 5000.
fn at(ticks: i64) -> Price {
    Price::nearest(5000.0) + ticks
}

/// A second of the cash session: open, high, low, close in ticks from 5000.
fn bar(second: i64, prices: [i64; 4], volume: i64) -> Bar {
    let [open, high, low, close] = prices.map(at);
    let ts = time::parse("2026-11-20T15:00:00Z").expect("a time") + second * time::SECOND;
    Bar { ts, open, high, low, close, volume, seg: 1, ..Bar::default() }
}

fn enter(side: Side, limit: i64, lifetime_ms: u32) -> Action {
    let limit = Some(Limit { price: at(limit), lifetime_ms });
    Action::Enter { side, contracts: 1, stop_ticks: 8, target_ticks: 16, confidence: 0.9, limit }
}

/// Turns prices upside down, so that what holds for a purchase is said of a sale.
fn mirrored([open, high, low, close]: [i64; 4]) -> [i64; 4] {
    [-open, -low, -high, -close]
}

/// Ticks from 5000, and why it was closed.
fn place(fill: &Fill) -> (i64, Option<ExitReason>) {
    (fill.price - at(0), fill.exit)
}

/// An entry decided at 5000, then rows of a second each; returns the fills of a purchase, once a sale in the mirror has
/// filled at the mirrored prices.
fn fills(model: Model, latency_ms: i64, limit: i64, rows: &[[i64; 4]]) -> Vec<(i64, Option<ExitReason>)> {
    let [bought, sold] = [Side::Buy, Side::Sell].map(|side| {
        let mut paper = Paper::new(&settings_of(model, latency_ms));
        let decided = bar(0, [0; 4], 5);
        paper.on_bar(&decided).expect("a statement");
        paper.submit(&order(&decided, 1, enter(side, side.sign() * limit, 60_000))).expect("submitted");
        let mut fills = Vec::new();
        for (second, prices) in (1..).zip(rows) {
            let prices = if side == Side::Buy { *prices } else { mirrored(*prices) };
            let statement = paper.on_bar(&bar(second, prices, 5)).expect("a statement");
            fills.extend(statement.fills.iter().map(place));
        }
        fills
    });
    let mirror: Vec<_> = sold.iter().map(|(ticks, exit)| (-ticks, *exit)).collect();
    assert_eq!(bought, mirror, "a sale is no mirror of a purchase");
    bought
}

#[test]
fn one_that_waits_fills_at_its_limit_when_it_is_traded_through() {
    for (model, rows, bought) in [
        // Touched, and traded through by a tick.
        (Conservative, vec![[0, 0, -4, 0]], None),
        (Conservative, vec![[0, 0, -5, 0]], Some(-4)),
        (Conservative, vec![[0, 0, -4, 0], [0, 0, -4, 0], [0, 0, -5, -5]], Some(-4)),
        (Realistic, vec![[0, 0, -4, 0]], Some(-4)),
        (Realistic, vec![[0, 0, -3, 0]], None),
        (Optimistic, vec![[0, 0, -4, 0]], Some(-4)),
        // The market jumps over one that waited: a seller has taken it at its limit, not at the open.
        (Conservative, vec![[0, 0, -1, -1], [-6, -5, -7, -6]], Some(-4)),
    ] {
        let found = fills(model, 0, -4, &rows);
        assert_eq!(found.first().copied(), bought.map(|ticks| (ticks, None)), "{model:?} {rows:?}");
    }
}

#[test]
fn one_that_finds_the_market_beyond_its_limit_is_one_at_market_up_to_it() {
    for (model, latency_ms, limit, first, bought) in [
        // The open and a tick of slippage, but not beyond the limit.
        (Conservative, 0, 3, [0, 1, -1, 0], Some(1)),
        (Conservative, 0, 1, [0, 1, -1, 0], Some(1)),
        (Conservative, 0, 3, [3, 4, 3, 4], None),
        (Realistic, 0, 3, [3, 4, 3, 4], Some(3)),
        (Conservative, 0, 3, [3, 4, 2, 4], Some(3)),
        // Better than its limit at its arrival.
        (Conservative, 0, -4, [-6, -5, -7, -6], Some(-5)),
        (Conservative, 0, -4, [-5, -5, -7, -6], Some(-4)),
        // At the close that decided, which has to have reached it.
        (Optimistic, 0, 3, [5, 6, 4, 5], Some(0)),
        (Optimistic, 0, 0, [5, 6, 4, 5], Some(0)),
        (Optimistic, 0, -1, [5, 6, 4, 5], None),
        // Within the row only its close is known to come after: the worse of open and close, and the limit at worst.
        (Conservative, 300, 3, [0, 9, -9, 1], Some(2)),
        (Conservative, 300, 3, [2, 9, -9, 1], Some(3)),
        (Conservative, 300, 3, [5, 9, -9, 1], Some(3)),
        (Conservative, 300, 3, [0, 9, -9, 3], None),
        // Not there yet.
        (Conservative, 1000, 3, [0, 1, -1, 0], None),
    ] {
        let found = fills(model, latency_ms, limit, &[first]);
        assert_eq!(found.first().map(|fill| fill.0), bought, "{model:?} {latency_ms} ms {limit} {first:?}");
    }
}

#[test]
fn a_quote_says_whether_it_reaches_beyond_the_market() {
    for (ask, limit, bought) in [
        // The ask lies within the limit: crossed, at the worse of ask and open, and a tick.
        (1, 1, Some(1)),
        (1, 2, Some(2)),
        // The ask lies beyond: it joins the bid, and waits for trades through it.
        (2, 1, None),
        (3, -1, None),
    ] {
        let mut paper = Paper::new(&settings_of(Conservative, 0));
        let decided = Bar { bid: Some(at(-1)), ask: Some(at(ask)), ..bar(0, [0; 4], 5) };
        paper.on_bar(&decided).expect("a statement");
        paper.submit(&order(&decided, 1, enter(Side::Buy, limit, 5000))).expect("submitted");
        let fills = &paper.on_bar(&bar(1, [1, 1, limit, 1], 5)).expect("a statement").fills;
        assert_eq!(fills.first().map(|fill| fill.price - at(0)), bought, "{ask} {limit}");
        let costs = fills.first().map(|fill| (fill.spread_ticks, fill.slippage_ticks));
        assert_eq!(costs, bought.map(|price| (Some(0), Some(price - 1))), "{ask} {limit}");
    }
}

/// Bought at −4: the stop is at −12, the target at 12.
#[test]
fn of_the_row_of_its_fill_the_worst_comes_after() {
    use ExitReason::{Stop, Target};
    let entry = (-4, None);
    for (model, row, wanted) in [
        (Conservative, [0, 0, -11, 0], vec![entry]),
        (Conservative, [0, 0, -12, 0], vec![entry, (-13, Some(Stop))]),
        // The target was there before the fill, for all that anybody knows.
        (Conservative, [20, 20, -5, 0], vec![entry]),
        (Realistic, [20, 20, -5, 20], vec![entry]),
        (Optimistic, [20, 20, -5, 20], vec![entry, (12, Some(Target))]),
        (Conservative, [20, 20, -12, 0], vec![entry, (-13, Some(Stop))]),
        (Optimistic, [20, 20, -12, 0], vec![entry, (12, Some(Target))]),
    ] {
        assert_eq!(fills(model, 0, -4, &[row]), wanted, "{model:?} {row:?}");
    }
    // A gap over limit and stop: bought at the limit, stopped at the open. All of such a row came after.
    let gap = |row| fills(Conservative, 0, -4, &[[0, 0, -1, -1], row]);
    assert_eq!(gap([-20, -19, -21, -20]), [entry, (-21, Some(Stop))]);
    assert_eq!(gap([-6, 14, -7, 13]), [entry, (12, Some(Target))]);
}

/// Rows after an entry decided at 5000 that waits at −4, each with what is ordered after it; returns the last statement
/// and all that was refused.
fn waited(latency_ms: i64, lifetime_ms: u32, rows: &[(Bar, Option<Action>)]) -> (Statement, Vec<String>) {
    let settings = settings_of(Conservative, latency_ms);
    let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let decided = bar(0, [0; 4], 5);
    guard.on_bar(&decided).expect("a statement");
    guard.submit(&order(&decided, 1, enter(Side::Buy, -4, lifetime_ms))).expect("submitted");
    let (mut last, mut refused) = (Statement::default(), Vec::new());
    for (id, (bar, action)) in (2..).zip(rows) {
        last = guard.on_bar(bar).expect("a statement").clone();
        refused.extend(last.refused.iter().map(|refusal| refusal.reason.clone()));
        if let Some(action) = action {
            guard.submit(&order(bar, id, action.clone())).expect("submitted");
        }
    }
    (last, refused)
}

#[test]
fn its_wait_ends_with_its_lifetime_its_segment_or_a_cancel() {
    let row = |second, low| (bar(second, [0, 0, low, 0], 5), None);
    let another = |second| (Bar { seg: 2, ..bar(second, [-8; 4], 5) }, None);
    let exit = |second, reason| (bar(second, [0; 4], 5), Some(Action::Exit { reason }));
    let idle = |second| (bar(second, [-8; 4], 0), None);
    for (rows, reason, position) in [
        (vec![row(1, 0), row(3, -5)], None, 1),
        // Begins after two seconds.
        (vec![row(1, 0), row(4, -5)], Some("expired"), 0),
        (vec![row(1, 0), another(2)], Some("session_end"), 0),
        (vec![exit(1, ExitReason::Signal), row(2, -5)], Some("cancelled"), 0),
        // A row without trades triggers nothing, whatever its prices are.
        (vec![idle(1), idle(2), idle(3)], None, 0),
        (vec![idle(1), idle(2), idle(4)], Some("expired"), 0),
        // A price that no market makes.
        (vec![row(1, 0), (bar(2, [-2000; 4], 5), None)], Some("price_jump"), 0),
    ] {
        let (last, refused) = waited(0, 2000, &rows);
        assert_eq!((refused.first().map(String::as_str), last.position), (reason, position), "{rows:?}");
        let waits = last.working.iter().any(|order| order.role == Role::Entry);
        assert_eq!(waits, reason.is_none() && position == 0, "{rows:?}");
    }
}

#[test]
fn a_cancel_on_its_way_may_come_too_late_and_closes_what_was_filled() {
    let exit = |second| (bar(second, [0; 4], 5), Some(Action::Exit { reason: ExitReason::EodFlatten }));
    let row = |second, low| (bar(second, [0, 0, low, 0], 5), None);
    // Arrives within the third row: whatever happens there came before.
    let (last, refused) = waited(500, 60_000, &[row(1, 0), exit(2), row(3, 0)]);
    assert_eq!((refused, last.position, last.working.len()), (vec!["cancelled".to_owned()], 0, 0));
    let (last, refused) = waited(500, 60_000, &[row(1, 0), exit(2), row(3, -5)]);
    assert_eq!((refused, last.position), (vec![], 1));
    assert!(last.working.iter().any(|order| order.role == Role::Exit), "{last:?}");
    let (last, _) = waited(500, 60_000, &[row(1, 0), exit(2), row(3, -5), row(4, 0)]);
    let closed = last.fills.first().map(|fill| (fill.exit, fill.price - at(0)));
    assert_eq!((last.position, closed), (0, Some((Some(ExitReason::EodFlatten), -1))));
    // On its way for longer than a row, it is shown to work, so that nobody asks again.
    let (last, _) = waited(1500, 60_000, &[row(1, 0), row(2, 0), exit(3), row(4, 0)]);
    let roles: Vec<Role> = last.working.iter().map(|order| order.role).collect();
    assert_eq!(roles, [Role::Entry, Role::Exit]);
    assert_eq!(last.working[0].price, Some(at(-4)));
}

#[test]
fn a_locked_market_fills_no_limit() {
    let settings = settings_of(Conservative, 0);
    let mut paper = Paper::new(&settings);
    // The day before closed at 5000; 200 points higher, every trade of two minutes is at one price.
    let start = time::parse("2026-11-19T20:59:00Z").expect("a time");
    paper.on_bar(&Bar { ts: start, ..bar(0, [0; 4], 5) }).expect("a statement");
    let row = |second: i64, prices: [i64; 4]| Bar { seg: 2, ..bar(second, prices, 5) };
    for second in 0..120 {
        paper.on_bar(&row(second, [800; 4])).expect("a statement");
    }
    let decided = row(120, [800; 4]);
    paper.on_bar(&decided).expect("a statement");
    paper.submit(&order(&decided, 1, enter(Side::Buy, 804, 60_000))).expect("submitted");
    let locked = paper.on_bar(&row(121, [800; 4])).expect("a statement");
    assert_eq!((locked.fills.len(), locked.working.len(), locked.refused.len()), (0, 1, 0));
    let open = paper.on_bar(&row(122, [804, 804, 790, 790])).expect("a statement");
    assert_eq!(open.fills.first().map(place), Some((804, None)));
}

#[test]
fn the_guard_refuses_a_limit_far_from_the_market_and_cancels_late_ones() {
    let settings = settings_of(Conservative, 0);
    for (limit, refused) in [(18, None), (-18, None), (19, Some("guard_limit")), (-19, Some("guard_limit"))] {
        let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        let decided = bar(0, [0; 4], 5);
        guard.on_bar(&decided).expect("a statement");
        guard.submit(&order(&decided, 1, enter(Side::Buy, limit, 5000))).expect("submitted");
        let statement = guard.on_bar(&bar(1, [0; 4], 5)).expect("a statement");
        assert_eq!(statement.refused.first().map(|refusal| refusal.reason.as_str()), refused, "{limit}");
    }
    // Flat by 16:30 in New York; sent before the guard takes no more, it would wait beyond that.
    let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let row = |clock: &str| {
        let ts = time::parse(&format!("2026-11-20T{clock}Z")).expect("a time");
        Bar { ts, ..bar(0, [0; 4], 5) }
    };
    let decided = row("21:24:58");
    guard.on_bar(&decided).expect("a statement");
    guard.submit(&order(&decided, 1, enter(Side::Buy, -4, 900_000))).expect("submitted");
    assert_eq!(guard.on_bar(&row("21:29:00")).expect("a statement").working.len(), 1);
    let statement = guard.on_bar(&row("21:29:01")).expect("a statement");
    assert_eq!(statement.refused.first().map(|refusal| refusal.reason.as_str()), Some("cancelled"));
}
