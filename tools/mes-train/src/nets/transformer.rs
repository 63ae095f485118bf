//! The Transformer encoder (Vaswani et al. 2017; norm first, as Xiong et al. 2020), with learnt places; what it holds
//! at the last row decides.

use super::{
    Weights, cost as cost_of,
    layers::{dense, layer_norm, tensor},
};
use crate::{
    family::{Cost, Shape},
    onnx::{Attribute, Graph},
    options::{Options, set},
};

/// Its options, with their defaults.
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

/// Estimates time and memory by the multiplications of a forward pass.
pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    let row = hidden * (shape.width as f64 + 8.0 * hidden + 2.0 * window);
    cost_of(shape, window * row, window * hidden * 1e-7)
}

/// Adds it to a graph, from the scaled `input` on, and returns the name of its logits `[batch, 3]`.
pub fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
    let places = tensor(graph, weights, "places");
    let embedded = dense(graph, weights, "embed", input);
    let x = graph.node("Add", &[&embedded, &places], "placed");
    let normal = layer_norm(graph, weights, "before_attention", &x);
    let seen = attention(graph, weights, &normal);
    let x = graph.node("Add", &[&x, &seen], "seen");
    let normal = layer_norm(graph, weights, "before_wide", &x);
    let wide = dense(graph, weights, "wide", &normal);
    let wide = graph.node("Relu", &[&wide], "wide_relu");
    let narrow = dense(graph, weights, "narrow", &wide);
    let x = graph.node("Add", &[&x, &narrow], "thought");
    let place = graph.scalar("last_row", -1);
    let last = graph.node_with("Gather", &[&x, &place], "now", &[("axis", Attribute::Int(1))]);
    let normal = layer_norm(graph, weights, "before_last", &last);
    dense(graph, weights, "logits", &normal)
}

/// Lets every row look at every row: softmax(q·kᵀ / √d)·v, head by head.
fn attention(graph: &mut Graph, weights: &Weights, input: &str) -> String {
    let places = weights.get("places");
    let (window, hidden) = (places.dims[0] as i64, places.dims[1]);
    let width = (hidden / HEADS) as i64;
    // 0 leaves the batch as it is.
    let split = graph.integers("split", &[0, window, HEADS as i64, width]);
    let whole = graph.integers("whole", &[0, window, hidden as i64]);
    let mut heads = |name: &str, perm: [i64; 4]| {
        let part = dense(graph, weights, name, input);
        let part = graph.node("Reshape", &[&part, &split], &format!("{name}_split"));
        let perm = [("perm", Attribute::Ints(&perm))];
        graph.node_with("Transpose", &[&part], &format!("{name}_heads"), &perm)
    };
    let query = heads("query", [0, 2, 1, 3]);
    let key = heads("key", [0, 2, 3, 1]);
    let value = heads("value", [0, 2, 1, 3]);
    let shrink = graph.tensor("shrink", &[1], &[(1.0 / ((hidden / HEADS) as f64).sqrt()) as f32]);
    let scores = graph.node("MatMul", &[&query, &key], "scores_raw");
    let scores = graph.node("Mul", &[&scores, &shrink], "scores");
    let shares = graph.node_with("Softmax", &[&scores], "attention", &[("axis", Attribute::Int(-1))]);
    let heads = graph.node("MatMul", &[&shares, &value], "heads");
    let back = [("perm", Attribute::Ints(&[0, 2, 1, 3]))];
    let heads = graph.node_with("Transpose", &[&heads], "heads_back", &back);
    let heads = graph.node("Reshape", &[&heads, &whole], "heads_whole");
    dense(graph, weights, "joined", &heads)
}
