//! Bars that stay what they are, taken by the run instead of one by one.
//!
//! Seconds into seconds, most rows come out as they went in: they follow each other, lie in one stretch of the session,
//! and are traded or carried forward just as this tool would. Such a run is a slice of the input's columns; only what
//! depends on the rows before (`seg`, `vwap`, `age_ms`, `ofi`) is computed. Rows that the session filter drops are
//! stepped over. Every other row, and every run too short to be worth a batch, goes the long way. Both ways give the same
//! values: the property test in `tests/runs.rs` holds them together.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, cast::AsArray, types::*,
};
use mes_core::{
    bar::Bar,
    symbol::Symbol,
    time::{SECOND, Ts},
};
use mes_pipe::{BarBuilder, Bars, Result};

use super::{Last, TimeBars};
use crate::by::{open, source::LARGEST};

/// Runs shorter than this would make batches that cost more than they save.
const SHORTEST: usize = 32;
/// Bars per batch on the long way: few enough that they stay in the cache.
const BATCH_ROWS: usize = 4096;

/// The columns of a batch that decide.
struct Columns<'a> {
    ts: &'a [Ts],
    ohlc: [&'a [f64]; 4],
    volume: &'a [i64],
    /// Of buyers, of sellers, trades.
    counts: [Option<&'a Int64Array>; 3],
    ofi: Option<&'a Int64Array>,
    age_ms: Option<&'a Int64Array>,
    vwap: Option<&'a Float64Array>,
    symbol: Option<&'a StringArray>,
}

impl<'a> Columns<'a> {
    /// Looks at a batch whose types were checked.
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let prices =
            |name| batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
        let counts =
            |name| batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let price = |name| prices(name).map(|column| &column.values()[..]);
        Some(Columns {
            ts: batch.column_by_name("ts")?.as_primitive_opt::<TimestampNanosecondType>()?.values(),
            ohlc: [price("open")?, price("high")?, price("low")?, price("close")?],
            volume: counts("volume")?.values(),
            counts: ["buy_volume", "sell_volume", "trades"].map(counts),
            ofi: counts("ofi"),
            age_ms: counts("age_ms"),
            vwap: prices("vwap"),
            symbol: batch.column_by_name("symbol").and_then(|column| column.as_string_opt()),
        })
    }

    fn is_of(&self, row: usize, symbol: &str) -> bool {
        self.symbol.is_none_or(|column| column.is_valid(row) && column.value(row) == symbol)
    }

    /// Says whether a row without volume is what a row whose last price is `close`, and whose counts are known as `known`
    /// says, is carried forward as.
    fn is_carried(&self, row: usize, close: f64, known: [bool; 3]) -> bool {
        let still = self.ohlc.iter().all(|column| column[row].to_bits() == close.to_bits());
        still
            && self.counts.iter().zip(known).all(|(column, known)| match column {
                Some(column) => column.is_valid(row) == known && (!known || column.value(row) == 0),
                None => !known,
            })
    }

    fn known(&self, row: usize) -> [bool; 3] {
        self.counts.map(|column| column.is_some_and(|column| column.is_valid(row)))
    }
}

impl TimeBars {
    /// Takes a batch of bars of which `at` names a row, and hands the bars that they close to `out` and `write`. What is
    /// still in `out` comes after what was written.
    ///
    /// # Errors
    ///
    /// `Data` for a row that cannot be, with its place; whatever `write` fails of.
    pub fn batch(
        &mut self,
        batch: &RecordBatch,
        out: &mut BarBuilder,
        at: impl Fn(usize) -> String,
        mut write: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let rows = Bars::of(batch)?;
        let columns = Columns::of(batch);
        let mut row = 0;
        while row < rows.len() {
            let mut until = row + 1;
            if let Some(columns) = &columns {
                let dropped = self.dropped(columns, row);
                if dropped > row {
                    self.pass_over(columns, &rows, row, dropped);
                    row = dropped;
                    continue;
                }
                let plain = self.plain(columns, row);
                if plain - row >= SHORTEST {
                    if !out.is_empty() {
                        write(&out.finish()?)?;
                    }
                    write(&self.run(batch, columns, &rows, row, plain, out)?)?;
                    row = plain;
                    continue;
                }
                until = until.max(plain);
            }
            for row in row..until {
                self.bar(&rows.get(row), out).map_err(|error| error.at(at(row)))?;
                if out.len() >= BATCH_ROWS {
                    write(&out.finish()?)?;
                }
            }
            row = until;
        }
        Ok(())
    }

    /// Returns the end of the rows from `from` on that the filter drops and that close nothing.
    fn dropped(&mut self, columns: &Columns, from: usize) -> usize {
        let carries = self.last.as_ref().is_some_and(|last| {
            let next = last.bar.ts + self.settings.interval.nanos();
            last.stretch
                .is_some_and(|(_, close)| next <= (last.traded + self.settings.carry_s * SECOND).min(close))
        });
        if self.open.is_some() || carries {
            return from;
        }
        let until = self.source.dropped_until(columns.ts[from] - 1);
        let to = from + columns.ts[from..].partition_point(|ts| *ts - 1 < until);
        let sound = columns.volume[from..to].iter().all(|volume| (0..=LARGEST).contains(volume));
        if sound { to } else { from }
    }

    /// Notes what dropped rows tell: the quote, the flow, when something was heard.
    fn pass_over(&mut self, columns: &Columns, rows: &Bars, from: usize, to: usize) {
        let end = |row: usize| self.settings.interval.end_of(columns.ts[row] - 1);
        let last = |column: Option<&Int64Array>| {
            column.and_then(|column| (from..to).rev().find(|row| column.is_valid(*row)))
        };
        if let Some(row) = last(columns.age_ms) {
            self.source.age_of_bar(rows.get(row).age_ms, columns.ts[row]);
        }
        if let Some(row) = last(columns.ofi) {
            // All that belong to one interval count.
            let first = (from..row).rev().take_while(|other| end(*other) == end(row)).last().unwrap_or(row);
            (first..=row).for_each(|row| self.source.note_flow(rows.get(row).ofi, end(row)));
        }
        self.source.hear_bar(&Bar { ofi: None, age_ms: None, ..rows.get(to - 1) }, end(to - 1));
    }

    /// Returns the end of the rows from `from` on that come out as they are.
    fn plain(&self, columns: &Columns, from: usize) -> usize {
        let Some(Last { bar, traded, stretch: Some((_, close)) }) = &self.last else { return from };
        if self.open.is_some() || self.settings.symbol.is_some_and(|symbol| symbol != bar.symbol) {
            return from;
        }
        let (step, carry) = (self.settings.interval.nanos(), self.settings.carry_s * SECOND);
        let symbol = if self.settings.symbol.is_some() { None } else { Some(bar.symbol) };
        if columns.symbol.is_none() && symbol.is_some_and(|symbol| symbol != Symbol::default()) {
            return from;
        }
        let (mut ts, mut price, mut traded) = (bar.ts, bar.close, *traded);
        let mut known = [bar.buy_volume, bar.sell_volume, bar.trades].map(|count| count.is_some());
        for row in from..columns.ts.len() {
            let volume = columns.volume[row];
            let next = columns.ts[row];
            let follows = next == ts + step && next <= *close;
            if !follows || !symbol.is_none_or(|symbol| columns.is_of(row, symbol.as_str())) {
                return row;
            }
            if (1..=LARGEST).contains(&volume) {
                (traded, known) = (next, columns.known(row));
            } else if volume != 0
                || self.settings.sparse
                || next > traded + carry
                || !columns.is_carried(row, price, known)
            {
                return row;
            }
            (ts, price) = (next, columns.ohlc[3][row]);
        }
        columns.ts.len()
    }

    /// Returns the batch of rows that come out as they are, and stands where it would after each of them.
    fn run(
        &mut self,
        batch: &RecordBatch,
        columns: &Columns,
        rows: &Bars,
        from: usize,
        to: usize,
        out: &BarBuilder,
    ) -> Result<RecordBatch> {
        let Some(mut last) = self.last.take() else { return Ok(batch.slice(0, 0)) };
        let (seg, symbol, length) = (last.bar.seg, last.bar.symbol, to - from);
        let vwap = columns.vwap.map(|vwap| -> ArrayRef {
            let one = |row| {
                vwap.is_valid(row).then(|| open::rounded(vwap.value(row), columns.volume[row])).flatten()
            };
            Arc::new((from..to).map(one).collect::<Float64Array>())
        });
        let (ofi, age_ms) = self.heard(columns, from, to);
        let schema = out.schema();
        let column = |name: &str| -> Option<ArrayRef> {
            match name {
                "seg" => Some(Arc::new(Int64Array::from_value(seg, length))),
                "vwap" => vwap.clone(),
                "ofi" => ofi.clone(),
                "age_ms" => age_ms.clone(),
                "symbol" if self.settings.symbol.is_some() || columns.symbol.is_none() => Some(Arc::new(
                    StringArray::from_iter_values(std::iter::repeat_n(symbol.as_str(), length)),
                )),
                name => batch.column_by_name(name).map(|column| column.slice(from, length)),
            }
        };
        let arrays = schema.fields().iter().filter_map(|field| column(field.name())).collect();
        let traded = columns.volume[from..to].iter().rposition(|volume| *volume > 0);
        last.traded = traded.map_or(last.traded, |row| columns.ts[from + row]);
        let bar = rows.get(to - 1);
        self.source.hear_bar(&Bar { ofi: None, age_ms: None, ..bar }, bar.ts);
        last.bar = Bar { seg, symbol, ..bar };
        self.last = Some(last);
        Ok(RecordBatch::try_new(schema, arrays)?)
    }

    /// Returns the flow and the age of each row, where the input has such columns.
    fn heard(&mut self, columns: &Columns, from: usize, to: usize) -> (Option<ArrayRef>, Option<ArrayRef>) {
        let value = |column: &Int64Array, row: usize| column.is_valid(row).then(|| column.value(row));
        let source = &mut self.source;
        let ofi = columns.ofi.map(|ofi| -> ArrayRef {
            let flow = |row| source.flow_of_bar(value(ofi, row), columns.ts[row]);
            Arc::new((from..to).map(flow).collect::<Int64Array>())
        });
        let age = columns.age_ms.map(|age| -> ArrayRef {
            let heard = |row| source.age_of_bar(value(age, row), columns.ts[row]);
            Arc::new((from..to).map(heard).collect::<Int64Array>())
        });
        (ofi, age)
    }
}
