//! The hybrid: an LSTM over the window, attention over all that it held (Bahdanau et al. 2015), and beside it a dense
//! branch that sees the last row alone.

use candle_core::{D, Tensor};

use crate::{
    Candle, Net, Size,
    layers::{Dense, softmax},
    lstm::Lstm,
    weights::Weights,
};

struct Hybrid {
    lstm: Lstm,
    /// What each row is asked for, and how much the answer counts.
    key: Dense,
    score: Dense,
    still: Dense,
    mixed: Dense,
    last: Dense,
}

/// Builds it for rows of this size, weights drawn.
///
/// # Errors
///
/// What candle says of shapes that do not fit; a mistake of ours.
pub fn build(weights: &mut Weights, size: &Size) -> Candle<Box<dyn Net>> {
    Ok(Box::new(Hybrid::new(weights, size)?))
}

impl Hybrid {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Hybrid> {
        let hidden = size.hidden;
        Ok(Hybrid {
            lstm: Lstm::new(weights, size.width, hidden)?,
            key: Dense::new("key", weights, hidden, hidden)?,
            score: Dense::new("score", weights, hidden, 1)?,
            still: Dense::new("still", weights, size.width, hidden)?,
            mixed: Dense::new("mixed", weights, 2 * hidden, hidden)?,
            last: Dense::new("logits", weights, hidden, 3)?,
        })
    }
}

impl Net for Hybrid {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let held = Tensor::stack(&self.lstm.forward(x)?, 1)?;
        let score = self.score.forward(&self.key.forward(&held)?.tanh()?)?;
        let weight = softmax(&score.squeeze(2)?)?.unsqueeze(1)?;
        let context = weight.matmul(&held)?.squeeze(1)?;
        let now = x.narrow(1, x.dim(1)? - 1, 1)?.squeeze(1)?.contiguous()?;
        let still = self.still.forward(&now)?.relu()?;
        let both = Tensor::cat(&[&context, &still], D::Minus1)?;
        self.last.forward(&self.mixed.forward(&both)?.relu()?)
    }
}
