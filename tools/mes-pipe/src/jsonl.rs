//! JSON lines: one object a row, without a header unless asked for, so that `head`, `wc` and `jq` just work.

use std::{fmt, ops::Range};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::{
    Error, Meta, Result,
    input::Event,
    limits,
    source::Source,
    text::{Cells, Column, Line, Lines, Values, batch_of, schema_of},
};

/// One record as it stands, and its line's place.
type Object = (serde_json::Map<String, Value>, Range<usize>);

/// How a line begins that is no row but a record between rows: what a person said, in a journal that is replayed.
const BETWEEN: &[u8] = b"{\"kind\":\"person\",";

pub(crate) struct JsonReader {
    lines: Lines,
    columns: Vec<Column>,
    pub schema: SchemaRef,
    /// From a first object with `kind` and without `ts`.
    pub header: Option<Meta>,
    /// The same as it stands.
    pub head: Value,
    /// Records between rows: before which row of the batch given next or last, and the line.
    pub between: Vec<(usize, Vec<u8>)>,
    told_idle: bool,
    /// A batch has so many rows at the least, unless the input ends.
    least: usize,
}

impl JsonReader {
    /// Reads the header, if there is one, and the first record, whose keys are the columns.
    ///
    /// # Errors
    ///
    /// `Data` where header or record cannot be read, a header has no record after it, or the table is beyond a limit;
    /// `Failed` where the source cannot be read.
    pub fn open(source: Source) -> Result<JsonReader> {
        let schema = schema_of(&[]);
        let lines = Lines::new(source);
        let (columns, between) = (Vec::new(), Vec::new());
        let mut reader = JsonReader {
            lines,
            columns,
            schema,
            header: None,
            head: Value::Null,
            between,
            told_idle: false,
            least: 1,
        };
        let Some((mut first, mut line)) = reader.object()? else { return Ok(reader) };
        if first.contains_key("kind") && !first.contains_key("ts") {
            reader.head = Value::Object(first);
            reader.header = Some(Meta::from_header(&reader.head).map_err(|error| reader.here(error))?);
            (first, line) = reader.object()?.ok_or_else(|| {
                reader.here(Error::data(
                    "a header and no record, so nobody knows the columns: send empty tables as Arrow",
                ))
            })?;
        }
        limits::columns(first.len()).map_err(|error| reader.here(error))?;
        reader.columns = first
            .iter()
            .filter(|(name, _)| *name != "kind")
            .map(|(name, v)| Column::new(name, suggested(v)))
            .collect();
        reader.schema = schema_of(&reader.columns);
        // Read again by the columns' types: a value may be rounded, and a repeated key lost.
        let pushed = push(reader.lines.bytes(line), &mut reader.columns);
        pushed.map_err(|error| reader.here(error))?;
        Ok(reader)
    }

    /// Returns the next batch; [`Event::Idle`] once before it waits.
    ///
    /// # Errors
    ///
    /// `Data` where a line is no object of these columns; `Failed` where the source cannot be read.
    pub fn next(&mut self) -> Result<Event> {
        loop {
            let rows = self.columns.first().map_or(0, Column::len);
            if self.lines.fills_a_batch(rows) {
                return self.batch();
            }
            match self.lines.next(rows < self.least && self.told_idle)? {
                Line::Is(place) if place.is_empty() => {}
                Line::Is(place) if self.lines.bytes(place.clone()).starts_with(BETWEEN) => {
                    self.between.push((rows, self.lines.bytes(place).to_vec()));
                }
                // A whole object says itself that it is not cut off.
                Line::Is(place) | Line::Cut(place) => {
                    let pushed = push(self.lines.bytes(place), &mut self.columns);
                    pushed.map_err(|error| self.here(error))?;
                }
                Line::Wait if rows >= self.least => return self.batch(),
                Line::End if rows > 0 => return self.batch(),
                Line::Wait => {
                    self.told_idle = true;
                    return Ok(Event::Idle);
                }
                Line::End => return Ok(Event::End),
            }
            self.told_idle = false;
        }
    }

    /// Has batches from here on wait for so many rows, unless the input ends.
    pub fn wait_for(&mut self, least: usize) {
        self.least = least;
    }

    /// Returns the number of the line read last.
    pub fn line(&self) -> u64 {
        self.lines.number
    }

    /// Returns the bytes that it reads.
    pub fn source(&mut self) -> &mut Source {
        &mut self.lines.source
    }

    fn batch(&mut self) -> Result<Event> {
        batch_of(&mut self.columns, &self.schema).map(Event::Batch)
    }

    /// Reads a line as a whole object, and returns its place too.
    fn object(&mut self) -> Result<Option<Object>> {
        loop {
            let place = match self.lines.next(true)? {
                Line::Is(place) if place.is_empty() => continue,
                Line::Is(place) if self.lines.bytes(place.clone()).starts_with(BETWEEN) => {
                    self.between.push((0, self.lines.bytes(place).to_vec()));
                    continue;
                }
                Line::Is(place) | Line::Cut(place) => place,
                Line::Wait | Line::End => return Ok(None),
            };
            let parsed = serde_json::from_slice(self.lines.bytes(place.clone())).map_err(unreadable);
            return parsed.map(|object| Some((object, place))).map_err(|error| self.here(error));
        }
    }

    fn here(&self, error: Error) -> Error {
        self.lines.here(error)
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    if error.is_eof() {
        return Error::data("the record is cut off");
    }
    // serde_json counts lines within the text it was given, which is one line.
    let text = error.to_string();
    Error::data(text.split(" at line 1 column").next().unwrap_or(&text))
}

fn suggested(value: &Value) -> DataType {
    match value {
        Value::Bool(_) => DataType::Boolean,
        Value::Number(number) if number.is_i64() => DataType::Int64,
        Value::Number(_) => DataType::Float64,
        _ => DataType::Utf8,
    }
}

/// Adds one record to the columns; a key that is missing is null, a key that is new is an error.
fn push(line: &[u8], columns: &mut [Column]) -> Result<()> {
    let rows = columns.first().map_or(0, Column::len);
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_map(Record(columns)).and_then(|()| json.end()).map_err(unreadable)?;
    for column in columns.iter_mut().filter(|column| column.len() == rows) {
        column.push_null();
    }
    Ok(())
}

struct Record<'a>(&'a mut [Column]);

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        let columns = self.0;
        let rows = columns.iter().map(Column::len).min().unwrap_or(0);
        // Records of one stream have their keys in one order, so the next column is usually the one.
        let mut expected = 0;
        while let Some(name) = map.next_key::<std::borrow::Cow<str>>()? {
            let index = match columns.get(expected) {
                Some(column) if column.name == name => expected,
                _ => match columns.iter().position(|column| column.name == name) {
                    Some(index) => index,
                    None if name == "kind" => {
                        map.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    }
                    None => return Err(M::Error::custom(format!("key {name:?} is not in the first record"))),
                },
            };
            if columns[index].len() > rows {
                return Err(M::Error::custom(format!("key {name:?} twice")));
            }
            map.next_value_seed(Cell(&mut columns[index]))?;
            expected = index + 1;
        }
        Ok(())
    }
}

struct Cell<'a>(&'a mut Column);

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> std::result::Result<(), D::Error> {
        use serde::Deserialize;
        let column = self.0;
        let name = &column.name;
        let wrong = |error: D::Error| D::Error::custom(format!("column {name:?}: {error}"));
        macro_rules! push {
            ($values:expr) => {
                match Option::deserialize(json).map_err(wrong)? {
                    Some(value) => $values.push(value),
                    None => {
                        column.push_null();
                        return Ok(());
                    }
                }
            };
        }
        match &mut column.values {
            Values::F64(values) => push!(values),
            Values::F32(values) => push!(values),
            Values::I64(values) => push!(values),
            Values::I8(values) => push!(values),
            Values::Bool(values) => push!(values),
            Values::Text(values) => {
                push!(values);
                limits::cell(name, values.last().map_or(0, String::len)).map_err(D::Error::custom)?;
            }
            Values::Instant(values) => {
                match Option::<std::borrow::Cow<str>>::deserialize(json).map_err(wrong)? {
                    Some(text) => values.push(mes_core::time::parse(&text).map_err(D::Error::custom)?),
                    None => {
                        column.push_null();
                        return Ok(());
                    }
                }
            }
        }
        column.pushed();
        Ok(())
    }
}

/// Writes the rows of a batch.
pub(crate) fn write_rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
    let schema = batch.schema();
    let mut columns = Vec::new();
    for (array, field) in batch.columns().iter().zip(schema.fields()) {
        let mut key = vec![if columns.is_empty() { b'{' } else { b',' }];
        quote(field.name(), &mut key);
        key.push(b':');
        columns.push((key, Cells::of(array, field.name())?));
    }
    for row in 0..batch.num_rows() {
        for (key, cells) in &columns {
            out.extend_from_slice(key);
            if cells.is_null(row) {
                out.extend_from_slice(b"null");
            } else {
                cells.write(row, out, quote, instant);
            }
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

fn instant(ts: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    mes_core::time::write(ts, out);
    out.push(b'"');
}

fn quote(text: &str, out: &mut Vec<u8>) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}
