//! Bars that end on a grid of time.
//!
//! A traded interval gives a row; the intervals after it are carried forward while the session is open, at most
//! `carry_s` of them; then rows stop until the next trade, which begins a new segment. So whether a row exists
//! never depends on what comes later.

mod runs;

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    session::Filter,
    symbol::Symbol,
    tick::Tick,
    time::{SECOND, Ts},
};
use mes_pipe::{BarBuilder, Result};

use crate::by::{open::Open, source::Source};

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

/// The row given last, of which the next one is the continuation.
struct Last {
    bar: Bar<f64>,
    /// The end of the last interval that traded.
    traded: Ts,
    stretch: Option<(Ts, Ts)>,
}

/// Turns ticks or bars, in the order of time, into bars.
pub struct TimeBars {
    settings: Settings,
    source: Source,
    open: Option<Open>,
    last: Option<Last>,
    seg: i64,
    outside: u64,
}

impl TimeBars {
    /// Starts before the first record.
    pub fn new(settings: Settings, calendar: Calendar) -> Self {
        TimeBars {
            settings,
            source: Source::new(settings.filter, settings.symbol, calendar),
            open: None,
            last: None,
            seg: 0,
            outside: 0,
        }
    }

    /// Takes a trade, a quote or a heartbeat and gives the bars that it closes.
    ///
    /// # Errors
    ///
    /// `Data` for a trade without size or of one that cannot be, or a contract within the bar of another or left before.
    pub fn tick(&mut self, tick: &Tick, out: &mut BarBuilder) -> Result<()> {
        self.advance(tick.ts, out);
        let end = self.settings.interval.end_of(tick.ts);
        if let Some(traded) = self.source.trade(tick)? {
            self.add(&Bar { ts: end, ..traded }, tick.ts)?;
        }
        self.source.hear(tick, end)
    }

    /// Takes a finer bar and gives the bars that it closes. A bar without volume only says that time passed.
    ///
    /// # Errors
    ///
    /// `Data` for a volume that cannot be, or a contract within the bar of another or left before.
    pub fn bar(&mut self, bar: &Bar<f64>, out: &mut BarBuilder) -> Result<()> {
        let inside = bar.ts - 1;
        self.advance(inside, out);
        let end = self.settings.interval.end_of(inside);
        let traded = self.source.traded(bar)?;
        self.source.hear_bar(bar, end);
        if let Some(traded) = traded {
            self.add(&Bar { ts: end, ..traded }, inside)?;
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
        self.source.close(&mut bar, end);
        last.bar = bar;
        if !self.settings.sparse {
            out.push(&bar);
        }
    }

    /// Adds what traded at `instant` to the interval it belongs to.
    fn add(&mut self, traded: &Bar<f64>, instant: Ts) -> Result<()> {
        match &mut self.open {
            Some(open) => open.add(traded)?,
            None => {
                let stretch = self.source.stretch(instant);
                if self.breaks(traded, stretch) {
                    self.seg += 1;
                }
                self.source.follow(traded.symbol)?;
                self.outside += u64::from(stretch.is_none());
                self.open = Some(Open::new(traded, self.seg, stretch));
            }
        }
        Ok(())
    }

    /// Says whether a bar begins a new segment.
    fn breaks(&self, bar: &Bar<f64>, stretch: Option<(Ts, Ts)>) -> bool {
        let Some(last) = &self.last else { return false };
        let hole = bar.ts - self.settings.interval.nanos() - last.traded > self.settings.carry_s * SECOND;
        hole || last.stretch != stretch || last.bar.symbol != bar.symbol
    }

    fn emit(&mut self, open: Open, out: &mut BarBuilder) {
        let (mut bar, stretch) = (open.close(), open.stretch);
        let end = bar.ts;
        self.source.close(&mut bar, end);
        self.last = Some(Last { bar, traded: bar.ts, stretch });
        out.push(&bar);
    }
}
