//! Volume bars: so many contracts (López de Prado, "Advances in Financial Machine Learning", 2.3.1.3).

use crate::by::{
    open::Open,
    trades::{Rule, Trade},
};

/// Completes a bar with the trade that brings its volume to n contracts or beyond.
#[derive(Clone, Copy, Debug)]
pub struct VolumeRule {
    pub contracts: i64,
}

impl Rule for VolumeRule {
    fn completes(&mut self, _: &Trade, open: &Open) -> bool {
        open.bar.volume >= self.contracts
    }
}
