//! Bars in, columns of features out, the same for a day in one go and for a row a second: [`CheckedRows`] checks bars and
//! computes once what several indicators share, [`Engine`] runs every indicator over tiles of rows.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    price::Price,
    session::{Part, Sessions},
    time::{self, Ts},
};

use mes_pipe::{Error, Result};

use crate::{
    indicators::{Columns, TILE, sigma::Sigma},
    row::Row,
    set::Set,
};

/// Bounds beyond which numbers are no market's. Within them every integer sum is exact.
const MAX_MOVE_TICKS: i64 = 1 << 22;
const MAX_ROW_VOLUME: i64 = 1 << 26;
const MAX_SEGMENT_VOLUME: i64 = 1 << 36;
const MAX_QUOTE_SIZE: i64 = 1 << 32;
/// In the year 2116.
const LAST_TS: Ts = 1 << 62;

/// Every indicator of a set.
pub struct Engine {
    indicators: Vec<Box<dyn Columns>>,
    columns: Vec<Vec<f32>>,
}

impl Engine {
    /// Prepares the features of `set` for rows of length `interval`.
    pub fn new(set: &Set, interval: Interval) -> Self {
        Engine { indicators: set.indicators(interval), columns: vec![Vec::new(); set.len()] }
    }

    /// Takes the next rows.
    pub fn run(&mut self, rows: &[Row]) {
        for tile in rows.chunks(TILE) {
            for indicator in &mut self.indicators {
                indicator.run(tile, &mut self.columns);
            }
        }
    }

    /// Returns one column a feature, in the order of the set, for the rows since the last call. NaN is null.
    pub fn take(&mut self) -> Vec<Vec<f32>> {
        let empty = self.columns.iter().map(|column| Vec::with_capacity(column.len())).collect();
        std::mem::replace(&mut self.columns, empty)
    }
}

/// Turns bars into rows: checks them and computes what indicators share.
pub struct CheckedRows {
    interval: Interval,
    clock: Clock,
    sigma: Sigma,
    /// The first close of the segment.
    base: Price,
    seg: i64,
    /// Of the row before: its place in the segment, its end and its close.
    n: usize,
    ts: Ts,
    close: i64,
    /// Of the segment so far.
    volume: i64,
}

impl CheckedRows {
    /// Prepares for bars of length `interval`.
    pub fn new(interval: Interval, calendar: Calendar) -> Self {
        CheckedRows {
            interval,
            clock: Clock::new(calendar),
            sigma: Sigma::default(),
            base: Price::default(),
            seg: 0,
            n: 0,
            ts: 0,
            close: 0,
            volume: 0,
        }
    }

    /// Forgets the segment: the next bar begins one, whatever its number.
    pub fn restart(&mut self) {
        self.n = 0;
    }

    /// Takes the next bar. One that cannot be is an error.
    ///
    /// # Errors
    ///
    /// `Data` for a price out of the bar's range, a time that does not rise or is off the interval's grid, or
    /// numbers that would not stay exact.
    pub fn next(&mut self, bar: &Bar) -> Result<Row> {
        let first = self.n == 0 || bar.seg != self.seg;
        self.check_time(bar.ts, first)?;
        let (base, before) = if first { (bar.close, 0) } else { (self.base, self.volume) };
        let mut row = relative(bar, base);
        check(bar, &row)?;
        let volume = before + row.volume;
        if volume > MAX_SEGMENT_VOLUME {
            return Err(refused("volume of the segment", volume));
        }
        (row.n, row.change) = if first { (1, 0) } else { (self.n + 1, row.close - self.close) };
        row.sigma = self.sigma.step(row.n, row.change);
        row.per_sigma = 1.0 / row.sigma;
        self.clock.mark(&mut row);
        (self.seg, self.base, self.volume) = (bar.seg, base, volume);
        (self.n, self.ts, self.close) = (row.n, row.ts, row.close);
        Ok(row)
    }

    /// Within a segment rows lie on the grid of their interval, at most one at a place.
    fn check_time(&self, ts: Ts, first: bool) -> Result<()> {
        if !(1..LAST_TS).contains(&ts) {
            return Err(refused("time in nanoseconds", ts));
        }
        let step = self.interval.nanos();
        let since = if first { ts.rem_euclid(step) } else { ts - self.ts };
        if (!first && since == step) || (first && since == 0) || (!first && since > 0 && since % step == 0) {
            return Ok(());
        }
        let (now, interval) = (time::format(ts), self.interval);
        Err(Error::data(format!(
            "time {now} is not on a grid of {interval}, or comes twice in a segment: rows of another length? --interval says it"
        )))
    }
}

/// Returns what a bar says by itself, prices in ticks from `base`.
fn relative(bar: &Bar, base: Price) -> Row {
    Row {
        ts: bar.ts,
        open: bar.open - base,
        high: bar.high - base,
        low: bar.low - base,
        close: bar.close - base,
        volume: bar.volume,
        delta: bar.buy_volume.zip(bar.sell_volume).map(|(buy, sell)| buy.saturating_sub(sell)),
        bid: bar.bid.map(|bid| bid - base),
        ask: bar.ask.map(|ask| ask - base),
        bid_size: bar.bid_size,
        ask_size: bar.ask_size,
        ofi: bar.ofi,
        ..Row::default()
    }
}

/// Refuses what no market does, so that sums cannot overflow and features keep their range.
fn check(bar: &Bar, row: &Row) -> Result<()> {
    if row.high < row.open.max(row.close) || row.low > row.open.min(row.close) {
        let Bar { open, high, low, close, .. } = bar;
        return Err(refused(
            "bar: high or low do not hold open and close",
            format!("{open} {high} {low} {close}"),
        ));
    }
    let far = |ticks: i64| ticks.unsigned_abs() > MAX_MOVE_TICKS as u64;
    if far(row.high) || far(row.low) {
        return Err(refused("price: too far from the segment's first close", bar.high));
    }
    for quote in [row.bid, row.ask].into_iter().flatten() {
        if far(quote) {
            return Err(refused("quote: too far from the price", Price::from_ticks(quote)));
        }
    }
    if !(0..=MAX_ROW_VOLUME).contains(&row.volume) {
        return Err(refused("volume", row.volume));
    }
    if let Some(delta) = row.delta.filter(|delta| delta.unsigned_abs() > row.volume.unsigned_abs()) {
        return Err(refused("buy_volume less sell_volume, more than the volume", delta));
    }
    for size in [row.bid_size, row.ask_size].into_iter().flatten() {
        if !(0..=MAX_QUOTE_SIZE).contains(&size) {
            return Err(refused("quote size", size));
        }
    }
    match row.ofi {
        Some(ofi) if ofi.unsigned_abs() > 1 << 40 => Err(refused("ofi", ofi)),
        _ => Ok(()),
    }
}

fn refused(what: &str, value: impl std::fmt::Display) -> Error {
    Error::Data(format!("{what} ({value})"))
}

/// The session of every bar, looked up once a day.
struct Clock {
    sessions: Sessions,
    open: Ts,
    close: Ts,
    rth: Option<(Ts, Ts)>,
}

impl Clock {
    fn new(calendar: Calendar) -> Self {
        Clock { sessions: Sessions::new(calendar), open: 0, close: 0, rth: None }
    }

    /// Writes down where in the day the interval of `row` lies.
    fn mark(&mut self, row: &mut Row) {
        let within = row.ts - 1;
        if !(self.open..self.close).contains(&within) {
            let Some(day) = self.sessions.day(within) else { return };
            (self.open, self.close, self.rth) = (day.open, day.close, day.rth);
            if day.part(within) == Part::Closed {
                return;
            }
        }
        row.day_ns = Some((row.ts - self.open, self.close - self.open));
        if let Some((_, to)) = self.rth.filter(|(from, to)| (*from..*to).contains(&within)) {
            (row.rth, row.to_close_ns) = (true, to - row.ts);
        }
    }
}
