//! Rows as the checker sees them: names and cells, whatever format they came in, compared to the last bit.

use std::{cmp::Ordering, fmt};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    builder::{BooleanBuilder, Float32Builder, Float64Builder, Int8Builder, Int64Builder, StringBuilder},
    cast::AsArray,
    types::{Float32Type, Float64Type, Int8Type, Int32Type, Int64Type, TimestampNanosecondType},
};
use arrow_schema::{DataType, Schema, SchemaRef};
use mes_core::time::{self, Ts};
use mes_pipe::{Error, Result};
use serde_json::Value;
use std::sync::Arc;

/// One value.
#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Bool(bool),
    Instant(Ts),
    Int(i64),
    /// An f32 is held as the shortest decimal that reads back as it, so that text and Arrow agree.
    Float(f64),
    Text(String),
}

/// A row, in the order of its columns.
pub type Row = Vec<Cell>;

/// Says whether the next tool would read both as the same value.
pub fn same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Bool(a), Cell::Bool(b)) => a == b,
        (Cell::Instant(a), Cell::Instant(b)) | (Cell::Int(a), Cell::Int(b)) => a == b,
        (Cell::Float(a), Cell::Float(b)) => a.to_bits() == b.to_bits(),
        // In text a whole number may stand for either.
        (Cell::Int(whole), Cell::Float(part)) | (Cell::Float(part), Cell::Int(whole)) => {
            (*whole as f64).partial_cmp(part) == Some(Ordering::Equal)
        }
        (Cell::Text(a), Cell::Text(b)) => a == b,
        _ => false,
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("null"),
            Cell::Bool(value) => write!(f, "{value}"),
            Cell::Instant(ts) => f.write_str(&time::format(*ts)),
            Cell::Int(value) => write!(f, "{value}"),
            Cell::Float(value) => write!(f, "{value:?}"),
            Cell::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Cell {
    /// Returns the value of a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the value as JSON.
    pub fn json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Bool(value) => (*value).into(),
            Cell::Instant(ts) => time::format(*ts).into(),
            Cell::Int(value) => (*value).into(),
            Cell::Float(value) => (*value).into(),
            Cell::Text(text) => text.as_str().into(),
        }
    }

    /// Reads the value of a column from JSON; a column's name decides its type.
    ///
    /// # Errors
    ///
    /// Says which column it is, and what the value is not.
    pub fn of_json(name: &str, value: Value) -> std::result::Result<Cell, String> {
        Ok(match value {
            Value::Null => Cell::Null,
            Value::String(text) if name == "ts" => {
                Cell::Instant(time::parse(&text).map_err(|error| error.to_string())?)
            }
            Value::String(text) => Cell::Text(text),
            Value::Bool(value) => Cell::Bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Cell::Int(whole),
                (None, Some(part)) if is_single(name) => Cell::Float(single(part as f32)),
                (None, Some(part)) => Cell::Float(part),
                _ => return Err(format!("column {name:?}: {number} is no number of ours")),
            },
            other => return Err(format!("column {name:?}: {other} is not one value")),
        })
    }
}

/// Says whether a column holds 32-bit numbers.
fn is_single(name: &str) -> bool {
    ["f_", "p_", "y_"].iter().any(|prefix| name.starts_with(prefix))
}

fn single(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Turns a batch into rows.
///
/// # Errors
///
/// `Data` where a column is of a type that rows do not have.
pub fn rows_of(batch: &RecordBatch) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for (array, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
        let name = field.name();
        for (row, cells) in rows.iter_mut().enumerate() {
            cells.push(if array.is_null(row) { Cell::Null } else { cell(array, row, name)? });
        }
    }
    Ok(rows)
}

fn cell(array: &ArrayRef, row: usize, name: &str) -> Result<Cell> {
    Ok(match array.data_type() {
        DataType::Timestamp(..) => match array.as_primitive_opt::<TimestampNanosecondType>() {
            Some(times) => Cell::Instant(times.value(row)),
            None => return Err(foreign(name, array.data_type())),
        },
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Cell::Float(single(array.as_primitive::<Float32Type>().value(row))),
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Cell::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int8 => Cell::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        other => return Err(foreign(name, other)),
    })
}

fn foreign(name: &str, data_type: &DataType) -> Error {
    Error::data(format!("column {name:?} is {data_type}, which the check cannot compare"))
}

/// Turns rows into a batch of `schema`.
///
/// # Errors
///
/// `Data` where a column is of a type that rows do not have, or a cell does not fit.
pub fn batch_of(schema: &SchemaRef, rows: &[Row]) -> Result<RecordBatch> {
    let columns = schema.fields().iter().enumerate();
    let arrays = columns.map(|(column, field)| {
        let cells = rows.iter().map(|row| &row[column]);
        array_of(field.data_type(), cells).ok_or_else(|| foreign(field.name(), field.data_type()))
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays.collect::<Result<_>>()?)?)
}

fn array_of<'a>(data_type: &DataType, cells: impl Iterator<Item = &'a Cell>) -> Option<ArrayRef> {
    macro_rules! built {
        ($builder:ty, $value:expr) => {{
            let mut builder = <$builder>::new();
            cells.for_each(|cell| builder.append_option($value(cell)));
            Arc::new(builder.finish())
        }};
    }
    let whole = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
    Some(match data_type {
        DataType::Timestamp(..) => {
            let times = cells.map(|cell| if let Cell::Instant(ts) = cell { *ts } else { 0 });
            let times = arrow_array::TimestampNanosecondArray::from_iter_values(times);
            Arc::new(times.with_timezone("UTC"))
        }
        DataType::Float64 => built!(Float64Builder, Cell::number),
        DataType::Float32 => {
            built!(Float32Builder, |cell: &Cell| cell.number().map(|value| value as f32))
        }
        DataType::Int64 => built!(Int64Builder, whole),
        DataType::Int8 => built!(Int8Builder, |cell| whole(cell).map(|value| value as i8)),
        DataType::Boolean => {
            built!(BooleanBuilder, |cell: &Cell| if let Cell::Bool(value) = cell {
                Some(*value)
            } else {
                None
            })
        }
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            cells.for_each(|cell| match cell {
                Cell::Text(text) => builder.append_value(text),
                _ => builder.append_null(),
            });
            Arc::new(builder.finish())
        }
        _ => return None,
    })
}

/// What is put in: rows in order, and where their times and segments are.
#[derive(Clone)]
pub struct Given {
    /// With the meta that a stage of this house looks for.
    pub schema: SchemaRef,
    pub rows: Vec<Row>,
    ts: usize,
    seg: Option<usize>,
}

impl Given {
    /// Takes rows of `schema`, which must have a time.
    ///
    /// # Errors
    ///
    /// `Data` where there is no column `ts`.
    pub fn new(schema: SchemaRef, rows: Vec<Row>) -> Result<Given> {
        let ts = place(&schema, "ts").ok_or_else(|| Error::data("the rows have no column \"ts\""))?;
        let seg = place(&schema, "seg");
        Ok(Given { schema, rows, ts, seg })
    }

    /// Returns the same table with other rows.
    pub fn with(&self, rows: Vec<Row>) -> Given {
        Given { rows, ..self.clone() }
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// Returns the place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        place(&self.schema, name)
    }

    /// Returns the time of a row.
    pub fn ts(&self, row: usize) -> Ts {
        instant(&self.rows[row][self.ts])
    }

    /// Moves a row to another time.
    pub fn set_ts(&mut self, row: usize, ts: Ts) {
        self.rows[row][self.ts] = Cell::Instant(ts);
    }

    /// Returns the segment of a row; rows without `seg` are all of one.
    pub fn seg(&self, row: usize) -> i64 {
        match self.seg.map(|place| &self.rows[row][place]) {
            Some(Cell::Int(seg)) => *seg,
            _ => 0,
        }
    }

    /// Returns the segments as ranges of rows.
    pub fn segments(&self) -> Vec<std::ops::Range<usize>> {
        let mut found: Vec<std::ops::Range<usize>> = Vec::new();
        for row in 0..self.rows.len() {
            match found.last_mut() {
                Some(last) if self.seg(last.start) == self.seg(row) => last.end = row + 1,
                _ => found.push(row..row + 1),
            }
        }
        found
    }
}

/// Returns the time in a cell, 0 where there is none.
pub fn instant(cell: &Cell) -> Ts {
    if let Cell::Instant(ts) = cell { *ts } else { 0 }
}

fn place(schema: &Schema, name: &str) -> Option<usize> {
    schema.fields().iter().position(|field| field.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_arrow_are_the_same_values() {
        let text = |name: &str, json: &str| {
            Cell::of_json(name, serde_json::from_str(json).expect("JSON")).expect("a cell")
        };
        assert!(same(&text("f_x", "0.1"), &Cell::Float(single(0.1_f32))));
        assert!(same(&text("f_x", "0.10000000149011612"), &Cell::Float(single(0.1_f32))));
        assert!(same(&text("close", "4000"), &Cell::Float(4000.0)));
        assert!(!same(&text("vwap", "4000.1"), &Cell::Float(4_000.100_000_000_001)));
        assert!(same(&text("ts", "\"2026-03-06T14:30:00.000Z\""), &text("ts", "\"2026-03-06T14:30:00Z\"")));
        assert!(!same(&Cell::Null, &Cell::Int(0)) && !same(&Cell::Float(0.0), &Cell::Float(-0.0)));
    }
}
