//! What is sent, as rows on stdout: the columns of a tick, and its own time where its stamp is another.

use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampNanosecondArray};
use arrow_schema::{Field, SchemaRef};
use mes_core::time::Ts;
use mes_pipe::{Meta, Output, OutputArgs, Result, append, columns::extend, schema};

use super::feed::Record;
use crate::table::{BATCH_ROWS, RowBuilder, TickBuilder};

/// Records that are being written.
pub struct Records {
    rows: TickBuilder,
    own_times: Vec<Option<Ts>>,
    schema: SchemaRef,
    output: Output,
}

impl Records {
    /// Begins with those columns of a tick that `has` wants.
    ///
    /// # Errors
    ///
    /// What [`Output::create`] refuses.
    pub fn create(args: &OutputArgs, meta: &Meta, has: impl Fn(&str) -> bool) -> Result<Records> {
        let rows = TickBuilder::new(has);
        let schema = extend(&rows.schema(), vec![Field::new("ts_event", schema::instant(), true)])?;
        let output = Output::create(args, Arc::clone(&schema), meta)?;
        Ok(Records { rows, own_times: Vec::new(), schema, output })
    }

    /// Adds a record, and writes a batch when it is full.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away; a person who ends the day.
    pub fn push(&mut self, record: &Record) -> Result<()> {
        self.rows.push(&record.tick);
        self.own_times.push(record.ts_event);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let own: TimestampNanosecondArray = std::mem::take(&mut self.own_times).into_iter().collect();
        let own: ArrayRef = Arc::new(own.with_timezone("UTC"));
        self.output.write(&append(&self.rows.finish()?, &self.schema, vec![own])?)
    }

    /// Hands everything so far to the reader.
    ///
    /// # Errors
    ///
    /// As [`Records::push`].
    pub fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.output.flush()
    }

    /// Says whether somebody may still read.
    pub fn is_read(&self) -> bool {
        self.output.is_read()
    }

    /// Writes what is left and ends the table.
    ///
    /// # Errors
    ///
    /// As [`Records::push`].
    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.output.finish()
    }
}
