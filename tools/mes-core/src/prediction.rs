//! What a model says of the next horizon, and the one law about it that every tool keeps.

use libm::exp;

use crate::bounds::{self, Fault};

/// One prediction. All values are absent together while the model's inputs are warming up; a rule strategy may
/// leave out what it cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Prediction {
    pub down: Option<f32>,
    pub flat: Option<f32>,
    pub up: Option<f32>,
    /// −1, 0 or 1.
    pub dir: Option<f32>,
    /// The largest probability, calibrated.
    pub conf: Option<f32>,
    /// The expected move in ticks.
    pub expected_move: Option<f32>,
    /// The volatility over the horizon in ticks.
    pub vol: Option<f32>,
    /// The most contracts that whoever predicts would enter with; absent, the rules alone say how many.
    pub size: Option<f32>,
}

/// The columns of a prediction, in order.
pub const COLUMNS: [&str; 8] = ["p_down", "p_flat", "p_up", "p_dir", "p_conf", "p_move", "p_vol", "p_size"];

/// How many of [`COLUMNS`] a model or a rule of ours says: the size is for stages of others.
pub const OURS: usize = 7;

/// How far the sum of the probabilities may lie from 1.
pub const SUM_TOLERANCE: f64 = 1e-3;

/// The law in words.
pub const LAW: &str = "p_dir is -1, 0 or 1, and -1 or 1 only where none of p_down p_flat p_up is larger than its own; p_conf \
                       lies in [0, 1]; probabilities lie in [0, 1] and sum to 1";

/// Returns e^z / Σ e^z, in `f64` with the pinned `exp`: the probabilities of the classes that logits `z` stand for.
pub fn softmax(z: [f64; 3]) -> [f64; 3] {
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e = z.map(|one| exp(one - top));
    let sum = e[0] + e[1] + e[2];
    e.map(|one| one / sum)
}

impl Prediction {
    /// Returns the values in the order of [`COLUMNS`].
    pub fn values(&self) -> [Option<f32>; 8] {
        [self.down, self.flat, self.up, self.dir, self.conf, self.expected_move, self.vol, self.size]
    }

    /// Builds a prediction from values in the order of [`COLUMNS`].
    pub fn from_values([down, flat, up, dir, conf, expected_move, vol, size]: [Option<f32>; 8]) -> Self {
        Prediction { down, flat, up, dir, conf, expected_move, vol, size }
    }

    /// Checks the prediction against the [`LAW`]; what is absent is not judged.
    ///
    /// # Errors
    ///
    /// The first column whose value cannot be, and why.
    pub fn check(&self) -> Result<(), Fault> {
        for (column, value) in COLUMNS.into_iter().zip(self.values()) {
            bounds::check_prediction(column, value)?;
        }
        if let Some(dir) = self.dir.filter(|dir| !is_direction(*dir)) {
            let bounds = (-1.0, 1.0);
            return Err(Fault::new("p_dir", bounds::words("p_dir", dir, bounds)));
        }
        let (Some(down), Some(flat), Some(up)) = (self.down, self.flat, self.up) else { return Ok(()) };
        let shares = [down, flat, up];
        if !sums_to_one(shares) {
            let sum: f64 = shares.map(f64::from).iter().sum();
            return Err(Fault::new(
                "p_down",
                format!("{down} makes {sum:.4} with p_flat {flat} and p_up {up}, not 1"),
            ));
        }
        match self.dir {
            Some(dir) if !agrees(dir, shares) => Err(Fault::new(
                "p_dir",
                format!("{dir} is against the largest of p_down {down}, p_flat {flat} and p_up {up}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Says whether a prediction that is all there keeps the [`LAW`], without a branch: `[p_down, p_flat, p_up]`, `p_dir`,
/// `p_conf`.
#[inline]
pub fn holds(shares: [f32; 3], dir: f32, conf: f32) -> bool {
    let share = |p: f32| (0.0..=1.0).contains(&p);
    share(shares[0])
        & share(shares[1])
        & share(shares[2])
        & share(conf)
        & is_direction(dir)
        & sums_to_one(shares)
        & agrees(dir, shares)
}

#[inline]
fn is_direction(dir: f32) -> bool {
    (dir == -1.0) | (dir == 0.0) | (dir == 1.0)
}

#[inline]
fn sums_to_one([down, flat, up]: [f32; 3]) -> bool {
    (f64::from(down) + f64::from(flat) + f64::from(up) - 1.0).abs() <= SUM_TOLERANCE
}

/// Says whether no probability is larger than that of the direction. FLAT goes with all: it asks for nothing, and whoever
/// speaks may hold back.
#[inline]
fn agrees(dir: f32, [down, flat, up]: [f32; 3]) -> bool {
    let own = if dir > 0.0 { up } else { down };
    (own >= down.max(flat).max(up)) | (dir == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Down, flat, up, direction, confidence, and the column at fault.
    type Case = (Option<[f32; 3]>, f32, f32, Option<&'static str>);

    const CASES: [Case; 19] = [
        (Some([0.2, 0.3, 0.5]), 1.0, 0.5, None),
        (Some([0.5, 0.3, 0.2]), -1.0, 0.5, None),
        (Some([0.2, 0.6, 0.2]), 0.0, 0.6, None),
        // Ties: rounded to two digits, either is the largest.
        (Some([0.4, 0.4, 0.2]), -1.0, 0.4, None),
        (Some([0.4, 0.4, 0.2]), 0.0, 0.4, None),
        (Some([0.45, 0.1, 0.45]), 0.0, 0.45, None),
        (Some([0.3334, 0.3334, 0.3334]), 0.0, 0.3334, None),
        // Held back.
        (Some([0.1, 0.3, 0.6]), 0.0, 0.6, None),
        (None, -1.0, 1.0, None),
        (None, 0.0, 0.0, None),
        (Some([0.6, 0.3, 0.1]), 1.0, 0.6, Some("p_dir")),
        (Some([0.1, 0.8, 0.1]), 1.0, 0.8, Some("p_dir")),
        (Some([0.2, 0.3, 0.6]), 1.0, 0.6, Some("p_down")),
        (Some([-0.1, 0.5, 0.6]), 1.0, 0.6, Some("p_down")),
        (None, 5.0, 0.9, Some("p_dir")),
        (None, 0.001, 0.9, Some("p_dir")),
        (None, 1.0, 1.5, Some("p_conf")),
        (None, 1.0, 1e30, Some("p_conf")),
        (None, 1.0, f32::NAN, Some("p_conf")),
    ];

    #[test]
    fn what_a_prediction_cannot_be_is_named() {
        for case @ (shares, dir, conf, fault) in CASES {
            let [down, flat, up] = shares.map_or([None; 3], |shares| shares.map(Some));
            let prediction =
                Prediction { down, flat, up, dir: Some(dir), conf: Some(conf), ..Prediction::default() };
            assert_eq!(prediction.check().err().map(|fault| fault.column), fault, "{case:?}");
            if let Some(shares) = shares {
                assert_eq!(holds(shares, dir, conf), fault.is_none(), "{case:?}");
            }
        }
        let move_ = Prediction { expected_move: Some(f32::INFINITY), ..Prediction::default() };
        assert_eq!(move_.check().map_err(|fault| fault.column), Err("p_move"));
        assert_eq!(Prediction::default().check(), Ok(()));
    }
}
