//! The most contracts that a balance of this size may hold.

use mes_core::{rules::Tier, within};

use super::{Opinion, View};

/// Allows at most the tier's contracts; the value is the balance in dollars.
pub fn opinion(view: &View) -> Opinion {
    let balance = view.balance.usd();
    match of(view) {
        None => Opinion::Deny {
            value: balance,
            limit: view.rules.tiers.first().map_or(0.0, |tier| tier.from_usd),
        },
        Some(tier) => {
            let more = tier.step_usd.map_or(0, |step| ((balance - tier.from_usd) / step) as i64);
            Opinion::AtMost {
                contracts: tier.contracts.saturating_add(more).min(within::CONTRACTS),
                value: balance,
                limit: tier.from_usd,
            }
        }
    }
}

/// Returns the tier that the balance falls into; the lower bound belongs to it.
pub fn of<'a>(view: &View<'a>) -> Option<&'a Tier> {
    let balance = view.balance.usd();
    view.rules.tiers.iter().rev().find(|tier| balance >= tier.from_usd)
}
