//! Whatever comes in, as checked batches of canonical columns.

use std::{
    collections::VecDeque,
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_schema::SchemaRef;
use mes_core::interval::Interval;

use crate::{
    Error, InputArgs, Kind, Meta, Result,
    arrow::{self, StreamReader},
    check::{self, Checks},
    csv::CsvReader,
    damage::caught,
    dbn::DbnReader,
    files::expand,
    jsonl::JsonReader,
    limits,
    lineage::hash_file,
    log, parquet,
    progress::Progress,
    side,
    sniff::{Found, sniff},
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

enum Decoder {
    Stream(Box<StreamReader>),
    File(Box<FileReader<File>>),
    Parquet(Box<ParquetRecordBatchReader>),
    Csv(Box<CsvReader>),
    Json(Box<JsonReader>),
    Dbn(Box<DbnReader>),
}

/// One opened input.
pub(crate) struct Opened {
    name: String,
    decoder: Decoder,
    pub schema: SchemaRef,
    meta: Option<Meta>,
    interval: Option<Interval>,
    pub hash: Option<String>,
    rows: u64,
    left_out: Vec<String>,
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
    kept: Option<Event>,
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
        let progress = Progress::begin(current.rows, waiting.len());
        let checks = Checks::new(kind, &schema);
        let (before, rows, kept, failed) = (0, 0, None, None);
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

    /// Returns the length of a row: what the stream or a flag says, else, of text without a header, what its first rows
    /// tell, for which it waits. A tool that can do without does not ask.
    ///
    /// # Errors
    ///
    /// `Usage` where neither says it, and what the first rows cannot be read for.
    pub fn interval(&mut self) -> Result<Interval> {
        if let Some(interval) = self.meta.interval {
            return Ok(interval);
        }
        let first = if self.current.is_bare() { self.current.first(told::ROWS)? } else { None };
        let interval = match &first {
            Some(Event::Batch(batch)) => told::interval(&check::conform(batch, &self.schema)?),
            _ => None,
        };
        self.kept = first;
        let interval = interval.ok_or_else(told::unknown)?;
        log::note(format!(
            "{}: rows of {interval}, by their times: --interval says otherwise",
            self.current.name
        ));
        self.meta.interval = Some(interval);
        Ok(interval)
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
            let event = match self.kept.take() {
                Some(event) => event,
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

impl Opened {
    /// Finds the format and reads up to the columns.
    ///
    /// # Errors
    ///
    /// `Data` where the format is none of ours or the beginning is damaged, `Failed` where it cannot be read.
    pub fn new(mut source: Source, keep: fn(&str) -> bool) -> Result<Opened> {
        let name = source.name.clone();
        let hash = source.file.as_mut().map(|file| hash_file(file, Path::new(&name))).transpose()?;
        let (source, found) = sniff(source)?;
        let mut interval = None;
        let mut meta = None;
        let (mut rows, mut left_out) = (0, Vec::new());
        let (decoder, schema) = match found {
            Found::ArrowStream => {
                let reader = StreamReader::open(source)?;
                let schema = reader.schema.clone();
                (Decoder::Stream(Box::new(reader)), schema)
            }
            Found::ArrowFile => {
                let reader = arrow::open_file(source.into_file()?, &name)?;
                let schema = reader.schema();
                (Decoder::File(Box::new(reader)), schema)
            }
            Found::Parquet => {
                let file = parquet::open(source.into_file()?, &name, keep)?;
                (rows, left_out) = (file.rows, file.left_out);
                (Decoder::Parquet(Box::new(file.batches)), file.schema)
            }
            Found::Csv => {
                let reader = CsvReader::open(source)?;
                let schema = reader.schema.clone();
                (Decoder::Csv(Box::new(reader)), schema)
            }
            Found::JsonLines => {
                let mut reader = JsonReader::open(source)?;
                meta = reader.header.take();
                let schema = reader.schema.clone();
                (Decoder::Json(Box::new(reader)), schema)
            }
            Found::Dbn => {
                let reader = DbnReader::open(source)?;
                interval = reader.interval;
                let schema = reader.schema.clone();
                (Decoder::Dbn(Box::new(reader)), schema)
            }
        };
        limits::columns(schema.fields().len()).map_err(|error| error.at(&name))?;
        if let Some(carried) = Meta::from_schema(&schema).map_err(|error| error.at(&name))? {
            meta = Some(carried);
        }
        Ok(Opened { name, decoder, schema, meta, interval, hash, rows, left_out })
    }

    /// Says whether it is text that does not say what it is.
    fn is_bare(&self) -> bool {
        self.meta.is_none() && matches!(self.decoder, Decoder::Csv(_) | Decoder::Json(_))
    }

    /// Returns the first batch, with `least` rows of it unless it ends; nothing where it is no text, which says what it is.
    ///
    /// # Errors
    ///
    /// As [`Opened::next`].
    fn first(&mut self, least: usize) -> Result<Option<Event>> {
        match &mut self.decoder {
            Decoder::Csv(reader) => reader.first(least).map(Some),
            Decoder::Json(reader) => reader.first(least).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns what the decoder has next.
    ///
    /// # Errors
    ///
    /// `Data` where it is damaged or cut off, `Stopped` where a person ended the day further up, `Failed` where it
    /// cannot be read.
    pub fn next(&mut self) -> Result<Event> {
        let batch = match &mut self.decoder {
            Decoder::Stream(reader) => return reader.next(),
            Decoder::Csv(reader) => return reader.next(),
            Decoder::Json(reader) => return reader.next(),
            Decoder::Dbn(reader) => return reader.next(),
            Decoder::File(reader) => caught(|| reader.next().transpose()),
            Decoder::Parquet(reader) => caught(|| reader.next().transpose()),
        };
        match batch.map_err(|error| error.at(&self.name))? {
            Some(batch) => Ok(Event::Batch(batch)),
            None => Ok(Event::End),
        }
    }

    /// Names the rows of the batch given last: by their lines in text, by their numbers elsewhere.
    pub fn place(&self, before: u64, rows: u64) -> Place {
        let (unit, first) = match &self.decoder {
            Decoder::Csv(reader) if rows > 0 => ("line", reader.line() + 1 - rows),
            Decoder::Json(reader) if rows > 0 => ("line", reader.line() + 1 - rows),
            Decoder::Dbn(reader) if rows > 0 => ("record", reader.record() + 1 - rows),
            _ => ("row", before + 1),
        };
        Place { name: self.name.clone(), unit, first }
    }
}

/// Where the rows of a batch came from.
#[derive(Clone, Debug)]
pub struct Place {
    name: String,
    unit: &'static str,
    first: u64,
}

impl Place {
    /// Names a row of the batch.
    pub fn of(&self, row: usize) -> String {
        format!("{}: {} {}", self.name, self.unit, self.first + row as u64)
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
