//! The one clock of this tool, for the time of what a person says. No verdict depends on it: what is said takes effect
//! on the next row, and its place in the journal is what counts.

use std::time::{SystemTime, UNIX_EPOCH};

use mes_core::time::Ts;

/// Returns the time now, to the second.
#[allow(clippy::disallowed_methods, reason = "a person speaks at a time that no record carries")]
pub fn now() -> Ts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as Ts * mes_core::time::SECOND
}
