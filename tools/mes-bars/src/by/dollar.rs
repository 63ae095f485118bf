//! Dollar bars: so much value traded (López de Prado, "Advances in Financial Machine Learning", 2.3.1.4).

use mes_core::contract::{TICK, TICK_VALUE};

use crate::by::{
    open::{Open, PARTS},
    trades::{Rule, Trade},
};

/// Completes a bar with the trade that brings Σ price × $5 × size to n dollars or beyond. Sums are whole numbers.
#[derive(Clone, Copy, Debug)]
pub struct DollarRule {
    /// Σ price × size to reach, in parts of a point.
    value: i64,
}

impl DollarRule {
    pub fn new(dollars: i64) -> Self {
        let cents_per_point = (TICK_VALUE.0 as f64 / TICK) as i64;
        let cents = i128::from(dollars) * 100 * i128::from(PARTS);
        DollarRule { value: i64::try_from(cents / i128::from(cents_per_point)).unwrap_or(i64::MAX) }
    }
}

impl Rule for DollarRule {
    fn completes(&mut self, _: &Trade, open: &Open) -> bool {
        open.value >= self.value
    }
}
