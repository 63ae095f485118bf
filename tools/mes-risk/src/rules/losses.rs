//! A pause after losing trades in a row.

use mes_core::time::SECOND;

use super::{Opinion, View};

/// Denies in seconds of the pause.
pub fn opinion(view: &View) -> Opinion {
    let now = view.row.bar.ts;
    let Some(pause) = view.ledger.pause.filter(|pause| now < pause.until) else { return Opinion::Allow };
    let seconds = |nanos: i64| nanos as f64 / SECOND as f64;
    Opinion::Deny { value: seconds(now - pause.from), limit: seconds(pause.until - pause.from) }
}
