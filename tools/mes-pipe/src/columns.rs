//! Batches as records and records as batches.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, cast::AsArray, types::TimestampNanosecondType,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::{
    bar::{self, Bar},
    order::Side,
    prediction::{self, Prediction},
    row::Row,
    symbol::Symbol,
    tick::Tick,
    time::Ts,
};

use crate::{Error, Result, schema};

/// Returns the times of a canonical batch.
///
/// # Errors
///
/// `Data` where there is no column `ts`.
pub fn times(batch: &RecordBatch) -> Result<&[Ts]> {
    let ts = batch.column_by_name("ts").ok_or_else(|| Error::data("no column \"ts\""))?;
    Ok(ts.as_primitive::<TimestampNanosecondType>().values())
}

fn prices<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a Float64Array> {
    batch.column_by_name(name).and_then(|column| column.as_primitive_opt())
}

fn counts<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a Int64Array> {
    batch.column_by_name(name).and_then(|column| column.as_primitive_opt())
}

fn needed<T>(column: Option<T>, name: &str) -> Result<T> {
    column.ok_or_else(|| Error::data(format!("no column {name:?} of its type")))
}

fn price(column: Option<&Float64Array>, row: usize) -> Option<f64> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn count(column: Option<&Int64Array>, row: usize) -> Option<i64> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

/// Symbols of a batch. Rows repeat them, so the one read last is kept.
struct Symbols<'a> {
    column: Option<&'a StringArray>,
    last: std::cell::Cell<(&'a str, Symbol)>,
}

impl<'a> Symbols<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self> {
        let column = batch.column_by_name("symbol").and_then(|column| column.as_string_opt::<i32>());
        let mut checked = "";
        for text in column.into_iter().flatten().flatten().filter(|text| !text.is_empty()) {
            if text != checked {
                text.parse::<Symbol>()?;
                checked = text;
            }
        }
        Ok(Symbols { column, last: std::cell::Cell::default() })
    }

    fn get(&self, row: usize) -> Symbol {
        let Some(text) = self.column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
        else {
            return Symbol::default();
        };
        let (last, symbol) = self.last.get();
        if last == text {
            return symbol;
        }
        let symbol = text.parse().unwrap_or_default();
        self.last.set((text, symbol));
        symbol
    }
}

/// The ticks of a batch.
pub struct Ticks<'a> {
    ts: &'a [Ts],
    price: Option<&'a Float64Array>,
    size: Option<&'a Int64Array>,
    side: Option<&'a StringArray>,
    quote: [Option<&'a Float64Array>; 2],
    sizes: [Option<&'a Int64Array>; 2],
    symbols: Symbols<'a>,
}

impl<'a> Ticks<'a> {
    /// Looks at a batch as ticks.
    ///
    /// # Errors
    ///
    /// `Data` where there is no column `ts`, or a symbol cannot be one.
    pub fn of(batch: &'a RecordBatch) -> Result<Ticks<'a>> {
        Ok(Ticks {
            ts: times(batch)?,
            price: prices(batch, "price"),
            size: counts(batch, "size"),
            side: batch.column_by_name("side").and_then(|column| column.as_string_opt::<i32>()),
            quote: ["bid", "ask"].map(|name| prices(batch, name)),
            sizes: ["bid_size", "ask_size"].map(|name| counts(batch, name)),
            symbols: Symbols::of(batch)?,
        })
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// Reads a row; a side that is neither buy nor sell is an error.
    ///
    /// # Errors
    ///
    /// `Data`: that.
    pub fn get(&self, row: usize) -> Result<Tick> {
        let side = match self.side.filter(|side| side.is_valid(row)).map(|side| side.value(row)) {
            None => None,
            Some("buy") => Some(Side::Buy),
            Some("sell") => Some(Side::Sell),
            Some(other) => return Err(Error::data(format!("side {other:?} is neither buy nor sell"))),
        };
        Ok(Tick {
            ts: self.ts[row],
            price: price(self.price, row),
            size: count(self.size, row),
            side,
            bid: price(self.quote[0], row),
            ask: price(self.quote[1], row),
            bid_size: count(self.sizes[0], row),
            ask_size: count(self.sizes[1], row),
            symbol: self.symbols.get(row),
        })
    }
}

/// The bars of a batch.
pub struct Bars<'a> {
    ts: &'a [Ts],
    ohlc: [&'a [f64]; 4],
    volume: &'a [i64],
    seg: Option<&'a Int64Array>,
    prices: [Option<&'a Float64Array>; 3],
    counts: [Option<&'a Int64Array>; 7],
    symbols: Symbols<'a>,
    columns: bar::Columns,
}

impl<'a> Bars<'a> {
    /// Looks at a batch as bars. `seg` may be missing, as in bars that mes-bars has not seen yet; it is then 0.
    ///
    /// # Errors
    ///
    /// `Data` where a column of time, price or volume is missing, or a symbol cannot be one.
    pub fn of(batch: &'a RecordBatch) -> Result<Bars<'a>> {
        let ohlc = |name| needed(prices(batch, name), name).map(|column| &column.values()[..]);
        let names = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
        let whole = ["buy_volume", "sell_volume", "trades", "bid_size", "ask_size", "ofi", "age_ms"];
        Ok(Bars {
            ts: times(batch)?,
            ohlc: [ohlc("open")?, ohlc("high")?, ohlc("low")?, ohlc("close")?],
            volume: needed(counts(batch, "volume"), "volume")?.values(),
            seg: counts(batch, "seg"),
            prices: ["bid", "ask", "vwap"].map(|name| prices(batch, name)),
            counts: whole.map(|name| counts(batch, name)),
            symbols: Symbols::of(batch)?,
            columns: names.collect(),
        })
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.ts.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// Returns which optional columns there are.
    pub fn columns(&self) -> bar::Columns {
        self.columns
    }

    /// Reads a row.
    #[inline]
    pub fn get(&self, row: usize) -> Bar<f64> {
        let [buy_volume, sell_volume, trades, bid_size, ask_size, ofi, age_ms] =
            self.counts.map(|column| count(column, row));
        let [bid, ask, vwap] = self.prices.map(|column| price(column, row));
        let [open, high, low, close] = self.ohlc.map(|column| column[row]);
        Bar {
            ts: self.ts[row],
            open,
            high,
            low,
            close,
            volume: self.volume[row],
            buy_volume,
            sell_volume,
            trades,
            bid,
            ask,
            bid_size,
            ask_size,
            ofi,
            vwap,
            age_ms,
            seg: count(self.seg, row).unwrap_or(0),
            symbol: self.symbols.get(row),
        }
    }
}

/// The rows of a batch of predictions.
pub struct PredictedRows<'a> {
    bars: Bars<'a>,
    predictions: [Option<&'a Float32Array>; prediction::COLUMNS.len()],
}

impl<'a> PredictedRows<'a> {
    /// Looks at a batch as bars with predictions; what is missing of those is empty.
    ///
    /// # Errors
    ///
    /// What [`Bars::of`] refuses.
    pub fn of(batch: &'a RecordBatch) -> Result<PredictedRows<'a>> {
        let predictions = prediction::COLUMNS
            .map(|name| batch.column_by_name(name).and_then(|column| column.as_primitive_opt()));
        Ok(PredictedRows { bars: Bars::of(batch)?, predictions })
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.bars.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }

    /// Reads a row. One without a whole number of ticks for a price is an error; a side of the quote that has none is
    /// absent.
    ///
    /// # Errors
    ///
    /// `Data`: that, with the column.
    pub fn get(&self, row: usize) -> Result<Row> {
        let value = |column: Option<&Float32Array>| {
            column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
        };
        let bar = self.bars.get(row).prices_on_grid().map_err(Error::data)?;
        Ok(Row { bar, prediction: Prediction::from_values(self.predictions.map(value)) })
    }
}

/// Collects bars into batches.
pub struct BarBuilder {
    columns: bar::Columns,
    schema: SchemaRef,
    bars: Vec<Bar<f64>>,
}

impl BarBuilder {
    /// Begins a table with these optional columns.
    pub fn new(columns: bar::Columns) -> Self {
        let present = |name: &str| columns.has(name) || !bar::OPTIONAL.contains(&name);
        let fields = schema::BAR.iter().filter(|name| present(name)).map(|name| {
            let data_type = schema::data_type(name).unwrap_or(DataType::Null);
            Field::new(*name, data_type, *name != "ts")
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        BarBuilder { columns, schema, bars: Vec::new() }
    }

    /// Adds a bar.
    pub fn push(&mut self, bar: &Bar<f64>) {
        self.bars.push(*bar);
    }

    /// Counts the bars since the last batch.
    pub fn len(&self) -> usize {
        self.bars.len()
    }

    /// Tells whether there is no bar since the last batch.
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }

    /// Returns the columns of every batch.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the bars collected so far as one batch and begins anew.
    ///
    /// # Errors
    ///
    /// `Data` where a column that may not be empty would be.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let bars = &self.bars;
        let prices =
            |f: fn(&Bar<f64>) -> f64| Arc::new(bars.iter().map(f).collect::<Float64Array>()) as ArrayRef;
        let counts =
            |f: fn(&Bar<f64>) -> i64| Arc::new(Int64Array::from_iter_values(bars.iter().map(f))) as ArrayRef;
        let maybe_price = |f: fn(&Bar<f64>) -> Option<f64>| {
            Arc::new(bars.iter().map(f).collect::<Float64Array>()) as ArrayRef
        };
        let maybe_count = |f: fn(&Bar<f64>) -> Option<i64>| {
            Arc::new(bars.iter().map(f).collect::<Int64Array>()) as ArrayRef
        };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema::BAR.len());
        for field in self.schema.fields() {
            arrays.push(match field.name().as_str() {
                "ts" => {
                    let times = TimestampNanosecondArray::from_iter_values(bars.iter().map(|bar| bar.ts));
                    Arc::new(times.with_timezone("UTC"))
                }
                "open" => prices(|bar| bar.open),
                "high" => prices(|bar| bar.high),
                "low" => prices(|bar| bar.low),
                "close" => prices(|bar| bar.close),
                "volume" => counts(|bar| bar.volume),
                "buy_volume" => maybe_count(|bar| bar.buy_volume),
                "sell_volume" => maybe_count(|bar| bar.sell_volume),
                "trades" => maybe_count(|bar| bar.trades),
                "bid" => maybe_price(|bar| bar.bid),
                "ask" => maybe_price(|bar| bar.ask),
                "bid_size" => maybe_count(|bar| bar.bid_size),
                "ask_size" => maybe_count(|bar| bar.ask_size),
                "ofi" => maybe_count(|bar| bar.ofi),
                "vwap" => maybe_price(|bar| bar.vwap),
                "age_ms" => maybe_count(|bar| bar.age_ms),
                "seg" => counts(|bar| bar.seg),
                _ => Arc::new(StringArray::from_iter_values(bars.iter().map(|bar| bar.symbol.as_str()))),
            });
        }
        self.bars.clear();
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }

    /// Returns which optional columns the table has.
    pub fn columns(&self) -> bar::Columns {
        self.columns
    }
}

/// Returns `batch` with columns added to its right; `schema` is that of the result.
///
/// # Errors
///
/// `Data` where columns and schema do not fit.
pub fn append(batch: &RecordBatch, schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let all = batch.columns().iter().cloned().chain(columns).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), all)?)
}

/// Returns a schema with fields added to its right; a name that is already there is an error.
///
/// # Errors
///
/// `Data`: that.
pub fn extend(schema: &Schema, fields: Vec<Field>) -> Result<SchemaRef> {
    let mut all: Vec<_> = schema.fields().iter().cloned().collect();
    for field in fields {
        if schema.column_with_name(field.name()).is_some() {
            return Err(Error::data(format!(
                "column {:?} is there already: has this tool run before?",
                field.name()
            )));
        }
        all.push(Arc::new(field));
    }
    Ok(Arc::new(Schema::new(all)))
}
