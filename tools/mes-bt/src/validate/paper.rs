//! What the journals of paper trading say.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use mes_pipe::{Error, Result};
use serde_json::Value;

use crate::summary::LASTING;

/// Trading days that two weeks have.
pub const DAYS: usize = 10;
const DEPTH: usize = 4;

#[derive(Default)]
pub struct Paper {
    pub journals: usize,
    /// Dates, in UTC, of rows of real data.
    days: BTreeSet<String>,
    pub synthetic: usize,
    /// What went wrong, each with its file.
    pub errors: Vec<String>,
}

impl Paper {
    /// Reads every `journal.jsonl` under a folder.
    pub fn read(folder: &Path) -> Result<Paper> {
        let mut paths = Vec::new();
        find(folder, DEPTH, &mut paths).map_err(|error| Error::usage(error).at(folder.display()))?;
        paths.sort();
        let mut paper = Paper::default();
        for path in &paths {
            paper.journal(path)?;
        }
        Ok(paper)
    }

    pub fn days(&self) -> usize {
        self.days.len()
    }

    fn journal(&mut self, path: &Path) -> Result<()> {
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        let (mut ended, mut made_up) = (false, false);
        self.journals += 1;
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
                    let links = record["lineage"].as_array().map(Vec::as_slice).unwrap_or_default();
                    made_up = links.iter().any(|link| link["settings"]["synthetic"] == true);
                    self.synthetic += usize::from(made_up);
                }
                Some("row") if !made_up => {
                    self.days.extend(record["ts"].as_str().and_then(|ts| ts.get(..10)).map(str::to_owned));
                }
                Some("alert") if record["rule"].as_str().is_some_and(|rule| LASTING.contains(&rule)) => {
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
