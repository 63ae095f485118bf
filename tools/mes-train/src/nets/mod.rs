//! Neural nets, trained with candle on one core. A net is one file with its forward pass and the same as ONNX nodes;
//! [`fit`] trains them all.

mod adamw;
mod checkpoint;
mod fit;
pub mod hybrid;
mod layers;
pub mod lstm;
pub mod mlp;
mod schedule;
pub mod transformer;
mod weights;

use std::{env, os::unix::process::CommandExt, process::Command};

use candle_core::{Device, Tensor};
use mes_pipe::{Error, Result};

use crate::{
    family::{Cost, Fitted, Shape},
    onnx::Graph,
    options::{Options, set},
    sample::Slice,
    scaler::Scaler,
};

/// Samples that are run at once outside of training.
const CHUNK: usize = 512;

type Candle<T> = candle_core::Result<T>;

/// A net over scaled rows: its weights and what it does with them.
trait Net {
    /// Computes the logits `[batch, 3]` of `x`: `[batch, width]`, or `[batch, window, width]` for sequences.
    fn forward(&self, x: &Tensor) -> Candle<Tensor>;

    /// Adds itself to a graph, from the scaled `input` on, and returns the name of its logits.
    fn write(&self, graph: &mut Graph, input: &str) -> String;
}

/// What a net is built for.
struct Size<'a> {
    width: usize,
    window: usize,
    options: &'a Options,
}

/// A trained net with its scaler.
struct Network {
    net: Box<dyn Net>,
    scaler: Scaler,
    /// What comes off the logits for weighted classes.
    offset: [f32; 3],
}

impl Network {
    /// Computes the logits of the samples at `places` as they come out of the net.
    fn forward(&self, samples: &Slice, places: &[u32]) -> Candle<Tensor> {
        let values = places.iter().flat_map(|&place| self.scaler.apply(samples.values(place as usize)));
        let values: Vec<f32> = values.collect();
        let device = &Device::Cpu;
        let (batch, window, width) = (places.len(), samples.window, samples.width);
        let x = match window {
            1 => Tensor::from_vec(values, (batch, width), device)?,
            _ => Tensor::from_vec(values, (batch, window, width), device)?,
        };
        self.net.forward(&x)
    }
}

impl Fitted for Network {
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        let places: Vec<u32> = (0..samples.len() as u32).collect();
        let mut values = Vec::with_capacity(places.len());
        for chunk in places.chunks(CHUNK) {
            let logits = self.forward(samples, chunk).and_then(|logits| logits.to_vec2::<f32>());
            for row in logits.map_err(broken)? {
                values.push(std::array::from_fn(|class| f64::from(row[class] - self.offset[class])));
            }
        }
        Ok(values)
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let scaled = self.scaler.write(graph, input);
        let logits = self.net.write(graph, &scaled);
        if self.offset == [0.0; 3] {
            return logits;
        }
        let offset = graph.tensor("class_weights", &[3], &self.offset);
        graph.node("Sub", &[&logits, &offset], "logits_of_the_market")
    }
}

/// Starts the program anew with one core for candle, where it does not run so yet. Its products are too small to share,
/// it takes their number of threads from the environment alone, and asks the system for the number of cores at every
/// one of them where that is silent. Nothing has been read or written by then.
pub fn on_one_core() -> Result<()> {
    const THREADS: &str = "RAYON_NUM_THREADS";
    if env::var_os(THREADS).is_some_and(|threads| threads == "1") {
        return Ok(());
    }
    let error = Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(THREADS, "1").exec();
    Err(Error::failed(format!("cannot start anew on one core: {error}")))
}

/// Says that candle refused, which only a mistake of ours can bring about.
fn broken(error: candle_core::Error) -> Error {
    Error::failed(format!("the net: {error}"))
}

/// Estimates a fit from how many multiplications one sample takes in a forward pass; `overhead` is what a sample
/// costs beside them, in seconds.
fn cost(shape: &Shape, multiplications: f64, overhead: f64) -> Cost {
    // Forward and twice as much backward.
    let seconds = 3.0 * multiplications / MULTIPLICATIONS_PER_SECOND + overhead;
    let passes = shape.samples as f64 * f64::from(set(shape.options.epochs));
    let held = f64::from(set(shape.options.batch)) * multiplications.sqrt() * 4.0 * 64.0;
    Cost { bytes: held + shape.samples as f64 * 24.0, seconds: passes * seconds }
}

/// What one core does in the small products of these nets; measured by `mes-bench`.
const MULTIPLICATIONS_PER_SECOND: f64 = 1e10;
