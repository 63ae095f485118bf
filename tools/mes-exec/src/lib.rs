//! Rows and orders in, statements out; the account is at a broker.

pub mod account;
pub mod events;
pub mod guard;
mod live;
pub mod paper;
mod printer;
pub mod serve;
pub mod topstepx;

use std::{
    os::fd::AsFd,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use clap::{Parser, ValueEnum};
use mes_core::{
    broker::{Broker, Hello},
    statement::Statement,
};
use mes_pipe::{
    Error, Result, Settings, SettingsArgs,
    clock::Clock,
    messages::{Messages, Step},
    stop,
};
use rustix::event::PollFlags;

use account::{AccountChannel, Peer};
use guard::Guard;
use paper::{
    Paper,
    kept::{self, Kept},
};
use printer::Printer;

/// Hold the account: take rows and orders from mes-risk, answer every row with one statement.
///
/// Reads the JSON lines that mes-risk writes (run, row, order, end), writes statements. The statements also go to
/// mes-risk, over the socket account.sock in the run directory. Input that stops without an end record means that
/// upstream died: everything is cancelled and closed, exit 4. So does ^C, TERM or HUP, to this or any other tool of the
/// pipe: the journal then ends in order, and a second ^C leaves at once.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-bars < ticks.csv | mes-features | mes-predict | mes-risk | mes-exec
  ... | mes-risk | tee journal.jsonl | mes-exec | jq -c 'select(.fills != [])'

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose or by the death of upstream")]
pub struct Args {
    /// Who holds the account
    #[arg(long, value_enum, default_value = "paper")]
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
    Paper,
}

/// Opens the account and serves it.
///
/// # Errors
///
/// `Usage` for settings or a directory that do not fit, `Data` for what is no journal, `Failed` where a disk or a socket
/// fails, `Stopped` after a person's stop or an upstream that died. The account is closed first; an error of closing it is
/// told with the others.
pub fn main(args: Args) -> Result<()> {
    stop::listen()?;
    let settings = args.settings.read()?;
    let clock = Clock::machine();
    let broker: Box<dyn Broker> = match args.broker {
        Name::Paper => Box::new(Kept::open(&settings, args.state.as_deref())?),
    };
    let mut broker = Guard::new(broker, &settings, clock.clone())?;
    let hello = broker.hello()?;
    let account = AccountChannel::bind(&args.run)?;
    let mut messages = Messages::stdin("the journal that mes-risk writes")?;
    let mut peer = wait_for_risk(&account, &mut messages, &hello)?;
    let printer = Printer::start();
    let halt = |error: &Error| match &args.state {
        Some(state) => kept::halt(state, &hello, error),
        None => Ok(()),
    };
    let position = Arc::new(AtomicI64::new(0));
    let open = Arc::clone(&position);
    stop::open_is(move || left_open(open.load(Ordering::Relaxed)));
    let watch = |statement: &Statement| position.store(statement.position, Ordering::Relaxed);
    let served = serve::serve(&mut messages, &mut broker, &mut peer, &printer, &clock, watch, halt);
    match (served, printer.finish()) {
        (Ok(()), printed) => printed,
        (Err(error), printed) => Err(error.and(printed.err())),
    }
}

/// Says what a second ^C leaves.
fn left_open(position: i64) -> String {
    if position == 0 {
        return "nothing is open".into();
    }
    let (side, contracts) = (if position > 0 { "long" } else { "short" }, serve::count(position.abs()));
    format!(
        "{contracts} {side} are open on paper; an account that is kept books them at their stop when it goes on"
    )
}

/// Opens a guarded paper account.
///
/// # Errors
///
/// None: a paper account always says hello.
pub fn paper(settings: &Settings) -> Result<Guard<Paper>> {
    Ok(Guard::new(Paper::new(settings), settings, Clock::machine())?)
}

/// Waits until risk knocks. If the input comes first, it never will.
fn wait_for_risk(account: &AccountChannel, messages: &mut Messages, hello: &Hello) -> Result<Peer> {
    let input = |fd| (fd, PollFlags::IN);
    loop {
        let others = [stop::descriptor(), Some(account.listener().as_fd()), None].map(|fd| fd.map(input));
        let [_, stopped, knocked, _] = messages.wait(others, None)?;
        if stopped {
            return Err(stop::error());
        }
        if !knocked {
            return Err(Error::stopped(match messages.step()? {
                Step::End => {
                    "the input ended before mes-risk opened the account: mes-risk says why, if it is what stands left of mes-exec"
                }
                _ => "the input came before mes-risk did: mes-exec stands right of mes-risk in the pipe",
            }));
        }
        if let Some(peer) = account.accept(hello)? {
            return Ok(peer);
        }
    }
}
