//! What can be trained. A model family is one file with its options and its trainer, and one line in [`FAMILIES`].

use std::path::Path;

use clap::{ArgMatches, Args, Command};
use mes_pipe::Result;
use mes_predict::model::card::Output;
use serde::Serialize;
use serde_json::Value;

use crate::{boosted, forest, logistic, nets, onnx::Graph, progress::Progress, sample::Slice};

/// All families, as `mes-train --help` lists them.
pub const FAMILIES: &[Family] = &[
    Family::of::<logistic::Options>("logistic", "Multinomial logistic regression"),
    Family::of::<boosted::Options>("boosted", "Gradient-boosted trees"),
    Family::of::<forest::Options>("forest", "Random forest"),
    Family::of::<nets::mlp::Options>("mlp", "Feed-forward net"),
    Family::of::<nets::lstm::Options>("lstm", "Recurrent net over the last rows"),
    Family::of::<nets::hybrid::Options>("hybrid", "LSTM with attention, and a branch for the row itself"),
    Family::of::<nets::transformer::Options>("transformer", "Transformer encoder over the last rows"),
];

/// A kind of model that can be trained.
pub struct Family {
    pub name: &'static str,
    about: &'static str,
    /// Adds its flags to a command.
    flags: fn(Command) -> Command,
    read: fn(&ArgMatches) -> clap::error::Result<Told>,
}

/// A family's options, and the same by name.
type Told = (Box<dyn Trainer>, Value);

impl Family {
    const fn of<T: Args + Serialize + Trainer + 'static>(name: &'static str, about: &'static str) -> Family {
        Family { name, about, flags: T::augment_args, read: read::<T> }
    }

    /// Returns its command, which has the family's own options and no others.
    pub fn command(&self) -> Command {
        let command = Command::new(self.name).next_help_heading("Options of this family");
        let example = format!(
            "Example: mes-features --labels=horizon bars.arrow | mes-train {0} --out {0}.onnx",
            self.name
        );
        (self.flags)(command).about(self.about).after_help(example).next_help_heading(None::<&str>)
    }

    /// Reads its options, which are told by name as well: those of the model's card.
    ///
    /// # Errors
    ///
    /// What clap says of options that are not there or out of range.
    pub fn read(&self, matches: &ArgMatches) -> clap::error::Result<Told> {
        (self.read)(matches)
    }
}

fn read<T: Args + Serialize + Trainer + 'static>(matches: &ArgMatches) -> clap::error::Result<Told> {
    let options = T::from_arg_matches(matches)?;
    let named = serde_json::to_value(&options)
        .map_err(|error| clap::Error::raw(clap::error::ErrorKind::Format, error))?;
    Ok((Box::new(options), named))
}

/// The options of a family, which know how to train it.
pub trait Trainer {
    /// Returns how many rows one prediction sees, the last of them its own: more than 1 in a family of sequences.
    fn window(&self) -> usize {
        1
    }

    /// Says whether it stops by later rows, which are then kept out of training.
    fn validates(&self) -> bool {
        false
    }

    /// Says whether it leaves a checkpoint behind when it is stopped.
    fn resumes(&self) -> bool {
        false
    }

    /// Estimates what a fit takes.
    fn cost(&self, shape: &Shape) -> Cost;

    /// Fits a model to a task's training rows.
    ///
    /// # Errors
    ///
    /// Whatever the family's own fit fails of.
    fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>>;
}

/// How much there is to train on.
pub struct Shape {
    pub samples: usize,
    pub width: usize,
    /// What all rows take.
    pub rows_bytes: u64,
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
    /// Later rows to stop by; empty unless the family validates.
    pub validation: Slice<'a>,
    /// What a sample of each class weighs in the loss: 1, or so much that the classes weigh alike. Probabilities are
    /// to be those of the market all the same: ln(weight) comes off the logits.
    pub class_weights: [f64; 3],
    pub seed: u64,
    /// Threads to use; none of them may change a bit.
    pub threads: usize,
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
    ///
    /// # Errors
    ///
    /// Whatever the family's own forward pass fails of.
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

    /// Makes a task on one thread.
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
            progress: &QUIET,
            checkpoint,
        }
    }
}
