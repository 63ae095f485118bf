//! `mes-sim` serves; its commands look at an exchange that runs, and let things go wrong there.

mod account;
mod ask;
mod run;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mes_pipe::{AnswerArgs, Result, suggest::meant};

use crate::service::Fault;

/// An exchange to practise on: what TopstepX speaks, on this machine, without a key
///
/// Reads recorded ticks or bars in any format (files or stdin), or makes a market up with --synth, and serves REST and both
/// hubs on 127.0.0.1 to any client. Orders are matched by a matcher of its own, at the firm's hours, limits and costs.
/// Prints one line of JSON with addresses, user, key and account. All that happens is kept in DIR/journal.jsonl.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples: a whole practice day
  mes-sim --synth 1 --speed 10 > sim.json &                      # a made-up day, ten times as fast
  eval \"$(mes-sim env)\"                                          # where it is, and who you are there
  mes-projectx accounts                                          # what any client sees
  mes-projectx watch quotes MES | head -3                        # the market
  mes-projectx watch user &                                      # what happens on the account
  curl -s $TOPSTEPX_API_URL/sim/clock                            # what time it is there
  mes-sim fault line-cut                                         # let something go wrong
  mes-sim journal --kind trade                                   # what the exchange itself has kept
  kill %1                                                        # the day is over
  mes-sim faults                                                 # what can
  mes-sim day.dbn.zst --faults \"$(mes-sim faults --draw 7)\"      # a recorded day full of it

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped by a person")]
pub struct Args {
    #[command(flatten)]
    run: run::RunArgs,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Print what is to be set for clients of the exchange that runs: eval "$(mes-sim env)"
    #[command(after_help = "Example: eval \"$(mes-sim env)\"; mes-projectx accounts")]
    Env(Of),
    /// Let something go wrong at the exchange that runs
    #[command(after_help = "Examples:
  mes-sim fault line-cut              # both hubs, now
  mes-sim fault clock-ahead --for 60  # a minute of the exchange")]
    Fault {
        /// Its name: mes-sim faults lists all
        #[arg(value_parser = fault)]
        fault: Fault,
        /// For so many seconds of the exchange; else as long as it usually lasts
        #[arg(long = "for", value_name = "SECONDS")]
        lasts: Option<f64>,
        #[command(flatten)]
        of: Of,
    },
    /// List what can go wrong, or draw a schedule of it
    #[command(after_help = "Examples:
  mes-sim faults
  mes-sim faults --draw 7 --within 30 > faults.json; mes-sim --synth 1 --faults @faults.json")]
    Faults {
        /// Draw a schedule with this seed, a line of JSON for --faults
        #[arg(long, value_name = "SEED")]
        draw: Option<u64>,
        /// How many faults
        #[arg(long, value_name = "N", default_value_t = 20, requires = "draw")]
        count: usize,
        /// Within so many minutes from the beginning
        #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "draw")]
        within: u64,
    },
    /// Print what the exchange has kept: orders, fills, cash, refusals, faults
    #[command(after_help = "Example: mes-sim journal --kind trade")]
    Journal {
        /// Only records of this kind
        #[arg(long)]
        kind: Option<String>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        answer: AnswerArgs,
    },
}

fn fault(name: &str) -> std::result::Result<Fault, String> {
    let meant = meant(name, Fault::ALL.iter().map(|fault| fault.name()));
    Fault::of(name).ok_or_else(|| format!("no such fault: mes-sim faults lists all{meant}"))
}

/// Which exchange.
#[derive(clap::Args)]
struct Of {
    /// Its run directory
    #[arg(long, value_name = "DIR", default_value = run::FOLDER)]
    run: PathBuf,
}

/// Serves, or does what a command says.
///
/// # Errors
///
/// `Usage` for arguments, a port that is taken, an exchange that does not run; `Data` for rows that cannot be read;
/// `Stopped` where a person ends it.
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        None => run::run(args.run),
        Some(Verb::Env(of)) => ask::env(&of.run),
        Some(Verb::Fault { fault, lasts, of }) => ask::fault(&of.run, fault, lasts),
        Some(Verb::Faults { draw, count, within }) => ask::faults(draw, count, within),
        Some(Verb::Journal { kind, of, answer }) => ask::journal(&of.run, kind.as_deref(), answer.is_json()),
    }
}
