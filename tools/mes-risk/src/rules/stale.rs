//! No entry on a price that nobody has confirmed lately.

use mes_core::session::Part;

use super::{Opinion, View};

pub fn opinion(view: &View) -> Opinion {
    let entries = &view.rules.entries;
    let limit = if view.part == Part::Rth { entries.stale_rth_ms } else { entries.stale_eth_ms };
    match view.row.bar.age_ms {
        Some(age) if age > limit => Opinion::Deny { value: age as f64, limit: limit as f64 },
        _ => Opinion::Allow,
    }
}
