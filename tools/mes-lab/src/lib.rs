//! The lab: time cut into folds, models and rules tried on them, other lives of a backtest. All that it tries is traded by
//! the very loop that trades.

mod folds;
mod montecarlo;
mod optimize;
mod replay;
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
  mes-lab folds --train 20sessions --validate 0d --test 5sessions --step 5sessions features.parquet | jq .test
  mes-lab folds --combinatorial 6,2 features.parquet")]
    Folds(folds::FoldsArgs),
    /// Pass on the rows of a span of time
    #[command(after_help = "Examples:
  mes-lab slice --after 2026-10-01T22:00:00Z --until 2026-11-01T22:00:00Z features.parquet > october.arrow
  mes-lab slice --after 2026-11-01T22:00:00Z features.parquet | mes-predict | mes-bt")]
    Slice(slice::SliceArgs),
    /// Train, predict and trade fold by fold, with the real tools, and stitch what nothing had seen
    #[command(after_help = "Examples:
  mes-lab walk-forward --out runs/walk features.parquet
  mes-lab folds features.parquet | xargs -d '\\n' -P 8 -I {} mes-lab walk-forward --out runs/walk --fold {} features.parquet

Reads features with labels; writes report.html, walk-forward.json, .txt, folds.csv, equity.csv and a
directory a fold.
mes-train gets the rows of train and validate, up to the embargo, and cuts its own slices of them in the order of time:
the last 15 % only score the model, the 15 % before calibrate it.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped; those of a tool that failed are passed on")]
    WalkForward(walk::WalkArgs),
    /// Search rules and costs for what trades best, and say how much of it is the search
    #[command(after_help = "Examples:
  mes-lab optimize --grid --vary exits.stop_ticks=4,8,12 --vary exits.target_ticks=8..24/4 --out runs/grid predictions.parquet
  mes-lab optimize --tpe 200 --prune --vary entries.confidence=0.6..0.8 --vary exits.stop_ticks=4..16 --out runs/tpe predictions.parquet

Writes trials.jsonl (the ledger: run again to go on where it stopped), report.html, optimize.json, .txt, trials.csv,
map.svg, best-rules.toml and best-costs.toml.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
    Optimize(optimize::OptimizeArgs),
    /// Draw the sessions of a backtest anew and see how often the account meets its limits
    Montecarlo(montecarlo::MonteCarloArgs),
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
    }
}
