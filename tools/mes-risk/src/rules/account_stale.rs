//! No entry on an account that nobody has looked at lately: what it holds may be another by now.

use mes_core::time::MILLI;

use super::{Opinion, View};

/// Denies in milliseconds of age.
pub fn opinion(view: &View) -> Opinion {
    let (age, limit) = (view.statement.age() / MILLI, view.rules.entries.account_stale_ms);
    if age > limit { Opinion::Deny { value: age as f64, limit: limit as f64 } } else { Opinion::Allow }
}
