//! What the exchange knows of a contract's market: quote, last trade, the session's figures, bars.

use mes_core::{order::Side, price::Price, tick::Tick, time::Ts};

use super::{bars::Bars, instrument::Instrument};

/// The market of one contract. Prices are ticks.
#[derive(Clone, Debug)]
pub struct Market {
    pub instrument: Instrument,
    pub bid: Option<i64>,
    pub ask: Option<i64>,
    pub last: Option<i64>,
    /// Of the session.
    pub open: Option<i64>,
    pub high: i64,
    pub low: i64,
    pub volume: i64,
    /// The last trade of the session before.
    pub before: Option<i64>,
    /// The quote came with the data, and not from the last trade.
    quoted: bool,
    pub bars: Bars,
}

/// What a tick changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub bid: Option<i64>,
    pub ask: Option<i64>,
    pub trade: Option<Print>,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    pub price: i64,
    pub size: i64,
    /// Of the one who crossed the spread.
    pub side: Side,
}

impl Market {
    /// Makes one of which nothing is known.
    pub fn new(instrument: Instrument) -> Market {
        Market {
            instrument,
            bid: None,
            ask: None,
            last: None,
            open: None,
            high: 0,
            low: 0,
            volume: 0,
            before: None,
            quoted: false,
            bars: Bars::default(),
        }
    }

    /// Takes a tick in. What is off the grid is passed over: no such price was ever quoted.
    pub fn take(&mut self, ts: Ts, tick: &Tick) -> Change {
        let whole = |points: Option<f64>| {
            let price = points.and_then(|points| Price::of(points).ok());
            price.map(Price::ticks).filter(|ticks| *ticks > 0)
        };
        let mut change = Change::default();
        let mut quote = [whole(tick.bid), whole(tick.ask)];
        self.quoted |= quote.iter().any(Option::is_some);
        if let Some(price) = whole(tick.price) {
            let size = tick.size.unwrap_or(1).max(1);
            let side = tick.side.unwrap_or_else(|| self.crossed(price));
            change.trade = Some(Print { price, size, side });
            self.trade(ts, price, size);
            if !self.quoted {
                quote = [Some(price - 1), Some(price + 1)];
            }
        }
        if let [Some(bid), Some(ask)] = quote
            && bid >= ask
        {
            // Crossed or locked is no quote.
            return change;
        }
        for (side, known, changed) in
            [(quote[0], &mut self.bid, &mut change.bid), (quote[1], &mut self.ask, &mut change.ask)]
        {
            if side.is_some() && side != *known {
                (*known, *changed) = (side, side);
            }
        }
        // One side alone has moved through the other, which has to give way.
        if let (Some(bid), Some(ask)) = (self.bid, self.ask)
            && bid >= ask
        {
            if change.bid.is_some() {
                (self.ask, change.ask) = (Some(bid + 1), Some(bid + 1));
            } else {
                (self.bid, change.bid) = (Some(ask - 1), Some(ask - 1));
            }
        }
        change
    }

    /// Guesses by the tick rule who crossed the spread.
    fn crossed(&self, price: i64) -> Side {
        if self.ask.is_some_and(|ask| price >= ask) || self.last.is_some_and(|last| price > last) {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn trade(&mut self, ts: Ts, price: i64, size: i64) {
        self.last = Some(price);
        if self.open.is_none() {
            (self.open, self.high, self.low) = (Some(price), price, price);
        }
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.volume = self.volume.saturating_add(size);
        self.bars.trade(ts, price, size);
    }

    /// Begins a session: its figures are of its own.
    pub fn begin_session(&mut self) {
        self.before = self.last;
        self.open = None;
        self.volume = 0;
    }

    /// Returns the price at which a market order of that side fills.
    pub fn opposite(&self, side: Side, unquoted_slippage: i64) -> Option<i64> {
        match side {
            Side::Buy => self.ask.or(self.last.map(|last| last + unquoted_slippage)),
            Side::Sell => self.bid.or(self.last.map(|last| last - unquoted_slippage)),
        }
    }

    /// Returns the price that a position of that side is worth: a long's at the bid.
    pub fn mark(&self, side: Side) -> Option<i64> {
        match side {
            Side::Buy => self.bid.or(self.last),
            Side::Sell => self.ask.or(self.last),
        }
    }
}
