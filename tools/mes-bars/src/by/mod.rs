//! What a bar ends by.

pub mod dollar;
pub mod flow;
pub mod imbalance;
pub mod open;
pub mod source;
pub mod tick;
pub mod time;
pub mod trades;
pub mod volume;

use self::{dollar::DollarRule, imbalance::ImbalanceRule, tick::TickRule, trades::Rule, volume::VolumeRule};

/// Names a kind of bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// A grid of time
    Time,
    /// So many trades
    Tick,
    /// So many contracts
    Volume,
    /// So many dollars: price × dollars a point ($5 of MES) × contracts
    Dollar,
    /// Buyers or sellers further ahead than expected; unknown sides go by the tick rule
    Imbalance,
}

impl By {
    /// Returns the name as written in flags and settings.
    pub fn name(self) -> &'static str {
        match self {
            By::Time => "time",
            By::Tick => "tick",
            By::Volume => "volume",
            By::Dollar => "dollar",
            By::Imbalance => "imbalance",
        }
    }

    /// Returns what `--size` counts.
    pub fn unit(self) -> &'static str {
        match self {
            By::Time => "an interval",
            By::Tick => "trades",
            By::Volume => "contracts",
            By::Dollar => "dollars",
            By::Imbalance => "trades, as expected of the first bar",
        }
    }

    /// Returns the rule that completes bars of this kind; bars on a grid of time have none.
    pub fn rule(self, size: i64) -> Option<Box<dyn Rule>> {
        Some(match self {
            By::Time => return None,
            By::Tick => Box::new(TickRule { trades: size }),
            By::Volume => Box::new(VolumeRule { contracts: size }),
            By::Dollar => Box::new(DollarRule::new(size)),
            By::Imbalance => Box::new(ImbalanceRule::new(size)),
        })
    }
}
