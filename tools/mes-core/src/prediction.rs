//! What a model says of the next horizon.

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
}

/// The columns of a prediction, in order.
pub const COLUMNS: [&str; 7] = ["p_down", "p_flat", "p_up", "p_dir", "p_conf", "p_move", "p_vol"];

impl Prediction {
    /// Returns the values in the order of [`COLUMNS`].
    pub fn values(&self) -> [Option<f32>; 7] {
        [self.down, self.flat, self.up, self.dir, self.conf, self.expected_move, self.vol]
    }

    /// Builds a prediction from values in the order of [`COLUMNS`].
    pub fn from_values([down, flat, up, dir, conf, expected_move, vol]: [Option<f32>; 7]) -> Self {
        Prediction { down, flat, up, dir, conf, expected_move, vol }
    }
}
