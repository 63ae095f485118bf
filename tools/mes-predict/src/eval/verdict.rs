//! What the figures show: skill in direction, in how far only, or none. The gate is the first: nothing else is traded.

use serde::Serialize;

use super::{bootstrap::Estimate, evaluation::Gain};
use crate::scores::{LEAST_MOVED, tally::Tally};

/// What is shown. Only direction can be traded; volatility, which tells how far, is easy to foretell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Skill {
    Direction,
    #[serde(rename = "how far only")]
    HowFarOnly,
    None,
}

impl Skill {
    /// Judges by the gains over the best constant guess in up against down, over `moved` rows, and in all.
    pub fn of(direction: Estimate, all: Estimate, moved: u64) -> Skill {
        if direction.is_above_zero() && moved >= LEAST_MOVED as u64 {
            Skill::Direction
        } else if all.is_above_zero() {
            Skill::HowFarOnly
        } else {
            Skill::None
        }
    }
}

/// Says it in words, with the figures of direction first.
pub fn verdict(
    skill: Skill,
    gain: &Gain,
    [direction, right]: [Estimate; 2],
    whole: &Tally,
    sessions: usize,
) -> String {
    let nats = |estimate: Estimate| match (estimate.value, estimate.interval) {
        (Some(value), Some([low, high])) => format!("{value:+.5} nats a row, 95 % {low:+.5} to {high:+.5}"),
        (Some(value), None) => format!("{value:+.5} nats a row"),
        _ => "not to be had: something happened that was called impossible".into(),
    };
    let moved = match right.value {
        Some(share) => format!(
            "up against down on the {} rows that moved: {:.1} % right, {}",
            whole.moved(),
            share * 100.0,
            nats(direction)
        ),
        None => "no row moved".into(),
    };
    let over = match gain.nats.is_above_zero() {
        true => format!("log-loss beats the {}: {}", gain.over, nats(gain.nats)),
        false => format!("log-loss does not beat the {}: {}", gain.over, nats(gain.nats)),
    };
    match skill {
        Skill::None if sessions < 2 => {
            format!(
                "NO SKILL shown: {moved}; {over}; {sessions} session is no sample, so there is no interval"
            )
        }
        Skill::None => format!("NO SKILL shown: {moved}; {over}; over {sessions} sessions"),
        Skill::HowFarOnly => {
            format!("HOW FAR ONLY, no skill in direction: {moved}; {over}; over {sessions} sessions")
        }
        Skill::Direction => format!("SKILL in direction: {moved}; {over}; over {sessions} sessions"),
    }
}
