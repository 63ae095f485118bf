//! The running day, as a page and in a terminal: price, position, limits, decisions in words; halt, flatten and kill. A
//! reader of the journal: nothing of it can hold up trading.

mod act;
pub mod chart;
pub mod day;
pub mod desk;
pub mod follow;
#[cfg(test)]
mod sample;
pub mod serve;
pub mod snapshot;
mod terminal;

use std::{io::IsTerminal, path::PathBuf, sync::Arc, time::Duration};

use chrono::NaiveDate;
use clap::Parser;
use mes_judge::words;
use mes_pipe::{CalendarArgs, Error, Result, answer::print, clock::Deadline, log, stop};

use act::Place;
use day::Day;
use desk::Desk;

/// Between two looks whether a person ends it.
const LOOK: Duration = Duration::from_millis(100);

/// See the running day, and stop it: a page on this machine, or the terminal with --tty.
///
/// Reads the journal that mes-risk writes, as it grows, and prints the address to open: it holds a token, and without it
/// the page shows nothing. Whatever else becomes of mes-watch, trading does not notice. With a JOURNAL it plays back a
/// day that is over: a slider goes through its rows, and nothing can be pressed.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-watch                                   # the pipeline in run/: open the address it prints
  mes-watch --tty                             # the same in this terminal
  mes-watch run/journals/20261120T140000Z.jsonl
  mes-bt --journal day.jsonl day.parquet > /dev/null && mes-watch day.jsonl
  ssh -L 8790:127.0.0.1:8790 desk mes-watch --port 8790      # from elsewhere, by a tunnel

Exit codes: 0 ended by a person, 1 failed, 2 arguments, 3 data")]
pub struct Args {
    /// A day to play back; the running one without it
    #[arg(value_name = "JOURNAL")]
    journal: Option<PathBuf>,
    /// Watch a journal that is still written, in place of journal.jsonl in the run directory; nothing can be stopped there
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    follow: Option<PathBuf>,
    /// Run directory of the pipeline that is watched, and that the buttons stop
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
    /// Directory that mes-exec keeps accounts in, where it is not state/ in the run directory
    #[arg(long, value_name = "DIR", env = "MES_STATE")]
    state: Option<PathBuf>,
    /// Show the terminal's view
    #[arg(long)]
    tty: bool,
    /// Port of the page on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0, conflicts_with = "tty")]
    port: u16,
    /// Open the page in a browser, by xdg-open
    #[arg(long, conflicts_with = "tty")]
    open: bool,
    /// Trading day to show of a journal that has several; the last without it
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Shows a day until a person ends it.
///
/// # Errors
///
/// `Usage` for arguments, a journal that is not there, a port that is taken; `Data` for what is no journal; `Failed` where
/// the system gives no socket or no terminal.
pub fn main(args: Args) -> Result<()> {
    if args.tty && !std::io::stdout().is_terminal() {
        return Err(Error::usage("--tty needs a terminal: leave it out for the page"));
    }
    stop::listen()?;
    let desk = Arc::new(open_desk(&args)?);
    if args.journal.is_none() {
        let path = args.follow.clone().unwrap_or_else(|| args.run.join("journal.jsonl"));
        desk.follow(path)?;
    }
    if args.tty {
        return terminal::show(&desk);
    }
    let url = serve::start(Arc::clone(&desk), args.port)?;
    print(format!("{url}\n"))?;
    log::note("open that address in a browser on this machine; ^C ends the page, and nothing else");
    let bridge = if args.open { Some(serve::browse(&url)?) } else { None };
    while !stop::asked() {
        std::thread::sleep(Deadline::after(LOOK).left());
    }
    drop(bridge);
    Ok(())
}

/// Reads the day that is over, or prepares for the one that runs.
fn open_desk(args: &Args) -> Result<Desk> {
    let mut day = Day::new(args.calendar.read()?, args.day);
    let Some(journal) = &args.journal else {
        let place = Place { run: args.run.clone(), state: args.state.clone() };
        // Of a journal from elsewhere nobody knows which pipeline writes it.
        return Ok(Desk::running(day, Some(place).filter(|_| args.follow.is_none())));
    };
    let missing = follow::read(journal, &mut day)?;
    let name = journal.display();
    if let Some(wanted) = args.day.filter(|_| day.moments.is_empty()) {
        let days = words::count(day.days as u64, "day");
        return Err(Error::usage(format!("{name}: none of its {days} is {wanted}")));
    }
    if day.moments.is_empty() {
        log::note(format!("{name}: it has no row of a trading day"));
    }
    Ok(Desk::replay(day, missing.map(|missing| format!("{name}: {missing}"))))
}
