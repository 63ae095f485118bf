//! What was asked for, what came, what is stored: one line of JSON each, on the disk before anything depends on it.
//!
//! A line that a kill cut off is as if never written, so what it would have said is found out anew.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use mes_pipe::{Error, Result};
use serde_json::{Value, json};

use super::{series::Series, span::Span};

/// The file's name.
pub const NAME: &str = "ledger.jsonl";

/// The ledger of what was bought into one folder.
pub struct Purchases {
    path: PathBuf,
    series: Value,
    /// Whole lines.
    entries: Vec<Value>,
    /// Bytes of whole lines, and of everything.
    whole: u64,
    length: u64,
    /// Held and locked once something is to be written.
    file: Option<File>,
}

impl Purchases {
    /// Reads the ledger of a directory, if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the directory holds another series.
    pub fn read(dir: &Path, series: &Series) -> Result<Purchases> {
        let mut ledger = Purchases::load(dir)?;
        let series = series.to_json();
        if let Some(first) = ledger.entries.first()
            && first["series"] != series
        {
            let (held, dir) = (&first["series"], dir.display());
            return Err(Error::usage(format!("{dir} holds {held}: give {series} another --to-dir")));
        }
        ledger.series = series;
        Ok(ledger)
    }

    /// Reads the ledger of a directory, and which series it is of.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when there is none.
    pub fn open(dir: &Path) -> Result<(Purchases, Series)> {
        let ledger = Purchases::load(dir)?;
        let Some(first) = ledger.entries.first() else {
            let dir = dir.display();
            return Err(Error::usage(format!("{dir} has no {NAME}: it is not what mes-fetch history made")));
        };
        let series = Series::from_json(&first["series"]);
        let series =
            series.ok_or_else(|| Error::data(format!("{}: line 1: no series", ledger.path.display())))?;
        Ok((Purchases { series: series.to_json(), ..ledger }, series))
    }

    fn load(dir: &Path) -> Result<Purchases> {
        let path = dir.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::from(error).at(path.display())),
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut entries = Vec::new();
        for (number, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            let entry: Value = serde_json::from_slice(line)
                .map_err(|error| Error::data(format!("{}: line {}: {error}", path.display(), number + 1)))?;
            entries.push(entry);
        }
        let (whole, length) = (whole as u64, bytes.len() as u64);
        Ok(Purchases { path, series: Value::Null, entries, whole, length, file: None })
    }

    /// Makes the ledger ready to be written: one process at a time.
    ///
    /// # Errors
    ///
    /// `Usage` where another process is at work there, `Failed` where it cannot be written.
    pub fn lock(&mut self) -> Result<()> {
        let at = |error: std::io::Error| Error::from(error).at(self.path.display());
        let file = File::options().create(true).append(true).open(&self.path).map_err(at)?;
        let busy = || Error::usage(format!("{}: another mes-fetch is at work here", self.path.display()));
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy()),
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
        if file.metadata().map_err(at)?.len() != self.length {
            return Err(busy());
        }
        file.set_len(self.whole).map_err(at)?;
        self.file = Some(file);
        if self.entries.is_empty() {
            self.add(json!({ "series": self.series }))?;
        }
        Ok(())
    }

    /// Writes a line and waits until it is on the disk.
    ///
    /// # Errors
    ///
    /// `Failed` where it is not locked, or the disk does not take it.
    pub fn add(&mut self, entry: Value) -> Result<()> {
        let at = |error: std::io::Error| Error::from(error).at(self.path.display());
        let file = self.file.as_mut().ok_or_else(|| Error::failed("the ledger is not open for writing"))?;
        file.write_all(format!("{entry}\n").as_bytes()).map_err(at)?;
        file.sync_data().map_err(at)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Returns the lines of stored chunks in the order of time, each with those of its days that no newer one holds.
    pub fn stored(&self) -> Vec<(Span, &Value)> {
        let mut stored: Vec<(Span, &Value)> = Vec::new();
        let mut newer = Vec::new();
        let all: Vec<_> = self.of("stored").collect();
        for (span, entry) in all.into_iter().rev() {
            stored.extend(span.without(&newer).into_iter().map(|left| (left, entry)));
            newer.push(span);
        }
        stored.sort_by_key(|(span, _)| *span);
        stored
    }

    /// Returns the newest line about an answer for a chunk.
    pub fn answer(&self, span: Span) -> Option<&Value> {
        self.of("answered").filter(|(other, _)| *other == span).last().map(|(_, entry)| entry)
    }

    /// Returns the newest line about a month's Parquet.
    pub fn parquet(&self, month: &str) -> Option<&Value> {
        self.entries.iter().rfind(|entry| entry["event"] == "parquet" && entry["month"] == month)
    }

    /// Returns what tries for a chunk may have cost since it was last stored, in USD.
    pub fn wasted_usd(&self, span: Span) -> f64 {
        let mut usd = 0.0;
        for entry in self.entries.iter().filter(|entry| entry["chunk"] == span.to_string()) {
            match entry["event"].as_str() {
                Some("asked") => usd += entry["usd"].as_f64().unwrap_or(0.0),
                Some("refused") => usd -= entry["usd"].as_f64().unwrap_or(0.0),
                Some("stored") => usd = 0.0,
                _ => {}
            }
        }
        usd
    }

    fn of(&self, event: &str) -> impl Iterator<Item = (Span, &Value)> {
        let entries = self.entries.iter().filter(move |entry| entry["event"] == event);
        entries.filter_map(|entry| Some((Span::parse(entry["chunk"].as_str()?)?, entry)))
    }
}
