//! Trains a model on labelled feature rows and writes it as one ONNX file.
//!
//! The file is the whole model: scaler and network as a graph that ends at logits, everything else in its card. It is
//! written only if tract, which will run it, gives the same logits as the trainer.

mod boosted;
mod calibrate;
mod chosen;
mod conformal;
mod estimate;
mod family;
mod forest;
mod isotonic;
mod label;
mod logistic;
mod nets;
mod onnx;
mod progress;
mod ranges;
mod sample;
mod scaler;
mod splits;
mod trained;
mod trees;
mod uniqueness;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Parser;
use mes_core::{
    interval::Interval,
    time::{self, Ts},
};
use mes_pipe::{Error, Input, Kind, Result, log::note, write};
use mes_predict::model::{card, read_card};
use serde_json::{Value, json};

use calibrate::Method;
use chosen::Chosen;
use estimate::Memory;
use family::count;
use progress::Progress;
use sample::{Choice, Sample};
use trained::Trained;

const ABOUT: &str = "Train a model on labelled feature rows and write it as one ONNX file, which mes-predict runs.

Reads bars with f_* and y_dir columns (from mes-features --labels) and writes the model and, beside it, its card as \
Markdown. Rows are taken one label horizon apart, since overlapping labels are not more facts, and cut in the order \
of time: 70 % to train (60 % where 10 % are kept to stop by), 15 % to calibrate, 15 % to test; before each cut, rows \
whose labels look past it are left out.";

const EXAMPLES: &str = "Examples:
  mes-train logistic --out models/default.onnx data/features.parquet
  mes-features --labels < bars.arrow |
      mes-train logistic --until 2025-07-01T00:00:00Z --out models/h1.onnx

Exit codes: 0 done, 1 failed (also: tract disagrees with the trainer), 2 wrong arguments, 3 bad data, 4 stopped.";

/// What to train, on what, and where to put it.
#[derive(Parser)]
#[command(about = "Labelled features in, one ONNX model out", long_about = ABOUT, after_help = EXAMPLES)]
#[command(
    subcommand_value_name = "FAMILY",
    subcommand_help_heading = "Families",
    disable_help_subcommand = true
)]
pub struct Args {
    /// The model to write
    #[arg(short, long, value_name = "FILE", default_value = "models/default.onnx")]
    out: PathBuf,
    /// Distance of the rows taken, such as 30s, or all; the label's horizon if not given
    #[arg(long, value_name = "STRIDE")]
    stride: Option<Stride>,
    /// Let every class weigh the same in the fit; probabilities stay those of the market
    #[arg(long)]
    balanced: bool,
    /// How probabilities are made to mean what they say, on rows of their own
    #[arg(long, value_enum, default_value = "temperature")]
    calibrate: Method,
    /// Write into the card what sets of classes take to miss the true one in this share of rows, such as 0.1
    #[arg(long, value_name = "SHARE", value_parser = ranges::miss)]
    conformal: Option<f64>,
    /// Seed of all that is random; nothing is in logistic. Same rows, settings and seed: same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Take only rows whose labels are known before this instant, so that later ones are out of sample
    #[arg(long, value_name = "TS", value_parser = time::parse)]
    until: Option<Ts>,
    /// Features to leave out, by name; a * at the end stands for any ending
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    without: Vec<String>,
    /// The label's horizon, where the input does not say
    #[arg(long, value_name = "INTERVAL")]
    horizon: Option<Interval>,
    /// The label's threshold, where the input does not say
    #[arg(long, value_name = "TICKS", value_parser = card::ticks)]
    threshold: Option<f64>,
    /// Distance between the slices of time, beside the label's horizon
    #[arg(long, value_name = "INTERVAL")]
    embargo: Option<Interval>,
    /// Threads to use; the model is the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Stop before more memory than this is needed
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    max_memory: Memory,
    /// Go on from FILE.checkpoint, which a net leaves behind when its fit is stopped; trees and logistic begin anew
    #[arg(long)]
    resume: bool,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
    #[command(subcommand)]
    chosen: Chosen,
}

/// How far apart rows are taken.
#[derive(Clone, Copy, Debug)]
enum Stride {
    All,
    Every(Interval),
}

impl FromStr for Stride {
    type Err = mes_core::Error;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "all" { Ok(Stride::All) } else { text.parse().map(Stride::Every) }
    }
}

/// Trains one model and writes it with its card.
///
/// # Errors
///
/// [`Error::Usage`] for options, memory or features that do not fit, [`Error::Data`] for rows that cannot be learnt from,
/// [`Error::Failed`] when a fit fails or tract disagrees with it.
pub fn main(args: Args) -> Result<()> {
    let Chosen { name: family, trainer, input, .. } = &args.chosen;
    if args.resume && !trainer.resumes() {
        return Err(Error::usage(format!("--resume: {family} has no epochs to go on from")));
    }
    write::possible(&args.out)?;
    let mut input = Input::open_columns(input, &[Kind::Feature], |name| !name.starts_with("p_"))?;
    let labelled = input.schema().column_with_name("y_dir").is_some();
    let lineage = &input.meta().lineage;
    let label::Rule { label, carried } = label::find(lineage, labelled, args.horizon, args.threshold)?;
    let horizon = label.horizon_nanos()?;
    let stride = match args.stride {
        None => horizon,
        Some(Stride::All) => 0,
        Some(Stride::Every(interval)) => interval.nanos(),
    };
    let (without, window, until, max_memory) =
        (&args.without[..], trainer.window(), args.until, args.max_memory);
    let held = (!carried).then_some(&label);
    let choice = Choice { without, window, stride, horizon, until, held, max_memory };
    let sample = Sample::read(&mut input, &choice)?;
    describe(&sample, stride, horizon)?;
    let config = settings(&args, stride, serde_json::to_value(&label).unwrap_or_default());
    let meta = input.meta().stage("mes-train", Kind::Feature, config);
    let mut checkpoint = args.out.clone().into_os_string();
    checkpoint.push(".checkpoint");
    let order = trained::Order {
        family,
        trainer: trainer.as_ref(),
        label,
        meta: &meta,
        seed: args.seed,
        balanced: args.balanced,
        calibrate: args.calibrate,
        conformal: args.conformal,
        embargo: args.embargo.map_or(0, |embargo| embargo.nanos()),
        threads: threads(args.threads),
        max_memory,
        progress: &Progress::new(args.quiet),
        checkpoint: checkpoint.as_ref(),
        resume: args.resume,
    };
    let trained = Trained::new(&sample, order)?;
    let card = &trained.card;
    card.conformal.iter().for_each(|sets| note(format!("sets: {}", sets.describe())));
    card.scores.to_lines().iter().for_each(note);
    say_replaced(&args.out);
    write::atomically(&args.out, &trained.onnx, |written| trained.check(&sample, written))?;
    write::whole(&args.out.with_extension("md"), &card.to_markdown())?;
    if trainer.resumes() {
        // What it was for is done; one that is left over does no harm.
        let _ = std::fs::remove_file(&checkpoint);
    }
    let (first, last) = (time::format(card.span.first), time::format(card.span.last));
    note(format!("{}: fitted on {first} to {last}; score rows after it", args.out.display()));
    Ok(())
}

/// Says whether a model is there already, which may be the one that trades.
fn say_replaced(path: &Path) {
    if !path.exists() {
        return;
    }
    // A card of another version, or none, is no reason not to train.
    let which = read_card(path).map_or_else(
        |_| "an earlier model".into(),
        |card| format!("the model of {} to {}", time::format(card.span.first), time::format(card.span.last)),
    );
    note(format!("{}: replaces {which}", path.display()));
}

/// Returns how many threads to use: those asked for, else as many as there are.
fn threads(asked: Option<u16>) -> usize {
    let there = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(there, usize::from)
}

/// Returns what decides the model beside the rows.
fn settings(args: &Args, stride: i64, label: Value) -> Value {
    json!({
        "family": args.chosen.name,
        "options": args.chosen.options,
        "labels": label,
        "stride_ns": stride,
        "embargo": args.embargo.map(|embargo| embargo.to_string()),
        "balanced": args.balanced,
        "calibrate": format!("{:?}", args.calibrate).to_lowercase(),
        "conformal": args.conformal,
        "seed": args.seed,
        "until": args.until.map(time::format),
        "without": args.without,
    })
}

/// Tells what there is to learn from; an error when there is nothing.
fn describe(sample: &Sample, stride: i64, horizon: i64) -> Result<()> {
    let Sample { read, incomplete, times, .. } = sample;
    let worst = sample.empty.iter().zip(&sample.features).max_by_key(|(empty, _)| **empty);
    let (empty, name) = worst.map_or((0, ""), |(empty, name)| (*empty, name.as_str()));
    let lacking = format!("{incomplete} lack a label or a feature ({name} is empty in {empty})");
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Err(Error::data(format!("no row to learn from: of {read} read, {lacking}")));
    };
    let apart = if stride == 0 {
        "every one".into()
    } else {
        format!("{} s apart", stride as f64 / time::SECOND as f64)
    };
    note(format!("{} rows taken, {apart}, of {read} read; {lacking}", sample.len()));
    if stride < horizon
        && let Some(unique) = uniqueness::average(times, horizon)
    {
        let independent = (sample.len() as f64 * unique).round();
        note(format!("labels overlap: they hold about as much as {independent} independent ones"));
    }
    note(format!("from {} to {}, {} features", time::format(first), time::format(last), sample.width()));
    let counts = count(&sample.labels);
    let [down, flat, up] = counts.map(|there| 100.0 * there as f64 / sample.len() as f64);
    note(format!("down {down:.1} %, flat {flat:.1} %, up {up:.1} %"));
    Ok(())
}
