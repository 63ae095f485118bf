//! Facts out of a journal that is read again: a backtest's, a paper day's, a live day's, whole or still being written.

use std::path::Path;

use mes_core::{calendar::Calendar, record::Record, run::Named};
use mes_pipe::{
    Error, Result,
    journal::{Journal, Reader},
};

use crate::{facts::Facts, files::equity::EquityFile, recorder::Recorder};

/// Reads a journal (`-` is stdin) and returns what the loop that wrote it came to; with `equity` also every bar's equity.
/// What a journal lacks whose writer was killed, or still writes, stands in [`Facts::missing`].
///
/// # Errors
///
/// Exit code 2 where there is no such file, or the journal was written under another calendar; 3 where it is none.
pub fn facts(path: &Path, calendar: &Named<Calendar>, equity: Option<EquityFile>) -> Result<Facts> {
    let mut journal = Reader::open(path)?;
    let run = journal.run()?;
    if run.calendar != calendar.blake3 {
        let error = Error::usage("written under another calendar: give it with --calendar FILE");
        return Err(journal.here(error));
    }
    let mut recorder = Recorder::new(calendar.value.clone(), equity);
    recorder.run(&run)?;
    while let Some(record) = journal.next()? {
        match &record {
            Record::Run(run) => recorder.run(run)?,
            Record::Row(row, _) => recorder.row(row)?,
            Record::Statement(statement) => recorder.statement(statement)?,
            Record::Verdict(verdict) => recorder.verdict(verdict)?,
            Record::Person(person) => recorder.person(person)?,
            Record::End => recorder.end()?,
        }
    }
    recorder.facts.missing = journal.missing();
    if recorder.facts.missing.is_some() {
        recorder.end()?;
    }
    recorder.finish()
}
