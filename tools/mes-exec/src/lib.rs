//! Rows and orders in, statements out; the account is at a broker.

pub mod account;
mod commands;
mod doctor;
pub mod events;
pub mod guard;
mod halt;
mod live;
pub mod paper;
mod printer;
mod report;
pub mod serve;
mod service;
pub mod start;
pub mod topstepx;

use std::{
    cell::RefCell,
    os::fd::AsFd,
    path::{Path, PathBuf},
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
    log,
    messages::{Messages, Step},
    stop,
};
use mes_projectx::{ServiceArgs, service::LENDER};
use rustix::event::PollFlags;

use account::{AccountChannel, Peer};
use guard::Guard;
use halt::Halt;
use paper::{Paper, kept::Kept};
use printer::Printer;
use report::Session;
use topstepx::{
    control::{Control, Whose},
    open::{self, AccountArgs},
};

/// What the service is told that asks.
const CLIENT: &str = concat!("mes-exec/", env!("CARGO_PKG_VERSION"));

/// Hold the account: take rows and orders from mes-risk, answer every row with one statement.
///
/// Reads the JSON lines that mes-risk writes (run, row, order, end), writes statements. The statements also go to
/// mes-risk, over the socket account.sock in the run directory. Input that stops without an end record means that
/// upstream died: everything is cancelled and closed, exit 4. So does ^C, TERM or HUP, to this or any other tool of the
/// pipe: the journal then ends in order, and a second ^C leaves at once.
#[derive(Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  mes-bars < ticks.csv | mes-features | mes-predict | mes-risk | mes-exec
  ... | mes-risk | tee journal.jsonl | mes-exec | jq -c 'select(.fills != [])'
  mes-exec check --account PRAC-V2-1007-1     # all that a start does, and places nothing
  ... | mes-risk --state state --rules mes-1k-topstep |
    mes-exec --broker topstepx --account PRAC-V2-1007-1 --state state --rules mes-1k-topstep
  mes-exec kill                               # from any terminal: close everything, enter nothing

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose or by the death of upstream"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<commands::Verb>,
    /// Who holds the account
    #[arg(long, value_enum, default_value = "paper")]
    broker: Name,
    /// Directory that keeps accounts; the paper account goes on from it, and an error halts it until mes-risk resume
    #[arg(long, value_name = "DIR", env = "MES_STATE", global = true)]
    state: Option<PathBuf>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// No notes on stderr
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// A paper account that fills by the next bar
    Paper,
    /// An account at TopstepX: give --account and --state
    Topstepx,
}

/// Opens the account and serves it.
///
/// # Errors
///
/// `Usage` for settings or a directory that do not fit, `Data` for what is no journal, `Failed` where a disk or a socket
/// fails, `Stopped` after a person's stop or an upstream that died. The account is closed first; an error of closing it is
/// told with the others.
pub fn main(args: Args) -> Result<()> {
    if let Some(verb) = &args.verb {
        return verb.run(&args);
    }
    stop::listen()?;
    // Before anything is asked or opened: a second start in one run directory does nothing at all, and risk hears at
    // once where this one comes to nothing.
    let account = AccountChannel::bind(args.service.run())?;
    let served = match args.broker {
        Name::Paper => on_paper(&args, &account),
        Name::Topstepx => live(&args, &account),
    };
    if served.is_err() {
        account.turn_away();
    }
    served
}

/// Trades the paper account.
fn on_paper(args: &Args, account: &AccountChannel) -> Result<()> {
    let settings = args.settings.read()?;
    let clock = Clock::machine();
    let kept = Kept::open(&settings, args.state.as_deref())?;
    let mut broker = Guard::new(kept, &settings, clock.clone())?;
    serve_to(&mut broker, account, args.state.as_deref(), &clock)
}

/// Trades an account at TopstepX.
fn live(args: &Args, account: &AccountChannel) -> Result<()> {
    log::aside()?;
    let settings = args.settings.read()?;
    let state = args.state.as_deref().ok_or_else(|| {
        Error::usage(
            "--broker topstepx needs --state DIR: what is known of the account has to outlive this process",
        )
    })?;
    let service = args.service.inheriting(CLIENT, LENDER)?;
    let found = open::find(&args.account, &args.service, &settings, service)?;
    log::note(found.says());
    let clock = found.service.clock.clone();
    let mut day = open::begin(found, &args.account, &settings, state)?;
    let whose = Whose {
        id: day.account.id,
        account: day.account.name.clone(),
        api: args.service.api().as_str().to_owned(),
    };
    let control = Control::open(args.service.run(), day.inputs.clone(), day.folder.clone(), whose);
    let _control = match control {
        Err(error) => return Err(error.and(day.actor.end().err().map(Error::from))),
        Ok(control) => control,
    };
    serve_to(&mut day.actor, account, Some(state), &clock)
}

/// Serves a broker to the risk that knocks.
fn serve_to<B: Broker>(
    broker: &mut B,
    account: &AccountChannel,
    state: Option<&Path>,
    clock: &Clock,
) -> Result<()> {
    let hello = broker.hello()?;
    let live = hello.kind.is_live();
    let position = Arc::new(AtomicI64::new(hello.position));
    let open = Arc::clone(&position);
    stop::open_is(move || left_open(open.load(Ordering::Relaxed), live));
    let halt = Halt::new(state, &hello);
    let knocked = Messages::stdin("the journal that mes-risk writes").and_then(|mut messages| {
        let peer = wait_for_risk(account, &mut messages, &hello)?;
        Ok((messages, peer))
    });
    let (mut messages, mut peer) = match knocked {
        Err(error) if live => return Err(nobody_came(broker, hello.position, error, &halt)),
        knocked => knocked?,
    };
    let printer = Printer::start();
    let report = RefCell::new(Session::default());
    let watch = |statement: &Statement| {
        position.store(statement.position, Ordering::Relaxed);
        report.borrow_mut().follow(statement);
    };
    let served =
        serve::serve(&mut messages, broker, &mut peer, &printer, clock, watch, |error| halt.write(error));
    if live {
        log::note(report.into_inner().says());
    }
    match (served, printer.finish()) {
        (Ok(()), printed) => printed,
        (Err(error), printed) => Err(error.and(halt.settle().err()).and(printed.err())),
    }
}

/// Closes what was taken over before risk ever came: nobody is left who would. Returns why it did not come.
fn nobody_came<B: Broker>(broker: &mut B, position: i64, error: Error, halt: &Halt) -> Error {
    if stop::asked() {
        broker.stop();
    }
    let halts = !matches!(error, Error::Stopped(_) | Error::Usage(_));
    let halted = if halts { halt.write(&error).err() } else { None };
    let closed = broker.end().map(drop);
    if position != 0 && closed.is_ok() {
        log::note(format!("{} that were taken over are closed", serve::count(position.abs())));
    }
    error.and(halted).and(closed.err().map(Error::from)).and(halt.settle().err())
}

/// Says what a second ^C leaves.
fn left_open(position: i64, live: bool) -> String {
    if position == 0 {
        return "nothing is open".into();
    }
    let (side, contracts) = (if position > 0 { "long" } else { "short" }, serve::count(position.abs()));
    if live {
        return format!(
            "{contracts} {side} are open at the broker, with the stop that rests there: mes-exec flatten"
        );
    }
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
