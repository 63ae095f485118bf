//! What a model's card holds to turn its logits into probabilities that mean what they say, and into sets of classes
//! that hold the true one as often as was asked for.

use mes_core::prediction::softmax;
use serde::{Deserialize, Serialize};

use super::plan::CLASSES;

/// The least that a curve gives a class: nothing is impossible because it did not happen in one slice.
const LEAST: f64 = 1e-4;

/// What makes probabilities of logits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Calibration {
    /// softmax(logits / t).
    Temperature { t: f64 },
    /// softmax(logits), each class bent by a curve of its own, made to sum to 1.
    Isotonic { classes: [Curve; CLASSES] },
}

/// A non-decreasing curve: straight between its knots `[stated, found]`, level beyond them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pub knots: Vec<[f64; 2]>,
}

/// What sets of classes are made by: a class is in the set when its probability is at least 1 − `quantile`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// The share of rows whose true class may be missing from its set.
    pub alpha: f64,
    pub quantile: f64,
    /// On rows it has never seen: the shares whose set holds the true class, and whose set is one class.
    pub covered: Option<f64>,
    pub single: Option<f64>,
}

impl Calibration {
    /// Returns the probabilities of down, flat, up; they sum to 1.
    pub fn probabilities(&self, logits: [f64; CLASSES]) -> [f64; CLASSES] {
        match self {
            Calibration::Temperature { t } => softmax(logits.map(|logit| logit / t)),
            Calibration::Isotonic { classes } => {
                let p = softmax(logits);
                let bent: [f64; CLASSES] =
                    std::array::from_fn(|class| classes[class].at(p[class]).max(LEAST));
                let sum = bent[0] + bent[1] + bent[2];
                bent.map(|one| one / sum)
            }
        }
    }

    /// Says what it does, on one line.
    pub fn describe(&self) -> String {
        match self {
            Calibration::Temperature { t } => format!("softmax(logits / {t:.4})"),
            Calibration::Isotonic { classes } => {
                let [down, flat, up] = classes.each_ref().map(|curve| curve.knots.len());
                format!("isotonic: down {down}, flat {flat}, up {up} knots")
            }
        }
    }

    /// Says what is wrong with it, if anything is.
    pub fn flaw(&self) -> Option<&'static str> {
        match self {
            Calibration::Temperature { t } if !(*t > 0.0 && t.is_finite()) => {
                Some("a temperature not above 0")
            }
            Calibration::Isotonic { classes } if !classes.iter().all(Curve::rises) => {
                Some("a curve without knots, or one that falls")
            }
            _ => None,
        }
    }
}

impl Curve {
    /// Returns the height at `x`.
    pub fn at(&self, x: f64) -> f64 {
        let right = self.knots.partition_point(|knot| knot[0] < x);
        match (right.checked_sub(1).map(|left| self.knots[left]), self.knots.get(right)) {
            (Some(low), Some(high)) => low[1] + (high[1] - low[1]) * ((x - low[0]) / (high[0] - low[0])),
            (Some(last), None) => last[1],
            (None, Some(first)) => first[1],
            (None, None) => x,
        }
    }

    fn rises(&self) -> bool {
        let inside = |one: &f64| (0.0..=1.0).contains(one);
        !self.knots.is_empty()
            && self.knots.iter().flatten().all(inside)
            && self.knots.windows(2).all(|two| two[0][0] < two[1][0] && two[0][1] <= two[1][1])
    }
}

impl Conformal {
    /// Returns which classes are in the set.
    pub fn set(&self, p: [f64; CLASSES]) -> [bool; CLASSES] {
        p.map(|one| 1.0 - one <= self.quantile)
    }

    /// Says what it is, on one line.
    pub fn describe(&self) -> String {
        let Conformal { alpha, quantile, .. } = self;
        let percent =
            |share: Option<f64>| share.map_or("unknown".into(), |share| format!("{:.2} %", share * 100.0));
        format!(
            "classes of at least {:.4}, to miss in {:.2} %; on rows never seen {} hold the true class, {} are one class",
            1.0 - quantile,
            alpha * 100.0,
            percent(self.covered),
            percent(self.single)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(knots: &[[f64; 2]]) -> Curve {
        Curve { knots: knots.to_vec() }
    }

    #[test]
    fn a_curve_is_straight_between_knots_and_level_beyond() {
        let curve = curve(&[[0.2, 0.1], [0.4, 0.1], [0.8, 0.9]]);
        for (x, y) in [(0.0, 0.1), (0.2, 0.1), (0.3, 0.1), (0.4, 0.1), (0.6, 0.5), (0.8, 0.9), (1.0, 0.9)] {
            assert!((curve.at(x) - y).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn isotonic_probabilities_sum_to_1_and_are_never_0() {
        let flat = curve(&[[0.0, 0.0], [1.0, 1.0]]);
        let classes = [curve(&[[0.5, 0.0]]), flat, curve(&[[0.3, 0.0], [0.6, 0.5]])];
        let calibration = Calibration::Isotonic { classes };
        assert_eq!(calibration.flaw(), None);
        for logits in [[0.0, 0.0, 0.0], [9.0, -9.0, -9.0], [-3.0, 1.0, 2.0]] {
            let p = calibration.probabilities(logits);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|p| *p > 0.0), "{p:?}");
        }
    }

    #[test]
    fn a_broken_calibration_is_seen() {
        let broken = |curve: Curve| Calibration::Isotonic { classes: [curve.clone(), curve.clone(), curve] };
        for calibration in [
            Calibration::Temperature { t: 0.0 },
            Calibration::Temperature { t: f64::NAN },
            broken(curve(&[])),
            broken(curve(&[[0.2, 0.5], [0.3, 0.4]])),
            broken(curve(&[[0.2, 0.1], [0.2, 0.4]])),
            broken(curve(&[[0.2, 1.5]])),
        ] {
            assert!(calibration.flaw().is_some(), "{calibration:?}");
        }
    }

    #[test]
    fn a_set_holds_what_is_likely_enough() {
        let conformal = Conformal { alpha: 0.1, quantile: 0.7, covered: None, single: Some(0.5) };
        assert_eq!(conformal.set([0.31, 0.5, 0.19]), [true, true, false]);
        assert!(conformal.describe().contains("at least 0.3000, to miss in 10.00 %"));
    }
}
