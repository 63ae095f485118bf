//! Rows as they come: seconds, holes, nights, gaps, announcements, predictions of all kinds.

use mes_core::{
    bar::Bar,
    prediction::Prediction,
    price::Price,
    row::Row,
    time::{self, SECOND},
};
use mes_pipe::Result;
use mes_risk::trade::{Next, Rows};
use proptest::prelude::*;

/// A row as it follows from the one before.
#[derive(Clone, Debug)]
pub struct Step {
    pub seconds: i64,
    pub breaks: bool,
    open: i64,
    up: i64,
    down: i64,
    close: i64,
    volume: i64,
    dir: i8,
    conf: f32,
    size: Option<f32>,
    quote: Quoted,
    wild: Wild,
}

/// What the row says of bid and ask: nothing, ticks between them, one side, or one far away.
#[derive(Clone, Copy, Debug)]
enum Quoted {
    None,
    Both(i64),
    Ask,
    Far,
}

/// What is wrong with a row's prices: nothing, a high of ten times, all prices by this factor in hundredths, or all
/// prices from here on.
#[derive(Clone, Copy, Debug)]
enum Wild {
    No,
    Spike,
    Row(i64),
    From(i64),
}

pub fn step() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![
        60 => Just(1_i64), 10 => Just(60), 4 => 2..400_i64, 2 => 400..8000_i64, 1 => Just(60_000),
        1 => Just(200_000)
    ];
    let volume = prop_oneof![1 => Just(0_i64), 3 => 1..50_i64];
    let gap = prop_oneof![30 => Just(0_i64), 1 => -60..60_i64];
    let conf = prop_oneof![Just(0.55_f32), Just(0.65), Just(0.75), Just(0.95)];
    let size = prop_oneof![6 => Just(None), 1 => Just(Some(0.5)), 2 => Just(Some(1.0)), 1 => Just(Some(2.5)), 1 => Just(Some(1e6))];
    let quote = prop_oneof![
        1 => Just(Quoted::None), 12 => Just(Quoted::Both(1)), 2 => Just(Quoted::Both(3)), 1 => Just(Quoted::Both(0)),
        1 => Just(Quoted::Ask), 1 => Just(Quoted::Far)
    ];
    let factor = prop_oneof![Just(1000_i64), Just(-100), Just(10), Just(108)];
    let wild = prop_oneof![
        400 => Just(Wild::No), 4 => Just(Wild::Spike), 4 => factor.clone().prop_map(Wild::Row),
        1 => factor.prop_map(Wild::From)
    ];
    let shape = (-3..4_i64, 0..9_i64, 0..9_i64, 0..100_i64, volume);
    (seconds, 0..60_u8, gap, shape, -1..2_i8, (conf, size), (quote, wild)).prop_map(
        |(seconds, breaks, gap, (open, up, down, close, volume), dir, (conf, size), (quote, wild))| {
            let breaks = breaks == 0 || seconds > 300;
            Step { seconds, breaks, open: open + gap, up, down, close, volume, dir, conf, size, quote, wild }
        },
    )
}

pub const STARTS: [&str; 5] = [
    "2026-11-20T15:00:00Z",
    "2026-11-20T21:10:00Z",
    "2026-11-27T17:40:00Z",
    "2021-06-24T19:40:00Z",
    "2026-11-19T21:20:00Z",
];

pub fn rows(start: usize, steps: &[Step]) -> Vec<Row> {
    let mut ts = time::parse(STARTS[start]).expect("a time");
    let (mut ticks, mut seg, mut scale) = (20_000, 0, 100);
    let row = |step: &Step| {
        ts += step.seconds * SECOND;
        seg += i64::from(step.breaks);
        let still = step.volume == 0;
        let (open, up, down) = if still { (ticks, 0, 0) } else { (ticks + step.open, step.up, step.down) };
        let (high, low) = (open + up, open - down);
        ticks = low + step.close * (high - low) / 99;
        if let Wild::From(factor) = step.wild {
            scale = factor;
        }
        let factor = if let Wild::Row(factor) = step.wild { factor } else { scale };
        let price = |ticks: i64| Price::from_ticks(ticks * factor / 100);
        let [open, mut high, mut low, close] = [open, high, low, ticks].map(price);
        (low, high) = (low.min(high), low.max(high));
        if matches!(step.wild, Wild::Spike) {
            high = Price::from_ticks(10 * high.ticks());
        }
        let (bid, ask) = match step.quote {
            Quoted::None => (None, None),
            Quoted::Both(spread) => (Some(close), Some(close + spread)),
            Quoted::Ask => (None, Some(close + 1)),
            Quoted::Far => (Some(close), Some(Price::nearest(close.points() * 1.1))),
        };
        let bar = Bar { ts, open, high, low, close, volume: step.volume, seg, bid, ask, ..Bar::default() };
        let (dir, conf) = (Some(f32::from(step.dir)), Some(step.conf));
        Row { bar, prediction: Prediction { dir, conf, size: step.size, ..Prediction::default() } }
    };
    steps.iter().map(row).collect()
}

pub struct Walk<'a>(pub &'a [Row]);

impl Rows for Walk<'_> {
    fn next(&mut self) -> Result<Next<'_>> {
        let Some((row, rest)) = self.0.split_first() else { return Ok(Next::End) };
        self.0 = rest;
        Ok(Next::Row(row))
    }
}
