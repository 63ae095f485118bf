//! Columns that grow by rows of cells.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::money::Cents;
use mes_pipe::{Result, schema::instant};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The record does not say.
    Null,
    Ts(i64),
    Whole(i64),
    Real(f64),
    Is(bool),
    Text(String),
}

impl Cell {
    /// Money, in dollars.
    pub fn usd(amount: Cents) -> Cell {
        Cell::Real(amount.usd())
    }

    /// A word that serde gives a name of a record.
    pub fn word(word: impl serde::Serialize) -> Cell {
        match serde_json::to_value(word) {
            Ok(serde_json::Value::String(text)) => Cell::Text(text),
            _ => Cell::Null,
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Ts,
    Whole,
    Real,
    Is,
    Text,
}

/// Rows that are not written yet, column by column.
pub struct Cells {
    columns: &'static [(&'static str, Of)],
    schema: SchemaRef,
    cells: Vec<Vec<Cell>>,
}

impl Cells {
    /// Begins a table without rows.
    pub fn new(columns: &'static [(&'static str, Of)]) -> Cells {
        let field = |(name, of): &(&str, Of)| {
            let data_type = match of {
                Of::Ts => instant(),
                Of::Whole => DataType::Int64,
                Of::Real => DataType::Float64,
                Of::Is => DataType::Boolean,
                Of::Text => DataType::Utf8,
            };
            Field::new(*name, data_type, true)
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Cells { columns, schema, cells: vec![Vec::new(); columns.len()] }
    }

    /// Returns the columns of every batch.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.cells.first().map_or(0, Vec::len)
    }

    /// Adds a row, which has a cell for every column.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.cells.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
    }

    /// Returns the rows so far, and begins again.
    ///
    /// # Errors
    ///
    /// Where a row had too few cells.
    pub fn take(&mut self) -> Result<RecordBatch> {
        let arrays =
            self.columns.iter().zip(&mut self.cells).map(|((_, of), cells)| array(*of, cells)).collect();
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }
}

/// Makes an array of cells, and empties them; a cell of another type is null.
fn array(of: Of, cells: &mut Vec<Cell>) -> ArrayRef {
    let cells = cells.drain(..);
    match of {
        Of::Ts => Arc::new(
            cells
                .map(|cell| if let Cell::Ts(ts) = cell { Some(ts) } else { None })
                .collect::<TimestampNanosecondArray>()
                .with_timezone("UTC"),
        ),
        Of::Whole => Arc::new(
            cells
                .map(|cell| if let Cell::Whole(number) = cell { Some(number) } else { None })
                .collect::<Int64Array>(),
        ),
        Of::Real => Arc::new(
            cells
                .map(|cell| if let Cell::Real(number) = cell { Some(number) } else { None })
                .collect::<Float64Array>(),
        ),
        Of::Is => Arc::new(
            cells.map(|cell| if let Cell::Is(is) = cell { Some(is) } else { None }).collect::<BooleanArray>(),
        ),
        Of::Text => Arc::new(
            cells
                .map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None })
                .collect::<StringArray>(),
        ),
    }
}
