//! A pause from when the spread was too wide until it is narrow again.

use super::{Opinion, View};
use crate::memory::spread_ticks;

/// Denies in ticks of spread.
pub fn opinion(view: &View) -> Opinion {
    if !view.ledger.wide_spread {
        return Opinion::Allow;
    }
    let value = spread_ticks(view.row, &view.rules.breakers).unwrap_or(view.rules.breakers.spread_ticks);
    Opinion::Deny { value, limit: view.rules.breakers.spread_resume_ticks }
}
