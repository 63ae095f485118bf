//! What a person does beside a running pipeline, or without one: look, check, close, halt.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::Receiver,
    thread,
    time::Duration,
};

use clap::Subcommand;
use mes_pipe::{
    CalendarArgs, Error, Result, SettingsArgs, account, answer::print, clock::Deadline, log, private, stop,
};

use crate::{
    Args, CLIENT,
    doctor::{self, DoctorArgs},
    service::{self, UnitArgs},
    topstepx::{
        check,
        control::{self, Line, PATIENCE, Reply, Word},
        flatten, journal,
        latency::{HEADER, Latencies},
        open::{self, AccountArgs},
    },
};

/// Between two looks whether it is flat.
const LOOK: Duration = Duration::from_millis(100);
/// For a session that another mes-exec of the run has; without it we log in ourselves.
const SOON: Duration = Duration::from_secs(1);

#[derive(Subcommand)]
pub enum Verb {
    /// Do all that a start does, say it line by line, and place nothing
    #[command(after_help = "Example: mes-exec check --account PRAC-V2-1007-1")]
    Check {
        /// Place one order far from the market with a bracket, see what the account makes of it, and cancel it: practice
        /// accounts only
        #[arg(long)]
        probe: bool,
        #[command(flatten)]
        account: AccountArgs,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Look at all that a day needs, one line a check: clock, key, rules, calendar, disk, model, the service
    #[command(after_help = "Examples:
  mes-exec doctor --account PRAC-V2-1007-1            # looks, and asks the service for the time
  mes-exec doctor --account PRAC-V2-1007-1 --login    # logs in too, and looks at the account")]
    Doctor(Box<DoctorArgs>),
    /// Make units of systemd that trade every day by themselves, and print or install them
    #[command(after_help = "Examples:
  mes-exec service --account PRAC-V2-1007-1                    # look at the units
  mes-exec service --account PRAC-V2-1007-1 --install \\
      --with 'alerts=pipelines/alerts.sh alerts.toml'")]
    Service(Box<UnitArgs>),
    /// Say whether the market is open, or opens within ten minutes: exit 1 where not
    #[command(after_help = "Example: mes-exec due && pipelines/live.sh PRAC-V2-1007-1")]
    Due {
        #[command(flatten)]
        calendar: CalendarArgs,
    },
    /// Close everything at TopstepX now, with or without a running mes-exec, until the exchange shows flat
    #[command(after_help = "Example: mes-exec flatten --account PRAC-V2-1007-1")]
    Flatten(Whose),
    /// Halt, then close everything now: nothing is entered until mes-exec resume
    #[command(after_help = "Example: mes-exec kill")]
    Kill(Whose),
    /// Say what a running mes-exec holds
    #[command(after_help = "Example: mes-exec status --run run")]
    Status,
    /// Lift the halt of a kill
    #[command(after_help = "Example: mes-exec resume --account PRAC-V2-1007-1")]
    Resume(Whose),
    /// Print how long entries and closes took and what they slipped, as CSV: --latency of a backtest reads it
    #[command(after_help = "Example: mes-exec latency run/state/topstepx-1007/exec-*.jsonl > latency.csv")]
    Latency {
        /// exec-....jsonl, one or several
        #[arg(value_name = "JOURNAL", required = true)]
        journals: Vec<PathBuf>,
    },
    /// Run the journal of mes-exec again, and compare what it asks for
    #[command(after_help = "Example: mes-exec replay run/state/topstepx-1007/exec-20261120T143000Z.jsonl")]
    Replay {
        /// exec-....jsonl in the account's directory below --state
        #[arg(value_name = "JOURNAL")]
        journal: PathBuf,
    },
}

/// Which account is meant; without it, the only one.
#[derive(clap::Args)]
pub struct Whose {
    /// The account at TopstepX, by name or id
    #[arg(long, value_name = "NAME", env = "MES_ACCOUNT")]
    account: Option<String>,
}

impl Verb {
    /// Does it.
    ///
    /// # Errors
    ///
    /// `Failed` where nobody answers, `Usage` where it is not said of what, `Stopped` where something stays open.
    pub fn run(&self, args: &Args) -> Result<()> {
        match self {
            Verb::Check { probe, account, settings } => {
                let settings = settings.read()?;
                let service = args.service.open(CLIENT)?;
                let found = open::find(account, &args.service, &settings, service)?;
                check::check(&found, *probe)
            }
            Verb::Doctor(doctor) => doctor::run(doctor, &args.service, state(args), args.quiet),
            Verb::Service(units) => service::run(units, args.service.run()),
            Verb::Due { calendar } => {
                service::is_due(calendar.read()?.value, args.service.clock()?.now().utc)
            }
            Verb::Flatten(whose) => close(args, whose, Word::Flatten),
            Verb::Kill(whose) => close(args, whose, Word::Kill),
            Verb::Status => status(args),
            Verb::Resume(whose) => resume(args, whose),
            Verb::Latency { journals } => {
                let mut latencies = Latencies::default();
                let mut text = HEADER.to_owned();
                for journal in journals {
                    text += &latencies.read(journal)?;
                }
                print(text)
            }
            Verb::Replay { journal } => {
                let came = journal::replay(journal)?;
                print(format!("the same again: {} events, {} actions\n", came.events, came.actions))
            }
        }
    }
}

/// Closes everything: by the mes-exec that trades, or where it does not answer by a login of our own.
fn close(args: &Args, whose: &Whose, word: Word) -> Result<()> {
    stop::listen()?;
    // The word goes first, and is heard by whoever trades that account, also where its answer comes too late.
    let reached = Reached::by(args, whose, word);
    let halting = place(args, whose, &reached).and_then(|folder| Halting::of(word, folder));
    let closed = close_now(args, whose, word, reached, halting.as_ref());
    if let Some(halting) = halting {
        halting.is_written();
    }
    closed
}

fn close_now(
    args: &Args,
    whose: &Whose,
    word: Word,
    reached: Reached,
    halting: Option<&Halting>,
) -> Result<()> {
    let told = matches!(reached, Reached::Its(..));
    let nobody = matches!(reached, Reached::Nobody) && whose.account.is_none() && keeps_none(args);
    let service = match reached {
        Reached::Its(mut line, reply) => match by_the_running(&mut line, reply) {
            Some(reply) => return sweep(args, &reply),
            None => args.service.alone(CLIENT),
        },
        // It is well, and so is its session: another login might throw it out.
        Reached::Others => {
            let inherits = args.service.inheriting(CLIENT, SOON);
            inherits.or_else(|_| args.service.alone(CLIENT))
        }
        Reached::Nobody => args.service.alone(CLIENT),
    };
    // Said only by who can do nothing else: a paper account may stand here beside a real one elsewhere.
    if nobody && service.is_err() {
        on_paper(args.service.run())?;
    }
    let ours = service.and_then(|service| {
        log::note(format!("no mes-exec of it answers in {}: closing alone", args.service.run().display()));
        let account = service.account(whose.account.as_deref())?;
        Ok((service, account))
    });
    let (service, account) =
        ours.map_err(|error| unclosed(error, told, halting.is_some_and(Halting::is_written)))?;
    // Only now it is known which of several accounts the name means.
    let halting = Halting::of(word, state(args).join(format!("topstepx-{}", account.id)));
    flatten::alone(&service, &account)?;
    if let Some(halting) = halting {
        halting.is_written();
    }
    Ok(())
}

/// Says of an error on the way to the account what it leaves, and what closes all the same.
fn unclosed(error: Error, told: bool, halted: bool) -> Error {
    let halted = if halted { "halted, entries stop (mes-exec resume lifts it), and " } else { "" };
    // One that was told and does not answer any more may have closed.
    let what = if told { "NOBODY KNOWS WHAT IS STILL OPEN" } else { "NOTHING WAS CLOSED" };
    let said = format!("{halted}{what}: {error}; Flatten All in the TopstepX app closes at once");
    match error {
        Error::Usage(_) => Error::usage(said),
        Error::Data(_) => Error::data(said),
        Error::Stopped(_) => Error::stopped(said),
        Error::Failed(_) | Error::ReaderGone => Error::failed(said),
    }
}

/// A halt on its way to the disk, for which no closing waits.
struct Halting {
    folder: PathBuf,
    done: Receiver<()>,
}

impl Halting {
    /// Begins to write that of a kill, where the account is kept.
    fn of(word: Word, folder: PathBuf) -> Option<Halting> {
        let kept = word == Word::Kill && folder.exists();
        kept.then(|| Halting { done: control::halt(&folder), folder })
    }

    /// Says whether it is on the disk. Written long since, but where the disk hangs.
    fn is_written(&self) -> bool {
        self.done.recv_timeout(PATIENCE).is_ok() && control::is_halted(&self.folder)
    }
}

/// Says whether no account at TopstepX is kept here.
fn keeps_none(args: &Args) -> bool {
    account::folders(&state(args), "topstepx").is_empty()
}

/// Refuses where the account that trades in the run directory is on paper, which mes-risk looks at and halts.
fn on_paper(run: &Path) -> Result<()> {
    // mes-risk leaves there which folder the account has.
    let kept = private::read(&run.join("risk.state")).unwrap_or_default();
    let kept = String::from_utf8_lossy(&kept).into_owned();
    let name = Path::new(&kept).file_name().unwrap_or_default().to_string_lossy();
    if !(name.starts_with("paper-") && run.join("account.sock").exists()) {
        return Ok(());
    }
    let run = run.display();
    Err(Error::usage(format!("the account in {run} is on paper: mes-risk status, mes-risk halt")))
}

/// Who answers in the run directory.
enum Reached {
    /// The mes-exec that trades the account that is meant.
    Its(Line, Reply),
    /// One that trades another account.
    Others,
    Nobody,
}

impl Reached {
    /// Says a word, and hears who answers.
    fn by(args: &Args, whose: &Whose, word: Word) -> Reached {
        let whose = whose.account.as_deref();
        let said = Line::reach(args.service.run()).and_then(|mut line| {
            let reply = line.say(word, whose)?;
            Some((line, reply))
        });
        match said {
            None => Reached::Nobody,
            Some((line, reply)) if reply.is_of(whose) => Reached::Its(line, reply),
            Some((_, reply)) => {
                log::note(format!(
                    "the mes-exec in {} trades {}",
                    args.service.run().display(),
                    reply.account
                ));
                Reached::Others
            }
        }
    }
}

/// Returns where the account that is meant is kept, as far as anybody knows without asking the service.
fn place(args: &Args, whose: &Whose, reached: &Reached) -> Option<PathBuf> {
    match reached {
        Reached::Its(_, reply) => Some(state(args).join(format!("topstepx-{}", reply.id))),
        // What is kept here alone is that other account.
        Reached::Others => folder(args, whose, false),
        Reached::Nobody => folder(args, whose, true),
    }
}

/// Looks at what a mes-exec has no word for, once it is flat: orders of a person, other contracts. They are closed and
/// cancelled too, until the exchange shows neither.
fn sweep(args: &Args, reply: &Reply) -> Result<()> {
    let unseen = |why: &str| {
        print(format!("flat: {}; orders that are not of mes-exec were not looked at: {why}\n", reply.left))
    };
    if reply.api != args.service.api().as_str() {
        return unseen(&format!("TOPSTEPX_API_URL is not {}", reply.api));
    }
    // Its session as long as it is there, and one of our own from then on; without the key, its alone.
    let service = args.service.inheriting(CLIENT, SOON).or_else(|_| args.service.open(CLIENT));
    let found = service.and_then(|service| {
        let account = service.account(Some(&reply.id.to_string()))?;
        Ok((service, account))
    });
    match found {
        Ok((service, account)) => flatten::alone(&service, &account),
        Err(why) => unseen(&why.to_string()),
    }
}

/// Returns where accounts are kept: as said, or where live.sh keeps them.
fn state(args: &Args) -> PathBuf {
    args.state.clone().unwrap_or_else(|| args.service.run().join("state"))
}

/// Waits until the running one is flat; `None` where it does not answer any more.
fn by_the_running(line: &mut Line, mut reply: Reply) -> Option<Reply> {
    let patience = Deadline::after(Duration::from_secs(30));
    while !reply.flat {
        if stop::asked() || patience.left().is_zero() {
            log::note(reply.left);
            return None;
        }
        thread::sleep(LOOK);
        reply = line.say(Word::Status, None)?;
    }
    Some(reply)
}

fn status(args: &Args) -> Result<()> {
    let run = args.service.run().display();
    let reply = Line::reach(args.service.run()).and_then(|mut line| line.say(Word::Status, None));
    let Some(reply) = reply else {
        on_paper(args.service.run())?;
        let ms = PATIENCE.as_millis();
        return Err(Error::failed(format!("no mes-exec answers in {run} within {ms} ms")));
    };
    print(format!("{}\n", serde_json::to_string(&reply).map_err(Error::failed)?))
}

fn resume(args: &Args, whose: &Whose) -> Result<()> {
    let reached = Reached::by(args, whose, Word::Resume);
    let lifted = place(args, whose, &reached).is_some_and(|folder| control::resume(&folder));
    if lifted || matches!(reached, Reached::Its(..)) {
        return print("resumed\n");
    }
    Err(Error::usage(
        "nothing is halted here: give the --state and --account of the kill, or the --run of the pipeline",
    ))
}

/// Returns the folder of the account that is meant, where that is said without asking anybody; where there is only one, that
/// may be taken for it.
fn folder(args: &Args, whose: &Whose, or_only: bool) -> Option<PathBuf> {
    let wanted = whose.account.as_deref();
    let folders = account::folders(&state(args), "topstepx");
    match wanted {
        // The folder bears the id, and a person may have said the name.
        Some(id) if folders.iter().any(|(of, _)| of == id) => {
            folders.into_iter().find(|(of, _)| of == id).map(|(_, folder)| folder)
        }
        _ => (or_only && folders.len() == 1)
            .then(|| folders.into_iter().next().map(|(_, folder)| folder))
            .flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_open_is_said() {
        let said = unclosed(Error::usage("no user"), false, true);
        assert_eq!(said.code(), 2);
        let said = said.to_string();
        assert!(
            said.starts_with("halted, ") && said.contains("NOTHING WAS CLOSED: no user; Flatten"),
            "{said}"
        );
        let said = unclosed(Error::failed("gone"), true, false).to_string();
        assert!(said.starts_with("NOBODY KNOWS WHAT IS STILL OPEN: gone; "), "{said}");
    }

    #[test]
    fn only_an_account_on_paper_that_trades_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        assert!(on_paper(folder.path()).is_ok());
        put("risk.state", "/x/run/paper-paper");
        assert!(on_paper(folder.path()).is_ok(), "nothing runs");
        put("account.sock", "");
        assert_eq!(on_paper(folder.path()).map_err(|error| error.code()), Err(2));
        put("risk.state", "/x/run/state/topstepx-7");
        assert!(on_paper(folder.path()).is_ok());
    }
}
