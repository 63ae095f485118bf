//! Predictions in; trades, equity, metrics and a report out. Runs the very loop that trades.

mod backtest;
mod diff;
pub mod evidence;
mod files;
mod folds;
pub mod incidents;
mod life;
mod made;
pub mod metrics;
mod montecarlo;
mod optimize;
pub mod recorder;
mod refill;
mod replay;
mod report;
pub mod results;
#[cfg(test)]
mod sample;
mod slice;
pub mod stats;
pub mod summary;
mod terminal;
mod terms;
pub mod trades;
mod validate;
mod verify;
mod walk;
mod words;

use clap::{Parser, Subcommand};
use mes_pipe::Result;

use backtest::BacktestArgs;

/// Backtest predictions with the rules, the risk and the fills that trade.
///
/// Reads rows (bars with p_dir and p_conf) and writes a summary: for a person on a terminal, as JSON when piped. The
/// journal is, byte for byte, that of mes-risk | mes-exec on the same rows.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  mes-bt predictions.parquet --out runs/today
  mes-predict --rule ema-cross bars.parquet | mes-bt --journal - | jq -c 'select(.kind == \"order\")'

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    backtest: BacktestArgs,
}

/// One verb, one file, one line here and one in [`main`].
#[derive(Subcommand)]
enum Verb {
    /// Draw the sessions of a backtest anew and see how often the account meets its limits
    Montecarlo(montecarlo::MonteCarloArgs),
    /// Compare two journals: where they part first, and how their fills differ
    Diff(diff::DiffArgs),
    /// Go through the go-live list; exit code 1 unless every line is met
    Validate(validate::ValidateArgs),
    /// Run the chain of a report again and compare
    Verify(verify::VerifyArgs),
    /// Print folds (train, validate, test) of a table as lines of JSON
    #[command(after_help = "Examples:
  mes-bt folds features.parquet
  mes-bt folds --train 20sessions --validate 0d --test 5sessions --step 5sessions features.parquet | jq .test
  mes-bt folds --combinatorial 6,2 features.parquet")]
    Folds(folds::FoldsArgs),
    /// Pass on the rows of a span of time
    #[command(after_help = "Examples:
  mes-bt slice --after 2026-10-01T22:00:00Z --until 2026-11-01T22:00:00Z features.parquet > october.arrow
  mes-bt slice --after 2026-11-01T22:00:00Z features.parquet | mes-predict | mes-bt")]
    Slice(slice::SliceArgs),
    /// Train, predict and trade fold by fold, with the real tools, and stitch what nothing had seen
    #[command(after_help = "Examples:
  mes-bt walk-forward --out runs/walk features.parquet
  mes-bt folds features.parquet | xargs -d '\\n' -P 8 -I {} mes-bt walk-forward --out runs/walk --fold {} features.parquet

Reads features with labels; writes report.html, walk-forward.json, .txt, folds.csv, equity.csv and a
directory a fold.
mes-train gets the rows of train and validate, up to the embargo, and cuts its own slices of them in the order of time:
the last 15 % only score the model, the 15 % before calibrate it.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped; those of a tool that failed are passed on")]
    WalkForward(walk::WalkArgs),
    /// Search rules and costs for what trades best, and say how much of it is the search
    #[command(after_help = "Examples:
  mes-bt optimize --grid --vary exits.stop_ticks=4,8,12 --vary exits.target_ticks=8..24/4 --out runs/grid predictions.parquet
  mes-bt optimize --tpe 200 --prune --vary entries.confidence=0.6..0.8 --vary exits.stop_ticks=4..16 --out runs/tpe predictions.parquet

Writes trials.jsonl (the ledger: run again to go on where it stopped), report.html, optimize.json, .txt, trials.csv,
map.svg, best-rules.toml and best-costs.toml.
Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
    Optimize(optimize::OptimizeArgs),
}

/// Backtests, or does what the verb says.
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        None => backtest::run(&args.backtest),
        Some(Verb::Montecarlo(args)) => montecarlo::run(&args),
        Some(Verb::Diff(args)) => diff::run(&args),
        Some(Verb::Validate(args)) => validate::run(&args),
        Some(Verb::Verify(args)) => verify::run(&args),
        Some(Verb::Folds(args)) => folds::run(&args),
        Some(Verb::Slice(args)) => slice::run(&args),
        Some(Verb::WalkForward(args)) => walk::run(&args),
        Some(Verb::Optimize(args)) => optimize::run(&args),
    }
}
