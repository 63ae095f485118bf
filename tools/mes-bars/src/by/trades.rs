//! Bars that end by what was traded, not by the clock: the part that all such kinds share.
//!
//! A [`Rule`] says after each trade whether the bar is complete; the bar is then stamped with the time of that trade,
//! the instant at which it is known. Trades are never split: the one that completes a bar belongs to it whole, so a bar
//! may hold more than was asked for. Several bars can have one stamp.
//!
//! A bar also ends, short of its size, where a segment does: with the stretch of open session (stamped with its end),
//! after a hole longer than `carry_s` (stamped that long after the last trade), at a roll (stamped with the first trade
//! of the next contract), and with the input (stamped with its last record). There are no empty rows. Which session a bar is
//! of is told by its `seg`: a trade at 09:30:00 sharp may complete a bar of the session that it opens.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    order::Side,
    session::Filter,
    symbol::Symbol,
    tick::Tick,
    time::{SECOND, Ts},
};
use mes_pipe::{BarBuilder, Result};

use crate::by::{open::Open, source::Source};

/// What decides the rows, beside the rule.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub filter: Filter,
    /// The longest time between two trades of one segment.
    pub carry_s: i64,
    /// Takes the place of whatever the input says.
    pub symbol: Option<Symbol>,
}

/// A trade, as a rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Trade {
    pub price: f64,
    /// The side of the one who crossed the spread, where it is known.
    pub side: Option<Side>,
}

/// What completes a bar. The state of a rule lives as long as the stream.
pub trait Rule {
    /// Takes the trade that was added to `open` last and says whether it completes the bar.
    fn completes(&mut self, trade: &Trade, open: &Open) -> bool;

    /// Notes that a segment ended, and with it the bar, if there is one. The next trade begins both anew.
    fn cut(&mut self) {}
}

/// The trade before.
struct Last {
    ts: Ts,
    stretch: Option<(Ts, Ts)>,
    symbol: Symbol,
}

/// Turns ticks, in the order of time, into bars that a rule completes.
pub struct TradeBars {
    settings: Settings,
    source: Source,
    rule: Box<dyn Rule>,
    open: Option<Open>,
    last: Option<Last>,
    seg: i64,
    /// The time of the last record.
    now: Ts,
    outside: u64,
}

impl TradeBars {
    /// Starts before the first record, with the rule that ends a bar.
    pub fn new(settings: Settings, calendar: Calendar, rule: Box<dyn Rule>) -> Self {
        TradeBars {
            settings,
            source: Source::new(settings.filter, settings.symbol, calendar),
            rule,
            open: None,
            last: None,
            seg: 0,
            now: 0,
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
        let mut complete = false;
        if let Some(traded) = self.source.trade(tick)? {
            complete = self.add(&traded, tick.side, out)?;
        }
        // The quote of the same record is known with the trade.
        self.source.hear(tick, self.flow_key())?;
        if complete {
            self.emit(tick.ts, out);
        }
        Ok(())
    }

    /// Gives the bar that is still open: at the end of the input it is all there will be.
    pub fn end(&mut self, out: &mut BarBuilder) {
        self.emit(self.now, out);
    }

    /// Returns how many bars so far began outside the calendar's sessions.
    pub fn outside(&self) -> u64 {
        self.outside
    }

    /// Ends the open bar if its stretch or its patience has ended by `now`.
    fn advance(&mut self, now: Ts, out: &mut BarBuilder) {
        self.now = now;
        if self.open.is_none() {
            return;
        }
        let Some(last) = &self.last else { return };
        let close = last.stretch.map_or(Ts::MAX, |(_, close)| close);
        let hole = last.ts.saturating_add(self.settings.carry_s * SECOND);
        if now >= close || now > hole {
            self.emit(close.min(hole), out);
        }
    }

    /// Adds a trade to the bar it belongs to and says whether that is now complete.
    fn add(&mut self, traded: &Bar<f64>, side: Option<Side>, out: &mut BarBuilder) -> Result<bool> {
        let stretch = self.source.stretch(traded.ts);
        if self.breaks(traded, stretch) {
            // Only a roll, or an outing beyond the calendar, finds a bar still open.
            self.emit(traded.ts, out);
            self.rule.cut();
            self.seg += 1;
        }
        self.last = Some(Last { ts: traded.ts, stretch, symbol: traded.symbol });
        let open = match &mut self.open {
            Some(open) => {
                open.add(traded)?;
                open
            }
            None => {
                self.source.follow(traded.symbol)?;
                self.outside += u64::from(stretch.is_none());
                self.open.insert(Open::new(traded, self.seg, stretch))
            }
        };
        Ok(self.rule.completes(&Trade { price: traded.close, side }, open))
    }

    /// Says whether a trade begins a new segment.
    fn breaks(&self, traded: &Bar<f64>, stretch: Option<(Ts, Ts)>) -> bool {
        let Some(last) = &self.last else { return false };
        let hole = traded.ts > last.ts.saturating_add(self.settings.carry_s * SECOND);
        hole || last.stretch != stretch || last.symbol != traded.symbol
    }

    /// Gives the open bar, if there is one, stamped `ts`.
    fn emit(&mut self, ts: Ts, out: &mut BarBuilder) {
        let Some(open) = self.open.take() else { return };
        let mut bar = Bar { ts, ..open.close() };
        self.source.close(&mut bar, open.bar.seg);
        out.push(&bar);
    }

    /// Names the segment that order flow belongs to: what came before a segment's first trade is in no bar.
    fn flow_key(&self) -> i64 {
        if self.last.is_some() { self.seg } else { -1 }
    }
}
