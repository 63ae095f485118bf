//! Smaller trades in a market that hardly trades.

use super::{Opinion, View};

/// Shrinks by the breaker's multiplier; the value is contracts a minute.
pub fn opinion(view: &View) -> Opinion {
    let (breakers, market) = (&view.rules.breakers, &view.ledger.market);
    let (Some(volume), Some(normal)) = (market.volume(), market.minutes.volume_normal()) else {
        return Opinion::Allow;
    };
    let (value, limit) = (volume as f64, breakers.volume_ratio * normal);
    if value >= limit {
        return Opinion::Allow;
    }
    Opinion::Shrink { multiplier: breakers.size_multiplier, value, limit }
}
