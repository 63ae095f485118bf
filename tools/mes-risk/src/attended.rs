//! Rows with a person beside them: before every row it is looked whether something was said.

use mes_core::{person::Person, row::Row};
use mes_pipe::Result;

use crate::{
    state::Inbox,
    trade::{Next, Rows},
};

/// Rows, and before each what was said up to then.
pub struct Attended<R> {
    rows: R,
    inbox: Option<Inbox>,
    /// A row that waits behind what is said, and the one that is judged.
    row: Option<Row>,
    given: Row,
}

impl<R: Rows> Attended<R> {
    pub fn new(rows: R, inbox: Option<Inbox>) -> Self {
        Attended { rows, inbox, row: None, given: Row::default() }
    }

    fn said(&mut self) -> Result<Option<Person>> {
        self.inbox.as_mut().map_or(Ok(None), Inbox::next)
    }
}

impl<R: Rows> Rows for Attended<R> {
    fn next(&mut self) -> Result<Next<'_>> {
        // The row first, then what was said: waiting for the row may have taken long.
        if self.row.is_none() {
            match self.rows.next()? {
                Next::Row(row) | Next::Watch(row) => self.row = Some(*row),
                Next::Person(person) => return Ok(Next::Person(person)),
                Next::Idle => return Ok(Next::Idle),
                Next::End => return Ok(Next::End),
            }
        }
        if let Some(person) = self.said()? {
            return Ok(Next::Person(person));
        }
        self.given = self.row.take().unwrap_or(self.given);
        Ok(Next::Row(&self.given))
    }
}
