//! The figures of all rows with their intervals, from one set of draws: what is drawn for one is drawn for all.

use super::{
    bootstrap::{Draws, Estimate},
    evaluation::Figures,
};
use crate::scores::{Scores, tally::Tally};

/// What one set of draws gives.
pub struct Found {
    pub model: Figures,
    pub gain: Estimate,
    pub direction: Estimate,
    pub direction_gate: Estimate,
    pub direction_right: Estimate,
}

impl Found {
    /// Estimates the scores, the gain over a guess, and what is known of direction beside the prior.
    pub fn of(sessions: &[Tally], draws: &Draws, [guess, prior]: [[f64; 3]; 2], whole: &Tally) -> Found {
        const ANY: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
        const SHARE: [f64; 2] = [0.0, 1.0];
        let ranges =
            [[0.0, f64::INFINITY], [0.0, 2.0], SHARE, SHARE, [-1.0, 1.0], SHARE, ANY, ANY, ANY, SHARE];
        let came = whole.classes().map(|rows| rows as f64);
        let found = draws.estimate(sessions, ranges, |drawn| {
            let sum = Tally::sum(drawn.iter().copied());
            let Scores { log_loss, brier, accuracy, balanced_accuracy, mcc } = sum.scores();
            let [brier, accuracy, balanced_accuracy, mcc, ece] =
                [brier, accuracy, balanced_accuracy, mcc, sum.ece()].map(Some);
            let gain = sum.gain_over(guess);
            let [direction, gate] = [prior, came].map(|p| sum.direction_gain_over(p));
            let right = sum.direction_right();
            [log_loss, brier, accuracy, balanced_accuracy, mcc, ece, gain, direction, gate, right]
        });
        let [log_loss, brier, accuracy, balanced_accuracy, mcc, ece, directions @ ..] = found;
        let [gain, direction, direction_gate, direction_right] = directions;
        let model = Figures { log_loss, brier, accuracy, balanced_accuracy, mcc, ece };
        Found { model, gain, direction, direction_gate, direction_right }
    }
}
