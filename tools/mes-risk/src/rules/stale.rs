//! No entry on a price that nobody has confirmed lately. Where rows do not say how old the last trade or quote is, the age
//! is that of the last trade, which they always tell.

use mes_core::session::Part;

use super::{Opinion, View};

/// Denies in milliseconds of age.
pub fn opinion(view: &View) -> Opinion {
    let entries = &view.rules.entries;
    let limit = if view.part == Part::Rth { entries.stale_rth_ms } else { entries.stale_eth_ms };
    let bar = &view.row.bar;
    match bar.age_ms.or_else(|| view.ledger.market.age_ms(bar.ts)) {
        Some(age) if age > limit => Opinion::Deny { value: age as f64, limit: limit as f64 },
        _ => Opinion::Allow,
    }
}
