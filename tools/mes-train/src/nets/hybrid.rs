//! The hybrid: an LSTM over the window, attention over all that it held (Bahdanau et al. 2015), and beside it a dense
//! branch that sees the last row alone.

use super::{Weights, cost as cost_of, layers::dense, lstm};
use crate::{
    family::{Cost, Shape},
    onnx::{Attribute, Graph},
    options::{Options, set},
};

/// Its options, with their defaults.
pub const OPTIONS: Options = super::lstm::OPTIONS;

/// Estimates time and memory by the multiplications of a forward pass.
pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    cost_of(shape, window * hidden * (4.0 * shape.width as f64 + 5.0 * hidden), window * hidden * 1.2e-7)
}

/// Adds it to a graph, from the scaled `input` on, and returns the name of its logits `[batch, 3]`.
pub fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
    let (all, _) = lstm::layer(graph, weights, input);
    let one = graph.integers("second_axis", &[1]);
    let all = graph.node("Squeeze", &[&all, &one], "held_by_time");
    let by_batch = [("perm", Attribute::Ints(&[1, 0, 2]))];
    let held = graph.node_with("Transpose", &[&all], "held", &by_batch);
    let key = dense(graph, weights, "key", &held);
    let key = graph.node("Tanh", &[&key], "key_tanh");
    let score = dense(graph, weights, "score", &key);
    let turned = [("perm", Attribute::Ints(&[0, 2, 1]))];
    let score = graph.node_with("Transpose", &[&score], "score_turned", &turned);
    let weight = graph.node_with("Softmax", &[&score], "weight", &[("axis", Attribute::Int(-1))]);
    let context = graph.node("MatMul", &[&weight, &held], "context_of_one");
    let context = graph.node("Squeeze", &[&context, &one], "context");
    let place = graph.scalar("last_row", -1);
    let now = graph.node_with("Gather", &[input, &place], "now", &[("axis", Attribute::Int(1))]);
    let still = dense(graph, weights, "still", &now);
    let still = graph.node("Relu", &[&still], "still_relu");
    let both = graph.node_with("Concat", &[&context, &still], "both", &[("axis", Attribute::Int(-1))]);
    let mixed = dense(graph, weights, "mixed", &both);
    let mixed = graph.node("Relu", &[&mixed], "mixed_relu");
    dense(graph, weights, "logits", &mixed)
}
