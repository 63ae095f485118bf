//! The lines of a journal: everything that happened, in the order it happened. What is written by [`Line`] is read by
//! [`Record::read`], to the same bytes again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer, de::Error as _};

use crate::{
    person::Person,
    row::{Columns, Row, WithColumns, Written},
    run::Run,
    statement::Statement,
    verdict::Verdict,
};

/// A line that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The first line: everything that the others depend on.
    Run(Box<Run>),
    /// A row, and which of the optional columns it has.
    Row(Row, Columns),
    Statement(Statement),
    /// What risk said: an order, a denial, a hold or an alert.
    Verdict(Verdict),
    /// Stands before the row that it takes effect on.
    Person(Person),
    /// No more rows will come, on purpose.
    End,
}

/// The same, borrowed: nothing is copied to be written.
#[derive(Clone, Copy)]
pub enum Line<'a> {
    Run(&'a Run),
    Row(&'a Row, Columns),
    Statement(&'a Statement),
    Verdict(&'a Verdict),
    Person(&'a Person),
    End,
}

impl Record {
    /// Reads a line. Keys that are not part of its kind are passed over.
    ///
    /// # Errors
    ///
    /// Where it is no JSON, of no kind that a journal has, or says what cannot be: with the column.
    pub fn read(line: &[u8]) -> Result<Record, serde_json::Error> {
        // Serde's own tagged enums put every number through a buffer of doubles, which f32 columns must not go through.
        Ok(match &*kind(line)? {
            "run" => Record::Run(serde_json::from_slice(line)?),
            "row" => {
                let WithColumns { row, columns } = serde_json::from_slice(line)?;
                Record::Row(row, columns)
            }
            "statement" => Record::Statement(serde_json::from_slice(line)?),
            "order" => Record::Verdict(Verdict::Order(serde_json::from_slice(line)?)),
            "deny" | "hold" | "alert" => Record::Verdict(serde_json::from_slice(line)?),
            "person" => Record::Person(serde_json::from_slice(line)?),
            "end" => Record::End,
            other => return Err(serde_json::Error::custom(format!("a record of unknown kind {other:?}"))),
        })
    }

    /// Returns it as it is written.
    pub fn line(&self) -> Line<'_> {
        match self {
            Record::Run(run) => Line::Run(run),
            Record::Row(row, columns) => Line::Row(row, *columns),
            Record::Statement(statement) => Line::Statement(statement),
            Record::Verdict(verdict) => Line::Verdict(verdict),
            Record::Person(person) => Line::Person(person),
            Record::End => Line::End,
        }
    }
}

/// Says of what kind a line is, before it is read whole.
///
/// # Errors
///
/// Where it is no JSON, or has no kind or two.
pub fn kind(line: &[u8]) -> Result<Cow<'_, str>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    serde_json::from_slice::<Tag>(line).map(|tag| tag.kind)
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Those whose kind is put before what they say.
        #[derive(Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Tagged<'a> {
            Run(&'a Run),
            Statement(&'a Statement),
            Person(&'a Person),
            End,
        }
        match *self {
            Line::Row(row, columns) => Written { row, columns }.serialize(serializer),
            Line::Verdict(verdict) => verdict.serialize(serializer),
            Line::Run(run) => Tagged::Run(run).serialize(serializer),
            Line::Statement(statement) => Tagged::Statement(statement).serialize(serializer),
            Line::Person(person) => Tagged::Person(person).serialize(serializer),
            Line::End => Tagged::End.serialize(serializer),
        }
    }
}
