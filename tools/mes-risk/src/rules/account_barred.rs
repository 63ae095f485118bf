//! No entry while the broker wants none: something on the account is not ours, the firm has locked it, or what it holds has
//! still to be compared. The statement says which.

use super::{Opinion, View};

/// Denies while the statement says that it is barred: 1 of 0.
pub fn opinion(view: &View) -> Opinion {
    match view.statement.barred {
        Some(_) => Opinion::Deny { value: 1.0, limit: 0.0 },
        None => Opinion::Allow,
    }
}
