//! The lab: time cut into folds, models and rules tried on them, other lives of a backtest. All that it tries is traded by
//! the very loop that trades. What takes long is cut into jobs, which any machine may run.

mod folds;
mod jobs;
mod montecarlo;
mod optimize;
mod replay;
mod sessions;
mod slice;
mod walk;

use clap::{Parser, Subcommand};
use mes_pipe::Result;

/// Cut time into folds, train and trade them, search rules and costs, draw other lives of a backtest.
///
/// Reads rows, as the verb needs them: bars, features with labels, or predictions. Says on every outcome how much of it may
/// be luck.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-lab walk-forward --out runs/walk features.parquet
  mes-lab optimize --grid --vary exits.stop_ticks=6,8,10 --out runs/search predictions.parquet

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// One verb, one file, one line here and one in [`main`].
#[derive(Subcommand)]
enum Verb {
    /// Print folds (train, validate, test) of a table as lines of JSON
    #[command(after_help = "Examples:
  mes-lab folds features.parquet
  mes-lab folds --train 20sessions --validate 0d --test 5sessions --step 5sessions \\
      features.parquet | jq .test
  mes-lab folds --combinatorial 6,2 features.parquet")]
    Folds(folds::FoldsArgs),
    /// Pass on the rows of a span of time
    #[command(after_help = "Examples:
  mes-lab slice --after 2026-10-01T22:00:00Z --until 2026-11-01T22:00:00Z \\
      features.parquet > october.arrow
  mes-lab slice --after 2026-11-01T22:00:00Z features.parquet | mes-predict | mes-bt")]
    Slice(slice::SliceArgs),
    /// Train, predict and trade fold by fold, with the real tools, and stitch what nothing had seen
    #[command(after_help = "Examples:
  mes-lab walk-forward --out runs/walk features.parquet
  mes-lab walk-forward --plan --family logistic,boosted --out runs/walk features.parquet > jobs.jsonl

Reads features with labels; writes report.html, walk-forward.json, .txt, folds.csv, equity.csv and a
directory a fold.
mes-train gets the rows of train and validate, up to the embargo, and cuts its own slices of them in the order of time:
the last 15 % only score the model, the 15 % before calibrate it.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped; those of a tool that failed are passed on")]
    WalkForward(walk::WalkArgs),
    /// Search rules and costs for what trades best, and say how much of it is the search
    #[command(after_help = "Examples:
  mes-lab optimize --grid --vary exits.stop_ticks=4,8,12 --vary exits.target_ticks=8..24/4 \\
      --out runs/grid predictions.parquet
  mes-lab optimize --tpe 200 --prune --vary entries.confidence=0.6..0.8 \\
      --vary exits.stop_ticks=4..16 --out runs/tpe predictions.parquet
  mes-lab optimize --tpe 200 --vary exits.stop_ticks=4..16 --out runs/tpe --ask 64 \\
      predictions.parquet > round.jsonl

Writes trials.jsonl (the ledger: run again to go on where it stopped), report.html, optimize.json, .txt, trials.csv,
map.svg, best-rules.toml and best-costs.toml.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
    Optimize(optimize::OptimizeArgs),
    /// Draw the sessions of a backtest anew and see how often the account meets its limits
    Montecarlo(montecarlo::MonteCarloArgs),
    /// Make bars and features of each session for itself, and join them to what one run would write
    #[command(after_help = "Examples:
  mes-lab features --out data/features --features-args='--labels=horizon' ticks.parquet
  mes-lab features --plan --out data/features --bars-args='--session rth' *.dbn.zst > jobs.jsonl

Writes a folder a session and features.parquet, which is byte for byte what mes-bars FILE... | mes-features --to parquet writes.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped; those of a tool that failed are passed on")]
    Features(sessions::SessionsArgs),
    /// Run one job of a plan, unless its result is there
    #[command(after_help = "Examples:
  mes-lab job --line 3 jobs.jsonl
  parallel -a jobs.jsonl mes-lab job {}

A job runs on the bytes, the settings and the build of the tools that it was planned with, or not at all. Any number of runs
of one job may go on at once.
Exit codes: 0 done, or there already; 1 failed and, as death by a signal, worth another try; 2 arguments, settings or another
build of the tools, 3 data, 4 stopped: another try would end as this one")]
    Job(jobs::JobArgs),
    /// Put the results of jobs together; runs none by itself
    #[command(after_help = "Examples:
  mes-lab collect --out runs/walk jobs.jsonl

Writes what mes-lab walk-forward or mes-lab features would have written, byte for byte.
Exit codes: 0 done, 1 failed, 2 arguments or another build of the tools, 3 jobs or results are missing (they are named) or damaged")]
    Collect(jobs::collect::CollectArgs),
    /// Say what has become of jobs: done, failed and why, to do; what they took and what is left
    #[command(after_help = "Examples:
  mes-lab status jobs.jsonl
  mes-lab status jobs.jsonl --json | jq -r '.failures[] | select(.code == 1) | .job'

Exit codes: 0 said, 2 arguments")]
    Status(jobs::status::StatusArgs),
    /// Join the rows of sessions that mes-lab features made
    #[command(after_help = "Examples:
  mes-lab join jobs.jsonl | mes-train logistic --out models/h1.onnx
  mes-lab join --to parquet jobs.jsonl > features.parquet

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped")]
    Join(sessions::JoinArgs),
}

/// Does what the verb says.
///
/// # Errors
///
/// Those of the verb: arguments and rules (exit code 2), data (3), what failed (1), what was stopped (4).
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        Verb::Folds(args) => folds::run(&args),
        Verb::Slice(args) => slice::run(&args),
        Verb::WalkForward(args) => walk::run(&args),
        Verb::Optimize(args) => optimize::run(&args),
        Verb::Montecarlo(args) => montecarlo::run(&args),
        Verb::Features(args) => sessions::run(&args),
        Verb::Job(args) => jobs::run(&args),
        Verb::Collect(args) => jobs::collect::run(&args),
        Verb::Status(args) => jobs::status::run(&args),
        Verb::Join(args) => sessions::join(&args),
    }
}
