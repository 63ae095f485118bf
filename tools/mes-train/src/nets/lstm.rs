//! The LSTM (Hochreiter and Schmidhuber 1997): one layer over the window, and what it holds at the last row.

use mes_pipe::fitting::Weight;

use super::{Weights, cost as cost_of, layers::dense};
use crate::{
    family::{Cost, Shape},
    onnx::{Attribute, Graph, Node},
    options::{Options, set},
};

/// Its options, with their defaults.
pub const OPTIONS: Options = Options {
    window: Some(30),
    epochs: Some(12),
    patience: Some(3),
    batch: Some(256),
    learning_rate: Some(2e-3),
    weight_decay: Some(0.5),
    hidden: Some(32),
    ..Options::NONE
};

/// Estimates time and memory by the multiplications of a forward pass.
pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    cost_of(shape, window * 4.0 * hidden * (shape.width as f64 + hidden), window * hidden * 1e-7)
}

/// Adds it to a graph, from the scaled `input` on, and returns the name of its logits `[batch, 3]`.
pub fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
    let (_, last) = layer(graph, weights, input);
    let axis = graph.integers("first_axis", &[0]);
    let last = graph.node("Squeeze", &[&last, &axis], "held");
    dense(graph, weights, "logits", &last)
}

/// Adds the recurrent layer from `input` `[batch, window, width]`: input weights `[width, 4 × hidden]`, recurrent ones
/// `[hidden, 4 × hidden]`, bias `[4 × hidden]`, gates in ONNX's order (input, output, forget, cell). Returns the names of
/// what it holds after every row, `[window, 1, batch, hidden]`, and after the last one, `[1, batch, hidden]`.
pub fn layer(graph: &mut Graph, weights: &Weights, input: &str) -> (String, String) {
    let by_time = [("perm", Attribute::Ints(&[1, 0, 2]))];
    let x = graph.node_with("Transpose", &[input], "by_time", &by_time);
    let (own, recurrent) = (weights.get("lstm_input"), weights.get("lstm_recurrent"));
    let (hidden, gates) = (recurrent.dims[0], recurrent.dims[1]);
    let w = graph.tensor("lstm_w", &[1, gates, own.dims[0]], &turned(own));
    let r = graph.tensor("lstm_r", &[1, gates, hidden], &turned(recurrent));
    let mut bias = weights.get("lstm_bias").values.clone();
    // The second half is a bias of the recurrence, of which one is enough.
    bias.resize(2 * gates, 0.0);
    let b = graph.tensor("lstm_b", &[1, 2 * gates], &bias);
    graph.add(Node {
        op: "LSTM",
        inputs: &[&x, &w, &r, &b],
        outputs: &["lstm_all", "lstm_last"],
        attributes: &[("hidden_size", Attribute::Int(hidden as i64))],
        ..Node::default()
    });
    ("lstm_all".into(), "lstm_last".into())
}

/// Returns the values of a matrix, column by column.
fn turned(weight: &Weight) -> Vec<f32> {
    let (rows, columns) = (weight.dims[0], weight.dims[1]);
    (0..columns).flat_map(|column| (0..rows).map(move |row| weight.values[row * columns + column])).collect()
}
