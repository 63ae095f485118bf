//! Values as text, the same in CSV and JSON lines: shortest decimals that read back to the same bits.

use std::{io::Read, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringArray, TimestampNanosecondArray, cast::AsArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::{Error, Result, limits, schema, source::Source};

/// How many rows a batch of text holds.
pub(crate) const BATCH_ROWS: usize = 8192;
/// How many bytes of text; rows may be few and long.
const BATCH_BYTES: usize = 1 << 25;
const CHUNK: usize = 1 << 16;

/// Cuts a source into lines without copying them.
pub(crate) struct Lines {
    pub source: Source,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
    /// The number of the line given last, from 1.
    pub number: u64,
    /// Bytes of the lines that were given since the last batch.
    given: usize,
}

/// What is to be had without waiting.
pub(crate) enum Line {
    /// The line's place in [`Lines::bytes`], without its end.
    Is(std::ops::Range<usize>),
    /// A line that the input ended without ending.
    Cut(std::ops::Range<usize>),
    /// Reading on may wait.
    Wait,
    End,
}

impl Lines {
    /// Reads the lines of a source.
    pub fn new(source: Source) -> Self {
        Lines { source, buffer: vec![0; CHUNK], start: 0, filled: 0, ended: false, number: 0, given: 0 }
    }

    /// Returns what lies in a place that [`Lines::next`] gave, until it is called again.
    pub fn bytes(&self, place: std::ops::Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// Puts the place of the last line before an error: `day.jsonl: line 7: …`.
    pub fn here(&self, error: Error) -> Error {
        error.at(format!("{}: line {}", self.source.name, self.number))
    }

    /// Says whether the lines that were given are enough for a batch; then the next ones are counted for another.
    pub fn fills_a_batch(&mut self, rows: usize) -> bool {
        let full = rows == BATCH_ROWS || self.given >= BATCH_BYTES;
        if full {
            self.given = 0;
        }
        full
    }

    /// Says whether a whole line has been read already.
    pub fn holds_line(&self) -> bool {
        memchr(&self.buffer[self.start..self.filled]).is_some()
    }

    /// Finds the next line; with `may_wait` it waits for it.
    ///
    /// # Errors
    ///
    /// `Data` where a line is too long, `Failed` where the source cannot be read.
    pub fn next(&mut self, may_wait: bool) -> Result<Line> {
        let mut searched = self.start;
        loop {
            if let Some(length) = memchr(&self.buffer[searched..self.filled]) {
                let end = searched + length;
                self.fits(end - self.start)?;
                let place =
                    self.start..if end > self.start && self.buffer[end - 1] == b'\r' { end - 1 } else { end };
                self.given += end + 1 - self.start;
                self.start = end + 1;
                self.number += 1;
                return Ok(Line::Is(place));
            }
            searched = self.filled;
            if self.ended {
                if self.start == self.filled {
                    return Ok(Line::End);
                }
                self.fits(self.filled - self.start)?;
                let place = self.start..self.filled;
                self.start = self.filled;
                self.number += 1;
                return Ok(Line::Cut(place));
            }
            if !self.source.ready() {
                if !may_wait {
                    return Ok(Line::Wait);
                }
                self.source.wait()?;
            }
            searched -= self.start;
            self.fill()?;
        }
    }

    /// Errors when the next line is too long.
    fn fits(&self, bytes: usize) -> Result<()> {
        limits::line(bytes as u64)
            .map_err(|error| error.at(format!("{}: line {}", self.source.name, self.number + 1)))
    }

    /// Reads on, after moving what is left to the beginning.
    ///
    /// # Errors
    ///
    /// `Data` where a line is too long, `Failed` where the source cannot be read.
    pub fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.filled == self.buffer.len() {
            self.fits(self.filled)?;
            // One byte more than a line may have, to know that it has more.
            let longest = usize::try_from(limits::get().line).unwrap_or(usize::MAX).saturating_add(1);
            self.buffer.resize(longest.min(2 * self.filled).max(self.filled + 1), 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    self.ended = count == 0;
                    self.filled += count;
                    return Ok(());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from(error).at(&self.source.name)),
            }
        }
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// Collects one column.
pub(crate) struct Column {
    pub name: String,
    pub values: Values,
    present: Vec<bool>,
}

pub(crate) enum Values {
    Instant(Vec<i64>),
    F64(Vec<f64>),
    F32(Vec<f32>),
    I64(Vec<i64>),
    I8(Vec<i8>),
    Bool(Vec<bool>),
    Text(Vec<String>),
}

impl Column {
    /// Begins a column of a known name, or of the type that its first value suggests.
    pub fn new(name: &str, otherwise: DataType) -> Column {
        let values = match schema::data_type(name).unwrap_or(otherwise) {
            DataType::Timestamp(..) => Values::Instant(Vec::new()),
            DataType::Float64 => Values::F64(Vec::new()),
            DataType::Float32 => Values::F32(Vec::new()),
            DataType::Int64 => Values::I64(Vec::new()),
            DataType::Int8 => Values::I8(Vec::new()),
            DataType::Boolean => Values::Bool(Vec::new()),
            _ => Values::Text(Vec::new()),
        };
        Column { name: name.to_owned(), values, present: Vec::new() }
    }

    /// Returns the type of its values.
    pub fn data_type(&self) -> DataType {
        match self.values {
            Values::Instant(_) => schema::instant(),
            Values::F64(_) => DataType::Float64,
            Values::F32(_) => DataType::Float32,
            Values::I64(_) => DataType::Int64,
            Values::I8(_) => DataType::Int8,
            Values::Bool(_) => DataType::Boolean,
            Values::Text(_) => DataType::Utf8,
        }
    }

    /// Adds an empty value.
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Instant(values) | Values::I64(values) => values.push(0),
            Values::F64(values) => values.push(0.0),
            Values::F32(values) => values.push(0.0),
            Values::I8(values) => values.push(0),
            Values::Bool(values) => values.push(false),
            Values::Text(values) => values.push(String::new()),
        }
        self.present.push(false);
    }

    /// Marks the value that was just pushed as there.
    pub fn pushed(&mut self) {
        self.present.push(true);
    }

    /// Reads a value from its text.
    ///
    /// # Errors
    ///
    /// Says which column it is and what the text is not.
    pub fn push_text(&mut self, text: &str) -> std::result::Result<(), String> {
        let refused = |what: &str| format!("column {:?}: {text:?} is not {what}", self.name);
        match &mut self.values {
            Values::Instant(values) => {
                values.push(mes_core::time::parse(text).map_err(|error| error.to_string())?)
            }
            Values::F64(values) => values.push(text.parse().map_err(|_| refused("a number"))?),
            Values::F32(values) => values.push(text.parse().map_err(|_| refused("a number"))?),
            Values::I64(values) => values.push(text.parse().map_err(|_| refused("a whole number"))?),
            Values::I8(values) => values.push(text.parse().map_err(|_| refused("a whole number below 128"))?),
            Values::Bool(values) => values.push(text.parse().map_err(|_| refused("true or false"))?),
            Values::Text(values) => {
                limits::cell(&self.name, text.len()).map_err(|error| error.to_string())?;
                values.push(text.to_owned());
            }
        }
        self.pushed();
        Ok(())
    }

    /// Counts the values.
    pub fn len(&self) -> usize {
        self.present.len()
    }

    fn finish(&mut self) -> ArrayRef {
        let present = std::mem::take(&mut self.present);
        let nulls = if present.iter().all(|there| *there) { None } else { Some(present.into()) };
        macro_rules! array {
            ($kind:ty, $values:expr) => {
                Arc::new(<$kind>::new(std::mem::take($values).into(), nulls))
            };
        }
        match &mut self.values {
            Values::Instant(values) => {
                let array = TimestampNanosecondArray::new(std::mem::take(values).into(), nulls);
                Arc::new(array.with_timezone("UTC"))
            }
            Values::F64(values) => array!(Float64Array, values),
            Values::F32(values) => array!(Float32Array, values),
            Values::I64(values) => array!(Int64Array, values),
            Values::I8(values) => array!(Int8Array, values),
            Values::Bool(values) => array!(BooleanArray, values),
            Values::Text(values) => {
                let array = StringArray::from_iter_values(std::mem::take(values));
                Arc::new(StringArray::new(array.offsets().clone(), array.values().clone(), nulls))
            }
        }
    }
}

/// Returns the schema of columns.
pub(crate) fn schema_of(columns: &[Column]) -> SchemaRef {
    // All nullable: that a time is missing is found, and said, by whoever checks the rows.
    let fields: Vec<Field> = columns.iter().map(|c| Field::new(&c.name, c.data_type(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// Turns what was collected into a batch.
pub(crate) fn batch_of(columns: &mut [Column], schema: &SchemaRef) -> Result<RecordBatch> {
    let arrays = columns.iter_mut().map(Column::finish).collect();
    Ok(RecordBatch::try_new(schema.clone(), arrays)?)
}

/// One column of a batch, ready to be written row by row.
pub(crate) enum Cells<'a> {
    Instant(&'a TimestampNanosecondArray),
    F64(&'a Float64Array),
    F32(&'a Float32Array),
    I64(&'a Int64Array),
    I8(&'a Int8Array),
    Bool(&'a BooleanArray),
    Text(&'a StringArray),
}

impl<'a> Cells<'a> {
    /// Looks at a column; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// `Data` where its type has no text.
    pub fn of(array: &'a dyn Array, name: &str) -> Result<Cells<'a>> {
        Ok(match array.data_type() {
            DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, _) => {
                Cells::Instant(array.as_primitive())
            }
            DataType::Float64 => Cells::F64(array.as_primitive()),
            DataType::Float32 => Cells::F32(array.as_primitive()),
            DataType::Int64 => Cells::I64(array.as_primitive()),
            DataType::Int8 => Cells::I8(array.as_primitive()),
            DataType::Boolean => Cells::Bool(array.as_boolean()),
            DataType::Utf8 => Cells::Text(array.as_string()),
            other => {
                return Err(Error::data(format!(
                    "column {name:?} of type {other} has no text form: use --to arrow"
                )));
            }
        })
    }

    /// Tells whether a row is empty.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Instant(array) => array.is_null(row),
            Cells::F64(array) => array.is_null(row),
            Cells::F32(array) => array.is_null(row),
            Cells::I64(array) => array.is_null(row),
            Cells::I8(array) => array.is_null(row),
            Cells::Bool(array) => array.is_null(row),
            Cells::Text(array) => array.is_null(row),
        }
    }

    /// Writes a value that is not null; text goes through `quote`.
    pub fn write(
        &self,
        row: usize,
        out: &mut Vec<u8>,
        quote: fn(&str, &mut Vec<u8>),
        instant: fn(i64, &mut Vec<u8>),
    ) {
        match self {
            Cells::Instant(array) => instant(array.value(row), out),
            Cells::F64(array) => {
                out.extend_from_slice(ryu::Buffer::new().format(array.value(row)).as_bytes())
            }
            Cells::F32(array) => {
                out.extend_from_slice(ryu::Buffer::new().format(array.value(row)).as_bytes())
            }
            Cells::I64(array) => {
                out.extend_from_slice(itoa::Buffer::new().format(array.value(row)).as_bytes())
            }
            Cells::I8(array) => {
                out.extend_from_slice(itoa::Buffer::new().format(array.value(row)).as_bytes())
            }
            Cells::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Text(array) => quote(array.value(row), out),
        }
    }
}
