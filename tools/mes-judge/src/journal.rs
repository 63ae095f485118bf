//! Facts out of a journal that is read again: a backtest's, a paper day's, a live day's, whole or still being written.

use std::path::Path;

use mes_core::{calendar::Calendar, record::Record, run::Named};
use mes_pipe::{
    Error, Result,
    journal::{Journal as Listener, Reader},
};

use crate::{facts::Facts, files::equity::EquityFile, recorder::Recorder};

/// Reads a journal (`-` is stdin) and returns what the loop that wrote it came to; with `equity` also every bar's equity.
/// What a journal lacks whose writer was killed, or still writes, stands in [`Facts::missing`].
///
/// # Errors
///
/// Exit code 2 where there is no such file, or the journal was written under another calendar; 3 where it is none.
pub fn facts(path: &Path, calendar: &Named<Calendar>, equity: Option<EquityFile>) -> Result<Facts> {
    heard(path, calendar, Recorder::new(calendar.value.clone(), equity), &mut [])
}

/// Does the same by this recorder, while others listen.
///
/// # Errors
///
/// Those of [`facts`], and what the others fail of.
pub fn heard(
    path: &Path,
    calendar: &Named<Calendar>,
    mut recorder: Recorder,
    others: &mut [&mut dyn Listener],
) -> Result<Facts> {
    let mut journal = Reader::open(path)?;
    let run = journal.run()?;
    if run.calendar != calendar.blake3 {
        let error = Error::usage("written under another calendar: give it with --calendar FILE");
        return Err(journal.here(error));
    }
    tell(&Record::Run(Box::new(run)), &mut recorder, others)?;
    while let Some(record) = journal.next()? {
        tell(&record, &mut recorder, others)?;
    }
    recorder.facts.missing = journal.missing();
    if recorder.facts.missing.is_some() {
        recorder.end()?;
    }
    recorder.finish()
}

fn tell(record: &Record, recorder: &mut Recorder, others: &mut [&mut dyn Listener]) -> Result<()> {
    let first: &mut dyn Listener = recorder;
    let mut all = std::iter::once(first).chain(others.iter_mut().map(|other| &mut **other));
    all.try_for_each(|journal| match record {
        Record::Run(run) => journal.run(run),
        Record::Row(row, _) => journal.row(row),
        Record::Statement(statement) => journal.statement(statement),
        Record::Verdict(verdict) => journal.verdict(verdict),
        Record::Person(person) => journal.person(person),
        Record::End => journal.end(),
    })
}
