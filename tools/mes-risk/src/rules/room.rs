//! The worst case of a trade must fit into what the limits still allow, before it is sent.

use super::{Opinion, View};
use crate::limits::Account;

pub fn opinion(view: &View) -> Opinion {
    let room = Account::new(view.rules, view.ledger, view.row, view.statement).room();
    Opinion::AtMost { contracts: room.0.max(0) / view.risk.0, value: view.risk.usd(), limit: room.usd() }
}
