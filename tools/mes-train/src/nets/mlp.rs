//! The feed-forward net: two layers of ReLU, the second half as wide as the first.

use candle_core::Tensor;
use mes_pipe::Result;

use super::{Candle, Net, Size, cost as cost_of, fit, layers::Dense, weights::Weights};
use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::Graph,
    options::{Options, set},
};

pub const OPTIONS: Options = Options {
    epochs: Some(20),
    patience: Some(4),
    batch: Some(256),
    learning_rate: Some(1e-3),
    weight_decay: Some(1.0),
    hidden: Some(64),
    ..Options::NONE
};

struct Mlp {
    first: Dense,
    second: Dense,
    last: Dense,
}

pub fn cost(shape: &Shape) -> Cost {
    let hidden = f64::from(set(shape.options.hidden));
    cost_of(shape, hidden * (shape.width as f64 + hidden / 2.0), 1e-6)
}

pub fn fit(task: &Task) -> Result<Box<dyn Fitted>> {
    fit::fit(task, |weights, size| Ok(Box::new(Mlp::new(weights, size)?)))
}

impl Mlp {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Mlp> {
        let hidden = set(size.options.hidden) as usize;
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

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let first = self.first.write(graph, input);
        let first = graph.node("Relu", &[&first], "first_relu");
        let second = self.second.write(graph, &first);
        let second = graph.node("Relu", &[&second], "second_relu");
        self.last.write(graph, &second)
    }
}
