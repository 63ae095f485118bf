//! Brings market data in: bought, made up, replayed, or from files of another shape.

mod history;
mod import;
mod live;
mod roll;
mod segments;
mod synth;
mod table;
mod verify;

use clap::{Parser, Subcommand};
use mes_pipe::{Error, Result};

/// Brings market data in, as ticks or bars on stdout
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-fetch synth --sessions 60 --to parquet > data/synth.parquet
  mes-fetch import --stamp open --interval 1s bars.csv.gz | mes-bars --interval 1m

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped on purpose")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    History(history::Args),
    Backfill(history::backfill::Args),
    Synth(synth::Args),
    Import(import::Args),
    Verify(verify::Args),
    Roll(roll::Args),
    Live(live::Args),
}

/// Does what the arguments ask for.
///
/// # Errors
///
/// Those of the verb: arguments (exit code 2), data (3), what failed (1), what was stopped (4).
pub fn main(args: Args) -> Result<()> {
    match args.command {
        Some(Command::History(args)) => history::run(&args),
        Some(Command::Backfill(args)) => history::backfill::run(&args),
        Some(Command::Synth(args)) => synth::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Roll(args)) => roll::run(&args),
        Some(Command::Live(args)) => live::run(&args),
        None => Err(Error::usage(format!("nothing asked for: one of {}, see --help", names().join(", ")))),
    }
}

/// Returns what can be asked for.
fn names() -> Vec<String> {
    let command = Command::augment_subcommands(clap::Command::new("mes-fetch"));
    command.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}
