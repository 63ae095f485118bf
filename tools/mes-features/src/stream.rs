//! The stream: batches of bars in, the same rows with columns to the right out. One thread reads and checks, the
//! other computes and writes. Rows with labels are held until the labels are known.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

use arrow_array::{ArrayRef, Float32Array, Int8Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use mes_pipe::{Bars, Error, Event, Input, InputArgs, Kind, Meta, Output, Result, append};

use crate::{
    engine::{Engine, Rows},
    labels::{Label, Labeller},
    row::Row,
    set::Set,
};

/// Batches that the reader may be ahead.
const QUEUE: usize = 4;

/// Returns the fields of the features.
pub fn feature_fields(set: &Set) -> Vec<Field> {
    set.features().iter().map(|feature| Field::new(feature.name, DataType::Float32, true)).collect()
}

/// What the reader hands to the writer, in order.
enum Work {
    Batch {
        batch: RecordBatch,
        rows: Vec<Row>,
        /// Labels that became known, for rows not labelled yet, oldest first.
        known: Vec<Option<Label>>,
    },
    /// The next row may be long in coming.
    Idle,
    /// The end, with the labels that were still open.
    End(Vec<Option<Label>>),
}

/// What the reader does with bars: checks them, and labels them if asked to.
pub struct Task {
    pub rows: Rows,
    pub labeller: Option<Box<dyn Labeller + Send>>,
}

/// The reading thread. An input stays in the thread that opened it.
pub struct Reading {
    pub schema: SchemaRef,
    pub meta: Meta,
    task: Sender<Task>,
    work: Receiver<Work>,
    spent: Sender<Vec<Row>>,
    thread: JoinHandle<Result<()>>,
}

/// Opens bars in a thread of their own and waits until their columns are known.
pub fn open(args: InputArgs) -> Result<Reading> {
    let (task, tasks) = channel();
    let (work_sent, work) = sync_channel(QUEUE);
    let (spent, vectors) = channel();
    let (opened_sent, opened) = channel();
    let thread = thread::Builder::new().spawn(move || {
        let input = Input::open(&args, &[Kind::Bar])?;
        let told = opened_sent.send((input.schema().clone(), input.meta().clone())).is_ok();
        match tasks.recv() {
            Ok(task) if told => Reader { input, task }.run(&work_sent, &vectors),
            _ => Ok(()),
        }
    })?;
    match opened.recv() {
        Ok((schema, meta)) => Ok(Reading { schema, meta, task, work, spent, thread }),
        Err(_) => Err(outcome(thread).err().unwrap_or_else(|| Error::failed("the reading thread ended"))),
    }
}

fn outcome(thread: JoinHandle<Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| Err(Error::failed("the reading thread died")))
}

struct Reader {
    input: Input,
    task: Task,
}

impl Reader {
    /// Reads until the end or until nobody listens any more. `spent` returns vectors to be used again.
    fn run(mut self, work: &SyncSender<Work>, spent: &Receiver<Vec<Row>>) -> Result<()> {
        loop {
            let next = match self.input.next()? {
                Event::Batch(batch) => self.batch(batch, spent.try_recv().unwrap_or_default())?,
                Event::Idle => Work::Idle,
                Event::End => Work::End(self.rest()),
            };
            let last = matches!(next, Work::End(_));
            if work.send(next).is_err() || last {
                return Ok(());
            }
        }
    }

    fn batch(&mut self, batch: RecordBatch, mut rows: Vec<Row>) -> Result<Work> {
        rows.clear();
        let bars = Bars::of(&batch)?;
        let mut known = Vec::new();
        for row in 0..bars.len() {
            let bar = bars.get(row);
            rows.push(self.task.rows.next(&bar).map_err(|error| error.at(self.input.at(row)))?);
            if let Some(labeller) = &mut self.task.labeller {
                labeller.push(&bar, &mut known);
            }
        }
        Ok(Work::Batch { batch, rows, known })
    }

    fn rest(&mut self) -> Vec<Option<Label>> {
        let mut known = Vec::new();
        if let Some(labeller) = &mut self.task.labeller {
            labeller.end(&mut known);
        }
        known
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

/// Adds features to rows, holds rows whose labels are not known yet, and writes.
pub struct Writer {
    pub engine: Engine,
    /// The schema of rows with features.
    pub schema: SchemaRef,
    pub output: Output,
    pub held: Option<Held>,
}

impl Writer {
    fn run(mut self, work: &Receiver<Work>, spent: &Sender<Vec<Row>>) -> Result<()> {
        for next in work {
            match next {
                Work::Batch { batch, rows, known } => {
                    self.engine.run(&rows);
                    // The reader may have ended already.
                    let _ = spent.send(rows);
                    let columns = self.engine.take().into_iter().map(nullable).collect();
                    let batch = append(&batch, &self.schema, columns)?;
                    match &mut self.held {
                        None => self.output.write(&batch)?,
                        Some(held) => held.push(batch, known, &mut self.output)?,
                    }
                }
                Work::Idle => {
                    if let Some(held) = &mut self.held {
                        held.write(&mut self.output, true)?;
                    }
                    self.output.flush()?;
                }
                Work::End(known) => {
                    if let Some(held) = &mut self.held {
                        held.known.extend(known);
                        held.write(&mut self.output, true)?;
                    }
                    return self.output.finish();
                }
            }
        }
        // The reader failed: it says why, and this table gets no end mark.
        Ok(())
    }
}

/// Reads and writes side by side until the end.
pub fn run(reading: Reading, task: Task, writer: Writer) -> Result<()> {
    // A reader that is gone already says why when it is joined.
    let _ = reading.task.send(task);
    // When writing fails the tool ends at once: the reader may be waiting for a row that never comes.
    writer.run(&reading.work, &reading.spent)?;
    outcome(reading.thread)
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

    fn push(&mut self, batch: RecordBatch, known: Vec<Option<Label>>, output: &mut Output) -> Result<()> {
        self.rows.push_back(batch);
        self.known.extend(known);
        self.write(output, false)
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
