//! Whatever comes in, as checked batches of canonical columns.

use std::{
    collections::VecDeque,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use mes_core::interval::Interval;

use crate::{
    Error, InputArgs, Kind, Meta, Result,
    check::{self, Checks},
    files::expand,
    lineage::hash_file,
    log,
    opened::{Decoder, Opened, Place},
    progress::Progress,
    side,
    source::Source,
    stop, told, unfold,
};

/// What reading came to.
#[derive(Debug)]
pub enum Event {
    Batch(RecordBatch),
    /// The next read may wait: flush first.
    Idle,
    End,
}

/// One stream of rows from one or several files.
pub struct Input {
    current: Opened,
    /// Rows of the current file before the batch given last, and in it.
    before: u64,
    rows: u64,
    waiting: VecDeque<PathBuf>,
    schema: SchemaRef,
    meta: Meta,
    checks: Checks,
    progress: Progress,
    keep: fn(&str) -> bool,
    /// What was looked at before its turn.
    kept: VecDeque<Result<Event>>,
    /// What is wrong with the row after the batch given last.
    failed: Option<Error>,
}

impl Input {
    /// Opens the inputs; the rows must be of one of `kinds`. Waits until the columns are known.
    ///
    /// # Errors
    ///
    /// `Usage` where a file is not there, `Data` where its bytes, columns or kind are not what they have to be,
    /// `Failed` where it cannot be read.
    pub fn open(args: &InputArgs, kinds: &[Kind]) -> Result<Input> {
        Input::open_columns(args, kinds, |_| true)
    }

    /// Opens the inputs for a tool that looks only at some columns: where the format allows it, the others are not
    /// even decoded.
    ///
    /// # Errors
    ///
    /// As [`Input::open`].
    pub fn open_columns(args: &InputArgs, kinds: &[Kind], keep: fn(&str) -> bool) -> Result<Input> {
        let mut waiting = expand(&args.files)?;
        // Hashes go into the lineage, which the first row already carries.
        let mut hashes = waiting.iter().skip(1).map(|path| hash_of(path)).collect::<Result<Vec<_>>>()?;
        let current = match waiting.pop_front() {
            Some(path) => Opened::new(Source::open(&path)?, keep)?,
            None => Opened::new(
                Source::stdin(&format!("{}, since no FILE is named,", Kind::awaited(kinds)))?,
                keep,
            )?,
        };
        let schema = check::canonical(&current.schema).map_err(|error| error.at(&current.name))?;
        let kind = check::accept(&schema, kinds).map_err(|error| error.at(&current.name))?;
        let hashes = current.hash.clone().map(|first| {
            hashes.insert(0, first);
            hashes
        });
        let meta = side::describe(
            args,
            side::Told {
                bare: current.is_bare(),
                columns: Kind::of(&schema),
                kind,
                meta: current.meta.clone(),
                interval: current.interval,
                hashes,
            },
        )?;
        // Of several files nobody knows how many rows they have.
        let progress = Progress::beside_rows(if waiting.is_empty() { current.rows } else { 0 }, "rows");
        let checks = Checks::new(kind, &schema);
        let (before, rows, kept, failed) = (0, 0, VecDeque::new(), None);
        Ok(Input { current, before, rows, waiting, schema, meta, checks, progress, keep, kept, failed })
    }

    /// Lets times go back, for a tool that reports it.
    pub fn in_any_order(mut self) -> Input {
        self.checks.any_order();
        self
    }

    /// Lets bars contradict themselves, likewise: what is left are numbers that can be worked with.
    pub fn with_any_bar(mut self) -> Input {
        self.checks.any_bar();
        self
    }

    /// Returns the columns of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the columns of the file that is read now that were not asked for, as far as that spares decoding them.
    pub fn left_out(&self) -> &[String] {
        &self.current.left_out
    }

    /// Returns what travels beside the rows.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Returns the length of a row: what the stream or a flag says, else what its first rows tell, for which it waits:
    /// once they were text without a header. A tool that can do without does not ask.
    ///
    /// # Errors
    ///
    /// `Usage` where nothing says it.
    pub fn interval(&mut self) -> Result<Interval> {
        if let Some(interval) = self.meta.interval {
            return Ok(interval);
        }
        if !told::may_be(&self.meta.lineage) {
            return Err(told::unknown());
        }
        let interval = match self.first()? {
            Some(batch) => told::interval(&check::conform(&batch, &self.schema)?),
            None => None,
        };
        let interval = interval.ok_or_else(told::unknown)?;
        log::note(format!(
            "{}: rows of {interval}, by the times of the first: --interval says otherwise",
            self.current.name
        ));
        self.meta.interval = Some(interval);
        Ok(interval)
    }

    /// Looks at the first rows before their turn, as many as are asked for unless there are no more.
    fn first(&mut self) -> Result<Option<RecordBatch>> {
        let mut batches = Vec::new();
        let mut then = None;
        while then.is_none() && batches.iter().map(RecordBatch::num_rows).sum::<usize>() < told::ROWS {
            match self.current.at_least(told::ROWS) {
                Ok(Event::Batch(batch)) => batches.push(batch),
                Ok(Event::Idle) => {}
                Ok(Event::End) => then = Some(Ok(Event::End)),
                // It is what comes after the rows before it.
                Err(error) => then = Some(Err(error)),
            }
        }
        let Some(first) = batches.first() else {
            self.kept.extend(then);
            return Ok(None);
        };
        let whole = concat_batches(&first.schema(), &batches)?;
        self.kept.extend([Ok(Event::Batch(whole.clone()))].into_iter().chain(then));
        Ok(Some(whole))
    }

    /// Returns what is to be had next. After [`Event::Idle`] it waits.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] when a person has ended the day, here or at a stage before.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Event> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        loop {
            let event = match self.kept.pop_front() {
                Some(event) => event?,
                None => self.current.next()?,
            };
            // An end that came with a person's ^C is no end of the data: the same ^C may have cut it.
            if stop::asked() {
                return Err(stop::error());
            }
            match event {
                Event::Batch(batch) => {
                    self.before += self.rows;
                    self.rows = batch.num_rows() as u64;
                    // Nulls first: the canonical schema has no place for a null time.
                    self.checks.nulls(&batch).map_err(|(row, error)| error.at(self.at(row)))?;
                    unfold::check(&batch).map_err(|(row, error)| error.at(self.at(row)))?;
                    let batch =
                        check::conform(&batch, &self.schema).map_err(|error| error.at(&self.current.name))?;
                    let faults =
                        check::times(&batch).err().into_iter().chain(self.checks.batch(&batch).err());
                    if let Some((row, error)) = faults.min_by_key(|(row, _)| *row) {
                        let error = error.at(self.at(row));
                        if row == 0 {
                            return Err(error);
                        }
                        // What came before it is worked on all the same, however the rows were batched.
                        self.failed = Some(error);
                        return Ok(Event::Batch(batch.slice(0, row)));
                    }
                    self.progress.add(self.rows);
                    if self.rows > 0 {
                        return Ok(Event::Batch(batch));
                    }
                }
                Event::Idle => return Ok(Event::Idle),
                Event::End => match self.waiting.pop_front() {
                    None => {
                        self.progress.end();
                        return Ok(Event::End);
                    }
                    Some(path) => self.join(&path)?,
                },
            }
        }
    }

    /// Goes on with the next file, whose columns must be those of the first.
    fn join(&mut self, path: &Path) -> Result<()> {
        let next = Opened::new(Source::open(path)?, self.keep)?;
        let schema = check::canonical(&next.schema).map_err(|error| error.at(&next.name))?;
        check::joins(&self.schema, &schema).map_err(|error| error.at(&next.name))?;
        let interval = next.meta.as_ref().and_then(|meta| meta.interval).or(next.interval);
        if let (Some(first), Some(other)) = (self.meta.interval, interval)
            && first != other
        {
            return Err(Error::data(format!("{}: rows of {other} after rows of {first}", next.name)));
        }
        (self.current, self.before, self.rows) = (next, 0, 0);
        Ok(())
    }

    /// Names the place of a row of the batch given last, for messages.
    pub fn at(&self, row: usize) -> String {
        self.place().of(row)
    }

    pub(crate) fn place(&self) -> Place {
        self.current.place(self.before, self.rows)
    }

    /// Returns the header that JSON lines began with, as it stands; null without one.
    pub fn head(&self) -> &serde_json::Value {
        match &self.current.decoder {
            Decoder::Json(reader) => &reader.head,
            _ => &serde_json::Value::Null,
        }
    }

    /// Takes the records between the rows of the batch given last: each stands before the row of that number.
    pub fn between(&mut self) -> Vec<(usize, Vec<u8>)> {
        match &mut self.current.decoder {
            Decoder::Json(reader) => std::mem::take(&mut reader.between),
            _ => Vec::new(),
        }
    }

    /// Makes waits for rows end when the other end of `peer` is gone.
    pub fn watch(&mut self, peer: OwnedFd) {
        match &mut self.current.decoder {
            Decoder::Stream(reader) => reader.source.watch(peer),
            Decoder::Csv(reader) => reader.source().watch(peer),
            Decoder::Json(reader) => reader.source().watch(peer),
            Decoder::Dbn(reader) => reader.source.watch(peer),
            Decoder::File(_) | Decoder::Parquet(_) => {}
        }
    }
}

fn hash_of(path: &Path) -> Result<String> {
    match Source::open(path)?.file {
        Some(mut file) => hash_file(&mut file, path),
        None => {
            Err(Error::usage(format!("{}: of several inputs each must be a regular file", path.display())))
        }
    }
}

/// Reads a whole file, with all the checks of a stream.
///
/// # Errors
///
/// What [`Input::open`] and [`Input::next`] refuse.
pub fn read_table(path: &Path, kinds: &[Kind]) -> Result<(Meta, Vec<RecordBatch>)> {
    let args = InputArgs { files: vec![path.to_owned()], ..InputArgs::default() };
    let mut input = Input::open(&args, kinds)?;
    let mut batches = Vec::new();
    loop {
        match input.next()? {
            Event::Batch(batch) => batches.push(batch),
            Event::Idle => {}
            Event::End => return Ok((input.meta, batches)),
        }
    }
}
