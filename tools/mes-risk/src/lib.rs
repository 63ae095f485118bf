//! Predictions in, verdicts out: what may be traded, how much, and when it has to end.

mod attended;
mod exits;
mod explain;
pub mod journal;
pub mod judge;
mod memory;
mod place;
mod recorded;
pub mod rows;
mod rules;
mod say;
mod state;
mod status;
pub mod stops;
mod told;
pub mod trade;
mod waiting;
mod wire;
mod witness;

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use clap::{Parser, Subcommand};
use mes_core::{
    broker::{Broker, Hello, Kind},
    person::Says,
    time,
};
use mes_pipe::{Error, Result, lock, log, stop};

pub use explain::said;
pub use rules::Opinion;
pub use status::{Left, Stop, left, stops};

use attended::Attended;
use journal::{JsonJournal, Remembered, lines};
use recorded::{NoAccount, Recorded};
use rows::{TableRows, TradeArgs};
use state::{Folder, Opening, RECORDED, State};
use trade::trade;
use wire::Wire;

/// Judge predictions by the account's rules and send orders to mes-exec.
///
/// Reads rows (bars with p_dir and p_conf), writes the journal: one run record, then for every row the row, the
/// account's statement and the verdicts (order, deny, hold, alert), at last an end record and the last statement. The
/// statements come from the mes-exec that reads this journal, over the socket account.sock in the run directory.
///
/// ^C, TERM or HUP, to this or any other tool of the pipe, ends the day: a person record, end, the last statement, exit 4.
/// A second ^C leaves at once.
///
/// What is remembered of an account (the day's loss, peaks, losses in a row, pauses, halts) is kept with --state DIR, and
/// without it begins anew. The commands are for a person, while the pipeline runs or not.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  mes-bars < ticks.csv | mes-features | mes-predict | mes-risk | mes-exec
  mes-predict --rule ema-cross bars.parquet | mes-risk --account none |
      jq -c 'select(.kind == \"order\")'
  grep -E '^{\"kind\":\"(run|row|person)\"' journal.jsonl | mes-risk | mes-exec        # replay
  mes-risk halt --reason 'news at two'            # all is closed on the next row in run/
  mes-risk status
  mes-risk explain run/journal.jsonl --all-trades

Exit codes: 0 done, 1 failed (mes-exec is gone), 2 arguments or rules, 3 data, 4 stopped on purpose")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    trade: TradeArgs,
    /// Where statements come from: nowhere (none), or a journal; the socket in the run directory if not given
    #[arg(long, value_name = "none|FILE")]
    account: Option<PathBuf>,
    /// Directory that mes-risk and mes-exec meet in
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
    /// Directory that keeps what is remembered of accounts; a restart goes on from it. Beside a mes-exec MES_STATE, if not given
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Show position, day, limits and what is left of them, pauses and halts; JSON when piped
    #[command(after_help = "Example: mes-risk status --run run")]
    Status(status::StatusArgs),
    /// Say why a trade was made, its size, or why not, with the numbers of every rule
    #[command(after_help = "Example: mes-risk explain journal.jsonl --all-trades")]
    Explain(explain::ExplainArgs),
    /// Close everything on the next row and enter nothing until resume
    #[command(after_help = "Example: mes-risk halt")]
    Halt(say::HaltArgs),
    /// Lift a halt, or agree to other rules
    #[command(after_help = "Example: mes-risk resume --reason 'the news is out'")]
    Resume(say::ResumeArgs),
    /// Go on after the drawdown limit of the account: its peak becomes the current equity
    #[command(after_help = "Example: mes-risk review --reason 'three bad days, smaller from here on'")]
    Review(say::SayArgs),
    /// Go on after the kill switch: its start and peak become the current equity
    #[command(after_help = "Example: mes-risk reset --reason 'a new beginning'")]
    Reset(say::SayArgs),
}

/// Trades, or does what a person asks for.
///
/// # Errors
///
/// Those of the loop or the verb: arguments and rules (exit code 2), data (3), what failed (1), what was stopped (4).
pub fn main(args: Args) -> Result<()> {
    match &args.command {
        None => trade_rows(&args),
        Some(Command::Status(args)) => status::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Halt(args)) => args.halt(),
        Some(Command::Resume(args)) => say::say(&args.say, Says::Resume, args.rules.as_deref()),
        Some(Command::Review(args)) => say::say(args, Says::Review, None),
        Some(Command::Reset(args)) => say::say(args, Says::Reset, None),
    }
}

/// Opens rows and account, and trades.
fn trade_rows(args: &Args) -> Result<()> {
    stop::listen()?;
    let settings = args.trade.settings.read()?;
    let capital = settings.rules.value.capital();
    match &args.account {
        None => {
            let _lock = lock(&args.run, "risk")?;
            let out = lines(std::io::stdout());
            let broker = Wire::connect(&args.run, out.clone())?;
            let mut rows = TableRows::open(&args.trade.input, settings.rules.value.contract)?;
            rows.watch(broker.peer()?);
            run(args, rows, broker, &settings, out).map_err(|error| match error {
                // What the same ^C has closed is no fault of its own.
                Error::ReaderGone if stop::asked() => stop::error(),
                lost @ Error::Failed(_) if stop::asked() => stop::error().and(Some(lost)),
                // Our reader is mes-exec: without it nothing is traded.
                Error::ReaderGone => Error::failed("mes-exec is gone"),
                other => other,
            })
        }
        Some(name) => {
            let rows = TableRows::open(&args.trade.input, settings.rules.value.contract)?;
            let out = lines(std::io::stdout());
            if name == Path::new("none") {
                run(args, rows, NoAccount::new(capital), &settings, out)
            } else {
                run(args, rows, Recorded::open(name, capital)?, &settings, out)
            }
        }
    }
}

fn run<B: Broker>(
    args: &Args,
    mut rows: TableRows,
    mut broker: B,
    settings: &mes_pipe::Settings,
    out: journal::Lines,
) -> Result<()> {
    let (mut stream, columns) = rows.stream()?;
    let (mut state, mut inbox) = (None, None);
    if let Some(kept) = place_of(args, broker.hello()?, stream.hello.is_some())? {
        let Kept { folder, hello, fresh } = &kept;
        let (rules, interval) = (&settings.rules, stream.interval);
        let opening = Opening { folder, fresh: *fresh, hello, rules, interval };
        let (opened, heard, ledger) = State::open(&opening)?;
        (state, inbox) = (Some(opened), Some(heard));
        if args.account.is_none() {
            place::point(&args.run, folder)?;
        }
        if let Some(ts) = ledger.ts {
            let (name, equity, last) = (folder.name(), ledger.equity_cents, time::format(ts));
            log::note(format!("{name}: goes on with {equity} after the row of {last}"));
        }
        stream.ledger.get_or_insert(ledger);
    }
    let wired = args.account.is_none() && stream.hello.is_none();
    if let Some(state) = state.as_ref().filter(|_| wired) {
        stream.kept = state.memory().cloned();
    }
    let known = Arc::new(AtomicI64::new(0));
    let open = Arc::clone(&known);
    stop::open_is(move || left_open(open.load(Ordering::Relaxed)));
    let mut rows = Attended::new(rows, inbox);
    let mut journal = Remembered { journal: JsonJournal::new(out, columns), state, wired, position: known };
    trade(&mut rows, &mut broker, &mut journal, settings, &stream, args.trade.from)?;
    rows.stopped
        .map_or(Ok(()), |who| Err(Error::stopped(format!("{}: the journal is whole", stop::words(&who)))))
}

/// Says what a second ^C leaves, as of the last statement.
fn left_open(position: i64) -> String {
    if position == 0 { "nothing was open".into() } else { format!("a position of {position} was open") }
}

/// Where an account is remembered.
struct Kept {
    folder: Folder,
    hello: Hello,
    /// What is there is forgotten first.
    fresh: bool,
}

/// Returns where the account is remembered. Beside a broker it always is somewhere, so that a person can ask and halt;
/// recorded statements never touch the ledger of who made them.
fn place_of(args: &Args, mut hello: Hello, replay: bool) -> Result<Option<Kept>> {
    if args.state.is_some() && replay {
        return Err(Error::usage(
            "a journal is replayed from the ledger that it began with: leave --state out",
        ));
    }
    if args.account.is_some() {
        hello.broker = format!("{RECORDED}{}", hello.broker);
        hello.kind = Kind::Recorded;
    }
    // What mes-exec hears too, as long as there is one: recorded statements and journals are of nobody's account.
    let both = env::var_os("MES_STATE").map(PathBuf::from).filter(|_| args.account.is_none() && !replay);
    let (dir, fresh) = match args.state.as_ref().or(both.as_ref()) {
        _ if args.account.as_deref() == Some(Path::new("none")) => return Ok(None),
        Some(state) => (state, false),
        None if args.account.is_some() => return Ok(None),
        None => (&args.run, true),
    };
    Ok(Some(Kept { folder: Folder::of(dir, &hello), hello, fresh }))
}
