//! The most contracts that a firm allows; its ladder is climbed from day to day, never within one.

use super::{Opinion, View};

pub fn opinion(view: &View) -> Opinion {
    let (Some(prop), Some(day)) = (&view.rules.prop, &view.ledger.day) else { return Opinion::Allow };
    let gain = day.balance_cents - prop.opening(view.ledger.first_cents);
    let contracts = prop.contracts(gain);
    Opinion::AtMost { contracts, value: gain.usd(), limit: contracts as f64 }
}
