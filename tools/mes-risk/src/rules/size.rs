//! The share of the balance that a trade may risk: tier percent × confidence × day's end.

use mes_core::money::Cents;

use super::{Opinion, View, tier};

/// Shares are whole millionths, so that a size does not hang on the last bit of a product.
const MILLION: i64 = 1_000_000;

/// Allows at most what the share buys; the value is what one contract may lose, in dollars.
pub fn opinion(view: &View) -> Opinion {
    let Some(tier) = tier::of(view) else {
        return Opinion::Deny { value: view.balance.usd(), limit: 0.0 };
    };
    let band = view.rules.multipliers.iter().rev().find(|band| view.confidence >= band.from);
    let late = view.row.bar.ts >= view.today.end.half_size;
    let day_end = if late { view.rules.day_end.size_multiplier } else { 1.0 };
    let share = tier.risk_percent / 100.0 * band.map_or(0.0, |band| band.multiplier) * day_end;
    let budget = Cents(view.balance.0 * (share * MILLION as f64).round() as i64 / MILLION);
    Opinion::AtMost { contracts: budget.0 / view.risk.0, value: view.risk.usd(), limit: budget.usd() }
}
