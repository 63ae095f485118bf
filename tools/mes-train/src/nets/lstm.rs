//! The LSTM (Hochreiter and Schmidhuber 1997): one layer over the window, and what it holds at the last row.

use clap::Args;
use mes_pipe::fitting::Weight;
use serde::Serialize;

use super::{DeviceArgs, Net, Schedule, Weights, Work, layers::dense};
use crate::{
    onnx::{Attribute, Graph, Node},
    ranges::{not_negative, positive},
};

/// The options of the LSTM.
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
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, value_parser = positive)]
    learning_rate: f64,
    /// Pull of the weights towards 0, as a share of the learning rate
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = not_negative)]
    weight_decay: f64,
    /// Width of the network
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    hidden: u32,
    #[command(flatten)]
    #[serde(flatten)]
    device: DeviceArgs,
}

impl Net for Options {
    const NAME: &'static str = "lstm";

    fn schedule(&self) -> Schedule {
        let Options { epochs, patience, batch, learning_rate, weight_decay, hidden, device, .. } = *self;
        Schedule { hidden, epochs, patience, batch, learning_rate, weight_decay, device: device.device }
    }

    fn window(&self) -> usize {
        self.window as usize
    }

    fn work(&self, width: f64) -> Work {
        let (hidden, window) = (f64::from(self.hidden), f64::from(self.window));
        Work { multiplications: window * 4.0 * hidden * (width + hidden), seconds: window * hidden * 1e-7 }
    }

    fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
        let (_, last) = layer(graph, weights, input);
        let axis = graph.integers("first_axis", &[0]);
        let last = graph.node("Squeeze", &[&last, &axis], "held");
        dense(graph, weights, "logits", &last)
    }
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
