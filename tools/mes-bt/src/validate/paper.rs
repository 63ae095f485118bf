//! What the journals of paper trading say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use mes_core::{
    broker::Kind,
    limits::is_death,
    order::ExitReason,
    record::Record,
    run::Run,
    statement::{Connection, Fill, Statement},
    time::{HOUR, Ts},
    verdict::Verdict,
};
use mes_pipe::{
    Error, Result,
    journal::Reader,
    origin::{self, Origin},
};

/// Trading days that two weeks have.
pub const DAYS: usize = 10;
const DEPTH: usize = 4;

/// What journals of one kind of account say of the line to its broker and of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    pub journals: u64,
    /// How often the account was lost and heard of again.
    pub reconnects: u64,
    /// Positions that a person's word closed: ^C, flatten, kill.
    pub closed_by_person: u64,
}

/// What all journals together say.
#[derive(Default)]
pub struct Paper {
    /// Days of UTC, counted from 1970, of rows that came live and were traded by the rules that are to go live.
    days: BTreeSet<Ts>,
    /// What was bought and sold on them.
    pub fills: u64,
    /// What happened at brokers that are more than rows, by what the account was.
    pub live: BTreeMap<&'static str, Live>,
    /// Journals that say nothing of paper trading, by why. A backtest writes the same ones, but its rows were a file.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What went wrong, each with its file.
    pub errors: Vec<String>,
}

impl Paper {
    /// Reads every `journal.jsonl` under a folder; `hashes` are of what is to go live.
    ///
    /// # Errors
    ///
    /// `Usage` where the folder cannot be read, `Failed` where a journal cannot.
    pub fn read(folder: &Path, hashes: &[(&str, String)]) -> Result<Paper> {
        let mut paths = Vec::new();
        find(folder, DEPTH, &mut paths).map_err(|error| Error::unread(folder, &error))?;
        paths.sort();
        let mut paper = Paper::default();
        for path in &paths {
            paper.journal(path, hashes)?;
        }
        Ok(paper)
    }

    /// Counts the days.
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// Takes in a journal; what is wrong with it is an error of paper trading, and none of ours.
    fn journal(&mut self, path: &Path, hashes: &[(&str, String)]) -> Result<()> {
        match self.records(path, hashes) {
            Err(Error::Data(wrong)) => self.errors.push(wrong),
            Err(other) => return Err(other),
            Ok(()) => {}
        }
        Ok(())
    }

    fn records(&mut self, path: &Path, hashes: &[(&str, String)]) -> Result<()> {
        let mut journal = Reader::open(path)?;
        let (mut counts, mut kind, mut lost) = (false, None, false);
        while let Some(record) = journal.next()? {
            match record {
                Record::Run(run) => {
                    kind = account_of(run.broker.kind);
                    if let Some(kind) = kind {
                        self.live.entry(kind).or_default().journals += 1;
                    }
                    if let Some(why) = objection(&run, hashes) {
                        *self.left_out.entry(why).or_default() += 1;
                        // An exercise is no paper trading, and shows what a broken line leads to all the same.
                        if kind.is_none() {
                            return Ok(());
                        }
                    } else {
                        counts = true;
                    }
                }
                Record::Row(row, _) if counts => {
                    self.days.insert(row.bar.ts.div_euclid(24 * HOUR));
                }
                Record::Row(..) => {}
                Record::Statement(statement) => {
                    self.fills += if counts { statement.fills.len() as u64 } else { 0 };
                    let live = kind.map(|kind| self.live.entry(kind).or_default());
                    lost = live.is_some_and(|live| live.follow(&statement, lost));
                }
                Record::Verdict(Verdict::Alert { rule, .. }) if is_death(&rule) => {
                    self.errors.push(format!("{}: {rule:?}", path.display()));
                }
                Record::Verdict(_) | Record::Person(_) | Record::End => {}
            }
        }
        match journal.missing() {
            Some(missing) => Err(journal.here(Error::data(missing.words()))),
            None => Ok(()),
        }
    }
}

impl Live {
    /// Takes in a statement; says whether the account is lost by it. `lost` is what the one before said.
    fn follow(&mut self, statement: &Statement, lost: bool) -> bool {
        let now_lost = statement.connection == Connection::Lost;
        self.reconnects += u64::from(lost && !now_lost);
        let by_person = |fill: &&Fill| fill.exit == Some(ExitReason::Person);
        self.closed_by_person += statement.fills.iter().filter(by_person).count() as u64;
        now_lost
    }
}

/// Returns what an account at an exchange is, in a word; nothing for paper and recordings.
fn account_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Paper | Kind::Recorded => None,
        Kind::Exercise => Some("exercise"),
        Kind::Practice => Some("practice"),
        Kind::Real => Some("real"),
    }
}

/// Says why the journal that begins with this record is none of paper trading.
fn objection(run: &Run, hashes: &[(&str, String)]) -> Option<&'static str> {
    let rules = hashes.iter().find(|(what, _)| *what == "rules").map(|(_, hash)| hash.as_str());
    if Origin::of(&run.lineage) == Origin::Synthetic {
        Some("of synthetic data")
    } else if !origin::is_live(&run.lineage) {
        Some("whose rows did not come live")
    } else if Some(run.rules.blake3.as_str()) != rules {
        Some("of other rules")
    } else {
        None
    }
}

fn find(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                find(&path, depth - 1, paths)?;
            }
        } else if is_journal(&path) {
            paths.push(path);
        }
    }
    Ok(())
}

/// Recognises a journal: `journal.jsonl`, and what `paper.sh` and `live.sh` keep day by day in `journals/`, to the last of which
/// they put a link of that name.
fn is_journal(path: &Path) -> bool {
    let kept = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "journals");
    let named = path.file_name().is_some_and(|name| name == "journal.jsonl") && !path.is_symlink();
    named || kept && path.extension().is_some_and(|extension| extension == "jsonl")
}
