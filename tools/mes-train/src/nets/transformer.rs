//! The Transformer encoder (Vaswani et al. 2017; norm first, as Xiong et al. 2020), with learnt places; what it holds
//! at the last row decides.

use clap::Args;
use serde::Serialize;

use super::{
    DeviceArgs, Net, Schedule, Weights, Work,
    layers::{dense, layer_norm, tensor},
};
use crate::{
    onnx::{Attribute, Graph},
    ranges::{not_negative, positive},
};

/// Heads of attention.
const HEADS: usize = 2;

/// The options of the Transformer encoder.
#[derive(Args, Serialize)]
pub struct Options {
    /// Rows that one prediction sees, the last of them its own
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..=1000))]
    window: u32,
    /// Passes over the training rows at most
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
    /// Stop after so many epochs without a better loss on the validation rows
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    patience: u32,
    /// Rows of one step
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// Size of a step
    #[arg(long, value_name = "RATE", default_value_t = 1e-3, value_parser = positive)]
    learning_rate: f64,
    /// Pull of the weights towards 0, as a share of the learning rate
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = not_negative)]
    weight_decay: f64,
    /// Width of the network
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    hidden: u32,
    #[command(flatten)]
    #[serde(flatten)]
    device: DeviceArgs,
}

impl Net for Options {
    const NAME: &'static str = "transformer";

    fn schedule(&self) -> Schedule {
        let Options { epochs, patience, batch, learning_rate, weight_decay, hidden, device, .. } = *self;
        Schedule { hidden, epochs, patience, batch, learning_rate, weight_decay, device: device.device }
    }

    fn window(&self) -> usize {
        self.window as usize
    }

    fn work(&self, width: f64) -> Work {
        let (hidden, window) = (f64::from(self.hidden), f64::from(self.window));
        let row = hidden * (width + 8.0 * hidden + 2.0 * window);
        Work { multiplications: window * row, seconds: window * hidden * 1e-7 }
    }

    fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
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
