//! Neural nets. A net is one file with its options, its cost and its ONNX nodes here, and one with its forward pass in
//! `mes-nets`, the program that fits it with candle: it is started for one fit, on one core, and gone afterwards.

mod child;
pub mod hybrid;
mod layers;
pub mod lstm;
pub mod mlp;
pub mod transformer;

use clap::Args;
use libm::log;
use mes_pipe::{
    Result,
    fitting::{Device, Order, Weight},
};
use serde::Serialize;

use crate::{
    family::{Cost, Fitted, Shape, Task, Trainer},
    onnx::Graph,
    sample::Slice,
    scaler::Scaler,
};
use child::Made;

/// The options of a net, which know what it is.
pub trait Net {
    /// What `mes-nets` knows it by.
    const NAME: &'static str;

    /// Returns how it is to be fitted.
    fn schedule(&self) -> Schedule;

    /// Returns how many rows one prediction sees, the last of them its own.
    fn window(&self) -> usize {
        1
    }

    /// Estimates what one sample of rows of `width` features takes.
    fn work(&self, width: f64) -> Work;

    /// Adds it to a graph, from the scaled `input` on, and returns the name of its logits `[batch, 3]`.
    fn write(graph: &mut Graph, weights: &Weights, input: &str) -> String;
}

/// What computes a net's fit, said once for all of them.
#[derive(Args, Clone, Copy, Serialize)]
pub struct DeviceArgs {
    /// What computes the fit. A model of another device differs in its last digits: the card says which it was
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t)]
    #[serde(skip_serializing_if = "Device::is_cpu")]
    device: Device,
}

/// How a net is fitted: fields as in [`Order`].
pub struct Schedule {
    pub hidden: u32,
    pub epochs: u32,
    pub patience: u32,
    pub batch: u32,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub device: Device,
}

/// What one sample takes.
pub struct Work {
    /// In a forward pass.
    pub multiplications: f64,
    /// Beside them, forward and backward.
    pub seconds: f64,
}

impl<N: Net> Trainer for N {
    fn window(&self) -> usize {
        Net::window(self)
    }

    fn validates(&self) -> bool {
        true
    }

    fn resumes(&self) -> bool {
        true
    }

    /// The memory is that of both programs: the rows lie in `mes-nets` once more.
    fn cost(&self, shape: &Shape) -> Cost {
        let Work { multiplications, seconds } = self.work(shape.width as f64);
        let Schedule { epochs, batch, .. } = self.schedule();
        // Forward and twice as much backward.
        let seconds = 3.0 * multiplications / MULTIPLICATIONS_PER_SECOND + seconds;
        let passes = shape.samples as f64 * f64::from(epochs);
        let held = f64::from(batch) * multiplications.sqrt() * 4.0 * 64.0;
        let child = CHILD + shape.rows_bytes as f64;
        Cost { bytes: held + child + shape.samples as f64 * 24.0, seconds: passes * seconds }
    }

    fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(fit(self, task)?))
    }
}

/// What `mes-nets` takes beside rows and fit, at most.
const CHILD: f64 = (16 << 20) as f64;

/// What one core does in the small products of these nets; measured by `mes-bench`.
const MULTIPLICATIONS_PER_SECOND: f64 = 1e10;

/// The weights of a net, by name.
pub struct Weights(Vec<Weight>);

impl Weights {
    /// Returns the weight of a name that the net has.
    fn get(&self, name: &str) -> &Weight {
        self.0.iter().find(|weight| weight.name == name).expect("both sides of a net name its weights alike")
    }
}

/// A trained net with its scaler.
struct Network {
    weights: Weights,
    write: fn(&mut Graph, &Weights, &str) -> String,
    scaler: Scaler,
    /// As they come out of the net, `samples × 3` of all samples.
    logits: Vec<f32>,
    /// What comes off the logits for weighted classes.
    offset: [f32; 3],
    /// Of the program that fitted it.
    code: String,
}

/// Has a net fitted by `mes-nets`.
///
/// # Errors
///
/// Whatever the fit fails of; [`mes_pipe::Error::Failed`] when the program is not there or dies.
fn fit<N: Net>(net: &N, task: &Task) -> Result<Network> {
    let Schedule { hidden, epochs, patience, batch, learning_rate, weight_decay, device } = net.schedule();
    let order = Order {
        net: N::NAME.into(),
        device,
        hidden,
        epochs,
        patience,
        batch,
        learning_rate,
        weight_decay,
        seed: task.seed,
        class_weights: task.class_weights,
        train: task.train.range(),
        validation: task.validation.range(),
        checkpoint: task.checkpoint.path.into(),
        resume: task.checkpoint.resume,
        hash: task.checkpoint.hash.into(),
    };
    let scaler = Scaler::fit(&task.train);
    let Made { weights, logits, code } = child::fit(&order, &task.all, &scaler, task.progress)?;
    let offset = task.class_weights.map(|weight| log(weight) as f32);
    Ok(Network { weights: Weights(weights), write: N::write, scaler, logits, offset, code })
}

impl Fitted for Network {
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        let rows = &self.logits.as_chunks::<3>().0[samples.range()];
        let value = |row: &[f32; 3]| std::array::from_fn(|class| f64::from(row[class] - self.offset[class]));
        Ok(rows.iter().map(value).collect())
    }

    fn code(&self) -> Option<&str> {
        Some(&self.code)
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let scaled = self.scaler.write(graph, input);
        let logits = (self.write)(graph, &self.weights, &scaled);
        if self.offset == [0.0; 3] {
            return logits;
        }
        let offset = graph.tensor("class_weights", &[3], &self.offset);
        graph.node("Sub", &[&logits, &offset], "logits_of_the_market")
    }
}
