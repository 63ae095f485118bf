//! What trading came to, and how much of that is luck. Facts come from a journal, as it is written or read again; verdicts
//! are computed from them.

pub mod candles;
pub mod comparison;
pub mod conduct;
pub mod diary;
pub mod evidence;
pub mod excursion;
pub mod expectation;
pub mod facts;
pub mod files;
pub mod incidents;
pub mod journal;
pub mod life;
pub mod made;
pub mod metrics;
pub mod opens;
pub mod reached;
pub mod recorder;
pub mod report;
#[cfg(test)]
mod sample;
pub mod search;
pub mod session;
pub mod stats;
pub mod summary;
pub mod terminal;
pub mod terms;
pub mod trades;
pub mod words;
