//! Brings market data in: made up, or from files of another shape.

mod import;
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
    Synth(synth::Args),
    Import(import::Args),
    Verify(verify::Args),
    Roll(roll::Args),
}

pub fn main(args: Args) -> Result<()> {
    match args.command {
        Some(Command::Synth(args)) => synth::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Roll(args)) => roll::run(&args),
        None => Err(Error::usage("nothing asked for: mes-fetch synth, import, verify or roll, see --help")),
    }
}
