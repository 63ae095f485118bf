//! The worst case of a trade must fit into what the limits still allow, before it is sent.

use super::{Opinion, View};

/// Allows at most what fits; the value is what one contract may lose, in dollars.
pub fn opinion(view: &View) -> Opinion {
    let room = view.room;
    Opinion::AtMost { contracts: room.0.max(0) / view.risk.0, value: view.risk.usd(), limit: room.usd() }
}
