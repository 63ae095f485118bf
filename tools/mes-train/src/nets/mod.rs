//! Neural nets. A net is one file with its options, its cost and its ONNX nodes here, and one with its forward pass in
//! `mes-nets`, the program that fits it with candle: it is started for one fit, on one core, and gone afterwards.

mod child;
pub mod hybrid;
mod layers;
pub mod lstm;
pub mod mlp;
pub mod transformer;

use libm::log;
use mes_pipe::{
    Result,
    fitting::{Order, Weight},
};

use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::Graph,
    options::set,
    sample::Slice,
    scaler::Scaler,
};
use child::Made;

/// Adds a net to a graph, from the scaled input on, and returns the name of its logits.
pub type Write = fn(&mut Graph, &Weights, &str) -> String;

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
    write: Write,
    scaler: Scaler,
    /// As they come out of the net, `samples × 3` of all samples.
    logits: Vec<f32>,
    /// What comes off the logits for weighted classes.
    offset: [f32; 3],
    /// Of the program that fitted it.
    code: String,
}

/// Has the net of this family fitted by `mes-nets`.
///
/// # Errors
///
/// Whatever the fit fails of; [`mes_pipe::Error::Failed`] when the program is not there or dies.
pub fn fit(task: &Task, net: &str, write: Write) -> Result<Box<dyn Fitted>> {
    let options = task.options;
    let order = Order {
        net: net.into(),
        hidden: set(options.hidden),
        epochs: set(options.epochs),
        patience: set(options.patience),
        batch: set(options.batch),
        learning_rate: set(options.learning_rate),
        weight_decay: set(options.weight_decay),
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
    Ok(Box::new(Network { weights: Weights(weights), write, scaler, logits, offset, code }))
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

/// What `mes-nets` takes beside rows and fit, measured: the program itself.
const CHILD: f64 = (16 << 20) as f64;

/// Estimates a fit from how many multiplications one sample takes in a forward pass; `overhead` is what a sample
/// costs beside them, in seconds. The memory is that of both programs: the rows lie in `mes-nets` once more.
fn cost(shape: &Shape, multiplications: f64, overhead: f64) -> Cost {
    // Forward and twice as much backward.
    let seconds = 3.0 * multiplications / MULTIPLICATIONS_PER_SECOND + overhead;
    let passes = shape.samples as f64 * f64::from(set(shape.options.epochs));
    let held = f64::from(set(shape.options.batch)) * multiplications.sqrt() * 4.0 * 64.0;
    let child = CHILD + shape.rows_bytes as f64;
    Cost { bytes: held + child + shape.samples as f64 * 24.0, seconds: passes * seconds }
}

/// What one core does in the small products of these nets; measured by `mes-bench`.
const MULTIPLICATIONS_PER_SECOND: f64 = 1e10;
