//! The Transformer encoder (Vaswani et al. 2017; norm first, as Xiong et al. 2020), with learnt places; what it holds
//! at the last row decides.

use candle_core::Tensor;
use mes_pipe::Result;

use super::{
    Candle, Net, Size, cost as cost_of, fit,
    layers::{Dense, LayerNorm, softmax, tensor},
    weights::Weights,
};
use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::{Attribute, Graph},
    options::{Options, set},
};

pub const OPTIONS: Options = Options {
    window: Some(30),
    epochs: Some(12),
    patience: Some(3),
    batch: Some(256),
    learning_rate: Some(1e-3),
    weight_decay: Some(1.0),
    hidden: Some(32),
    ..Options::NONE
};

/// Heads of attention.
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

pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    let row = hidden * (shape.width as f64 + 8.0 * hidden + 2.0 * window);
    cost_of(shape, window * row, window * hidden * 1e-7)
}

pub fn fit(task: &Task) -> Result<Box<dyn Fitted>> {
    fit::fit(task, |weights, size| Ok(Box::new(Transformer::new(weights, size)?)))
}

impl Transformer {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Transformer> {
        // Heads share the width evenly.
        let hidden = (set(size.options.hidden) as usize).next_multiple_of(HEADS);
        let window = size.window;
        Ok(Transformer {
            window,
            hidden,
            embed: Dense::new("embed", weights, size.width, hidden)?,
            places: weights.even(&[window, hidden], 0.1)?,
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

    fn write_attention(&self, graph: &mut Graph, input: &str) -> String {
        let (window, width) = (self.window as i64, (self.hidden / HEADS) as i64);
        // 0 leaves the batch as it is.
        let split = graph.integers("split", &[0, window, HEADS as i64, width]);
        let whole = graph.integers("whole", &[0, window, self.hidden as i64]);
        let mut heads = |dense: &Dense, name: &str, perm: [i64; 4]| {
            let part = dense.write(graph, input);
            let part = graph.node("Reshape", &[&part, &split], &format!("{name}_split"));
            let perm = [("perm", Attribute::Ints(&perm))];
            graph.node_with("Transpose", &[&part], &format!("{name}_heads"), &perm)
        };
        let query = heads(&self.query, "query", [0, 2, 1, 3]);
        let key = heads(&self.key, "key", [0, 2, 3, 1]);
        let value = heads(&self.value, "value", [0, 2, 1, 3]);
        let shrink = graph.tensor("shrink", &[1], &[self.shrink() as f32]);
        let scores = graph.node("MatMul", &[&query, &key], "scores_raw");
        let scores = graph.node("Mul", &[&scores, &shrink], "scores");
        let weights = graph.node_with("Softmax", &[&scores], "attention", &[("axis", Attribute::Int(-1))]);
        let heads = graph.node("MatMul", &[&weights, &value], "heads");
        let back = [("perm", Attribute::Ints(&[0, 2, 1, 3]))];
        let heads = graph.node_with("Transpose", &[&heads], "heads_back", &back);
        let heads = graph.node("Reshape", &[&heads, &whole], "heads_whole");
        self.joined.write(graph, &heads)
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

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let places = tensor(graph, "places", &self.places);
        let embedded = self.embed.write(graph, input);
        let x = graph.node("Add", &[&embedded, &places], "placed");
        let normal = self.before_attention.write(graph, &x);
        let seen = self.write_attention(graph, &normal);
        let x = graph.node("Add", &[&x, &seen], "seen");
        let normal = self.before_wide.write(graph, &x);
        let wide = self.wide.write(graph, &normal);
        let wide = graph.node("Relu", &[&wide], "wide_relu");
        let narrow = self.narrow.write(graph, &wide);
        let x = graph.node("Add", &[&x, &narrow], "thought");
        let place = graph.scalar("last_row", -1);
        let last = graph.node_with("Gather", &[&x, &place], "now", &[("axis", Attribute::Int(1))]);
        let normal = self.before_last.write(graph, &last);
        self.last.write(graph, &normal)
    }
}
