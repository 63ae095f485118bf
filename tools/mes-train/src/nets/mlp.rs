//! The feed-forward net: two layers of ReLU, the second half as wide as the first.

use clap::Args;
use serde::Serialize;

use super::{DeviceArgs, Net, Schedule, Weights, Work, layers::dense};
use crate::{
    onnx::Graph,
    ranges::{not_negative, positive},
};

/// The options of the feed-forward net.
#[derive(Args, Serialize)]
pub struct Options {
    /// Passes over the training rows at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
    /// Stop after so many epochs without a better loss on the validation rows
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000))]
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
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    hidden: u32,
    #[command(flatten)]
    #[serde(flatten)]
    device: DeviceArgs,
}

impl Net for Options {
    const NAME: &'static str = "mlp";

    fn schedule(&self) -> Schedule {
        let Options { epochs, patience, batch, learning_rate, weight_decay, hidden, device } = *self;
        Schedule { hidden, epochs, patience, batch, learning_rate, weight_decay, device: device.device }
    }

    fn work(&self, width: f64) -> Work {
        let hidden = f64::from(self.hidden);
        Work { multiplications: hidden * (width + hidden / 2.0), seconds: 1e-6 }
    }

    fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String {
        let first = dense(graph, weights, "first", input);
        let first = graph.node("Relu", &[&first], "first_relu");
        let second = dense(graph, weights, "second", &first);
        let second = graph.node("Relu", &[&second], "second_relu");
        dense(graph, weights, "logits", &second)
    }
}
