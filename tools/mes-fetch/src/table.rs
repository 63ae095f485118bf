//! Rows to stdout: bars or ticks, collected into batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::{bar::Bar, order::Side, tick::Tick};
use mes_pipe::{BarBuilder, Meta, Output, OutputArgs, Result, schema};

/// Rows of a batch, where nobody waits for fewer.
pub const BATCH_ROWS: usize = 8192;

/// What collects rows into batches.
pub trait RowBuilder {
    type Row;

    fn schema(&self) -> SchemaRef;
    fn push(&mut self, row: &Self::Row);
    fn len(&self) -> usize;
    /// Returns the rows collected so far and begins anew.
    fn finish(&mut self) -> Result<RecordBatch>;
}

/// A table that is being written.
pub struct Table<R> {
    rows: R,
    output: Output,
}

/// Bars to stdout.
pub type BarTable = Table<BarBuilder>;
/// Ticks to stdout.
pub type TickTable = Table<TickBuilder>;

impl<R: RowBuilder> Table<R> {
    /// Begins the table with no rows.
    ///
    /// # Errors
    ///
    /// What [`Output::create`] refuses.
    pub fn create(args: &OutputArgs, rows: R, meta: &Meta) -> Result<Self> {
        Ok(Table { output: Output::create(args, rows.schema(), meta)?, rows })
    }

    /// Adds a row, and writes a batch when it is full.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn push(&mut self, row: &R::Row) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.rows.len() == 0 { Ok(()) } else { self.output.write(&self.rows.finish()?) }
    }

    /// Hands all rows to the reader.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.output.flush()
    }

    /// Writes what is left and ends the table.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.output.finish()
    }
}

impl RowBuilder for BarBuilder {
    type Row = Bar<f64>;

    fn schema(&self) -> SchemaRef {
        self.schema()
    }

    fn push(&mut self, bar: &Bar<f64>) {
        self.push(bar);
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        self.finish()
    }
}

/// Collects ticks into batches.
pub struct TickBuilder {
    names: Vec<&'static str>,
    schema: SchemaRef,
    rows: Vec<Tick>,
}

impl TickBuilder {
    /// Begins a table with those columns of a tick that `has` wants.
    pub fn new(has: impl Fn(&str) -> bool) -> Self {
        let names: Vec<_> = schema::TICK.into_iter().filter(|name| has(name)).collect();
        let field = |name: &&str| {
            let data_type = schema::data_type(name).unwrap_or(DataType::Null);
            Field::new(*name, data_type, *name != "ts")
        };
        let schema = Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()));
        TickBuilder { names, schema, rows: Vec::new() }
    }
}

impl RowBuilder for TickBuilder {
    type Row = Tick;

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn push(&mut self, tick: &Tick) {
        self.rows.push(*tick);
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        let columns = self.names.iter().map(|name| column(name, &self.rows)).collect();
        let batch = RecordBatch::try_new(self.schema(), columns)?;
        self.rows.clear();
        Ok(batch)
    }
}

fn column(name: &str, ticks: &[Tick]) -> ArrayRef {
    let prices =
        |f: fn(&Tick) -> Option<f64>| Arc::new(ticks.iter().map(f).collect::<Float64Array>()) as ArrayRef;
    let counts =
        |f: fn(&Tick) -> Option<i64>| Arc::new(ticks.iter().map(f).collect::<Int64Array>()) as ArrayRef;
    match name {
        "ts" => {
            let times = TimestampNanosecondArray::from_iter_values(ticks.iter().map(|tick| tick.ts));
            Arc::new(times.with_timezone("UTC"))
        }
        "price" => prices(|tick| tick.price),
        "size" => counts(|tick| tick.size),
        "side" => {
            let name = |side| if side == Side::Buy { "buy" } else { "sell" };
            Arc::new(ticks.iter().map(|tick| tick.side.map(name)).collect::<StringArray>())
        }
        "bid" => prices(|tick| tick.bid),
        "ask" => prices(|tick| tick.ask),
        "bid_size" => counts(|tick| tick.bid_size),
        "ask_size" => counts(|tick| tick.ask_size),
        _ => {
            let symbols = ticks.iter().map(|tick| Some(tick.symbol.as_str()).filter(|name| !name.is_empty()));
            Arc::new(symbols.collect::<StringArray>())
        }
    }
}
