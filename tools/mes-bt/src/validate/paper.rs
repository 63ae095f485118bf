//! What the journals of paper trading say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use mes_core::{
    limits::is_death,
    record::Record,
    run::Run,
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

/// What all journals together say.
#[derive(Default)]
pub struct Paper {
    /// Days of UTC, counted from 1970, of rows that came live and were traded by the rules that are to go live.
    days: BTreeSet<Ts>,
    /// What was bought and sold on them.
    pub fills: u64,
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
        find(folder, DEPTH, &mut paths).map_err(|error| Error::usage(error).at(folder.display()))?;
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
        while let Some(record) = journal.next()? {
            match record {
                Record::Run(run) => {
                    if let Some(why) = objection(&run, hashes) {
                        *self.left_out.entry(why).or_default() += 1;
                        return Ok(());
                    }
                }
                Record::Row(row, _) => {
                    self.days.insert(row.bar.ts.div_euclid(24 * HOUR));
                }
                Record::Statement(statement) => self.fills += statement.fills.len() as u64,
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
        } else if path.file_name().is_some_and(|name| name == "journal.jsonl") {
            paths.push(path);
        }
    }
    Ok(())
}
