//! DBN files made here, by the format's own encoder.

use dbn::{
    FlagSet, Metadata, OhlcvMsg, Record, RecordHeader, Schema, TradeMsg,
    encode::{EncodeRecord, dbn::Encoder},
    enums::{SType, rtype},
};

pub const START: u64 = 1_763_994_600_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn metadata(schema: Schema) -> Metadata {
    Metadata::builder()
        .dataset("GLBX.MDP3".to_owned())
        .schema(Some(schema))
        .start(START)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build()
}

fn encoded<R: Record + dbn::encode::DbnEncodable>(schema: Schema, records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata(schema)).expect("an encoder");
    records.iter().for_each(|record| encoder.encode_record(record).expect("a record"));
    bytes
}

/// Encodes trades: second, price in billionths, size, side.
pub fn trades(trades: &[(u64, i64, u32, u8)]) -> Vec<u8> {
    let records: Vec<_> = trades
        .iter()
        .map(|&(second, price, size, side)| TradeMsg {
            hd: RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, 42, START + second * SECOND - 500),
            price,
            size,
            action: b'T' as _,
            side: side as _,
            flags: FlagSet::default(),
            depth: 0,
            ts_recv: START + second * SECOND,
            ts_in_delta: 0,
            sequence: 0,
        })
        .collect();
    encoded(Schema::Trades, &records)
}

/// Encodes so many bars of a second, stamped at their opens.
pub fn bars(count: u64) -> Vec<u8> {
    let records: Vec<_> = (0..count).map(|index| bar(START + index * SECOND)).collect();
    encoded(Schema::Ohlcv1S, &records)
}

/// Encodes one bar that begins at `open_ts`.
pub fn bar_at(open_ts: u64) -> Vec<u8> {
    encoded(Schema::Ohlcv1S, &[bar(open_ts)])
}

fn bar(open_ts: u64) -> OhlcvMsg {
    OhlcvMsg {
        hd: RecordHeader::new::<OhlcvMsg>(rtype::OHLCV_1S, 1, 42, open_ts),
        open: 5_000_250_000_000,
        high: 5_000_750_000_000,
        low: 5_000_000_000_000,
        close: 5_000_500_000_000,
        volume: 7,
    }
}

/// Encodes the beginning of a file of another schema.
pub fn other(schema: Schema) -> Vec<u8> {
    encoded::<TradeMsg>(schema, &[])
}
