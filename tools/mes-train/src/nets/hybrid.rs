//! The hybrid: an LSTM over the window, attention over all that it held (Bahdanau et al. 2015), and beside it a dense
//! branch that sees the last row alone.

use candle_core::{D, Tensor};
use mes_pipe::Result;

use super::{
    Candle, Net, Size, cost as cost_of, fit,
    layers::{Dense, softmax},
    lstm::Lstm,
    weights::Weights,
};
use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::{Attribute, Graph},
    options::{Options, set},
};

pub const OPTIONS: Options = super::lstm::OPTIONS;

struct Hybrid {
    lstm: Lstm,
    /// What each row is asked for, and how much the answer counts.
    key: Dense,
    score: Dense,
    still: Dense,
    mixed: Dense,
    last: Dense,
}

pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    cost_of(shape, window * hidden * (4.0 * shape.width as f64 + 5.0 * hidden), window * hidden * 1.2e-7)
}

pub fn fit(task: &Task) -> Result<Box<dyn Fitted>> {
    fit::fit(task, |weights, size| Ok(Box::new(Hybrid::new(weights, size)?)))
}

impl Hybrid {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Hybrid> {
        let hidden = set(size.options.hidden) as usize;
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

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let (all, _) = self.lstm.write(graph, input);
        let one = graph.integers("second_axis", &[1]);
        let all = graph.node("Squeeze", &[&all, &one], "held_by_time");
        let by_batch = [("perm", Attribute::Ints(&[1, 0, 2]))];
        let held = graph.node_with("Transpose", &[&all], "held", &by_batch);
        let key = self.key.write(graph, &held);
        let key = graph.node("Tanh", &[&key], "key_tanh");
        let score = self.score.write(graph, &key);
        let turned = [("perm", Attribute::Ints(&[0, 2, 1]))];
        let score = graph.node_with("Transpose", &[&score], "score_turned", &turned);
        let weight = graph.node_with("Softmax", &[&score], "weight", &[("axis", Attribute::Int(-1))]);
        let context = graph.node("MatMul", &[&weight, &held], "context_of_one");
        let context = graph.node("Squeeze", &[&context, &one], "context");
        let place = graph.scalar("last_row", -1);
        let now = graph.node_with("Gather", &[input, &place], "now", &[("axis", Attribute::Int(1))]);
        let still = self.still.write(graph, &now);
        let still = graph.node("Relu", &[&still], "still_relu");
        let both = graph.node_with("Concat", &[&context, &still], "both", &[("axis", Attribute::Int(-1))]);
        let mixed = self.mixed.write(graph, &both);
        let mixed = graph.node("Relu", &[&mixed], "mixed_relu");
        self.last.write(graph, &mixed)
    }
}
