//! A journal moment by moment: a row and all that followed from it.

use std::path::Path;

use mes_core::{
    record::Record,
    time::{self, Ts},
};
use mes_pipe::{
    Error, Result,
    journal::{Missing, Reader},
};
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
    reader: Reader,
    /// The first record.
    pub run: Value,
    /// Read, but of the next moment.
    ahead: Option<(Record, Value)>,
}

impl Journal {
    /// Opens a journal; `-` is stdin.
    ///
    /// # Errors
    ///
    /// `Usage` where it is not there, `Data` where it begins with no run record.
    pub fn open(path: &Path) -> Result<Journal> {
        let mut reader = Reader::open(path)?;
        reader.run()?;
        let mut journal = Journal { run: written(&reader)?, reader, ahead: None };
        journal.ahead = journal.record()?;
        Ok(journal)
    }

    /// Says, once all was read, what a whole journal would still have.
    pub fn missing(&self) -> Option<Missing> {
        self.reader.missing()
    }

    /// Returns the next record, and the same as it is written: what is compared is what anybody can read.
    fn record(&mut self) -> Result<Option<(Record, Value)>> {
        let Some(record) = self.reader.next()? else { return Ok(None) };
        Ok(Some((record, written(&self.reader)?)))
    }

    /// Returns the next row with what followed it, or what the end brought; `None` after that.
    ///
    /// # Errors
    ///
    /// `Data` with the line that is no record, or not the one that was to come.
    pub fn next(&mut self) -> Result<Option<Moment>> {
        let Some((mut record, mut row)) = self.ahead.take() else { return Ok(None) };
        let mut verdicts = Vec::new();
        // What a person says stands before the row that it takes effect on.
        while matches!(record, Record::Person(_)) {
            verdicts.push(row);
            match self.record()? {
                Some(next) => (record, row) = next,
                None => return Ok(None),
            }
        }
        let ts = match &record {
            Record::Row(row, _) => row.bar.ts,
            Record::End => {
                // The last statement carries the last row's stamp: it is a moment of its own after all rows.
                let Some((_, last)) = self.record()? else { return Ok(None) };
                let last = of_the_account(last);
                let said = json!({ "verdicts": verdicts });
                return Ok(Some(Moment {
                    ts: Ts::MAX,
                    parts: [json!({}), json!({}), json!({ "statement": last }), said],
                }));
            }
            _ => return Err(self.reader.here(Error::data("a row was to come"))),
        };
        let mut statement = Value::Null;
        while let Some((record, line)) = self.record()? {
            match record {
                Record::Row(..) | Record::End | Record::Person(_) => {
                    self.ahead = Some((record, line));
                    break;
                }
                Record::Statement(_) => statement = of_the_account(line),
                Record::Verdict(_) | Record::Run(_) => verdicts.push(line),
            }
        }
        let (predictions, bars): (Map<String, Value>, Map<String, Value>) = row
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .partition(|(key, _)| key.starts_with("p_"));
        let parts = [
            Value::Object(bars),
            Value::Object(predictions),
            json!({ "statement": statement }),
            json!({ "verdicts": verdicts }),
        ];
        Ok(Some(Moment { ts, parts }))
    }
}

/// Leaves of a statement what it says of the account: a broker's clock, and by what it protects a position, differ from run
/// to run and from broker to broker.
fn of_the_account(mut statement: Value) -> Value {
    if let Some(fields) = statement.as_object_mut() {
        for field in ["told_at", "known_as_of", "protection"] {
            fields.remove(field);
        }
    }
    statement
}

/// Returns the line that was read last.
fn written(reader: &Reader) -> Result<Value> {
    serde_json::from_slice(reader.line()).map_err(|error| reader.here(Error::data(error)))
}
