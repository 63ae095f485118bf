//! The Transformer encoder (Vaswani et al. 2017; norm first, as Xiong et al. 2020), with learnt places; what it holds
//! at the last row decides.

use candle_core::Tensor;

use crate::{
    Candle, Net, Size,
    layers::{Dense, LayerNorm, softmax},
    weights::Weights,
};

/// Heads of attention; as in the graph.
const HEADS: usize = 2;

struct Transformer {
    window: usize,
    hidden: usize,
    embed: Dense,
    /// `[window, hidden]`.
    places: Tensor,
    before_attention: LayerNorm,
    query: Dense,
    key: Dense,
    value: Dense,
    joined: Dense,
    before_wide: LayerNorm,
    wide: Dense,
    narrow: Dense,
    before_last: LayerNorm,
    last: Dense,
}

/// Builds it for rows of this size, weights drawn.
///
/// # Errors
///
/// What candle says of shapes that do not fit; a mistake of ours.
pub fn build(weights: &mut Weights, size: &Size) -> Candle<Box<dyn Net>> {
    Ok(Box::new(Transformer::new(weights, size)?))
}

impl Transformer {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Transformer> {
        // Heads share the width evenly.
        let hidden = size.hidden.next_multiple_of(HEADS);
        let window = size.window;
        Ok(Transformer {
            window,
            hidden,
            embed: Dense::new("embed", weights, size.width, hidden)?,
            places: weights.even("places", &[window, hidden], 0.1)?,
            before_attention: LayerNorm::new("before_attention", weights, hidden)?,
            query: Dense::new("query", weights, hidden, hidden)?,
            key: Dense::new("key", weights, hidden, hidden)?,
            value: Dense::new("value", weights, hidden, hidden)?,
            joined: Dense::new("joined", weights, hidden, hidden)?,
            before_wide: LayerNorm::new("before_wide", weights, hidden)?,
            wide: Dense::new("wide", weights, hidden, 2 * hidden)?,
            narrow: Dense::new("narrow", weights, 2 * hidden, hidden)?,
            before_last: LayerNorm::new("before_last", weights, hidden)?,
            last: Dense::new("logits", weights, hidden, 3)?,
        })
    }

    /// Lets every row look at every row: softmax(q·kᵀ / √d)·v, head by head.
    fn attention(&self, x: &Tensor) -> Candle<Tensor> {
        let (batch, width) = (x.dim(0)?, self.hidden / HEADS);
        let split =
            |part: Tensor| part.reshape((batch, self.window, HEADS, width))?.transpose(1, 2)?.contiguous();
        let (query, key, value) = (self.query.forward(x)?, self.key.forward(x)?, self.value.forward(x)?);
        let turned = split(key)?.transpose(2, 3)?.contiguous()?;
        let scores = (split(query)?.matmul(&turned)? * self.shrink())?;
        let heads = softmax(&scores)?.matmul(&split(value)?)?;
        self.joined.forward(&heads.transpose(1, 2)?.reshape((batch, self.window, self.hidden))?)
    }

    fn shrink(&self) -> f64 {
        1.0 / ((self.hidden / HEADS) as f64).sqrt()
    }
}

impl Net for Transformer {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let x = self.embed.forward(x)?.broadcast_add(&self.places)?;
        let x = (&x + self.attention(&self.before_attention.forward(&x)?)?)?;
        let wide = self.wide.forward(&self.before_wide.forward(&x)?)?.relu()?;
        let x = (&x + self.narrow.forward(&wide)?)?;
        let last = x.narrow(1, self.window - 1, 1)?.squeeze(1)?.contiguous()?;
        self.last.forward(&self.before_last.forward(&last)?)
    }
}
