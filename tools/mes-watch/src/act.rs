//! What a person does from here: halt, flatten, kill. Each is a program of the house, started as a person would start it,
//! in a process group of its own, so that what it has begun goes on when this one ends. What it says is shown as it comes.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use mes_core::broker::{Hello, Kind};
use mes_pipe::{Error, Result, account, beside};
use serde::{Deserialize, Serialize};

use crate::{
    day::{Day, plain},
    desk::Desk,
    snapshot::clock,
};

/// The most lines that are kept of one.
const LINES: usize = 40;
/// The most actions that are kept.
pub const ACTIONS: usize = 8;
/// What a kill leaves in the account's folder until `mes-exec resume`.
const KILLED: &str = "exec.halt";
const REASON: &str = "said at mes-watch";

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    Halt,
    Flatten,
    Kill,
}

/// A button: whether it works for this account, what it does, and what is asked before it does.
#[derive(Debug, Serialize)]
pub struct Button {
    pub act: Act,
    pub works: bool,
    /// What it does, or why it does not work.
    pub says: String,
    pub asks: String,
}

/// Something that was done, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    pub id: u64,
    pub act: Act,
    pub lines: Vec<String>,
    /// How the program ended; absent while it runs, −1 where a signal ended it.
    pub code: Option<i32>,
    /// Nothing more will come of it.
    pub done: bool,
    /// It is done when the account is flat, and halted.
    #[serde(skip)]
    pub waits: bool,
}

/// Where the pipeline is that the buttons mean.
#[derive(Clone, Debug)]
pub struct Place {
    pub run: PathBuf,
    pub state: Option<PathBuf>,
}

impl Place {
    /// Says whether mes-exec was told to kill the account, and not to resume: no record says so before an entry is refused.
    pub fn is_killed(&self, hello: &Hello) -> bool {
        let beside = self.run.join("state");
        let state = self.state.as_deref().unwrap_or(&beside);
        hello.kind.is_live() && account::folder(state, hello).join(KILLED).exists()
    }
}

impl Act {
    /// All of them, the mildest first.
    pub const ALL: [Act; 3] = [Act::Halt, Act::Flatten, Act::Kill];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Act::Halt => "halt",
            Act::Flatten => "flatten",
            Act::Kill => "kill",
        }
    }

    /// Describes its button for the account that trades.
    pub fn button(self, hello: &Hello) -> Button {
        let (does, asks) = match self {
            Act::Halt => (
                "mes-risk halt: closes everything on the next row, and enters nothing until mes-risk resume",
                "Close everything on the next row, and enter nothing until mes-risk resume?",
            ),
            Act::Flatten => (
                "mes-exec flatten: closes everything at the exchange now, until it shows flat; trading goes on",
                "Close everything at the exchange now? Trading goes on afterwards.",
            ),
            Act::Kill => (
                "mes-exec kill: halts, closes everything at the exchange now; entries only after mes-exec resume",
                "Halt, and close everything at the exchange now? Nothing is entered until mes-exec resume.",
            ),
        };
        let works = self.works(hello.kind);
        let says = if works {
            does.into()
        } else {
            "no exchange is at the other end: the account fills by its rows, and halt closes on the next one"
                .into()
        };
        Button { act: self, works, says, asks: asks.into() }
    }

    /// Says whether it can be done to an account of this kind.
    pub fn works(self, kind: Kind) -> bool {
        match self {
            Act::Halt => kind != Kind::Recorded,
            Act::Flatten | Act::Kill => kind.is_live(),
        }
    }

    fn command(self, place: &Place, hello: &Hello, reason: &str) -> Command {
        let program = if self == Act::Halt { "mes-risk" } else { "mes-exec" };
        let mut command = Command::new(beside(program));
        command.arg(self.name()).arg("--run").arg(&place.run);
        if self == Act::Halt {
            let reason = plain(reason);
            let reason = if reason.trim().is_empty() { REASON } else { reason.trim() };
            // One word with its flag: what a person types is no flag.
            command.arg(OsString::from(format!("--reason={reason}")));
            // Should another account trade there by now, it is not the one that is meant.
            let folder = account::folder(Path::new(""), hello);
            command.arg("--of").arg(folder);
        } else {
            command.arg(format!("--account={}", hello.account));
            command.args(place.state.iter().flat_map(|state| [OsString::from("--state"), state.into()]));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }
}

/// Starts an action; what it says comes into the desk's list.
///
/// # Errors
///
/// `Usage` where it does not work for this account, `Failed` where the program does not start.
pub fn start(desk: &Arc<Desk>, act: Act, reason: &str) -> Result<u64> {
    let place =
        desk.place.clone().ok_or_else(|| Error::usage("no pipeline is known that could be stopped"))?;
    let hello = desk.hello().ok_or_else(|| Error::usage("nothing trades here yet"))?;
    if !act.works(hello.kind) {
        return Err(Error::usage(act.button(&hello).says));
    }
    let mut command = act.command(&place, &hello, reason);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| Error::failed(error).at(program))?;
    let id = desk.begin(act);
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    let readers: Vec<_> = streams
        .into_iter()
        .flatten()
        .map(|stream| {
            let desk = Arc::clone(desk);
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(std::io::Result::ok) {
                    desk.change(id, |action| action.say(&line));
                }
            })
        })
        .collect();
    let desk = Arc::clone(desk);
    thread::spawn(move || {
        for reader in readers {
            let _ = reader.join();
        }
        let code = child.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
        desk.change(id, |action| action.end(code));
    });
    Ok(id)
}

impl Action {
    /// Begins one.
    pub fn new(id: u64, act: Act) -> Action {
        Action { id, act, lines: Vec::new(), code: None, done: false, waits: false }
    }

    fn say(&mut self, line: &str) {
        if self.lines.len() < LINES {
            self.lines.push(plain(line));
        }
    }

    fn end(&mut self, code: i32) {
        self.code = Some(code);
        self.waits = self.act == Act::Halt && code == 0;
        self.done = !self.waits;
        if code == 0 && self.waits {
            self.say("recorded; waits for the statement that shows flat");
        } else if code != 0 {
            self.say(&format!("{} ended with exit code {code}: NOT done", self.act.name()));
        }
    }

    /// Sees whether the account is as it was asked to be, by the broker's own statement.
    pub fn follow(&mut self, day: &Day) {
        if !self.waits {
            return;
        }
        let halted = day.ledger().is_some_and(|ledger| ledger.halted.is_some());
        let Some(last) = day.moments.last().filter(|last| halted && last.is_flat()) else { return };
        (self.waits, self.done) = (false, true);
        self.say(&format!("flat: the statement of {} has no position, and no order works", clock(last.ts)));
    }
}

#[cfg(test)]
mod tests {
    use mes_core::{
        money::Cents,
        person::{Person, Says},
        record::Record,
        time::SECOND,
    };

    use super::*;
    use crate::sample::{self, START};

    #[test]
    fn what_is_typed_is_one_word_and_never_a_flag() {
        let place = Place { run: "a run".into(), state: Some("s".into()) };
        let hello = Hello { account: "--x".into(), ..Hello::new(Kind::Exercise, "topstepx", Cents(0)) };
        let words = |act: Act, reason: &str| -> Vec<String> {
            let command = act.command(&place, &hello, reason);
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(
            words(Act::Halt, "--run /\n"),
            ["halt", "--run", "a run", "--reason=--run /·", "--of", "topstepx-%2d%2dx"]
        );
        assert_eq!(words(Act::Halt, " ")[3], format!("--reason={REASON}"));
        assert_eq!(words(Act::Kill, ""), ["kill", "--run", "a run", "--account=--x", "--state", "s"]);
    }

    #[test]
    fn a_button_works_where_what_it_starts_does() {
        let works = |kind| Act::ALL.map(|act| act.button(&Hello::new(kind, "x", Cents(0))).works);
        assert_eq!(works(Kind::Paper), [true, false, false]);
        assert_eq!(works(Kind::Recorded), [false; 3]);
        for live in [Kind::Exercise, Kind::Practice, Kind::Real] {
            assert_eq!(works(live), [true; 3]);
        }
    }

    #[test]
    fn a_kill_is_seen_in_the_folder_of_a_live_account_alone() {
        let run = tempfile::tempdir().expect("a folder");
        let place = Place { run: run.path().into(), state: None };
        let [live, paper] = [Kind::Practice, Kind::Paper].map(|kind| Hello::new(kind, "x", Cents(0)));
        let folder = account::folder(&run.path().join("state"), &live);
        std::fs::create_dir_all(&folder).expect("a folder");
        assert!(!place.is_killed(&live));
        std::fs::write(folder.join(KILLED), "kill").expect("written");
        assert!(place.is_killed(&live) && !place.is_killed(&paper));
    }

    /// Halted is not flat, and flat is not halted.
    #[test]
    fn a_halt_is_done_when_a_statement_says_so() {
        let mut day = sample::taken(sample::records(Kind::Paper, "", 20, &[15]));
        let mut action = Action::new(1, Act::Halt);
        action.end(0);
        let (says, reason, by) = (Says::Halt, "x".to_owned(), "person".to_owned());
        day.take(Record::Person(Person { ts: START, says, reason, by, rules: None })).expect("heard");
        action.follow(&day);
        assert!(!action.done, "a position is open");
        day.take(sample::row(START + 20 * SECOND)).expect("a row");
        day.take(Record::Statement(sample::flat(START + 20 * SECOND, 99_000))).expect("a statement");
        action.follow(&day);
        let said = "flat: the statement of 09:31:20 has no position, and no order works";
        assert_eq!((action.done, action.lines.last().map(String::as_str)), (true, Some(said)));
        let mut failed = Action::new(2, Act::Halt);
        failed.end(2);
        assert!(failed.done && failed.lines[0].contains("NOT done"));
    }
}
