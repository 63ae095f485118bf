//! Smaller trades in a market that moves far more than it lately did.

use super::{Opinion, View};

/// Shrinks by the breaker's multiplier; the value is the ATR in ticks.
pub fn opinion(view: &View) -> Opinion {
    let (breakers, minutes) = (&view.rules.breakers, &view.ledger.market.minutes);
    let (Some(atr), Some(normal)) = (minutes.atr_ticks(), minutes.atr_normal_ticks()) else {
        return Opinion::Allow;
    };
    let limit = breakers.atr_times_normal * normal;
    if breakers.atr_times_normal == 0.0 || atr <= limit {
        return Opinion::Allow;
    }
    Opinion::Shrink { multiplier: breakers.size_multiplier, value: atr, limit }
}
