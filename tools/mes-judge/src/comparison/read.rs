//! A run as it is compared: its summary and its days, of a folder that was written, or of a journal that is judged now.

use std::path::Path;

use chrono::NaiveDate;
use mes_core::{calendar::Calendar, run::Named};
use mes_pipe::{Error, Result};
use serde_json::Value;

use crate::{files, journal, summary::Summary};

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub name: String,
    /// The JSON summary, whoever wrote it.
    pub summary: Value,
    /// Net of every trading day, in dollars.
    pub days: Vec<(NaiveDate, f64)>,
}

impl Run {
    /// Reads a run folder (summary.json and days.csv, as --out leaves them) or a journal, and calls it by `name`.
    ///
    /// # Errors
    ///
    /// `Usage` where there is neither, `Data` where what is there is something else.
    pub fn read(path: &Path, name: String, calendar: &Named<Calendar>) -> Result<Run> {
        if path.is_dir() {
            return folder(path, name);
        }
        let facts = journal::facts(path, calendar, None)?;
        let days = facts.days.iter().map(|day| (day.date, (day.end_cents - day.start_cents).usd())).collect();
        Ok(Run { name, summary: serde_json::to_value(Summary::of(&facts)).map_err(Error::data)?, days })
    }
}

fn folder(path: &Path, name: String) -> Result<Run> {
    let text = |file: &str| {
        let path = path.join(file);
        let said = |error| {
            Error::usage(format!("{error}; mes-bt --out and mes-bt report --out write it")).at(path.display())
        };
        std::fs::read_to_string(&path).map_err(said)
    };
    let wrong = |file: &str, what: String| Error::data(format!("{}: {what}", path.join(file).display()));
    let summary: Value = serde_json::from_str(&text("summary.json")?)
        .map_err(|error| wrong("summary.json", error.to_string()))?;
    if summary["kind"] != "summary" {
        return Err(wrong("summary.json", "this is the summary of no run".into()));
    }
    let days = text("days.csv")?;
    if days.lines().next() != Some(files::DAYS) {
        let what = "columns of another version of mes: write it again with mes-bt report --out";
        return Err(wrong("days.csv", what.into()));
    }
    let day = |(line, day): (usize, &str)| {
        let cells: Vec<&str> = day.split(',').collect();
        let date = cells.first().and_then(|cell| cell.parse().ok());
        let net = cells.get(5).and_then(|cell| cell.parse::<f64>().ok()).filter(|net| net.is_finite());
        date.zip(net).ok_or_else(|| wrong("days.csv", format!("line {line}: no day")))
    };
    let days = (2..).zip(days.lines().skip(1)).map(day).collect::<Result<_>>()?;
    Ok(Run { name, summary, days })
}
