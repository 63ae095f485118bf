//! One synthetic Globex day: its price level, its contract, its seconds, and the bars they make.

use chrono::{Datelike, NaiveDate};
use mes_core::{
    bar::Bar,
    calendar::Calendar,
    contract::{Contract, Expiry},
    interval::Interval,
    order::Side,
    price::TICK,
    session::Day,
    symbol::Symbol,
    tick::Tick,
    time::{SECOND, Ts},
};

use super::{
    intensity::Intensity,
    market::{self, Market, Nature},
    rng::Rng,
};

/// Walks through the open seconds of one day. A day depends on the seed, its date and its nature alone.
pub struct Seconds<'a> {
    day: &'a Day,
    curve: &'a [f64],
    intensity: Intensity,
    market: Market,
    next: Ts,
}

impl<'a> Seconds<'a> {
    /// Opens the day. `curve` has the orders of each of its seconds.
    pub fn new(day: &'a Day, calendar: &Calendar, curve: &'a [f64], seed: u64, nature: Nature) -> Self {
        let number = i64::from(day.label.num_days_from_ce()).unsigned_abs();
        let stream = |stream| Rng::new(seed, number * 8 + stream);
        let code = Expiry::front(day.close, calendar).code();
        let symbol: Symbol = format!("{}{code}", nature.contract).parse().unwrap_or_default();
        let market =
            Market::new(stream(0), stream(1), symbol, level(seed, day.label, nature.contract), nature);
        Seconds { day, curve, intensity: Intensity::new(stream(2)), market, next: day.open }
    }

    /// Puts what happened in the next second into `ticks` and returns its end; `None` when the day is over.
    /// Seconds of a pause or outage are left out.
    pub fn next(&mut self, ticks: &mut Vec<Tick>) -> Option<Ts> {
        let mut start = self.next;
        for (from, to) in [self.day.pause, self.day.outage].into_iter().flatten() {
            start = if (from..to).contains(&start) { to } else { start };
        }
        if start >= self.day.close {
            return None;
        }
        let second = ((start - self.day.open) / SECOND) as usize;
        let rates = self.intensity.step(second, self.curve.get(second).copied().unwrap_or_default());
        self.market.second(start, rates, ticks);
        self.next = start + SECOND;
        Some(self.next)
    }
}

/// Makes the bar of one second from its trades, or `None` when nothing traded. The quote is the last one seen.
pub fn bar(ticks: &[Tick], ts: Ts) -> Option<Bar<f64>> {
    let mut trades = ticks.iter().filter_map(|tick| Some((tick.price?, tick.size?, tick.side?)));
    let (open, size, side) = trades.next()?;
    let mut bar =
        Bar { ts, open, high: open, low: open, close: open, symbol: ticks[0].symbol, ..Bar::default() };
    let (mut bought, mut count, mut value) = (0, 0, 0.0);
    for (price, size, side) in std::iter::once((open, size, side)).chain(trades) {
        bar.high = bar.high.max(price);
        bar.low = bar.low.min(price);
        bar.close = price;
        bar.volume += size;
        bought += if side == Side::Buy { size } else { 0 };
        count += 1;
        // Quarters times whole numbers: exact.
        value += price * size as f64;
    }
    let last = ticks.last()?;
    bar.buy_volume = Some(bought);
    bar.sell_volume = Some(bar.volume - bought);
    bar.trades = Some(count);
    bar.vwap = Some(value / bar.volume as f64);
    (bar.bid, bar.ask, bar.bid_size, bar.ask_size) = (last.bid, last.ask, last.bid_size, last.ask_size);
    Some(bar)
}

/// The columns of synthetic bars beyond those that every bar has.
pub const COLUMNS: [&str; 8] =
    ["buy_volume", "sell_volume", "trades", "bid", "ask", "bid_size", "ask_size", "vwap"];

/// The length of a synthetic bar.
pub const INTERVAL: Interval = Interval::SECOND;

/// Returns the price in ticks at which a date opens. Days are made one by one, so the level is a function of the
/// date: growth, and random waves of 1, 2, 4… days about it. A day therefore opens away from the last close by
/// about as much as a day moves, more than in life.
fn level(seed: u64, date: NaiveDate, contract: Contract) -> i64 {
    const GROWTH_PER_DAY: f64 = 0.08 / 365.0;
    const DAY_TICKS: f64 = 35.0;
    let days = i64::from(date.num_days_from_ce());
    let since = days - i64::from(REFERENCE.num_days_from_ce());
    let mut ticks = points(contract) / TICK * libm::exp(GROWTH_PER_DAY * since as f64);
    let mut height = DAY_TICKS * market::reach(contract) as f64;
    for octave in 0..11_u32 {
        let span = 1_i64 << octave;
        let (cell, within) = (days / span, (days % span) as f64 / span as f64);
        let end =
            |cell: i64| Rng::new(seed ^ u64::from(octave + 1).rotate_right(8), cell.unsigned_abs()).normal();
        ticks += height * (end(cell) * (1.0 - within) + end(cell + 1) * within);
        height *= std::f64::consts::SQRT_2;
    }
    ticks as i64
}

/// Returns about where an index stands at [`REFERENCE`].
fn points(contract: Contract) -> f64 {
    match contract {
        Contract::Mes | Contract::Es => 7000.0,
        Contract::Mnq | Contract::Nq => 25_000.0,
    }
}

/// The date on which the price is about that of [`points`].
const REFERENCE: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
