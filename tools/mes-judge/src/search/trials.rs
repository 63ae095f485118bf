//! The ledger of trials, JSON lines that only grow: what was tried, what it came to, how often held-out rows were looked
//! at. A search goes on where it stopped, and whoever reports a result knows what it is the best of.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use mes_core::money::Cents;
use mes_pipe::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Searched;
use crate::reached::Reached;

/// More than any score: what an account that died stands below one that lived.
const DEAD: f64 = 1e9;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    Study(StudyLine),
    Trial(Box<Trial>),
    Holdout(Look),
}

/// What a search was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyLine {
    pub v: u32,
    /// Hash of all that its trials depend on beside their values.
    pub study: String,
    /// Hash of the rows.
    pub data: String,
    pub method: String,
    pub by: String,
    pub vary: Vec<String>,
    /// Trading days that trials are judged by, and those held out.
    pub days: usize,
    pub holdout_days: usize,
}

/// One set of values and what it came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub v: u32,
    pub study: String,
    pub data: String,
    /// From 1.
    pub trial: usize,
    pub values: Map<String, Value>,
    /// What it is ranked by; null without enough trades, or when the values break the rules.
    pub score: Option<f64>,
    /// Daily Sharpe ratio.
    pub sharpe: Option<f64>,
    pub trades: usize,
    pub wins: usize,
    pub net_cents: Cents,
    pub drawdown_cents: Cents,
    /// Trades whose bar touched stop and target, and the net had each of these reached its target; ledgers written
    /// before these were kept do not know.
    #[serde(default)]
    pub ambiguous: usize,
    #[serde(default)]
    pub best_net_cents: Option<Cents>,
    pub died: bool,
    /// The limit that ended it, and how many days it lived: later ones are no days of it, and count 0 in `days_cents`.
    #[serde(default)]
    pub death: Option<Reached>,
    #[serde(default)]
    pub lived: Option<usize>,
    /// Days after which it was given up.
    pub pruned_after: Option<usize>,
    /// Why it could not be run.
    pub refused: Option<String>,
    /// Net of every day.
    pub days_cents: Vec<Cents>,
    /// Score at each checkpoint that it passed.
    pub checkpoints: Vec<Option<f64>>,
}

impl Trial {
    /// Says whether it may be chosen: it ran to the end and traded enough for a score.
    pub fn is_ranked(&self) -> bool {
        self.score.is_some() && self.pruned_after.is_none()
    }

    /// Returns what it is ranked by: its score, but below that of every account that lived if its own died.
    pub fn rank(&self) -> Option<f64> {
        self.score.filter(|_| self.is_ranked()).map(|score| if self.died { score - DEAD } else { score })
    }
}

/// A look at rows held out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub v: u32,
    pub study: String,
    pub data: String,
    pub trial: usize,
    pub score: Option<f64>,
    pub net_cents: Cents,
}

/// A ledger that is held to be added to.
pub struct TrialLedger {
    file: File,
    path: PathBuf,
    lines: Vec<Line>,
}

impl TrialLedger {
    /// Opens a ledger, or begins one, and holds it: nobody else may add to it meanwhile. A last line that a kill cut
    /// short is dropped.
    ///
    /// # Errors
    ///
    /// `Usage` where another search holds it, `Data` with the line that is none, `Failed` where it cannot be read or
    /// written.
    pub fn open(path: &Path) -> Result<TrialLedger> {
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(
                    Error::usage("another search writes this ledger: give another --out").at(path.display())
                );
            }
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(at)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(at)?;
            file.seek(SeekFrom::End(0)).map_err(at)?;
        }
        let lines = parse(&text[..whole], path)?;
        Ok(TrialLedger { file, path: path.to_owned(), lines })
    }

    /// Reads a ledger that somebody else may be writing.
    ///
    /// # Errors
    ///
    /// `Usage` where it cannot be read, `Data` where it holds no trial, or a line is none.
    pub fn read(path: &Path) -> Result<Vec<Line>> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::unread(path, &error))?;
        let lines = parse(&text[..text.rfind('\n').map_or(0, |end| end + 1)], path)?;
        if lines.is_empty() {
            let error = Error::data("it holds no trial: is it what mes-lab optimize wrote?");
            return Err(error.at(path.display()));
        }
        Ok(lines)
    }

    /// Adds lines, at once.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take them.
    pub fn add(&mut self, lines: Vec<Line>) -> Result<()> {
        let mut text = Vec::new();
        for line in &lines {
            serde_json::to_writer(&mut text, line).map_err(Error::failed)?;
            text.push(b'\n');
        }
        self.file.write_all(&text).map_err(|error| Error::from(error).at(self.path.display()))?;
        self.lines.extend(lines);
        Ok(())
    }

    /// Returns all lines, in the order in which they were added.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the trials of a study.
    pub fn trials(&self, study: &str) -> impl Iterator<Item = &Trial> {
        let trials = self.lines.iter().filter_map(|line| match line {
            Line::Trial(trial) => Some(trial.as_ref()),
            Line::Study(_) | Line::Holdout(_) => None,
        });
        trials.filter(move |trial| trial.study == study)
    }

    /// Counts how often rows of this data that were held out have been looked at.
    pub fn looks(&self, data: &str) -> usize {
        looks(&self.lines, data)
    }
}

fn looks(lines: &[Line], data: &str) -> usize {
    lines.iter().filter(|line| matches!(line, Line::Holdout(look) if look.data == data)).count()
}

fn parse(text: &str, path: &Path) -> Result<Vec<Line>> {
    let line = |(index, line): (usize, &str)| {
        let at = || format!("{}: line {}", path.display(), index + 1);
        serde_json::from_str(line).map_err(|error| Error::data(error).at(at()))
    };
    text.lines().enumerate().map(line).collect()
}

/// Returns what a search over `data` was in all: every trial of every study of these rows counts, since all were looked
/// at. Without `data` those of all rows count. Absent without trials.
pub fn searched(lines: &[Line], data: Option<&str>) -> Option<Searched> {
    let counts = |of: &str| data.is_none_or(|data| data == of);
    let mut tried = BTreeSet::new();
    let mut sharpes = Vec::new();
    for line in lines {
        if let Line::Trial(trial) = line
            && counts(&trial.data)
            && trial.refused.is_none()
        {
            tried.insert((&trial.study, trial.trial));
            sharpes.extend(trial.sharpe.filter(|_| trial.pruned_after.is_none() && !trial.died));
        }
    }
    let count = sharpes.len() as f64;
    let mean = sharpes.iter().sum::<f64>() / count;
    let squares: f64 = sharpes.iter().map(|sharpe| (sharpe - mean) * (sharpe - mean)).sum();
    let variance = squares / (count - 1.0);
    let holdout_looks =
        lines.iter().filter(|line| matches!(line, Line::Holdout(look) if counts(&look.data))).count();
    let sharpe_variance = if variance.is_finite() { variance } else { 0.0 };
    (!tried.is_empty()).then_some(Searched { trials: tried.len(), sharpe_variance, holdout_looks })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A trial with these daily nets in cents.
    pub fn trial(study: &str, trial: usize, values: &[(&str, Value)], sharpe: f64, days: &[i64]) -> Trial {
        let days_cents: Vec<Cents> = days.iter().copied().map(Cents).collect();
        Trial {
            v: 1,
            study: study.into(),
            data: "rows".into(),
            trial,
            values: values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
            score: Some(sharpe),
            sharpe: Some(sharpe),
            trades: 40,
            wins: 20,
            net_cents: days_cents.iter().copied().sum(),
            drawdown_cents: Cents(100),
            days_cents,
            checkpoints: vec![Some(0.1), None],
            ..Trial::default()
        }
    }

    fn look() -> Line {
        Line::Holdout(Look {
            v: 1,
            study: "a".into(),
            data: "rows".into(),
            trial: 1,
            score: None,
            net_cents: Cents(-5),
        })
    }

    #[test]
    fn grows_is_held_and_forgets_a_cut_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trials.jsonl");
        let mut ledger = TrialLedger::open(&path).expect("opens");
        let first = trial("a", 1, &[("exits.stop_ticks", 8.into())], 0.1, &[5, -3]);
        ledger.add(vec![Line::Trial(Box::new(first.clone())), look()]).expect("adds");
        assert_eq!(TrialLedger::open(&path).err().expect("held").code(), 2);
        drop(ledger);
        let whole = std::fs::read(&path).expect("reads");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writes");
            let mut ledger = TrialLedger::open(&path).expect("opens");
            let kept = ledger.lines().len();
            assert_eq!(kept, whole[..cut].iter().filter(|byte| **byte == b'\n').count());
            ledger.add(vec![look()]).expect("adds");
            drop(ledger);
            assert_eq!(TrialLedger::read(&path).expect("reads").len(), kept + 1);
        }
        std::fs::write(&path, "{\"kind\":\"trial\"}\n").expect("writes");
        let error = TrialLedger::open(&path).err().expect("nonsense");
        assert!(error.code() == 3 && error.to_string().contains("line 1"), "{error}");
        assert_eq!(TrialLedger::read(&folder.path().join("none")).expect_err("none").code(), 2);
    }

    #[test]
    fn counts_every_trial_of_the_same_rows() {
        let mut lines: Vec<Line> = [0.1, 0.2, 0.3]
            .iter()
            .zip(1..)
            .map(|(sharpe, number)| Line::Trial(Box::new(trial("a", number, &[], *sharpe, &[]))))
            .collect();
        let mut other = trial("b", 1, &[], 0.4, &[]);
        other.pruned_after = Some(3);
        lines.push(Line::Trial(Box::new(other)));
        let mut dead = trial("b", 2, &[], 5.0, &[]);
        dead.died = true;
        lines.push(Line::Trial(Box::new(dead)));
        let mut elsewhere = trial("c", 1, &[], 9.0, &[]);
        elsewhere.data = "other rows".into();
        lines.extend([Line::Trial(Box::new(elsewhere)), look()]);
        let found = searched(&lines, Some("rows")).expect("trials");
        assert_eq!((found.trials, found.holdout_looks), (5, 1));
        // A trial that was pruned, or died, counts, but its ratio is of fewer days.
        assert!((found.sharpe_variance - 0.01).abs() < 1e-15);
        assert_eq!(searched(&lines, None).map(|found| found.trials), Some(6));
        assert_eq!(searched(&lines, Some("no rows")), None);
    }
}
