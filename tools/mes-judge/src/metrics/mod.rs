//! What a run was worth, as numbers. Every metric is a pure function of [`Facts`]; one that cannot be known (no
//! trade, a single day, no loss) is absent, never NaN or infinite.

pub mod blocked;
pub mod costs;
pub mod drawdown;
pub mod hours;
pub mod predicted;
pub mod returns;
pub mod trade;

use serde::Serialize;

use crate::facts::Facts;

/// All groups, under the names that the JSON summary has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    pub returns: returns::Returns,
    pub drawdown: drawdown::Drawdown,
    pub trades: trade::TradeMetrics,
    pub costs: costs::CostMetrics,
    pub hours: Vec<hours::Hour>,
    pub predicted: predicted::Predicted,
    pub blocked: blocked::Blocked,
}

impl Metrics {
    /// Computes every group.
    pub fn of(facts: &Facts) -> Metrics {
        Metrics {
            returns: returns::Returns::of(facts),
            drawdown: drawdown::Drawdown::of(facts),
            trades: trade::TradeMetrics::of(facts),
            costs: costs::CostMetrics::of(facts),
            hours: hours::of(facts),
            predicted: predicted::Predicted::of(facts),
            blocked: blocked::Blocked::of(facts),
        }
    }
}

/// Divides; absent where the quotient is not a finite number.
pub fn ratio(value: f64, by: f64) -> Option<f64> {
    finite(value / by)
}

/// Keeps only what is a number.
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Returns the arithmetic mean.
pub fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), values.len() as f64)
}
