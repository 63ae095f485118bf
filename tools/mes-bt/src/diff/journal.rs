//! A journal moment by moment: a row and all that followed from it.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read},
    path::Path,
};

use mes_core::time::{self, Ts};
use mes_pipe::{Error, Result, limits, log};
use serde_json::{Map, Value, json};

/// A row, and what was said of it.
pub struct Moment {
    pub ts: Ts,
    /// By the stages of [`super::STAGES`].
    pub parts: [Value; 4],
}

impl Moment {
    /// Says when it was.
    pub fn when(&self) -> String {
        if self.is_end() { "the end".into() } else { time::format(self.ts) }
    }

    /// Says whether it is what came after the last row.
    pub fn is_end(&self) -> bool {
        self.ts == Ts::MAX
    }
}

/// A journal that is read row by row.
pub struct Journal {
    lines: Box<dyn BufRead>,
    name: String,
    line: usize,
    /// The first record.
    pub run: Value,
    /// Read, but of the next moment.
    ahead: Option<Value>,
}

impl Journal {
    /// Opens a journal; `-` is stdin.
    ///
    /// # Errors
    ///
    /// `Usage` where it is not there, `Data` where it begins with no run record.
    pub fn open(path: &Path) -> Result<Journal> {
        if path == Path::new("-") {
            log::awaits("a journal");
            return Journal::read(Box::new(BufReader::new(std::io::stdin())), "stdin".into());
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::usage("no such file: mes-bt --journal FILE writes one").at(&name),
            _ => Error::usage(error).at(&name),
        })?;
        Journal::read(Box::new(BufReader::with_capacity(1 << 20, file)), name)
    }

    /// Reads the run record.
    ///
    /// # Errors
    ///
    /// `Data` where it begins with no run record.
    pub fn read(lines: Box<dyn BufRead>, name: String) -> Result<Journal> {
        let mut journal = Journal { lines, name, line: 0, run: Value::Null, ahead: None };
        match journal.record()? {
            Some(run) if run["kind"] == "run" => journal.run = run,
            Some(_) => return Err(journal.wrong("a journal begins with its run record")),
            None => return Err(journal.wrong("it is empty; a journal begins with its run record")),
        }
        journal.ahead = journal.record()?;
        Ok(journal)
    }

    fn wrong(&self, what: &str) -> Error {
        Error::data(format!("{}: line {}: {what}", self.name, self.line.max(1)))
    }

    fn record(&mut self) -> Result<Option<Value>> {
        let mut text = String::new();
        let longest = limits::get().line.saturating_add(1);
        let read =
            self.lines.by_ref().take(longest).read_line(&mut text).map_err(|error| match error.kind() {
                ErrorKind::InvalidData => self.wrong("no text; a journal is JSON lines"),
                _ => Error::from(error).at(&self.name),
            })?;
        limits::line(read as u64).map_err(|error| error.at(&self.name))?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        let record =
            serde_json::from_str(&text).map_err(|error| self.wrong(&format!("no record: {error}")))?;
        Ok(Some(record))
    }

    /// Returns the next row with what followed it, or what the end brought; `None` after that.
    ///
    /// # Errors
    ///
    /// `Data` with the line that is no record, or not the one that was to come.
    pub fn next(&mut self) -> Result<Option<Moment>> {
        let Some(mut record) = self.ahead.take() else { return Ok(None) };
        if record["kind"] == "end" {
            // The last statement carries the last row's stamp: it is a moment of its own after all rows.
            let Some(last) = self.record()? else { return Ok(None) };
            record = json!({});
            let parts = [record, json!({}), json!({ "statement": last }), json!({})];
            return Ok(Some(Moment { ts: Ts::MAX, parts }));
        }
        if record["kind"] != "row" {
            return Err(self.wrong("a row was to come"));
        }
        let ts = record["ts"].as_str().and_then(|text| time::parse(text).ok());
        let ts = ts.ok_or_else(|| self.wrong("a row without ts"))?;
        let (predictions, bars): (Map<String, Value>, Map<String, Value>) = record
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .partition(|(key, _)| key.starts_with("p_"));
        let (mut statement, mut verdicts) = (Value::Null, Vec::new());
        while let Some(record) = self.record()? {
            match record["kind"].as_str() {
                Some("row" | "end") => {
                    self.ahead = Some(record);
                    break;
                }
                Some("statement") => statement = record,
                _ => verdicts.push(record),
            }
        }
        let parts = [
            Value::Object(bars),
            Value::Object(predictions),
            json!({ "statement": statement }),
            json!({ "verdicts": verdicts }),
        ];
        Ok(Some(Moment { ts, parts }))
    }
}
