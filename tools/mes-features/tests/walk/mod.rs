//! Made-up bars with everything that a stream may hold: breaks, empty rows, missing sides, crossed quotes.
#![allow(dead_code)]

use mes_core::{
    bar::{self, Bar},
    calendar::Calendar,
    interval::Interval,
    price::Price,
    time::{self, SECOND},
};
use mes_features::{
    engine::{CheckedRows, Engine},
    set::Set,
};

/// xorshift64*: enough chance for a test, and the same on every machine.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as i64 % n
    }
}

/// Returns bars of `rows` rows a segment; the first one begins at `start`.
pub fn walk(seed: u64, start: &str, interval: Interval, segments: &[usize]) -> Vec<Bar> {
    let mut chance = Chance(seed * 2 + 1);
    let step = interval.nanos();
    let mut ts = time::parse(start).expect("a time");
    let mut close = 20_000;
    let mut bars = Vec::new();
    for (seg, &rows) in segments.iter().enumerate() {
        for k in 0..rows {
            ts += step;
            let empty = k > 0 && chance.below(4) == 0;
            bars.push(bar(&mut chance, ts, seg as i64, &mut close, empty));
        }
        ts += step * (1 + chance.below(400));
        close += chance.below(41) - 20;
    }
    bars
}

fn bar(chance: &mut Chance, ts: i64, seg: i64, close: &mut i64, empty: bool) -> Bar {
    let price = Price::from_ticks;
    // Now and then the market moves fast.
    let size = if chance.below(50) == 0 { 20 } else { 3 };
    let mut draw = |size: i64| if empty { 0 } else { chance.below(2 * size + 1) - size };
    let open = *close + draw(1);
    let end = open + draw(size);
    let (high, low) = (open.max(end) + draw(1).abs(), open.min(end) - draw(1).abs());
    *close = end;
    let volume = if empty { 0 } else { 1 + chance.below(200) };
    let buy = chance.below(volume + 1);
    let sides = (chance.below(300) > 0).then_some((buy, volume - buy));
    let quote = (chance.below(100) > 0).then_some(end + chance.below(3) - 1);
    let sizes = (chance.below(200) > 0).then(|| (chance.below(60), chance.below(60)));
    Bar {
        ts,
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(end),
        volume,
        buy_volume: sides.map(|(buy, _)| buy),
        sell_volume: sides.map(|(_, sell)| sell),
        bid: quote.map(price),
        ask: quote.map(|bid| price(bid + chance.below(5) - 1)),
        bid_size: sizes.map(|(bid, _)| bid),
        ask_size: sizes.map(|(_, ask)| ask),
        ofi: sizes.map(|_| chance.below(101) - 50),
        seg,
        ..Bar::default()
    }
}

pub fn all_columns() -> bar::Columns {
    bar::OPTIONAL.into_iter().collect()
}

pub fn whole_set(interval: Interval) -> Set {
    Set::choose(interval, all_columns(), &[], &[]).expect("a set")
}

/// Runs the engine over `bars`, taking its columns after every `batch` rows; NaN is null.
pub fn run(set: &Set, interval: Interval, bars: &[Bar], batch: usize) -> Vec<Vec<f32>> {
    let (mut rows, mut engine) =
        (CheckedRows::new(interval, Calendar::shipped()), Engine::new(set, interval));
    let mut columns = vec![Vec::new(); set.len()];
    for bars in bars.chunks(batch) {
        let rows: Vec<_> = bars.iter().map(|bar| rows.next(bar).expect("a good bar")).collect();
        engine.run(&rows);
        for (column, values) in columns.iter_mut().zip(engine.take()) {
            column.extend(values);
        }
    }
    columns
}

pub fn interval(text: &str) -> Interval {
    text.parse().expect("an interval")
}

pub const ONE: i64 = SECOND;
