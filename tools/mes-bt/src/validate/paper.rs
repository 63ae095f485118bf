//! What the journals of paper trading say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use mes_pipe::{
    Error, Result,
    origin::{self, Origin},
};
use serde_json::Value;

use mes_core::limits::is_death;

/// Trading days that two weeks have.
pub const DAYS: usize = 10;
const DEPTH: usize = 4;

#[derive(Default)]
pub struct Paper {
    /// Dates, in UTC, of rows that came live and were traded by the rules that are to go live.
    days: BTreeSet<String>,
    /// What was bought and sold on them.
    pub fills: u64,
    /// Journals that say nothing of paper trading, by why. A backtest writes the same ones, but its rows were a file.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What went wrong, each with its file.
    pub errors: Vec<String>,
}

impl Paper {
    /// Reads every `journal.jsonl` under a folder; `hashes` are of what is to go live.
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

    pub fn days(&self) -> usize {
        self.days.len()
    }

    fn journal(&mut self, path: &Path, hashes: &[(&str, String)]) -> Result<()> {
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        let mut ended = false;
        for (number, line) in (1..).zip(BufReader::new(File::open(path).map_err(at)?).lines()) {
            let line = line.map_err(at)?;
            let record: Value = match serde_json::from_str(&line) {
                Ok(record) => record,
                Err(_) => {
                    self.errors.push(format!("{}: line {number} is cut", path.display()));
                    return Ok(());
                }
            };
            match record["kind"].as_str() {
                Some("run") => {
                    if let Some(why) = objection(&record, hashes) {
                        *self.left_out.entry(why).or_default() += 1;
                        return Ok(());
                    }
                }
                Some("statement") => {
                    self.fills += record["fills"].as_array().map_or(0, |fills| fills.len() as u64);
                }
                Some("row") => {
                    self.days.extend(record["ts"].as_str().and_then(|ts| ts.get(..10)).map(str::to_owned));
                }
                Some("alert") if record["rule"].as_str().is_some_and(is_death) => {
                    self.errors.push(format!("{}: {}", path.display(), record["rule"]));
                }
                Some("end") => ended = true,
                _ => {}
            }
        }
        if !ended {
            self.errors.push(format!("{}: stopped without an end", path.display()));
        }
        Ok(())
    }
}

/// Says why the journal that begins with this record is none of paper trading.
fn objection(run: &Value, hashes: &[(&str, String)]) -> Option<&'static str> {
    let rules = hashes.iter().find(|(what, _)| *what == "rules").map(|(_, hash)| hash.as_str());
    if Origin::of(&run["lineage"]) == Origin::Synthetic {
        Some("of synthetic data")
    } else if !origin::is_live(&run["lineage"]) {
        Some("whose rows did not come live")
    } else if run["rules"]["blake3"].as_str() != rules {
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
