//! Entries in the cash session, or in the whole day, as the rules say; never while the market is closed.

use mes_core::{rules::EntrySession, session::Part, time::SECOND};

use super::{Opinion, View};

/// Denies in seconds to the cash session.
pub fn opinion(view: &View) -> Opinion {
    let open = match view.rules.entries.session {
        EntrySession::Rth => view.part == Part::Rth,
        EntrySession::All => !matches!(view.part, Part::Closed | Part::Pause),
    };
    if open {
        return Opinion::Allow;
    }
    // Seconds until the cash session, negative after it.
    let until = view.today.day.rth.map_or(0, |(open, _)| open - view.row.bar.ts);
    Opinion::Deny { value: until as f64 / SECOND as f64, limit: 0.0 }
}
