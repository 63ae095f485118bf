//! What is said of round trips beside their own figures.

use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    money::Cents,
    order::{ExitReason, Side},
    round_trip::RoundTrip,
    tz,
};

/// Returns the trading day on which a trade ended: the date of New York six hours later, since a day begins at 18:00.
pub fn session(trade: &RoundTrip) -> NaiveDate {
    (tz::new_york(trade.exited - 1) + TimeDelta::hours(6)).date()
}

/// Says on which side of the market a trade was: `long` or `short`.
pub fn side(trade: &RoundTrip) -> &'static str {
    if trade.side == Side::Buy { "long" } else { "short" }
}

/// Counts the trades whose bar touched stop and target, and says what all trades had made, net, had each of these
/// reached its target. What was booked is the worst, except with optimistic fills, where it is the best.
pub fn doubtful(trades: &[RoundTrip]) -> (usize, Cents) {
    let net: Cents = trades.iter().map(|trade| trade.net_cents).sum();
    let doubtful = || trades.iter().filter(|trade| trade.ambiguous);
    let stopped = doubtful().filter(|trade| trade.exit != ExitReason::Target);
    (doubtful().count(), net + stopped.map(|trade| trade.reward_cents - trade.gross_cents).sum::<Cents>())
}
