//! The hybrid: an LSTM over the window, attention over all that it held (Bahdanau et al. 2015), and beside it a dense
//! branch that sees the last row alone.

use clap::Args;
use serde::Serialize;

use super::{DeviceArgs, Net, Schedule, Weights, Work, layers::dense, lstm};
use crate::{
    onnx::{Attribute, Graph},
    ranges::{not_negative, positive},
};

/// The options of the hybrid.
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
    const NAME: &'static str = "hybrid";

    fn schedule(&self) -> Schedule {
        let Options { epochs, patience, batch, learning_rate, weight_decay, hidden, device, .. } = *self;
        Schedule { hidden, epochs, patience, batch, learning_rate, weight_decay, device: device.device }
    }

    fn window(&self) -> usize {
        self.window as usize
    }

    fn work(&self, width: f64) -> Work {
        let (hidden, window) = (f64::from(self.hidden), f64::from(self.window));
        Work {
            multiplications: window * hidden * (4.0 * width + 5.0 * hidden),
            seconds: window * hidden * 1.2e-7,
        }
    }

    fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
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
}
