//! What a stream of ticks or bars has told so far, whatever its bars end by: session, instrument, quote.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    order::Side,
    session::{Filter, Sessions},
    symbol::Symbol,
    tick::Tick,
    time::{MILLI, Ts},
};
use mes_pipe::{Error, Result};

use crate::by::flow::{Flow, Quote};

/// More contracts than were ever traded in a day; sums of so many never overflow.
pub const LARGEST: i64 = 1_000_000_000;

/// The state between records.
pub struct Source {
    filter: Filter,
    /// Takes the place of whatever the input says.
    symbol: Option<Symbol>,
    sessions: Sessions,
    /// The stretch of open session looked up last.
    stretch: Option<(Ts, Ts)>,
    symbols: Vec<Symbol>,
    quote: Quote,
    /// Whose quote it is.
    quoted: Symbol,
    flow: Flow,
    /// When the last trade or quote came.
    heard: Option<Ts>,
}

impl Source {
    /// Hears what the filter keeps, of one contract after the other, or of the one that is named.
    pub fn new(filter: Filter, symbol: Option<Symbol>, calendar: Calendar) -> Self {
        Source {
            filter,
            symbol,
            sessions: Sessions::new(calendar),
            stretch: None,
            symbols: Vec::new(),
            quote: Quote::default(),
            quoted: Symbol::default(),
            flow: Flow::default(),
            heard: None,
        }
    }

    /// Returns the trade within a tick as a bar of its own, stamped with its time; `None` for quotes, heartbeats
    /// and what the filter drops.
    ///
    /// # Errors
    ///
    /// `Data` for a trade without size, or of a size that cannot be.
    pub fn trade(&mut self, tick: &Tick) -> Result<Option<Bar<f64>>> {
        let Some(price) = tick.price else { return Ok(None) };
        let size = tick.size.ok_or_else(|| Error::data("a trade without size"))?;
        if !(0..=LARGEST).contains(&size) {
            return Err(Error::data(format!("a trade of size {size}")));
        }
        if size == 0 || !self.keeps(tick.ts) {
            return Ok(None);
        }
        let side = |wanted| tick.side.map(|side| if side == wanted { size } else { 0 });
        Ok(Some(Bar {
            ts: tick.ts,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: size,
            buy_volume: side(Side::Buy),
            sell_volume: side(Side::Sell),
            trades: Some(1),
            vwap: Some(price),
            symbol: self.symbol.unwrap_or(tick.symbol),
            ..Bar::default()
        }))
    }

    /// Returns what traded within a finer bar; `None` where nothing did or the filter drops it.
    ///
    /// # Errors
    ///
    /// `Data` for a volume that cannot be.
    pub fn traded(&mut self, bar: &Bar<f64>) -> Result<Option<Bar<f64>>> {
        if !(0..=LARGEST).contains(&bar.volume) {
            return Err(Error::data(format!("a bar of volume {}", bar.volume)));
        }
        let kept = bar.volume > 0 && self.keeps(bar.ts - 1);
        Ok(kept.then(|| Bar { symbol: self.symbol.unwrap_or(bar.symbol), ..*bar }))
    }

    /// Notes the quote of a tick and that something was heard; `end` names the bar that its flow belongs to.
    ///
    /// # Errors
    ///
    /// `Data` for a quote of a size that cannot be.
    pub fn hear(&mut self, tick: &Tick, end: Ts) -> Result<()> {
        let quoted = tick.bid.is_some() || tick.ask.is_some();
        if quoted {
            let quote =
                Quote { bid: tick.bid, ask: tick.ask, bid_size: tick.bid_size, ask_size: tick.ask_size };
            if let Some(size) = [tick.bid_size, tick.ask_size]
                .into_iter()
                .flatten()
                .find(|size| !(0..=LARGEST).contains(size))
            {
                return Err(Error::data(format!("a quote of size {size}")));
            }
            // The queues of two contracts have nothing to do with each other.
            let symbol = if tick.symbol == Symbol::default() { self.quoted } else { tick.symbol };
            let before = if self.quoted == symbol { self.quote } else { Quote::default() };
            self.flow.add(&before, &quote, end);
            (self.quote, self.quoted) = (quote, symbol);
        }
        if quoted || tick.price.is_some() {
            self.heard = Some(tick.ts);
        }
        Ok(())
    }

    /// Notes the quote at the close of a finer bar and its flow.
    pub fn hear_bar(&mut self, bar: &Bar<f64>, end: Ts) {
        self.quote = Quote { bid: bar.bid, ask: bar.ask, bid_size: bar.bid_size, ask_size: bar.ask_size };
        self.flow.of_bar(bar.ofi, end);
        self.age(bar.age_ms, bar.ts);
    }

    /// Notes the flow of a finer bar.
    pub fn note_flow(&mut self, ofi: Option<i64>, end: Ts) {
        self.flow.of_bar(ofi, end);
    }

    /// Returns the flow of a row that is a finer bar and nothing else.
    pub fn flow_of_bar(&mut self, ofi: Option<i64>, end: Ts) -> Option<i64> {
        self.flow.of_bar(ofi, end);
        self.flow.take(end)
    }

    /// Returns the age of a row that is a finer bar and nothing else.
    pub fn age_of_bar(&mut self, age_ms: Option<i64>, ts: Ts) -> Option<i64> {
        self.age(age_ms, ts);
        self.age_at(ts)
    }

    fn age(&mut self, age_ms: Option<i64>, ts: Ts) {
        let heard = age_ms.map(|age| ts.saturating_sub(age.saturating_mul(MILLI)).max(0));
        self.heard = heard.or(self.heard);
    }

    fn age_at(&self, ts: Ts) -> Option<i64> {
        self.heard.map(|heard| ((ts - heard) / MILLI).max(0))
    }

    /// Puts quote, flow and age into a bar that closes; `end` names it as in [`Source::hear`].
    pub fn close(&mut self, bar: &mut Bar<f64>, end: Ts) {
        self.quote.close(bar);
        bar.ofi = self.flow.take(end);
        bar.age_ms = self.age_at(bar.ts);
    }

    /// Returns the stretch of open session around `instant`, which the filter keeps.
    pub fn stretch(&self, instant: Ts) -> Option<(Ts, Ts)> {
        self.stretch.filter(|(from, to)| (*from..*to).contains(&instant))
    }

    /// Returns the instant up to which the filter drops everything from `instant` on, for all it can tell at once;
    /// `instant` itself where it is kept.
    pub fn dropped_until(&mut self, instant: Ts) -> Ts {
        if self.keeps(instant) {
            return instant;
        }
        let Some(day) = self.sessions.day(instant) else { return instant };
        let pairs = [day.rth, day.pause, day.outage].into_iter().flatten().flat_map(|(from, to)| [from, to]);
        let cuts = pairs.chain([day.open, day.close]);
        cuts.filter(|cut| *cut > instant).min().unwrap_or(instant)
    }

    /// Notes a roll. A symbol that comes back is not a roll but a second instrument.
    ///
    /// # Errors
    ///
    /// `Data` for a contract that was left before.
    pub fn follow(&mut self, symbol: Symbol) -> Result<()> {
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

    /// Says whether the filter keeps the instant, and remembers its stretch of open session.
    fn keeps(&mut self, instant: Ts) -> bool {
        if !self.stretch.is_some_and(|(from, to)| (from..to).contains(&instant)) {
            let filter = self.filter;
            self.stretch = self.sessions.day(instant).and_then(|day| day.stretch(instant, filter));
        }
        self.stretch.is_some() || self.filter == Filter::All
    }
}
