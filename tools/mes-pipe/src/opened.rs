//! One opened input: its format, its columns, and its rows as they come.

use std::{fs::File, path::Path};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow_ipc::reader::FileReader;
use arrow_schema::SchemaRef;
use mes_core::interval::Interval;

use crate::{
    Event, Meta, Result,
    arrow::{self, StreamReader},
    csv::CsvReader,
    damage::caught,
    dbn::DbnReader,
    jsonl::JsonReader,
    limits,
    lineage::hash_file,
    parquet,
    sniff::{Found, sniff},
    source::Source,
};

pub(crate) enum Decoder {
    Stream(Box<StreamReader>),
    File(Box<FileReader<File>>),
    Parquet(Box<ParquetRecordBatchReader>),
    Csv(Box<CsvReader>),
    Json(Box<JsonReader>),
    Dbn(Box<DbnReader>),
}

/// One opened input.
pub(crate) struct Opened {
    pub name: String,
    pub decoder: Decoder,
    pub schema: SchemaRef,
    pub meta: Option<Meta>,
    pub interval: Option<Interval>,
    pub hash: Option<String>,
    pub rows: u64,
    pub left_out: Vec<String>,
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
    pub fn is_bare(&self) -> bool {
        self.meta.is_none() && self.is_text()
    }

    /// Returns what the decoder has next, of text with `least` rows, so that a place in it stays a line's number.
    ///
    /// # Errors
    ///
    /// As [`Opened::next`].
    pub fn at_least(&mut self, least: usize) -> Result<Event> {
        self.wait_for(least);
        let first = loop {
            match self.next() {
                Ok(Event::Idle) if self.is_text() => {}
                first => break first,
            }
        };
        self.wait_for(1);
        first
    }

    fn wait_for(&mut self, least: usize) {
        match &mut self.decoder {
            Decoder::Csv(reader) => reader.wait_for(least),
            Decoder::Json(reader) => reader.wait_for(least),
            _ => {}
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.decoder, Decoder::Csv(_) | Decoder::Json(_))
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
