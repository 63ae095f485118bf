//! Features in, calibrated probabilities out.
//!
//! A [`model::Model`] is one ONNX file; a [`rules`] strategy needs none. Either is a [`Predictor`], which turns a
//! batch of rows into as many predictions; [`filter`] appends them as `p_*` columns.

mod bench;
mod ensemble;
mod eval;
mod filter;
mod import;
mod inspect;
pub mod labels;
pub mod model;
mod ring;
pub mod rules;
mod samples;
pub mod scores;
mod served;

use std::path::PathBuf;

use arrow_array::RecordBatch;
use clap::{Args as ClapArgs, Parser, Subcommand};
use mes_core::prediction::Prediction;
use mes_pipe::{InputArgs, OutputArgs, Result};
use serde_json::Value;

const ABOUT: &str = "Add what a model expects of the next seconds to every row: p_down p_flat p_up p_dir p_conf \
p_move p_vol.

Reads bars with f_* columns (from mes-features) and writes the same rows with p_* columns to their right; with --rule \
plain bars do. A row that lacks a feature (warm-up) gets empty p_* and passes on. The model is --model, else \
$MES_MODEL, else models/default.onnx.

p_dir is -1 down, 0 flat, 1 up, that of the largest of p_down p_flat p_up, 0 at a tie; p_conf is that largest, in \
[0, 1]. A label counts from 0 instead: y_dir is 0 down, 1 flat, 2 up, so y_dir 2 is p_dir 1. --schema has the whole law.";

const EXAMPLES: &str = "Examples:
  mes-bars < ticks | mes-features | mes-predict | mes-risk | mes-exec
  mes-predict --rule random --seed 7 --rate 0.02 bars.parquet | mes-bt

Exit codes: 0 done, 1 failed, 2 wrong arguments or model, 3 bad data, 4 stopped on purpose.";

#[derive(Parser)]
#[command(about = "Features in, predictions out", long_about = ABOUT, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    stage: StageArgs,
}

#[derive(Subcommand)]
enum Verb {
    Eval(Box<eval::EvalArgs>),
    Bench(bench::BenchArgs),
    Import(Box<import::ImportArgs>),
    Ensemble(ensemble::EnsembleArgs),
    /// Print what a model says of itself
    #[command(after_help = "Example: mes-predict inspect models/demo.onnx")]
    Inspect {
        /// The ONNX file
        model: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(ClapArgs)]
struct StageArgs {
    /// The model, an ONNX file that mes-train wrote
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A rule instead of a model: ema-cross, random, script:FILE
    ///
    /// ema-cross: UP or DOWN with confidence 0.75 on the row where EMA 9 crosses EMA 21 of the close, else FLAT with
    /// confidence 0. random: an entry of either direction with probability --rate a row. script:FILE: a table
    /// of ts, p_dir (-1, 0, 1) and p_conf in any format; rows that it does not name are FLAT with confidence 0.
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    rule: Option<rules::Name>,
    /// Seed of --rule random
    #[arg(long, value_name = "N", default_value_t = 1, requires = "rule")]
    seed: u64,
    /// Entries per row of --rule random, from 0 to 1
    #[arg(long, value_name = "R", default_value_t = 0.01, requires = "rule")]
    rate: f64,
    /// Score rows that the model was fitted on, which proves nothing; they are refused otherwise
    #[arg(long, conflicts_with = "rule")]
    allow_in_sample: bool,
    /// Pass rows that the model was fitted on with empty p_*
    #[arg(long, conflicts_with_all = ["rule", "allow_in_sample"])]
    skip_in_sample: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What to do with rows that the model was fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InSample {
    Refuse,
    Skip,
    Allow,
}

impl InSample {
    fn asked(allow: bool, skip: bool) -> InSample {
        match (allow, skip) {
            (true, _) => InSample::Allow,
            (_, true) => InSample::Skip,
            _ => InSample::Refuse,
        }
    }
}

/// What adds predictions to rows.
trait Predictor {
    /// Predicts every row of a batch. Batches come in order, cut anywhere; the cut must not change a bit.
    fn predict(&mut self, batch: &RecordBatch) -> Result<Vec<Prediction>>;

    /// Says what about it changes the predictions, for the lineage.
    fn settings(&self) -> Value;

    /// Ends the stream; an error when something is left that should have been used.
    fn end(&self) -> Result<()> {
        Ok(())
    }
}

/// Predicts, or does what the verb says.
///
/// # Errors
///
/// `Usage`, `Data` and `Failed` as each verb says; `Stopped` by a person.
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        Some(Verb::Eval(args)) => eval::run(&args),
        Some(Verb::Bench(args)) => bench::run(&args),
        Some(Verb::Import(args)) => import::run(&args),
        Some(Verb::Ensemble(args)) => ensemble::run(&args),
        Some(Verb::Inspect { model, json }) => inspect::run(&model, json),
        None => filter::run(args.stage),
    }
}
