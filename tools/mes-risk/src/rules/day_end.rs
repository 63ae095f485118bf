//! No entry from 15 minutes before flat-by until the day is over.

use mes_core::time::SECOND;

use super::{Opinion, View};

/// Denies in seconds until flat-by.
pub fn opinion(view: &View) -> Opinion {
    let (now, end) = (view.row.bar.ts, view.today.end);
    if now < end.no_entry {
        return Opinion::Allow;
    }
    let seconds = |nanos: i64| nanos as f64 / SECOND as f64;
    Opinion::Deny { value: seconds(end.flat - now), limit: seconds(end.flat - end.no_entry) }
}
