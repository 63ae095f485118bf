//! What can be trained. A model family is one file with its trainer and one line in [`FAMILIES`].

use std::path::Path;

use mes_pipe::Result;
use mes_predict::model::card::Output;

use crate::{
    boosted, forest, logistic, nets, onnx::Graph, options::Options, progress::Progress, sample::Slice,
};

/// A kind of model that can be trained.
pub struct Family {
    pub name: &'static str,
    pub about: &'static str,
    /// The options it has, with their defaults. A window makes it a family of sequences.
    pub options: Options,
    /// Whether it stops by later rows, which are then kept out of training.
    pub validates: bool,
    pub cost: fn(&Shape) -> Cost,
    pub fit: fn(&Task) -> Result<Box<dyn Fitted>>,
}

/// All families, as `mes-train --help` lists them.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "logistic",
        about: "multinomial logistic regression",
        options: Options::NONE,
        validates: false,
        cost: logistic::cost,
        fit: logistic::fit,
    },
    Family {
        name: "boosted",
        about: "gradient-boosted trees",
        options: boosted::DEFAULTS,
        validates: true,
        cost: boosted::cost,
        fit: boosted::fit,
    },
    Family {
        name: "forest",
        about: "random forest",
        options: forest::DEFAULTS,
        validates: false,
        cost: forest::cost,
        fit: forest::fit,
    },
    Family {
        name: "mlp",
        about: "feed-forward net",
        options: nets::mlp::OPTIONS,
        validates: true,
        cost: nets::mlp::cost,
        fit: |task| nets::fit(task, "mlp", nets::mlp::write),
    },
    Family {
        name: "lstm",
        about: "recurrent net over the last rows",
        options: nets::lstm::OPTIONS,
        validates: true,
        cost: nets::lstm::cost,
        fit: |task| nets::fit(task, "lstm", nets::lstm::write),
    },
    Family {
        name: "hybrid",
        about: "LSTM with attention, and a branch for the row itself",
        options: nets::hybrid::OPTIONS,
        validates: true,
        cost: nets::hybrid::cost,
        fit: |task| nets::fit(task, "hybrid", nets::hybrid::write),
    },
    Family {
        name: "transformer",
        about: "Transformer encoder over the last rows",
        options: nets::transformer::OPTIONS,
        validates: true,
        cost: nets::transformer::cost,
        fit: |task| nets::fit(task, "transformer", nets::transformer::write),
    },
];

impl Family {
    /// Says whether it is a net, trained by candle in epochs.
    pub fn is_net(&self) -> bool {
        self.options.epochs.is_some()
    }

    /// Says what it is and which options it has.
    pub fn describe(&self) -> String {
        let options = self.options.to_json();
        let flags = options.as_object().into_iter().flatten();
        let flags: Vec<_> =
            flags.map(|(name, value)| format!("--{} {value}", name.replace('_', "-"))).collect();
        if flags.is_empty() { self.about.to_owned() } else { format!("{} ({})", self.about, flags.join(" ")) }
    }
}

/// How much there is to train on.
pub struct Shape<'a> {
    pub samples: usize,
    pub width: usize,
    /// What all rows take.
    pub rows_bytes: u64,
    pub options: &'a Options,
    pub threads: usize,
}

/// What a fit is expected to take, beside the rows themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    pub bytes: f64,
    /// At most, on one core of the machine of `make bench`.
    pub seconds: f64,
}

/// What a trainer gets. All values are as they come from the stream: scaling is the family's own.
pub struct Task<'a> {
    /// All samples, for a family that answers for them while it is there.
    pub all: Slice<'a>,
    /// All three classes occur in it.
    pub train: Slice<'a>,
    /// Later rows to stop by; empty unless the family's line asks for them.
    pub validation: Slice<'a>,
    /// What a sample of each class weighs in the loss: 1, or so much that the classes weigh alike. Probabilities are
    /// to be those of the market all the same: ln(weight) comes off the logits.
    pub class_weights: [f64; 3],
    pub seed: u64,
    /// Threads to use; none of them may change a bit.
    pub threads: usize,
    /// Settled: every option of the family is there.
    pub options: &'a Options,
    pub progress: &'a Progress,
    pub checkpoint: Checkpoint<'a>,
}

/// Where a long fit keeps what it has, so that it can be taken up again.
#[derive(Clone, Copy)]
pub struct Checkpoint<'a> {
    pub path: &'a Path,
    /// Whether to go on from what is there.
    pub resume: bool,
    /// BLAKE3 of rows, settings and program: a checkpoint of anything else is refused.
    pub hash: &'a str,
}

/// What a trainer gives: its own forward pass, and the same as a graph.
pub trait Fitted {
    /// Says what it computes; a graph's output is the same.
    fn output(&self) -> Output {
        Output::Logits
    }

    /// Computes the logits (or what [`Fitted::output`] says) of each sample.
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>>;

    /// Returns the hash of the sources of another program that fitted it.
    fn code(&self) -> Option<&str> {
        None
    }

    /// Adds itself to a graph, from the unscaled `input` `[batch, width]`, or `[batch, window, width]` for
    /// sequences, and returns the name of its output `[batch, 3]`.
    fn write(&self, graph: &mut Graph, input: &str) -> String;
}

/// Counts the rows of each class.
pub fn count(labels: &[u8]) -> [usize; 3] {
    let mut counts = [0; 3];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

/// Returns the weights by which each class weighs the same in all.
pub fn balance(labels: &[u8]) -> [f64; 3] {
    count(labels).map(|there| labels.len() as f64 / (3.0 * there as f64))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Makes a task without options, on one thread.
    pub fn task<'a>(train: Slice<'a>, validation: Slice<'a>) -> Task<'a> {
        static QUIET: std::sync::LazyLock<Progress> = std::sync::LazyLock::new(|| Progress::new(true));
        let checkpoint = Checkpoint { path: Path::new(""), resume: false, hash: "" };
        Task {
            all: train,
            train,
            validation,
            class_weights: [1.0; 3],
            seed: 1,
            threads: 1,
            options: &Options::NONE,
            progress: &QUIET,
            checkpoint,
        }
    }
}
