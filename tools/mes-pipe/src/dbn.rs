//! Databento's binary encoding: trades and quotes as ticks, `ohlcv` as bars.
//!
//! Its decoder takes a cut file for its end, so the bytes are fed to the state machine here, and whatever it has
//! left over at the end is an error. Trades are stamped by `ts_recv`, as Databento's own bars are; a bar's
//! stamp moves from its open to its close, where it is known.

use std::{io::Read, sync::Arc};

use ::dbn::{
    BboMsg, BidAskPair, FlagSet, Mbp1Msg, OhlcvMsg, RType, Record, RecordRef, Schema as Dbn, TradeMsg,
    TsSymbolMap, UNDEF_PRICE, VersionUpgradePolicy,
    decode::dbn::fsm::{DbnFsm, DbnFsmBuilder, ProcessResult},
};
use arrow_schema::{DataType, Schema, SchemaRef};
use mes_core::interval::Interval;

use crate::{
    Error, Result,
    damage::caught,
    input::Event,
    limits, schema,
    source::Source,
    text::{BATCH_ROWS, Column, Values, batch_of, schema_of},
};

pub(crate) struct DbnReader {
    pub source: Source,
    fsm: DbnFsm,
    symbols: Option<TsSymbolMap>,
    columns: Vec<Column>,
    pub schema: SchemaRef,
    /// Of bars.
    pub interval: Option<Interval>,
    records: u64,
    ended: bool,
    told_idle: bool,
}

/// Columns of what is made from trades, from trades with quotes, and from bars.
const TRADE: [&str; 5] = ["ts", "price", "size", "side", "symbol"];
const OHLCV: [&str; 7] = ["ts", "open", "high", "low", "close", "volume", "symbol"];

impl DbnReader {
    /// Reads the metadata.
    ///
    /// # Errors
    ///
    /// `Data` where the metadata are cut off, damaged, too long, or of a schema that is neither ticks nor bars;
    /// `Failed` where the source cannot be read.
    pub fn open(source: Source) -> Result<DbnReader> {
        let name = source.name.clone();
        let refused = |what: String| Error::data(format!("{name}: {what}"));
        let fsm = DbnFsmBuilder::new().upgrade_policy(VersionUpgradePolicy::AsIs).build();
        let mut reader = DbnReader {
            source,
            fsm: fsm.map_err(|error| refused(error.to_string()))?,
            symbols: None,
            columns: Vec::new(),
            schema: Arc::new(Schema::empty()),
            interval: None,
            records: 0,
            ended: false,
            told_idle: false,
        };
        let head = reader.source.peek(8)?;
        if let Some(length) = head.get(4..8).and_then(|bytes| bytes.try_into().ok()) {
            limits::line(u64::from(u32::from_le_bytes(length)))
                .map_err(|error| error.at(format!("{name}: metadata")))?;
        }
        let metadata = loop {
            match caught(|| process(&mut reader.fsm)).map_err(|error| error.at(&name))? {
                ProcessResult::Metadata(metadata) => break metadata,
                ProcessResult::ReadMore(_) if reader.ended => {
                    return Err(refused("cut off within its metadata".into()));
                }
                ProcessResult::ReadMore(_) => reader.fill()?,
                ProcessResult::Record(_) => return Err(refused("records before the metadata".into())),
                ProcessResult::Err(error) => return Err(refused(error.to_string())),
            }
        };
        let bars = |length: &str| (&OHLCV[..], length.parse::<Interval>().ok());
        let (columns, interval) = match metadata.schema {
            Some(Dbn::Trades) => (&TRADE[..], None),
            Some(Dbn::Mbp1 | Dbn::Tbbo | Dbn::Bbo1S | Dbn::Bbo1M) => (&schema::TICK[..], None),
            Some(Dbn::Ohlcv1S) => bars("1s"),
            Some(Dbn::Ohlcv1M) => bars("1m"),
            Some(Dbn::Ohlcv1H) => bars("1h"),
            other => {
                let schema = other.map_or("mixed".to_owned(), |schema| schema.to_string());
                let known = "trades, tbbo, mbp-1, bbo-1s, bbo-1m, ohlcv-1s, ohlcv-1m, ohlcv-1h";
                return Err(refused(format!(
                    "DBN schema {schema} is neither ticks nor bars (those are {known})"
                )));
            }
        };
        reader.interval = interval;
        reader.columns = columns.iter().map(|name| Column::new(name, DataType::Utf8)).collect();
        reader.schema = schema_of(&reader.columns);
        // Without mappings the ids are the names.
        reader.symbols = metadata.symbol_map().ok();
        Ok(reader)
    }

    /// Returns the next batch; [`Event::Idle`] once before it waits.
    ///
    /// # Errors
    ///
    /// `Data` where a record is cut off, damaged, or of another schema; `Failed` where the source cannot be read.
    pub fn next(&mut self) -> Result<Event> {
        loop {
            caught(|| self.push())
                .map_err(|error| error.at(format!("{}: record {}", self.source.name, self.records)))?;
            let rows = self.columns[0].len();
            if rows >= BATCH_ROWS {
                return self.batch();
            }
            match caught(|| process(&mut self.fsm)).map_err(|error| error.at(&self.source.name))? {
                ProcessResult::Record(_) => {}
                ProcessResult::ReadMore(_) if self.ended && rows > 0 => return self.batch(),
                ProcessResult::ReadMore(_) if self.ended => return self.end(),
                ProcessResult::ReadMore(_) => {
                    if !self.source.ready() {
                        if rows > 0 {
                            return self.batch();
                        }
                        if !self.told_idle {
                            self.told_idle = true;
                            return Ok(Event::Idle);
                        }
                        self.source.wait()?;
                    }
                    self.told_idle = false;
                    self.fill()?;
                }
                ProcessResult::Metadata(_) => {
                    return Err(self.wrong("a second file begins in the middle of this one"));
                }
                ProcessResult::Err(error) => return Err(self.wrong(&error.to_string())),
            }
        }
    }

    /// Adds the records that are whole, up to a batch of them.
    fn push(&mut self) -> Result<()> {
        while self.columns[0].len() < BATCH_ROWS
            && let Some(record) = self.fsm.next_buffered_record()
        {
            self.records += 1;
            let symbol = symbol(self.symbols.as_ref(), &record);
            push(&record, &symbol, self.interval, &mut self.columns)?;
        }
        Ok(())
    }

    /// Returns the number of the record read last, from 1.
    pub fn record(&self) -> u64 {
        self.records
    }

    fn end(&self) -> Result<Event> {
        match self.fsm.data().len() {
            0 => Ok(Event::End),
            left => Err(self.wrong(&format!("the last record is cut off ({left} bytes are left)"))),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::data(format!("{}: after record {}: {what}", self.source.name, self.records))
    }

    fn batch(&mut self) -> Result<Event> {
        Ok(Event::Batch(batch_of(&mut self.columns, &self.schema)?))
    }

    fn fill(&mut self) -> Result<()> {
        match self.source.read(self.fsm.space()) {
            Ok(0) => self.ended = true,
            Ok(count) => self.fsm.fill(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from(error).at(&self.source.name)),
        }
        Ok(())
    }
}

fn process(fsm: &mut DbnFsm) -> Result<ProcessResult<usize>> {
    Ok(fsm.process_batch())
}

fn symbol(map: Option<&TsSymbolMap>, record: &RecordRef) -> String {
    let (id, ts) = (record.header().instrument_id, record.raw_index_ts());
    match map.and_then(|map| map.get_for_ts(ts, id)) {
        Some(symbol) => symbol.clone(),
        None => id.to_string(),
    }
}

fn push(record: &RecordRef, symbol: &str, interval: Option<Interval>, columns: &mut [Column]) -> Result<()> {
    let rtype = record.rtype().map_err(Error::data)?;
    let mut row = Row { columns };
    if let (Some(bar), Some(interval)) = (record.get::<OhlcvMsg>(), interval) {
        let open = instant(bar.hd.ts_event)?;
        if open % interval.nanos() != 0 {
            return Err(Error::data(format!(
                "a bar of {interval} that begins at {}",
                mes_core::time::format(open)
            )));
        }
        row.instant(
            open.checked_add(interval.nanos()).ok_or_else(|| Error::data("a record without a time"))?,
        );
        for (index, value) in [bar.open, bar.high, bar.low, bar.close].into_iter().enumerate() {
            row.price(1 + index, value);
        }
        row.count(5, i64::try_from(bar.volume).map_err(Error::data)?);
        row.text(6, symbol);
    } else if let Some(trade) = record.get::<TradeMsg>() {
        row.instant(instant(trade.ts_recv)?);
        row.trade(trade.price, trade.size, trade.side);
        row.text(4, symbol);
    } else if let Some(quote) = record.get::<Mbp1Msg>() {
        row.instant(instant(quote.ts_recv)?);
        if quote.action as u8 == b'T' || rtype == RType::Mbp0 {
            row.trade(quote.price, quote.size, quote.side);
        }
        row.quote(quote.flags, &quote.levels[0]);
        row.text(8, symbol);
    } else if let Some(sample) = record.get::<BboMsg>() {
        // Its trade is the last one, in every sample once more: here it did not happen.
        row.instant(instant(sample.ts_recv)?);
        row.quote(sample.flags, &sample.levels[0]);
        row.text(8, symbol);
    } else {
        return Ok(());
    }
    row.finish();
    Ok(())
}

fn instant(nanos: u64) -> Result<i64> {
    i64::try_from(nanos).map_err(|_| Error::data("a record without a time"))
}

/// Fills one row; what is not set is null.
struct Row<'a> {
    columns: &'a mut [Column],
}

impl Row<'_> {
    fn instant(&mut self, ts: i64) {
        if let Values::Instant(values) = &mut self.columns[0].values {
            values.push(ts);
            self.columns[0].pushed();
        }
    }

    fn price(&mut self, column: usize, fixed: i64) {
        if fixed == UNDEF_PRICE {
            return;
        }
        // Both are exact in f64, and the quotient of two exact numbers is rounded right.
        if let Values::F64(values) = &mut self.columns[column].values {
            values.push(fixed as f64 / 1e9);
            self.columns[column].pushed();
        }
    }

    fn count(&mut self, column: usize, count: i64) {
        if let Values::I64(values) = &mut self.columns[column].values {
            values.push(count);
            self.columns[column].pushed();
        }
    }

    fn text(&mut self, column: usize, text: &str) {
        if let Values::Text(values) = &mut self.columns[column].values {
            values.push(text.to_owned());
            self.columns[column].pushed();
        }
    }

    /// A book that the exchange marks as possibly bad is not a quote.
    fn quote(&mut self, flags: FlagSet, level: &BidAskPair) {
        if !flags.is_maybe_bad_book() {
            self.price(4, level.bid_px);
            self.price(5, level.ask_px);
            self.count(6, i64::from(level.bid_sz));
            self.count(7, i64::from(level.ask_sz));
        }
    }

    fn trade(&mut self, price: i64, size: u32, side: std::ffi::c_char) {
        self.price(1, price);
        self.count(2, i64::from(size));
        match side as u8 {
            b'B' => self.text(3, "buy"),
            b'A' => self.text(3, "sell"),
            _ => {}
        }
    }

    fn finish(self) {
        let rows = self.columns[0].len();
        for column in self.columns.iter_mut().filter(|column| column.len() < rows) {
            column.push_null();
        }
    }
}
