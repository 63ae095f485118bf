//! The stream: batches of bars in, the same rows with columns to the right out. Rows with labels are held until the
//! labels are known.

use std::{collections::VecDeque, sync::Arc};

use arrow_array::{ArrayRef, Float32Array, Int8Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use mes_pipe::{Bars, Event, Input, Output, Result, append};

use crate::{
    engine::Engine,
    labels::{Label, Labeller},
    set::Set,
};

/// Returns the fields of the features.
pub fn feature_fields(set: &Set) -> Vec<Field> {
    set.features().iter().map(|feature| Field::new(feature.name, DataType::Float32, true)).collect()
}

/// Adds features to every row.
pub struct Features {
    engine: Engine,
    schema: SchemaRef,
}

impl Features {
    /// `schema` is that of the rows with features.
    pub fn new(engine: Engine, schema: SchemaRef) -> Self {
        Features { engine, schema }
    }

    /// Returns `batch` with its features; `each` sees every bar that is good.
    fn add(
        &mut self,
        input: &Input,
        batch: &RecordBatch,
        mut each: impl FnMut(&mes_core::bar::Bar),
    ) -> Result<RecordBatch> {
        let bars = Bars::of(batch)?;
        for row in 0..bars.len() {
            let bar = bars.get(row);
            self.engine.push(&bar).map_err(|error| error.at(input.at(row)))?;
            each(&bar);
        }
        let columns = self.engine.take().into_iter().map(nullable).collect();
        append(batch, &self.schema, columns)
    }
}

/// Turns NaN into null.
fn nullable(mut values: Vec<f32>) -> ArrayRef {
    let known = values.iter().fold(true, |known, value| known & !value.is_nan());
    if known {
        return Arc::new(Float32Array::from(values));
    }
    let valid = values.iter().map(|value| !value.is_nan()).collect::<Vec<bool>>();
    for value in &mut values {
        *value = if value.is_nan() { 0.0 } else { *value };
    }
    Arc::new(Float32Array::new(values.into(), Some(valid.into())))
}

/// Writes rows as they come.
pub fn plain(mut input: Input, mut output: Output, mut features: Features) -> Result<()> {
    loop {
        match input.next()? {
            Event::Batch(batch) => output.write(&features.add(&input, &batch, |_| ())?)?,
            Event::Idle => output.flush()?,
            Event::End => return output.finish(),
        }
    }
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

/// Rows whose labels are not known yet, and labels whose rows have not been written yet.
pub struct Held {
    labeller: Box<dyn Labeller>,
    columns: LabelColumns,
    schema: SchemaRef,
    rows: VecDeque<RecordBatch>,
    known: Vec<Option<Label>>,
}

impl Held {
    /// `schema` is that of the rows with features and labels.
    pub fn new(labeller: Box<dyn Labeller>, columns: LabelColumns, schema: SchemaRef) -> Self {
        Held { labeller, columns, schema, rows: VecDeque::new(), known: Vec::new() }
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

/// Writes rows once their labels are known, in order; at the end the rest without.
pub fn labelled(mut input: Input, mut output: Output, mut features: Features, mut held: Held) -> Result<()> {
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let Held { labeller, known, .. } = &mut held;
                let batch = features.add(&input, &batch, |bar| labeller.push(bar, known))?;
                held.rows.push_back(batch);
                held.write(&mut output, false)?;
            }
            Event::Idle => {
                held.write(&mut output, true)?;
                output.flush()?;
            }
            Event::End => {
                held.labeller.end(&mut held.known);
                held.write(&mut output, true)?;
                return output.finish();
            }
        }
    }
}
