//! A pause after every exit, but for an entry that the exit made room for.

use mes_core::time::SECOND;

use super::{Opinion, View};

/// Denies in seconds since the exit.
pub fn opinion(view: &View) -> Opinion {
    let Some(exit) = view.ledger.last_exit.filter(|_| !view.reversing) else { return Opinion::Allow };
    let (passed, wanted) = (view.row.bar.ts - exit, view.rules.entries.cooldown_s * SECOND);
    if passed >= wanted {
        return Opinion::Allow;
    }
    Opinion::Deny { value: passed as f64 / SECOND as f64, limit: view.rules.entries.cooldown_s as f64 }
}
