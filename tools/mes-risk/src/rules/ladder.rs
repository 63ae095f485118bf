//! The most contracts that a firm allows; its ladder is climbed from day to day, never within one.

use super::{Opinion, View};

/// Allows at most the contracts of the day's rung; the value is the gain in dollars.
pub fn opinion(view: &View) -> Opinion {
    let (Some(prop), Some(day)) = (&view.rules.prop, &view.ledger.day) else { return Opinion::Allow };
    let gain = day.balance_cents - prop.opening(view.ledger.first_cents);
    let contracts = prop.contracts(gain);
    Opinion::AtMost { contracts, value: gain.usd(), limit: contracts as f64 }
}
