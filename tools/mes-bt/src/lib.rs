//! Predictions in; trades, equity, metrics and a report out. Runs the very loop that trades.

mod backtest;
mod compare;
mod days;
mod diff;
mod refill;
mod report;
mod session;
mod table;
mod validate;
mod verify;

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
    /// Say what a journal came to, as a backtest says it of its own
    Report(report::ReportArgs),
    /// Write the fills, orders, denials or statements of a journal as a flat table
    Table(table::TableArgs),
    /// Say what a session came to and how it was traded: fills against the costs file, limits, errors, alerts
    Session(session::SessionArgs),
    /// Say what many days came to, and when to stop trusting the model
    Days(days::DaysArgs),
    /// Put runs beside each other: figures with their intervals, equity, days in pairs, how they were made
    Compare(compare::CompareArgs),
    /// Compare two journals: where they part first, and how their fills differ
    Diff(diff::DiffArgs),
    /// Go through the go-live list; exit code 1 unless every line is met
    Validate(validate::ValidateArgs),
    /// Run the chain of a report again and compare
    Verify(verify::VerifyArgs),
}

/// Backtests, or does what the verb says.
///
/// # Errors
///
/// Those of the verb: arguments and rules (exit code 2), data (3), what failed or is not met (1), what was stopped (4).
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        None => backtest::run(&args.backtest),
        Some(Verb::Report(args)) => report::run(&args),
        Some(Verb::Table(args)) => table::run(&args),
        Some(Verb::Session(args)) => session::run(&args),
        Some(Verb::Days(args)) => days::run(&args),
        Some(Verb::Compare(args)) => compare::run(&args),
        Some(Verb::Diff(args)) => diff::run(&args),
        Some(Verb::Validate(args)) => validate::run(&args),
        Some(Verb::Verify(args)) => verify::run(&args),
    }
}
