//! Rows with a person beside them: before every row it is looked whether something was said.

use mes_core::{
    person::{Person, Says},
    row::Row,
};
use mes_pipe::{Result, stop};

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
    /// Who ended the day.
    pub stopped: Option<Person>,
}

impl<R: Rows> Attended<R> {
    /// Looks into `inbox` before each of the rows; without one nobody speaks.
    pub fn new(rows: R, inbox: Option<Inbox>) -> Self {
        Attended { rows, inbox, row: None, given: Row::default(), stopped: None }
    }

    /// Returns who ended the day, if a person did, here or at another tool of the pipe.
    fn stop(&mut self) -> Option<Person> {
        self.stopped = stop::person();
        self.stopped.clone()
    }

    fn said(&mut self) -> Result<Option<Person>> {
        self.inbox.as_mut().map_or(Ok(None), Inbox::next)
    }
}

impl<R: Rows> Rows for Attended<R> {
    fn next(&mut self) -> Result<Next<'_>> {
        if let Some(person) = self.stop() {
            return Ok(Next::Person(person));
        }
        // The row first, then what was said: waiting for the row may have taken long.
        if self.row.is_none() {
            match self.rows.next() {
                Ok(Next::Row(row) | Next::Watch(row)) => self.row = Some(*row),
                Ok(Next::Person(person)) => {
                    self.stopped = (person.says == Says::Stop).then(|| person.clone());
                    return Ok(Next::Person(person));
                }
                Ok(Next::Idle) => return Ok(Next::Idle),
                Ok(Next::End) => return Ok(Next::End),
                Err(error) => return self.stop().map(Next::Person).ok_or(error),
            }
        }
        if let Some(person) = self.said()? {
            return Ok(Next::Person(person));
        }
        self.given = self.row.take().unwrap_or(self.given);
        Ok(Next::Row(&self.given))
    }
}
