//! What trading cost, in whole cents, so that it adds up: before costs − spread − slippage = gross; gross − commission
//! (with fees) = net.

use mes_core::{money::Cents, round_trip::RoundTrip};
use serde::Serialize;

use super::ratio;
use crate::facts::Facts;

/// What trading cost, in dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostMetrics {
    /// Had every market order been filled at the open of its bar, every stop, target and limit at its price.
    pub before_costs_usd: f64,
    /// What the opposite quote lay beyond that open.
    pub spread_usd: f64,
    pub slippage_usd: f64,
    pub gross_usd: f64,
    pub commission_usd: f64,
    pub net_usd: f64,
    /// Spread, slippage and commission.
    pub total_usd: f64,
    pub per_trade_usd: Option<f64>,
    pub contracts: i64,
}

impl CostMetrics {
    /// Sums up the trades of a run.
    pub fn of(facts: &Facts) -> CostMetrics {
        let sum = |of: fn(&RoundTrip) -> Cents| facts.trades.iter().map(of).sum::<Cents>();
        let (gross, slippage) = (sum(|trade| trade.gross_cents), sum(|trade| trade.slippage_cents));
        let (spread, commission) = (sum(|trade| trade.spread_cents), sum(|trade| trade.commission_cents));
        let total = spread + slippage + commission;
        CostMetrics {
            before_costs_usd: (gross + spread + slippage).usd(),
            spread_usd: spread.usd(),
            slippage_usd: slippage.usd(),
            gross_usd: gross.usd(),
            commission_usd: commission.usd(),
            net_usd: (gross - commission).usd(),
            total_usd: total.usd(),
            per_trade_usd: ratio(total.usd(), facts.trades.len() as f64),
            contracts: facts.trades.iter().map(|trade| trade.contracts).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    proptest! {
        /// To the cent, over any fills; and the trades' nets are the account's.
        #[test]
        fn add_up(fills in prop::collection::vec((1_i64..=5, -40_i64..=40, 0_i64..=4, any::<bool>()), 0..60)) {
            let facts = sample::from_fills(&fills);
            let costs = CostMetrics::of(&facts);
            let cents = |usd: f64| Cents::from_usd(usd);
            prop_assert_eq!(cents(costs.gross_usd) - cents(costs.commission_usd), cents(costs.net_usd));
            prop_assert_eq!(
                cents(costs.before_costs_usd) - cents(costs.spread_usd) - cents(costs.slippage_usd),
                cents(costs.gross_usd)
            );
            prop_assert_eq!(
                cents(costs.before_costs_usd) - cents(costs.total_usd),
                cents(costs.net_usd)
            );
            prop_assert_eq!(facts.trades.len(), fills.len());
            let net: Cents = facts.trades.iter().map(|trade| trade.net_cents).sum();
            prop_assert_eq!(net, cents(costs.net_usd));
            let ticks: i64 = fills.iter().map(|(contracts, ticks, _, _)| contracts * ticks).sum();
            prop_assert_eq!(cents(costs.gross_usd), Cents(125 * ticks));
            prop_assert_eq!(cents(costs.commission_usd), Cents(84 * costs.contracts));
        }
    }
}
