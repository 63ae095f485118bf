//! One trade may lose no more than the per-trade limit.

use mes_core::money::Cents;

use super::{Opinion, View};

/// Allows at most what fits; the value is what one contract may lose, in dollars.
pub fn opinion(view: &View) -> Opinion {
    let limit = view.rules.limits.per_trade_usd;
    Opinion::AtMost { contracts: Cents::from_usd(limit).0 / view.risk.0, value: view.risk.usd(), limit }
}
