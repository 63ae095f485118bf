//! The lines of a journal.

use serde::{Deserialize, Serialize};

use crate::{person::Person, run::Run, statement::Statement};

/// The version of all records of a journal. Changes with their meaning: a journal of another version is not read.
pub const VERSION: u32 = 2;

/// A message that is not a row or a verdict, as it is written.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record<'a> {
    Run(&'a Run),
    Statement(&'a Statement),
    /// Stands before the row that it takes effect on.
    Person(&'a Person),
    /// No more rows will come, on purpose.
    End,
}

/// What a line is, before it is read whole.
#[derive(Deserialize)]
pub struct Tag<'a> {
    #[serde(borrow)]
    pub kind: std::borrow::Cow<'a, str>,
}
