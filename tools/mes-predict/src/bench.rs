//! `mes-predict bench`: how long a live row takes, and how many rows a second a backtest gets, on one core.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args as ClapArgs;
use mes_pipe::{AnswerArgs, Error, Result, answer::print};
use serde::Serialize;

use crate::{model::Model, samples::samples};

/// Say how fast a model is here: a live row's latency, and rows a second
///
/// From features in memory to calibrated probabilities, on one core; reading and writing rows is not in it. Writes a
/// few lines to a terminal, one JSON object elsewhere.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  mes-predict bench models/default.onnx
  mes-predict bench --rows 100000 models/default.onnx | jq .live.p99_us

Exit codes: 0 done, 1 failed, 2 not a model.")]
pub struct BenchArgs {
    /// The model
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Live rows to time, and rows of a batch; sequence models take a tenth
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    rows: u32,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Serialize)]
struct Speed {
    family: String,
    features: usize,
    window: usize,
    rows: usize,
    live: Latency,
    batch_rows_per_s: f64,
}

/// Of one row at a time, microseconds.
#[derive(Debug, Serialize)]
struct Latency {
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
}

/// Measures a model's speed and prints it: microseconds a live row, rows a second in batches.
///
/// # Errors
///
/// `Usage` for a file that is no model, `Data` where it gives no numbers, `Failed` where it does not run or stdout cannot be
/// written.
pub fn run(args: &BenchArgs) -> Result<()> {
    let model = Model::load(&args.model)?;
    let (card, values) = (&model.card, model.values());
    let rows = if card.window > 1 { args.rows / 10 } else { args.rows } as usize;
    let samples = samples(rows, values);
    let speed = Speed {
        family: card.family.clone(),
        features: card.features.len(),
        window: card.window,
        rows,
        live: live(&model, &samples)?,
        batch_rows_per_s: batch(&model, &samples)?,
    };
    let json = || Ok::<_, Error>(serde_json::to_string(&speed).map_err(Error::failed)? + "\n");
    print(if args.answer.is_json() { json()? } else { words(&speed) })
}

fn live(model: &Model, samples: &[f32]) -> Result<Latency> {
    // The first rows find cold caches.
    for sample in samples.chunks(model.values()).take(100) {
        model.probabilities(sample)?;
    }
    let mut took = Vec::with_capacity(samples.len() / model.values());
    for sample in samples.chunks(model.values()) {
        took.push(timed(|| model.probabilities(sample).map(drop))?);
    }
    took.sort_unstable();
    let micros = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    Ok(Latency { p50_us: micros(0.5), p99_us: micros(0.99), max_us: micros(1.0) })
}

/// Returns rows a second, the best of three runs: what else the machine does is not the model's.
fn batch(model: &Model, samples: &[f32]) -> Result<f64> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        best = best.min(timed(|| model.probabilities(samples).map(drop))?);
    }
    Ok((samples.len() / model.values()) as f64 / best.as_secs_f64())
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; no prediction depends on it")]
fn timed(f: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    f()?;
    Ok(start.elapsed())
}

fn words(speed: &Speed) -> String {
    let Speed { family, features, window, rows, live, batch_rows_per_s } = speed;
    let Latency { p50_us, p99_us, max_us } = live;
    format!(
        "{family}, {features} features, window {window}; {rows} rows, one core\n\
         live row      p50 {p50_us:.1} µs, p99 {p99_us:.1} µs, max {max_us:.1} µs\n\
         batch         {batch_rows_per_s:.0} rows/s\n"
    )
}
