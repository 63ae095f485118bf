//! Brings market data in: made up, or from files of another shape.

mod history;
mod import;
mod segments;
mod synth;
mod table;

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
    Synth(synth::Args),
    Import(import::Args),
}

pub fn main(args: Args) -> Result<()> {
    match args.command {
        Some(Command::History(args)) => history::run(&args),
        Some(Command::Synth(args)) => synth::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        None => Err(Error::usage("nothing asked for: mes-fetch synth or mes-fetch import, see --help")),
    }
}
