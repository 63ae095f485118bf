//! Rows and orders in, statements out; the account is at a broker.

pub mod account;
pub mod guard;
mod printer;
pub mod serve;
pub mod sim;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use mes_core::broker::Broker;
use mes_pipe::{Error, Result, Settings, SettingsArgs, messages::Messages};

use account::Account;
use guard::Guard;
use printer::Printer;
use sim::{
    Sim,
    kept::{self, Kept},
};

/// Hold the account: take rows and orders from mes-risk, answer every row with one statement.
///
/// Reads the JSON lines that mes-risk writes (run, row, order, end), writes statements. The statements also go to
/// mes-risk, over the socket account.sock in the run directory. Input that stops without an end record means that
/// upstream died: everything is cancelled and closed, exit 4.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-bars < ticks.csv | mes-features | mes-predict | mes-risk | mes-exec
  ... | mes-risk | tee journal.jsonl | mes-exec | jq -c 'select(.fills != [])'

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose or by the death of upstream")]
pub struct Args {
    /// Who holds the account
    #[arg(long, value_enum, default_value = "sim")]
    broker: Name,
    /// Directory that mes-risk and mes-exec meet in
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
    /// Directory that keeps accounts; the paper account goes on from it, and an error halts it until mes-risk resume
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// A paper account that fills by the next bar
    Sim,
}

/// Opens the account and serves it.
pub fn main(args: Args) -> Result<()> {
    let settings = args.settings.read()?;
    let mut broker = match args.broker {
        Name::Sim => Guard::new(Kept::open(&settings, args.state.as_deref())?, &settings)?,
    };
    let hello = broker.hello()?;
    let account = Account::bind(&args.run)?;
    let mut messages = Messages::stdin("the journal that mes-risk writes")?;
    wait_for_risk(&account, &messages)?;
    let mut peer = account.accept(&hello)?;
    let printer = Printer::start();
    let halt = |ts, error: &Error| match &args.state {
        Some(state) => kept::halt(state, &hello, ts, error),
        None => Ok(()),
    };
    let served = serve::serve(&mut messages, &mut broker, &mut peer, &printer, halt);
    printer.finish();
    served
}

/// Opens a guarded paper account.
pub fn sim(settings: &Settings) -> Result<Guard<Sim>> {
    Ok(Guard::new(Sim::new(settings), settings)?)
}

/// Waits until risk knocks. If the input comes first, it never will.
fn wait_for_risk(account: &Account, messages: &Messages) -> Result<()> {
    if messages.wait_or(account.listener())? {
        return Ok(());
    }
    Err(Error::stopped(
        "the input came or ended before mes-risk did: mes-exec stands right of mes-risk in the pipe",
    ))
}
