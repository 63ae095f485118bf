//! No entry at a price that no market makes.

use super::{Opinion, View};

/// Denies in percent of the price.
pub fn opinion(view: &View) -> Opinion {
    match view.ledger.market.prices.jump() {
        Some(jump) => Opinion::Deny { value: 100.0 * jump.share, limit: 100.0 * jump.limit },
        None => Opinion::Allow,
    }
}
