//! Rows to stdout: bars or ticks, collected into batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::{
    bar::{Bar, Columns},
    order::Side,
    tick::Tick,
};
use mes_pipe::{BarBuilder, Meta, Output, OutputArgs, Result, schema};

const BATCH_ROWS: usize = 8192;

/// A table of bars that is being written.
pub struct BarTable {
    rows: BarBuilder,
    output: Output,
}

impl BarTable {
    pub fn create(args: &OutputArgs, columns: Columns, meta: &Meta) -> Result<Self> {
        let rows = BarBuilder::new(columns);
        Ok(BarTable { output: Output::create(args, rows.schema(), meta)?, rows })
    }

    pub fn push(&mut self, bar: &Bar) -> Result<()> {
        self.rows.push(bar);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.rows.is_empty() { Ok(()) } else { self.output.write(&self.rows.finish()?) }
    }

    /// Hands all rows to the reader.
    pub fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.output.flush()
    }

    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.output.finish()
    }
}

/// A table of ticks that is being written.
pub struct TickTable {
    names: Vec<&'static str>,
    schema: SchemaRef,
    rows: Vec<Tick>,
    output: Output,
}

impl TickTable {
    /// Begins a table with those columns of a tick that `has` wants.
    pub fn create(args: &OutputArgs, has: impl Fn(&str) -> bool, meta: &Meta) -> Result<Self> {
        let names: Vec<_> = schema::TICK.into_iter().filter(|name| has(name)).collect();
        let field = |name: &&str| {
            let data_type = schema::data_type(name).unwrap_or(DataType::Null);
            Field::new(*name, data_type, *name != "ts")
        };
        let schema = Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()));
        let output = Output::create(args, Arc::clone(&schema), meta)?;
        Ok(TickTable { names, schema, rows: Vec::new(), output })
    }

    pub fn push(&mut self, tick: &Tick) -> Result<()> {
        self.rows.push(*tick);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let columns = self.names.iter().map(|name| column(name, &self.rows)).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.rows.clear();
        self.output.write(&batch)
    }

    /// Hands all rows to the reader.
    pub fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.output.flush()
    }

    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.output.finish()
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
        _ => Arc::new(StringArray::from_iter_values(ticks.iter().map(|tick| tick.symbol.as_str()))),
    }
}
