//! The guard lets no stop move to where it protects nothing.

use mes_core::{
    bar::Bar,
    broker::Broker,
    order::{Action, Order, Side, Signal},
    price::Price,
    statement::{Role, Statement},
    time::{self, SECOND},
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::clock::Clock;

use crate::desk::settings;

fn stop(statement: &Statement) -> Option<f64> {
    Some(statement.working.iter().find(|order| order.role == Role::Stop)?.price?.points())
}

/// A position of one contract from 5000.25 or 4999.75 with a stop of 8 ticks, the market at `close`; then the move.
/// Returns what was refused, and where the stop lies after it.
fn moved(side: Side, close: f64, to: f64) -> (Option<String>, Option<f64>) {
    let settings = settings();
    let mut broker = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let begun = time::parse("2026-11-20T15:00:00Z").expect("a time");
    let mut ts = begun;
    let mut row = |points: f64| {
        let price = Price::nearest(points);
        ts += SECOND;
        Bar { ts, open: price, high: price, low: price, close: price, volume: 5, seg: 1, ..Bar::default() }
    };
    let order = |id, action| Order {
        ts: begun + id as i64 * SECOND,
        id,
        signal: Signal::Hold,
        contract: Default::default(),
        action,
    };
    broker.on_bar(&row(5000.0)).expect("a statement");
    let enter = Action::Enter {
        side,
        contracts: 1,
        stop_ticks: 8,
        target_ticks: 160_000,
        confidence: 0.9,
        limit: None,
    };
    broker.submit(&order(1, enter)).expect("submitted");
    for price in [5000.0, close] {
        broker.on_bar(&row(price)).expect("a statement");
    }
    broker.submit(&order(2, Action::MoveStop { stop: Price::nearest(to) })).expect("submitted");
    let after = broker.on_bar(&row(close)).expect("a statement");
    assert_eq!(after.seen, 2);
    (after.refused.first().map(|refusal| refusal.reason.clone()), stop(after))
}

/// The way, the market, where the stop is asked to go, whether and why it may not, and where it is then.
#[test]
fn a_stop_moves_neither_away_nor_to_where_it_protects_nothing() {
    use Side::{Buy, Sell};
    let (wide, back) = (Some("guard_stop"), Some("guard_stop_back"));
    for (side, close, to, refused, after) in [
        (Buy, 5002.0, 5000.75, None, Some(5000.75)),
        (Buy, 5002.0, 4998.25, None, Some(4998.25)),
        // Beyond the market it is an exit at once.
        (Buy, 5002.0, 5003.0, None, None),
        (Buy, 5002.0, 4998.0, back, Some(4998.25)),
        (Buy, 5002.0, 1000.0, back, Some(4998.25)),
        (Buy, 5002.0, 9000.0, wide, Some(4998.25)),
        (Sell, 4998.0, 4999.25, None, Some(4999.25)),
        (Sell, 4998.0, 5002.0, back, Some(5001.75)),
        (Sell, 4998.0, 9000.0, back, Some(5001.75)),
        (Sell, 4998.0, 1000.0, wide, Some(5001.75)),
    ] {
        let found = moved(side, close, to);
        assert_eq!((found.0.as_deref(), found.1), (refused, after), "{side:?} at {close} to {to}");
    }
}
