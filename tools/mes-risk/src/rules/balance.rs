//! No trade below the minimum balance.

use super::{Opinion, View};

/// Denies in dollars.
pub fn opinion(view: &View) -> Opinion {
    let (value, limit) = (view.balance.usd(), view.rules.limits.minimum_balance_usd);
    if value < limit { Opinion::Deny { value, limit } } else { Opinion::Allow }
}
