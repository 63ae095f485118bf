//! A journal of mes-risk: orders, statements, what people said, each with its line.

use std::path::Path;

use mes_core::{
    order::Order, person::Person, record::Record, run::Run, statement::Statement, time::Ts, verdict::Verdict,
};
use mes_pipe::{Result, journal::Reader};

use super::report::{Fault, Place};

/// One run of mes-risk.
pub struct Journal {
    pub name: String,
    pub run: Run,
    pub statements: Vec<(usize, Statement)>,
    /// With the place of the statement that each was decided on.
    pub orders: Vec<(usize, Order, Option<usize>)>,
    pub persons: Vec<(usize, Person)>,
    /// It ends as it should.
    pub whole: bool,
}

impl Journal {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// `Usage` where there is no such file, `Data` with the line where it is no journal.
    pub fn read(path: &Path) -> Result<Journal> {
        let mut reader = Reader::open(path)?;
        let run = reader.run()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (statements, orders, persons) = (Vec::new(), Vec::new(), Vec::new());
        let mut journal = Journal { name, run, statements, orders, persons, whole: false };
        let mut line = 1;
        while let Some(record) = reader.next()? {
            line += 1;
            match record {
                Record::Statement(statement) => journal.statements.push((line, statement)),
                Record::Verdict(Verdict::Order(order)) => {
                    let on = journal.statements.len().checked_sub(1);
                    journal.orders.push((line, order, on));
                }
                Record::Person(person) => journal.persons.push((line, person)),
                _ => {}
            }
        }
        journal.whole = reader.missing().is_none();
        Ok(journal)
    }

    /// Returns when its first statement was told.
    pub fn first(&self) -> Ts {
        self.statements.first().map_or(Ts::MAX, |(_, statement)| told(statement))
    }

    /// Returns up to when its last statement knew the account.
    pub fn known(&self) -> Ts {
        let last = self.statements.last().map(|(_, statement)| statement);
        last.map_or(Ts::MIN, |last| last.known_as_of.unwrap_or(told(last)))
    }

    /// Returns when its last statement was told.
    pub fn last(&self) -> Ts {
        self.statements.last().map_or(Ts::MIN, |(_, statement)| told(statement))
    }

    /// Makes a fault of a line.
    pub fn fault(&self, line: usize, ts: Ts, words: impl Into<String>) -> Fault {
        Fault { place: Place { file: self.name.clone(), line, ts: Some(ts) }, words: words.into() }
    }
}

/// Returns when a statement was told.
pub fn told(statement: &Statement) -> Ts {
    statement.told_at.unwrap_or(statement.ts)
}
