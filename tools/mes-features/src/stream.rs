//! The stream: batches of bars in, the same rows with columns to the right out. One thread reads, others compute, this
//! one writes. Rows with labels are held until the labels are known.

use std::{collections::VecDeque, sync::Arc};

use arrow_array::{ArrayRef, Float32Array, Int8Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use mes_pipe::{Ahead, Event, Output, Result, append};

use crate::{
    labels::Label,
    lanes::{Done, Lanes},
    set::Set,
};

/// Returns the fields of the features.
pub fn feature_fields(set: &Set) -> Vec<Field> {
    set.features().iter().map(|feature| Field::new(feature.name, DataType::Float32, true)).collect()
}

/// Makes the columns of a label.
pub type LabelColumns = fn(&[Option<Label>]) -> Vec<ArrayRef>;

/// `y_dir` and `y_move`.
pub fn dir_and_move(labels: &[Option<Label>]) -> Vec<ArrayRef> {
    let moves = labels.iter().map(|label| label.map(|label| label.moved));
    vec![classes(labels), Arc::new(moves.collect::<Float32Array>())]
}

/// `y_barrier`.
pub fn barrier(labels: &[Option<Label>]) -> Vec<ArrayRef> {
    vec![classes(labels)]
}

fn classes(labels: &[Option<Label>]) -> ArrayRef {
    Arc::new(labels.iter().map(|label| label.map(|label| label.class)).collect::<Int8Array>())
}

/// Writes rows with their features, and holds those whose labels are not known yet.
pub struct Writer {
    /// The schema of rows with features.
    pub schema: SchemaRef,
    pub output: Output,
    pub held: Option<Held>,
}

impl Writer {
    fn take(&mut self, mut done: Done) -> Result<()> {
        let failure = done.failure();
        let known = std::mem::take(&mut done.known);
        if let Some((batch, columns)) = done.rows.filter(|(batch, _)| batch.num_rows() > 0) {
            let batch = append(&batch, &self.schema, columns)?;
            match &mut self.held {
                None => self.output.write(&batch)?,
                Some(held) => held.rows.push_back(batch),
            }
        }
        if let Some(held) = &mut self.held {
            held.known.extend(known);
            held.write(&mut self.output, false)?;
        }
        failure.map_or(Ok(()), |error| {
            self.output.flush()?;
            Err(error)
        })
    }

    /// Writes what can be written before a wait.
    fn flush(&mut self) -> Result<()> {
        if let Some(held) = &mut self.held {
            held.write(&mut self.output, true)?;
        }
        self.output.flush()
    }
}

/// Reads, computes and writes side by side until the end.
///
/// # Errors
///
/// Whatever reading, computing or writing fails of first.
pub fn run(mut input: Ahead, mut lanes: Lanes, mut writer: Writer) -> Result<()> {
    loop {
        match input.next() {
            Ok(Event::Batch(batch)) => lanes.put(&batch, input.place(), |done| writer.take(done))?,
            Ok(Event::Idle) => {
                lanes.rest(|done| writer.take(done))?;
                writer.flush()?;
            }
            Ok(Event::End) => {
                lanes.close(|done| writer.take(done))?;
                writer.flush()?;
                return writer.output.finish();
            }
            // What came before it is written all the same, and this table gets no end mark.
            Err(error) => {
                lanes.rest(|done| writer.take(done))?;
                writer.flush()?;
                return Err(error);
            }
        }
    }
}

/// Rows whose labels are not known yet, and labels whose rows have not been written yet.
pub struct Held {
    columns: LabelColumns,
    schema: SchemaRef,
    rows: VecDeque<RecordBatch>,
    known: Vec<Option<Label>>,
}

impl Held {
    /// `schema` is that of the rows with features and labels.
    pub fn new(columns: LabelColumns, schema: SchemaRef) -> Self {
        Held { columns, schema, rows: VecDeque::new(), known: Vec::new() }
    }

    /// Returns the schema of the rows that it writes.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Writes the rows whose labels are known: whole batches, and if `all`, the beginning of one.
    fn write(&mut self, output: &mut Output, all: bool) -> Result<()> {
        let mut done = 0;
        while let Some(batch) = self.rows.pop_front() {
            let known = self.known.len() - done;
            let count = batch.num_rows().min(known);
            if count < batch.num_rows() && (count == 0 || !all) {
                self.rows.push_front(batch);
                break;
            }
            let columns = (self.columns)(&self.known[done..done + count]);
            output.write(&append(&batch.slice(0, count), &self.schema, columns)?)?;
            done += count;
            if count < batch.num_rows() {
                self.rows.push_front(batch.slice(count, batch.num_rows() - count));
            }
        }
        self.known.drain(..done);
        Ok(())
    }
}
