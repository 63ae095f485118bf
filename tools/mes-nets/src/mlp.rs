//! The feed-forward net: two layers of ReLU, the second half as wide as the first.

use candle_core::Tensor;

use crate::{Candle, Net, Size, layers::Dense, weights::Weights};

struct Mlp {
    first: Dense,
    second: Dense,
    last: Dense,
}

/// Builds it for rows of this size, weights drawn.
///
/// # Errors
///
/// What candle says of shapes that do not fit; a mistake of ours.
pub fn build(weights: &mut Weights, size: &Size) -> Candle<Box<dyn Net>> {
    Ok(Box::new(Mlp::new(weights, size)?))
}

impl Mlp {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Mlp> {
        let hidden = size.hidden;
        let half = hidden.div_ceil(2);
        Ok(Mlp {
            first: Dense::new("first", weights, size.width, hidden)?,
            second: Dense::new("second", weights, hidden, half)?,
            last: Dense::new("logits", weights, half, 3)?,
        })
    }
}

impl Net for Mlp {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let first = self.first.forward(x)?.relu()?;
        self.last.forward(&self.second.forward(&first)?.relu()?)
    }
}
