//! Comma-separated values with a header of canonical names. Dialects are for `mes-fetch import`.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use csv_core::{ReadRecordResult, Reader};

use crate::{
    Error, Result,
    input::Event,
    limits,
    source::Source,
    text::{Cells, Column, Line, Lines, batch_of, schema_of},
};

pub(crate) struct CsvReader {
    lines: Lines,
    fields: Fields,
    columns: Vec<Column>,
    pub schema: SchemaRef,
    told_idle: bool,
    /// A batch has so many rows at the least, unless the input ends.
    least: usize,
}

/// What the next record turned out to be; its values are in [`CsvReader::fields`].
enum Record {
    Is,
    Wait,
    End,
}

impl CsvReader {
    /// Reads the header and the first record, whose values give unknown columns their types.
    ///
    /// # Errors
    ///
    /// `Data` where header or record cannot be read, a name is there twice, or the table is beyond a limit; `Failed`
    /// where the source cannot be read.
    pub fn open(source: Source) -> Result<CsvReader> {
        let schema = schema_of(&[]);
        let lines = Lines::new(source);
        let mut reader = CsvReader {
            lines,
            fields: Fields::new(),
            columns: Vec::new(),
            schema,
            told_idle: false,
            least: 1,
        };
        reader.record(true)?;
        limits::columns(reader.fields.iter().count()).map_err(|error| reader.here(error))?;
        let names = canonical(reader.fields.iter().map(str::to_owned).collect())
            .map_err(|error| reader.here(error))?;
        let first = matches!(reader.record(true)?, Record::Is);
        if !first {
            reader.fields.clear();
        }
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(reader.here(Error::data(format!("column {name:?} twice in the header"))));
            }
            let value = reader.fields.iter().nth(index).unwrap_or_default();
            reader.columns.push(Column::new(name, suggested(value)));
        }
        reader.schema = schema_of(&reader.columns);
        if first {
            reader.push()?;
        }
        Ok(reader)
    }

    /// Returns the next batch; [`Event::Idle`] once before it waits.
    ///
    /// # Errors
    ///
    /// `Data` where a record is cut off, has other columns or values that are none; `Failed` where the source cannot be
    /// read.
    pub fn next(&mut self) -> Result<Event> {
        loop {
            let rows = self.columns[0].len();
            if self.lines.fills_a_batch(rows) {
                return self.batch();
            }
            match self.record(rows < self.least && self.told_idle)? {
                Record::Is => self.push()?,
                Record::Wait if rows >= self.least => return self.batch(),
                Record::End if rows > 0 => return self.batch(),
                Record::Wait => {
                    self.told_idle = true;
                    return Ok(Event::Idle);
                }
                Record::End => return Ok(Event::End),
            }
            self.told_idle = false;
        }
    }

    /// Has batches from here on wait for so many rows, unless the input ends.
    pub fn wait_for(&mut self, least: usize) {
        self.least = least;
    }

    /// Returns the line of a row of the batch given last.
    pub fn line(&self) -> u64 {
        self.lines.number
    }

    fn batch(&mut self) -> Result<Event> {
        batch_of(&mut self.columns, &self.schema).map(Event::Batch)
    }

    fn record(&mut self, may_wait: bool) -> Result<Record> {
        loop {
            match self.lines.next(may_wait)? {
                Line::Is(place) if place.is_empty() => {}
                Line::Is(place) => {
                    let split = self.fields.split(self.lines.bytes(place));
                    return split.map(|()| Record::Is).map_err(|error| self.here(error));
                }
                Line::Cut(_) => {
                    let cut = "the last line has no end, so it may be cut off: add a newline if it is whole";
                    return Err(self.here(Error::data(cut)));
                }
                Line::Wait => return Ok(Record::Wait),
                Line::End => return Ok(Record::End),
            }
        }
    }

    fn push(&mut self) -> Result<()> {
        let (wanted, found) = (self.columns.len(), self.fields.iter().count());
        if found != wanted {
            return Err(
                self.here(Error::data(format!("{found} values where the header has {wanted} columns")))
            );
        }
        for (column, text) in self.columns.iter_mut().zip(self.fields.iter()) {
            if text.is_empty() {
                column.push_null();
            } else if let Err(what) = column.push_text(text) {
                return Err(self.here(Error::data(what)));
            }
        }
        Ok(())
    }

    fn here(&self, error: Error) -> Error {
        self.lines.here(error)
    }

    /// Returns the bytes that it reads.
    pub fn source(&mut self) -> &mut Source {
        &mut self.lines.source
    }
}

/// The values of one record.
struct Fields {
    reader: Reader,
    text: String,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Fields {
    fn new() -> Fields {
        Fields { reader: Reader::new(), text: String::new(), ends: Vec::new(), bytes: Vec::new() }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn split(&mut self, line: &[u8]) -> Result<()> {
        let reader = &mut self.reader;
        reader.reset();
        self.bytes.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 2, 0);
        let (first, _, written, fields) = reader.read_record(line, &mut self.bytes, &mut self.ends);
        // A line's end ends the record; a quote that is still open swallows that end.
        let (second, _, more, last) =
            reader.read_record(b"\n", &mut self.bytes[written..], &mut self.ends[fields..]);
        if (first, second) != (ReadRecordResult::InputEmpty, ReadRecordResult::Record) {
            return Err(Error::data("a quote is left open: a value cannot hold a line break"));
        }
        self.ends.truncate(fields + last);
        self.text.clear();
        let text =
            std::str::from_utf8(&self.bytes[..written + more]).map_err(|_| Error::data("not UTF-8 text"))?;
        self.text.push_str(text);
        Ok(())
    }
}

/// Checks the names of a header. Trades may call their time `ts_utc`; bars may not, for nobody could know whether
/// it is that of the open or of the close.
fn canonical(mut names: Vec<String>) -> Result<Vec<String>> {
    if names.iter().any(|name| name == "ts") {
        return Ok(names);
    }
    if names.iter().any(|name| name == "close") {
        return Err(Error::data(format!(
            "no column \"ts\" in {names:?}: are the bars stamped at open or close? see mes-fetch import"
        )));
    }
    match names.iter_mut().find(|name| *name == "ts_utc") {
        Some(name) => *name = "ts".to_owned(),
        None => return Err(Error::data(format!("no column \"ts\" in {names:?}: see mes-fetch import"))),
    }
    Ok(names)
}

/// Returns the type that a value of an unknown column suggests.
fn suggested(text: &str) -> DataType {
    if text.parse::<i64>().is_ok() {
        DataType::Int64
    } else if text.parse::<f64>().is_ok() {
        DataType::Float64
    } else if text.parse::<bool>().is_ok() {
        DataType::Boolean
    } else {
        DataType::Utf8
    }
}

/// Writes the header line.
pub(crate) fn write_header(schema: &SchemaRef, out: &mut Vec<u8>) -> Result<()> {
    for (index, field) in schema.fields().iter().enumerate() {
        one_line(field.name().as_bytes(), field.name())?;
        if index > 0 {
            out.push(b',');
        }
        quote(field.name(), out);
    }
    out.push(b'\n');
    Ok(())
}

/// Refuses what no reader of this house would take back: here a line is a row.
fn one_line(text: &[u8], name: &str) -> Result<()> {
    if text.contains(&b'\n') {
        return Err(Error::data(format!(
            "column {name:?} holds a line break, for which CSV has no place: --to jsonl"
        )));
    }
    Ok(())
}

/// Writes the rows of a batch; null is empty.
pub(crate) fn write_rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    let schema = batch.schema();
    let columns: Vec<Cells> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(c, f)| Cells::of(c, f.name()))
        .collect::<Result<_>>()?;
    for (cells, field) in columns.iter().zip(schema.fields()) {
        if let Cells::Text(array) = cells {
            one_line(array.value_data(), field.name())?;
        }
    }
    for row in 0..batch.num_rows() {
        for (index, cells) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if !cells.is_null(row) {
                cells.write(row, out, quote, mes_core::time::write);
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

fn quote(text: &str, out: &mut Vec<u8>) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}
