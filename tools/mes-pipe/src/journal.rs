//! What happened, in the order it happened: who keeps it, or some of it, and how it is read again.

use std::{ops::Range, path::Path};

use mes_core::{
    ledger::Ledger, person::Person, record::Record, row::Row, run::Run, statement::Statement,
    verdict::Verdict,
};

use crate::{
    Error, Result,
    sniff::{Found, sniff},
    source::Source,
    text::{Line, Lines},
};

/// Who keeps what happened, or some of it.
pub trait Journal {
    fn run(&mut self, _run: &Run) -> Result<()> {
        Ok(())
    }
    fn row(&mut self, _row: &Row) -> Result<()> {
        Ok(())
    }
    fn statement(&mut self, statement: &Statement) -> Result<()>;
    fn verdict(&mut self, _verdict: &Verdict) -> Result<()> {
        Ok(())
    }
    fn person(&mut self, _person: &Person) -> Result<()> {
        Ok(())
    }
    /// Keeps what is remembered after a row, before any of its verdicts goes out.
    fn remember(&mut self, _ledger: &mut Ledger, _row: &Row, _statement: &Statement) -> Result<()> {
        Ok(())
    }
    /// Keeps what is remembered once the last statement has come.
    fn closed(&mut self, _ledger: &mut Ledger, _statement: &Statement) -> Result<()> {
        Ok(())
    }
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Reads a journal, or a file of statements: plain or packed by gzip or zstd, from a file or stdin.
pub struct Reader {
    lines: Lines,
    place: Range<usize>,
    /// The run record was read.
    begun: bool,
    /// What a whole journal would still have, as far as was read.
    missing: Option<Missing>,
}

/// What a journal lacks that whoever wrote it had no time to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The rest of its last line.
    Line,
    /// The record that says that no more rows come.
    End,
    /// The account as it was left.
    LastStatement,
}

impl Missing {
    /// Says what is missing, and what that means.
    pub fn words(self) -> &'static str {
        match self {
            Missing::Line => "the last line is cut off: whoever wrote it was killed",
            Missing::End => "it has no end record: whoever wrote it was killed, or still writes",
            Missing::LastStatement => "the last statement is missing: whoever wrote it was killed",
        }
    }
}

impl Reader {
    /// Opens a journal; `-` is stdin.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] where there is no such file, [`Error::Data`] where it is empty or no JSON lines.
    pub fn open(path: &Path) -> Result<Reader> {
        let source = if path == Path::new("-") { Source::stdin("a journal")? } else { Source::open(path)? };
        let (source, found) = sniff(source)?;
        if found != Found::JsonLines {
            return Err(Error::data(format!("{}: a journal is JSON lines, and this is not", source.name)));
        }
        Ok(Reader { lines: Lines::new(source), place: 0..0, begun: false, missing: Some(Missing::End) })
    }

    /// Reads the run record, which a journal begins with.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where it begins with something else, or was written by another version.
    pub fn run(&mut self) -> Result<Run> {
        match self.next()? {
            Some(Record::Run(run)) => Ok(*run),
            _ => Err(self.here(Error::data("a journal begins with its run record"))),
        }
    }

    /// Returns the next record; none at the end, whether or not the journal is whole: see [`Reader::missing`].
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with file and line where a line is no record, is too long, or stands where it cannot.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Record>> {
        let (place, whole) = loop {
            match self.lines.next(true)? {
                Line::Is(place) if place.is_empty() => {}
                Line::Is(place) => break (place, true),
                Line::Cut(place) => break (place, false),
                Line::Wait => {}
                Line::End => return Ok(None),
            }
        };
        self.place = place;
        match Record::read(self.line()) {
            Ok(record) => self.follow(record).map(Some).map_err(|error| self.here(error)),
            Err(_) if !whole => {
                self.missing = Some(Missing::Line);
                Ok(None)
            }
            Err(error) => Err(self.here(Error::data(error))),
        }
    }

    /// Checks that a record can stand where it does.
    fn follow(&mut self, record: Record) -> Result<Record> {
        match &record {
            Record::Run(_) if std::mem::replace(&mut self.begun, true) => {
                return Err(Error::data("a second run begins here: a journal holds one"));
            }
            Record::Row(..) if self.missing != Some(Missing::End) => {
                return Err(Error::data("a row after the end record: are these two journals?"));
            }
            Record::End => self.missing = Some(Missing::LastStatement),
            Record::Statement(_) if self.missing == Some(Missing::LastStatement) => self.missing = None,
            _ => {}
        }
        Ok(record)
    }

    /// Returns the line of the record that [`Reader::next`] returned last.
    pub fn line(&self) -> &[u8] {
        self.lines.bytes(self.place.clone())
    }

    /// Says, once the last record was read, what a whole journal would still have.
    pub fn missing(&self) -> Option<Missing> {
        self.missing
    }

    /// Puts the place of the last line before an error: `day.jsonl: line 7: …`.
    pub fn here(&self, error: Error) -> Error {
        self.lines.here(error)
    }
}

#[cfg(test)]
mod tests;
