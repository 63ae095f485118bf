//! No entry in a market that stands at its limit: on one side nothing fills, a stop neither.

use mes_core::{lock::STANDS, time::SECOND};

use super::{Opinion, View};

/// Denies in seconds at the limit.
pub fn opinion(view: &View) -> Opinion {
    let lock = &view.ledger.market.lock;
    match lock.blocked() {
        Some(_) => Opinion::Deny { value: lock.stood_s(), limit: (STANDS / SECOND) as f64 },
        None => Opinion::Allow,
    }
}
