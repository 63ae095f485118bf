//! The feed-forward net: two layers of ReLU, the second half as wide as the first.

use super::{Weights, cost as cost_of, layers::dense};
use crate::{
    family::{Cost, Shape},
    onnx::Graph,
    options::{Options, set},
};

/// Its options, with their defaults.
pub const OPTIONS: Options = Options {
    epochs: Some(20),
    patience: Some(4),
    batch: Some(256),
    learning_rate: Some(1e-3),
    weight_decay: Some(1.0),
    hidden: Some(64),
    ..Options::NONE
};

/// Estimates time and memory by the multiplications of a forward pass.
pub fn cost(shape: &Shape) -> Cost {
    let hidden = f64::from(set(shape.options.hidden));
    cost_of(shape, hidden * (shape.width as f64 + hidden / 2.0), 1e-6)
}

/// Adds it to a graph, from the scaled `input` on, and returns the name of its logits `[batch, 3]`.
pub fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
    let first = dense(graph, weights, "first", input);
    let first = graph.node("Relu", &[&first], "first_relu");
    let second = dense(graph, weights, "second", &first);
    let second = graph.node("Relu", &[&second], "second_relu");
    dense(graph, weights, "logits", &second)
}
