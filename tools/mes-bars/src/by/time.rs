//! Bars that end on a grid of time.
//!
//! A traded interval gives a row; the intervals after it are carried forward while the session is open, at most
//! `carry_s` of them; then rows stop until the next trade, which begins a new segment. So whether a row exists
//! never depends on what comes later.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    order::Side,
    session::{Filter, Sessions},
    symbol::Symbol,
    tick::Tick,
    time::{MILLI, SECOND, Ts},
};
use mes_pipe::{BarBuilder, Error, Result};

use crate::by::flow::{Flow, Quote};

/// What decides the rows.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub interval: Interval,
    pub filter: Filter,
    pub carry_s: i64,
    pub sparse: bool,
    /// Takes the place of whatever the input says.
    pub symbol: Option<Symbol>,
}

/// Prices are summed in this many parts of a point, so that VWAP is exact on every tick grid and bars of bars equal
/// bars of ticks.
const PARTS: f64 = 10_000.0;

/// More contracts than were ever traded in a day; sums of so many never overflow.
const LARGEST: i64 = 1_000_000_000;

/// The interval being filled.
struct Open {
    bar: Bar,
    /// Σ price × size in parts of a point.
    value: i64,
    stretch: Option<(Ts, Ts)>,
}

/// The row given last, of which the next one is the continuation.
struct Last {
    bar: Bar,
    /// The end of the last interval that traded.
    traded: Ts,
    stretch: Option<(Ts, Ts)>,
}

/// Turns ticks or bars, in the order of time, into bars.
pub struct TimeBars {
    settings: Settings,
    sessions: Sessions,
    open: Option<Open>,
    last: Option<Last>,
    seg: i64,
    quote: Quote,
    flow: Flow,
    /// When the last trade or quote came.
    heard: Option<Ts>,
    symbols: Vec<Symbol>,
    /// The stretch of open session looked up last, and the instants for which it is the answer.
    stretch: Option<(Ts, Ts)>,
    outside: u64,
}

impl TimeBars {
    pub fn new(settings: Settings, calendar: Calendar) -> Self {
        TimeBars {
            settings,
            sessions: Sessions::new(calendar),
            open: None,
            last: None,
            seg: 0,
            quote: Quote::default(),
            flow: Flow::default(),
            heard: None,
            symbols: Vec::new(),
            stretch: None,
            outside: 0,
        }
    }

    /// Takes a trade, a quote or a heartbeat and gives the bars that it closes.
    pub fn tick(&mut self, tick: &Tick, out: &mut BarBuilder) -> Result<()> {
        self.advance(tick.ts, out);
        if let Some(price) = tick.price {
            let size = tick.size.ok_or_else(|| Error::data("a trade without size"))?;
            if !(0..=LARGEST).contains(&size) {
                return Err(Error::data(format!("a trade of size {size}")));
            }
            self.heard = Some(tick.ts);
            if size > 0 && self.keeps(tick.ts) {
                let side = |wanted| tick.side.map(|side| if side == wanted { size } else { 0 });
                let traded = Bar {
                    ts: self.settings.interval.end_of(tick.ts),
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: size,
                    buy_volume: side(Side::Buy),
                    sell_volume: side(Side::Sell),
                    trades: Some(1),
                    vwap: Some(price),
                    symbol: self.settings.symbol.unwrap_or(tick.symbol),
                    ..Bar::default()
                };
                self.add(&traded, tick.ts)?;
            }
        }
        if tick.bid.is_some() || tick.ask.is_some() {
            let quote =
                Quote { bid: tick.bid, ask: tick.ask, bid_size: tick.bid_size, ask_size: tick.ask_size };
            self.flow.add(&self.quote, &quote, self.settings.interval.end_of(tick.ts));
            self.quote = quote;
            self.heard = Some(tick.ts);
        }
        Ok(())
    }

    /// Takes a finer bar and gives the bars that it closes. A bar without volume only says that time passed.
    pub fn bar(&mut self, bar: &Bar, out: &mut BarBuilder) -> Result<()> {
        let inside = bar.ts - 1;
        self.advance(inside, out);
        self.quote = Quote { bid: bar.bid, ask: bar.ask, bid_size: bar.bid_size, ask_size: bar.ask_size };
        if !(0..=LARGEST).contains(&bar.volume) {
            return Err(Error::data(format!("a bar of volume {}", bar.volume)));
        }
        self.flow.of_bar(bar.ofi, self.settings.interval.end_of(inside));
        let heard = bar.age_ms.map(|age| bar.ts.saturating_sub(age.saturating_mul(MILLI)).max(0));
        self.heard = heard.or(self.heard);
        if bar.volume > 0 && self.keeps(inside) {
            let symbol = self.settings.symbol.unwrap_or(bar.symbol);
            self.add(&Bar { ts: self.settings.interval.end_of(inside), symbol, ..*bar }, inside)?;
        }
        // What is known at its stamp closes the interval that ends there.
        self.advance(bar.ts, out);
        Ok(())
    }

    /// Gives the bar that is still open: at the end of the input it is all there will be.
    pub fn end(&mut self, out: &mut BarBuilder) {
        if let Some(open) = self.open.take() {
            self.emit(open, out);
        }
    }

    /// Returns how many bars so far lay outside the calendar's sessions.
    pub fn outside(&self) -> u64 {
        self.outside
    }

    /// Closes and carries forward every interval that ends at or before `now`.
    fn advance(&mut self, now: Ts, out: &mut BarBuilder) {
        if let Some(open) = self.open.take_if(|open| open.bar.ts <= now) {
            self.emit(open, out);
        }
        if self.open.is_some() {
            return;
        }
        while let Some(end) = self.carried(now) {
            self.carry(end, out);
        }
    }

    /// Returns the end of the next interval to carry forward, if there is one by `now`.
    fn carried(&self, now: Ts) -> Option<Ts> {
        let last = self.last.as_ref()?;
        let end = last.bar.ts + self.settings.interval.nanos();
        let (_, close) = last.stretch?;
        let allowed = last.traded + self.settings.carry_s * SECOND;
        (end <= now && end <= allowed.min(close)).then_some(end)
    }

    fn carry(&mut self, end: Ts, out: &mut BarBuilder) {
        let Some(last) = &mut self.last else { return };
        let close = last.bar.close;
        let zero = |count: Option<i64>| count.map(|_| 0);
        let mut bar =
            Bar { ts: end, open: close, high: close, low: close, volume: 0, vwap: None, ..last.bar };
        (bar.buy_volume, bar.sell_volume, bar.trades) =
            (zero(bar.buy_volume), zero(bar.sell_volume), zero(bar.trades));
        self.quote.close(&mut bar);
        bar.ofi = self.flow.take(end);
        bar.age_ms = self.heard.map(|heard| (end - heard) / MILLI);
        last.bar = bar;
        if !self.settings.sparse {
            out.push(&bar);
        }
    }

    /// Says whether the filter keeps the instant, and remembers its stretch of open session.
    fn keeps(&mut self, instant: Ts) -> bool {
        if !self.stretch.is_some_and(|(from, to)| (from..to).contains(&instant)) {
            let filter = self.settings.filter;
            self.stretch = self.sessions.day(instant).and_then(|day| day.stretch(instant, filter));
        }
        self.stretch.is_some() || self.settings.filter == Filter::All
    }

    /// Adds what traded at `instant` to the interval it belongs to.
    fn add(&mut self, traded: &Bar, instant: Ts) -> Result<()> {
        // A value times its volume is a whole number of parts again, however it was divided.
        let value = (traded.vwap.unwrap_or(0.0) * traded.volume as f64 * PARTS).round() as i64;
        match &mut self.open {
            Some(open) => {
                let bar = &mut open.bar;
                if bar.symbol != traded.symbol {
                    let text = format!(
                        "{} and {} within one bar: one instrument a stream",
                        bar.symbol, traded.symbol
                    );
                    return Err(Error::data(text));
                }
                bar.high = bar.high.max(traded.high);
                bar.low = bar.low.min(traded.low);
                bar.close = traded.close;
                bar.volume = bar.volume.saturating_add(traded.volume);
                bar.buy_volume = sum(bar.buy_volume, traded.buy_volume);
                bar.sell_volume = sum(bar.sell_volume, traded.sell_volume);
                bar.trades = sum(bar.trades, traded.trades);
                open.value = open.value.saturating_add(value);
            }
            None => {
                let stretch = self.stretch.filter(|(from, to)| (*from..*to).contains(&instant));
                if self.breaks(traded, stretch) {
                    self.seg += 1;
                }
                self.symbol(traded.symbol)?;
                self.outside += u64::from(stretch.is_none());
                self.open = Some(Open { bar: Bar { seg: self.seg, ..*traded }, value, stretch });
            }
        }
        Ok(())
    }

    /// Says whether a bar begins a new segment.
    fn breaks(&self, bar: &Bar, stretch: Option<(Ts, Ts)>) -> bool {
        let Some(last) = &self.last else { return false };
        let hole = bar.ts - self.settings.interval.nanos() - last.traded > self.settings.carry_s * SECOND;
        hole || last.stretch != stretch || last.bar.symbol != bar.symbol
    }

    /// Notes a roll. A symbol that comes back is not a roll but a second instrument.
    fn symbol(&mut self, symbol: Symbol) -> Result<()> {
        if self.symbols.last() == Some(&symbol) {
            return Ok(());
        }
        if self.symbols.contains(&symbol) {
            let other = self.symbols.last().copied().unwrap_or_default();
            return Err(Error::data(format!("{symbol} and {other} take turns: one instrument a stream")));
        }
        self.symbols.push(symbol);
        Ok(())
    }

    fn emit(&mut self, open: Open, out: &mut BarBuilder) {
        let Open { mut bar, value, stretch } = open;
        bar.vwap = bar.vwap.map(|_| value as f64 / (bar.volume as f64 * PARTS));
        self.quote.close(&mut bar);
        bar.ofi = self.flow.take(bar.ts);
        bar.age_ms = self.heard.map(|heard| ((bar.ts - heard) / MILLI).max(0));
        self.last = Some(Last { bar, traded: bar.ts, stretch });
        out.push(&bar);
    }
}

/// Adds counts, of which one may be unknown.
fn sum(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}
