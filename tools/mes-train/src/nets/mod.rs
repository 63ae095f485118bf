//! Neural nets. A net is one file with its options, its cost and its ONNX nodes here, and one with its forward pass in
//! `mes-nets`, the program that fits it with candle.

pub mod hybrid;
pub mod layers;
pub mod lstm;
pub mod mlp;
mod program;
pub mod transformer;
pub mod wire;

use libm::log;
use mes_pipe::{Error, Result};

use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::Graph,
    options::set,
    sample::Slice,
    scaler::Scaler,
};
use wire::{Answer, Matrix, Request, Weights};

pub use program::code_hash;

/// Adds a net to a graph, from the scaled input on, and returns the name of its logits.
pub type Write = fn(&mut Graph, &Weights, &str) -> String;

/// A trained net with its scaler.
struct Network {
    weights: Weights,
    write: Write,
    scaler: Scaler,
    /// As they come out of the net, `[samples, 3]` of all samples.
    logits: Vec<f32>,
    /// What comes off the logits for weighted classes.
    offset: [f32; 3],
}

/// Has the net of this family fitted by `mes-nets`.
///
/// # Errors
///
/// Whatever the fit fails of; [`Error::Failed`] when the program is not there or dies.
pub fn fit(task: &Task, family: &str, write: Write) -> Result<Box<dyn Fitted>> {
    let scaler = Scaler::fit(&task.train);
    let all = task.all;
    let matrix = Matrix {
        width: all.width,
        window: all.window,
        rows: scaler.apply(all.rows()).collect(),
        ends: all.ends().to_vec(),
        labels: all.labels.to_vec(),
    };
    let request = Request {
        family: family.into(),
        options: task.options.clone(),
        seed: task.seed,
        class_weights: task.class_weights,
        train: task.train.range(),
        validation: task.validation.range(),
        checkpoint: task.checkpoint.path.into(),
        resume: task.checkpoint.resume,
        hash: task.checkpoint.hash.into(),
        matrix,
    };
    match program::ask(&request, task.progress.quiet())? {
        Answer::Refused { code, what } => Err(match code {
            2 => Error::usage(what),
            3 => Error::data(what),
            _ => Error::failed(what),
        }),
        Answer::Fitted { weights, logits } => {
            let offset = task.class_weights.map(|weight| log(weight) as f32);
            Ok(Box::new(Network { weights, write, scaler, logits, offset }))
        }
    }
}

impl Fitted for Network {
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        let rows = &self.logits.as_chunks::<3>().0[samples.range()];
        let value = |row: &[f32; 3]| std::array::from_fn(|class| f64::from(row[class] - self.offset[class]));
        Ok(rows.iter().map(value).collect())
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
