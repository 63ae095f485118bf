//! Made-up records in true DBN: bars, trades, quotes, definitions and statuses of three contracts and a spread.

use std::num::NonZeroU64;

use chrono::{DateTime, Datelike, NaiveDate, Weekday};
use dbn::{
    BboMsg, BidAskPair, InstrumentDefMsg, MappingInterval, Mbp1Msg, Metadata, OhlcvMsg, RecordHeader, SType,
    Schema, StatusMsg, SymbolMapping, TradeMsg,
    encode::{DbnEncodable, EncodeRecord, dbn::Encoder},
    rtype,
};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Contract, id, and the first and last day (exclusive) on which it leads.
const CONTRACTS: [(&str, u32, &str, &str); 3] = [
    ("MESH4", 763, "2023-12-13", "2024-03-13"),
    ("MESM4", 13804, "2024-03-13", "2024-06-12"),
    ("MESU4", 7114, "2024-06-12", "2024-09-18"),
];
const SPREAD: (&str, u32) = ("MESH4-MESM4", 999);

pub struct Data {
    schema: Schema,
    symbol: String,
    start: i64,
    end: i64,
    /// Time, instrument and number of each record.
    rows: Vec<(i64, u32, i64)>,
}

impl Data {
    pub fn make(symbol: &str, schema: &str, start: i64, end: i64) -> Data {
        let schema: Schema = schema.parse().expect("a schema");
        let (step, per_day) = match schema {
            Schema::Ohlcv1M => (60 * SECOND, 60),
            Schema::Ohlcv1H => (3600 * SECOND, 8),
            Schema::Ohlcv1D => (DAY, 1),
            Schema::Definition | Schema::Status => (0, 1),
            _ => (7 * SECOND, 150),
        };
        let mut rows = Vec::new();
        let mut day = start.div_euclid(DAY) * DAY;
        while day < end {
            // The spread trades beside the outrights of a parent.
            let ids = ids(symbol, day);
            let first = if step == DAY || step == 0 { day } else { day + 14 * 3600 * SECOND };
            for number in (0..per_day).filter(|_| !is_weekend(day)) {
                let ts = first + number * step;
                rows.extend(ids.iter().filter(|_| (start..end).contains(&ts)).map(|id| (ts, *id, number)));
            }
            day += DAY;
        }
        Data { schema, symbol: symbol.to_owned(), start, end, rows }
    }

    pub fn records(&self) -> usize {
        self.rows.len()
    }

    pub fn bytes(&self) -> usize {
        let size = match self.schema {
            Schema::Trades => 48,
            Schema::Tbbo | Schema::Mbp1 | Schema::Bbo1S | Schema::Bbo1M => 80,
            Schema::Definition => 520,
            Schema::Status => 40,
            _ => 56,
        };
        size * self.rows.len()
    }

    /// Encodes and compresses; `short` leaves the last record out.
    pub fn encode(&self, short: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        {
            let mut zstd = zstd::Encoder::new(&mut bytes, 0).expect("an encoder").auto_finish();
            let mut encoder = Encoder::new(&mut zstd, &self.metadata()).expect("metadata");
            let count = self.rows.len().saturating_sub(usize::from(short));
            for &(ts, id, number) in &self.rows[..count] {
                self.record(&mut encoder, ts as u64, id, number);
            }
        }
        bytes
    }

    fn record(&self, encoder: &mut Encoder<impl std::io::Write>, ts: u64, id: u32, number: i64) {
        let price =
            if id == SPREAD.1 { 50_000_000_000 } else { 5_000_000_000_000 + number % 40 * 250_000_000 };
        let bar = |rtype| OhlcvMsg {
            hd: RecordHeader::new::<OhlcvMsg>(rtype, 1, id, ts),
            open: price,
            high: price + 500_000_000,
            low: price - 250_000_000,
            close: price + 250_000_000,
            volume: 10 + number as u64,
        };
        let trade = TradeMsg {
            hd: RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, id, ts),
            price,
            size: 1,
            action: b'T' as _,
            side: b'B' as _,
            ts_recv: ts,
            ..TradeMsg::default()
        };
        match self.schema {
            Schema::Ohlcv1S => put(encoder, &bar(rtype::OHLCV_1S)),
            Schema::Ohlcv1M => put(encoder, &bar(rtype::OHLCV_1M)),
            Schema::Ohlcv1H => put(encoder, &bar(rtype::OHLCV_1H)),
            Schema::Ohlcv1D => put(encoder, &bar(rtype::OHLCV_1D)),
            Schema::Trades => put(encoder, &trade),
            Schema::Definition => {
                let mut definition = InstrumentDefMsg { ts_recv: ts, ..InstrumentDefMsg::default() };
                definition.hd = RecordHeader::new::<InstrumentDefMsg>(rtype::INSTRUMENT_DEF, 1, id, ts);
                put(encoder, &definition);
            }
            Schema::Status => {
                let mut status = StatusMsg { ts_recv: ts, ..StatusMsg::default() };
                status.hd = RecordHeader::new::<StatusMsg>(rtype::STATUS, 1, id, ts);
                put(encoder, &status);
            }
            Schema::Bbo1S => put(encoder, &sample(&quote(&trade, id, ts), rtype::BBO_1S)),
            Schema::Bbo1M => put(encoder, &sample(&quote(&trade, id, ts), rtype::BBO_1M)),
            _ => put(encoder, &quote(&trade, id, ts)),
        }
    }

    fn metadata(&self) -> Metadata {
        let stype = stype(&self.symbol);
        Metadata::builder()
            .dataset("GLBX.MDP3")
            .schema(Some(self.schema))
            .start(self.start as u64)
            .end(NonZeroU64::new(self.end as u64))
            .stype_in(Some(stype))
            .stype_out(SType::InstrumentId)
            .symbols(vec![self.symbol.clone()])
            .mappings(self.mappings())
            .build()
    }

    fn mappings(&self) -> Vec<SymbolMapping> {
        let (from, until) = (date(self.start), date(self.end));
        let interval = |id: u32, from: NaiveDate, until: NaiveDate| MappingInterval {
            start_date: time_date(from),
            end_date: time_date(until),
            symbol: id.to_string(),
        };
        if stype(&self.symbol) == SType::Continuous {
            let leads = CONTRACTS.iter().map(|(_, id, first, last)| {
                (*id, from.max(first.parse().expect("a day")), until.min(last.parse().expect("a day")))
            });
            let intervals = leads.filter(|(_, from, until)| from < until);
            let intervals = intervals.map(|(id, from, until)| interval(id, from, until)).collect();
            return vec![SymbolMapping { raw_symbol: self.symbol.clone(), intervals }];
        }
        let ids = ids(&self.symbol, self.start);
        let mapping =
            |id: &u32| SymbolMapping { raw_symbol: name(*id), intervals: vec![interval(*id, from, until)] };
        ids.iter().map(mapping).collect()
    }
}

fn quote(trade: &TradeMsg, id: u32, ts: u64) -> Mbp1Msg {
    let level = BidAskPair {
        bid_px: trade.price - 250_000_000,
        ask_px: trade.price,
        bid_sz: 3,
        ask_sz: 4,
        bid_ct: 1,
        ask_ct: 1,
    };
    Mbp1Msg {
        hd: RecordHeader::new::<Mbp1Msg>(rtype::MBP_1, 1, id, ts),
        price: trade.price,
        size: trade.size,
        action: trade.action,
        side: trade.side,
        ts_recv: ts,
        levels: [level],
        ..Mbp1Msg::default()
    }
}

/// Returns what is sampled of a quote at the end of an interval.
fn sample(quote: &Mbp1Msg, rtype: u8) -> BboMsg {
    let mut sample = BboMsg::default_for_schema(Schema::Bbo1S);
    sample.hd = RecordHeader::new::<BboMsg>(rtype, 1, quote.hd.instrument_id, quote.hd.ts_event);
    (sample.price, sample.size, sample.ts_recv) = (quote.price, quote.size, quote.ts_recv);
    sample.levels = quote.levels.clone();
    sample
}

fn put<R: DbnEncodable>(encoder: &mut Encoder<impl std::io::Write>, record: &R) {
    encoder.encode_record(record).expect("a record");
}

fn stype(symbol: &str) -> SType {
    if symbol.ends_with(".FUT") {
        SType::Parent
    } else if symbol.contains('.') {
        SType::Continuous
    } else {
        SType::RawSymbol
    }
}

/// Returns the instruments that a symbol stands for on a day.
fn ids(symbol: &str, day: i64) -> Vec<u32> {
    match stype(symbol) {
        SType::Parent => vec![CONTRACTS[0].1, CONTRACTS[1].1, SPREAD.1],
        SType::Continuous => {
            let leads = |first: &str, last: &str| {
                (first.parse().expect("a day")..last.parse().expect("a day")).contains(&date(day))
            };
            CONTRACTS
                .iter()
                .filter(|(_, _, first, last)| leads(first, last))
                .map(|(_, id, _, _)| *id)
                .collect()
        }
        _ => CONTRACTS.iter().filter(|(name, ..)| *name == symbol).map(|(_, id, ..)| *id).collect(),
    }
}

/// Returns the contract's name.
pub fn name(id: u32) -> String {
    let contract = CONTRACTS.iter().find(|(_, other, ..)| *other == id);
    contract.map_or(SPREAD.0, |(name, ..)| name).to_owned()
}

pub fn date(ts: i64) -> NaiveDate {
    DateTime::from_timestamp_nanos(ts).date_naive()
}

pub fn is_weekend(ts: i64) -> bool {
    matches!(date(ts).weekday(), Weekday::Sat | Weekday::Sun)
}

fn time_date(day: NaiveDate) -> time::Date {
    time::Date::from_ordinal_date(day.year(), day.ordinal() as u16).expect("a day")
}
