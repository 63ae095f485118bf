//! No entry on a day that has earned so much of a firm's target that more of it would count against the account.

use super::{Opinion, View};

/// Denies in dollars earned today.
pub fn opinion(view: &View) -> Opinion {
    let (Some(prop), Some(day)) = (&view.rules.prop, &view.ledger.day) else { return Opinion::Allow };
    let (earned, most) = (view.ledger.equity_cents - day.start_cents, prop.best_day());
    if earned < most {
        return Opinion::Allow;
    }
    Opinion::Deny { value: earned.usd(), limit: most.usd() }
}
