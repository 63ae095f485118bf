//! The tool for a person: looks, and changes nothing. The first thing one tries with a new key.

mod lists;
mod show;
mod watch;

use clap::{Parser, Subcommand};
use mes_core::time::{self, Ts};
use mes_pipe::{AnswerArgs, Result};

use crate::{
    client::Question,
    service::{Service, ServiceArgs},
};

/// Look at TopstepX with your key: accounts, contracts, positions, orders, fills, bars, and what happens now.
///
/// It only reads: no command of it places, changes or cancels anything. User and key come from the environment alone,
/// TOPSTEPX_USERNAME and TOPSTEPX_API_KEY. What is printed is JSON lines, on a terminal a table.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-projectx login
  mes-projectx accounts
  mes-projectx bars MES --from 2026-11-20T14:30:00Z | jq .c
  mes-projectx watch quotes MES
  mes-sim --synth 1 &   # an exchange to practise on: no key of yours, no account of yours
  mes-projectx --api http://127.0.0.1:8787 --hubs http://127.0.0.1:8787 accounts

Exit codes: 0 done, 1 no answer, 2 arguments or key, 3 an answer that makes no sense")]
pub struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// No notes on stderr
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Log in, and say which accounts this key opens
    #[command(after_help = "Example: mes-projectx login")]
    Login,
    /// List accounts
    #[command(after_help = "Example: mes-projectx accounts --all")]
    Accounts {
        /// Those that can no longer trade as well
        #[arg(long)]
        all: bool,
    },
    /// List the contracts that can be traded now
    #[command(after_help = "Example: mes-projectx contracts MNQ")]
    Contracts {
        /// Only those whose name holds this: MES
        text: Option<String>,
    },
    /// List open positions
    #[command(after_help = "Example: mes-projectx positions --account PRAC-V2-1007-1")]
    Positions(OfAccount),
    /// List orders: those that may still fill, also legs that wait for their entry
    #[command(after_help = "Example: mes-projectx orders --from 2026-11-20T14:30:00Z")]
    Orders {
        #[command(flatten)]
        of: OfAccount,
        #[command(flatten)]
        span: Span,
    },
    /// List fills of the last 24 hours, or of a span
    #[command(after_help = "Example: mes-projectx trades --from 2026-11-20T14:30:00Z | jq -s length")]
    Trades {
        #[command(flatten)]
        of: OfAccount,
        #[command(flatten)]
        span: Span,
    },
    /// List bars, the oldest first
    #[command(after_help = "Example: mes-projectx bars MES --from 2026-11-20T14:30:00Z | jq .c")]
    Bars(lists::BarArgs),
    /// Print what happens, until ^C
    #[command(subcommand)]
    #[command(after_help = "Example: mes-projectx watch quotes MES")]
    Watch(watch::Watch),
}

/// Whose.
#[derive(clap::Args)]
struct OfAccount {
    /// The account's name or id; needed where there are several
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// From when to when.
#[derive(clap::Args)]
struct Span {
    /// All made from here on
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    from: Option<Ts>,
    /// And before this
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    until: Option<Ts>,
}

/// What every command has.
struct Context {
    service: Service,
    json: bool,
}

/// Looks at what is asked for.
///
/// # Errors
///
/// `Usage` for arguments, user and key; `Failed` where there is no answer; `Data` where one makes no sense.
pub fn main(args: Args) -> Result<()> {
    let service = args.service.open(concat!("mes-projectx/", env!("CARGO_PKG_VERSION")))?;
    let context = Context { service, json: args.answer.is_json() };
    match args.verb {
        Verb::Login => lists::login(&context),
        Verb::Accounts { all } => lists::accounts(&context, !all),
        Verb::Contracts { text } => lists::contracts(&context, text.as_deref()),
        Verb::Positions(of) => lists::positions(&context, &of),
        Verb::Orders { of, span } => lists::orders(&context, &of, &span),
        Verb::Trades { of, span } => lists::trades(&context, &of, &span),
        Verb::Bars(args) => lists::bars(&context, &args),
        Verb::Watch(watch) => watch.run(&context),
    }
}

impl Context {
    fn ask<E: Question>(&self, question: &E) -> Result<E::Answer> {
        self.service.ask(question)
    }
}
