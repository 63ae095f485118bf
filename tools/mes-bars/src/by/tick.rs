//! Tick bars: so many trades (López de Prado, "Advances in Financial Machine Learning", 2.3.1.2).

use crate::by::{
    open::Open,
    trades::{Rule, Trade},
};

/// Completes a bar with its n-th trade.
#[derive(Clone, Copy, Debug)]
pub struct TickRule {
    pub trades: i64,
}

impl Rule for TickRule {
    fn completes(&mut self, _: &Trade, open: &Open) -> bool {
        open.bar.trades >= Some(self.trades)
    }
}
