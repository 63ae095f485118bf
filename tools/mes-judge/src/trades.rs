//! What round trips leave open: those whose bar touched stop and target.

use mes_core::{money::Cents, order::ExitReason, round_trip::RoundTrip};

/// Counts the trades whose bar touched stop and target, and says what all trades had made, net, had each of these
/// reached its target. What was booked is the worst, except with optimistic fills, where it is the best.
pub fn doubtful(trades: &[RoundTrip]) -> (usize, Cents) {
    let net: Cents = trades.iter().map(|trade| trade.net_cents).sum();
    let doubtful = || trades.iter().filter(|trade| trade.ambiguous);
    let stopped = doubtful().filter(|trade| trade.exit != ExitReason::Target);
    (doubtful().count(), net + stopped.map(|trade| trade.reward_cents - trade.gross_cents).sum::<Cents>())
}
