//! How much of a result may be luck: intervals, the Sharpe ratio's probabilities, and what random entries would have
//! made. A Sharpe ratio is never shown without them.

mod intervals;
mod rests;
mod sharpe;
mod skill;

pub use intervals::{FEWEST_SESSIONS, Intervals, Range};
pub use rests::Rests;
pub use sharpe::SharpeEvidence;
pub use skill::Skill;

use serde::Serialize;

use crate::{facts::Facts, search::Search, stats::overfitting::Overfitting};

/// All random draws of a summary come from this seed: the same results make the same bytes.
const SEED: u64 = 1;

/// What speaks for and against luck.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Absent with too few sessions to resample.
    pub intervals: Option<Intervals>,
    /// Absent without at least two days that differ.
    pub sharpe: Option<SharpeEvidence>,
    /// Absent without trades, and where prices were not kept.
    pub skill: Option<Skill>,
    /// Absent without a ledger of trials, and where it has too few that are ranked.
    pub overfitting: Option<Overfitting>,
}

impl Evidence {
    /// Weighs the facts of a run; `search` is what it is the best of.
    pub fn of(facts: &Facts, search: &Search) -> Evidence {
        Evidence {
            intervals: Intervals::of(facts, SEED),
            sharpe: SharpeEvidence::of(facts, search.searched),
            skill: Skill::of(facts, SEED),
            overfitting: search.overfitting.clone(),
        }
    }
}
