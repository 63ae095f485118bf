//! How logits become probabilities that mean what they say, fitted on a slice of its own. Temperature: one for all
//! logits (Guo et al. 2017), by the least log-loss. Isotonic: a curve for each class ([`crate::isotonic`]).

use clap::ValueEnum;
use libm::{exp, log};
use mes_core::prediction::softmax;
use mes_predict::model::card::Calibration;

use crate::isotonic::isotonic;

/// What to calibrate by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// One number for all: makes it more or less sure, and keeps the order of the classes
    Temperature,
    /// A curve for each class: follows any bend, and wants thousands of rows
    Isotonic,
    /// As the fit has it
    None,
}

impl Method {
    /// Fits a calibration to logits and what happened.
    pub fn fit(self, logits: &[[f64; 3]], labels: &[u8]) -> Calibration {
        match self {
            Method::Temperature => temperature(logits, labels),
            Method::Isotonic => isotonic(&logits.iter().map(|z| softmax(*z)).collect::<Vec<_>>(), labels),
            Method::None => Calibration::Temperature { t: 1.0 },
        }
    }
}

/// Logarithms of the temperatures between which the best one is sought: 1/20 to 20.
const RANGE: f64 = 3.0;
/// Golden-section steps: 0.618^60 of the range is far below f64's precision of the answer.
const STEPS: usize = 60;
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Finds the temperature of least log-loss.
fn temperature(logits: &[[f64; 3]], labels: &[u8]) -> Calibration {
    let loss = |ln_t: f64| mean_loss(logits, labels, exp(ln_t));
    let (mut low, mut high) = (-RANGE, RANGE);
    let inner = |low: f64, high: f64| (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = loss(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = loss(right);
        }
    }
    Calibration::Temperature { t: exp((low + high) / 2.0) }
}

fn mean_loss(logits: &[[f64; 3]], labels: &[u8], t: f64) -> f64 {
    let losses = logits.iter().zip(labels).map(|(z, &label)| {
        // A probability that underflows would be a loss without end.
        -log(softmax(z.map(|one| one / t))[usize::from(label)].max(1e-300))
    });
    losses.sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_temperature_that_made_the_labels() {
        // Labels in the proportions that softmax(z / 2) says, without any chance.
        let z = [0.0, 1.0, 4.0];
        let p = softmax(z.map(|one| one / 2.0));
        let mut labels = Vec::new();
        for (class, p) in p.iter().enumerate() {
            labels.extend(std::iter::repeat_n(class as u8, (p * 100_000.0).round() as usize));
        }
        let found = temperature(&vec![z; labels.len()], &labels);
        let Calibration::Temperature { t } = found else { unreachable!("a temperature") };
        assert!((t - 2.0).abs() < 1e-3, "{t}");
    }

    /// A check value: found by another program's minimiser on the same six rows.
    #[test]
    fn finds_the_temperature_that_others_find() {
        let logits = [
            [2.0, 0.5, -1.0],
            [0.2, 1.5, 0.1],
            [1.0, 0.8, 0.9],
            [-0.5, 0.3, 2.2],
            [0.1, 2.5, 0.4],
            [3.0, 0.0, -2.0],
        ];
        let labels = [0, 1, 2, 2, 0, 0];
        let Calibration::Temperature { t } = temperature(&logits, &labels) else {
            unreachable!("a temperature")
        };
        assert!((t - 1.216_199_765_7).abs() < 1e-6, "{t}");
        assert!((mean_loss(&logits, &labels, t) - 0.758_028_739_756_024).abs() < 1e-12);
        assert!((mean_loss(&logits, &labels, 1.0) - 0.767_636_657_904_809_8).abs() < 1e-12);
    }
}
