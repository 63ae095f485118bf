//! What the market hub tells of a contract, as ticks: partial quotes merged, the book kept for the sizes of the best
//! prices, prices that cannot be believed left out. Pure.
//!
//! The sizes of a quote are those of the book when the quote comes; the book alone makes no tick. Else a feed whose
//! quotes stand still under a live book would look alive in the data.

use std::collections::BTreeMap;

use mes_core::{
    plausible::{BREAK, Prices, Quotation},
    price::Price,
    symbol::Symbol,
    tick::Tick,
    time::{SECOND, Ts},
};
use mes_projectx::wire::{Decimal, Depth, DepthKind, Print, Quote};

/// More contracts than are ever traded at once, or rest at a price.
const MOST: i64 = 10_000_000;
/// Levels of a side that are kept: the rest is far from any price.
const LEVELS: usize = 1_000;

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// A price off the grid, a size that cannot be.
    Malformed,
    /// A price that no market makes.
    Implausible,
}

/// What is known of a contract.
#[derive(Debug)]
pub struct Market {
    symbol: Symbol,
    bid: Option<Price>,
    ask: Option<Price>,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    /// The quote that was told last.
    told: Option<Tick>,
    prices: Prices,
    priced_at: Option<Ts>,
}

impl Market {
    /// Begins with nothing known.
    pub fn new(symbol: Symbol) -> Market {
        Market {
            symbol,
            bid: None,
            ask: None,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            told: None,
            prices: Prices::default(),
            priced_at: None,
        }
    }

    /// Forgets quote and book: what has changed of them meanwhile is not known.
    pub fn forget(&mut self) {
        (self.bid, self.ask, self.told) = (None, None, None);
        self.bids.clear();
        self.asks.clear();
    }

    /// Returns whose market it is.
    pub fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// Takes in that the quote that was returned last was not sent.
    pub fn untold(&mut self) {
        self.told = None;
    }

    /// Returns a trade.
    ///
    /// # Errors
    ///
    /// Why it is to be left out.
    pub fn print(&mut self, print: &Print) -> Result<Tick, Odd> {
        let price = price(print.price)?;
        if !(1..=MOST).contains(&print.volume) {
            return Err(Odd::Malformed);
        }
        self.believe([price; 3], print.timestamp.ts(), true)?;
        let (price, size) = (Some(price.points()), Some(print.volume));
        Ok(Tick { price, size, side: print.side.known(), symbol: self.symbol, ..Tick::default() })
    }

    /// Takes in the trades of a second, the prices being high, low and close.
    ///
    /// # Errors
    ///
    /// Why they are to be left out.
    pub fn traded(&mut self, prices: [i64; 3], ts: Ts) -> Result<(), Odd> {
        self.believe(prices.map(Price::from_ticks), ts, true)
    }

    /// Puts what has changed onto the quote, and returns it where it is another one now.
    ///
    /// # Errors
    ///
    /// Why it is to be left out, whole.
    pub fn quote(&mut self, change: &Quote, ts: Ts) -> Result<Option<Tick>, Odd> {
        let [bid, ask] = [change.best_bid, change.best_ask].map(|side| side.map(price).transpose());
        let (bid, ask) = (bid?, ask?);
        for side in [bid, ask].into_iter().flatten() {
            self.believe([side; 3], ts, false)?;
        }
        (self.bid, self.ask) = (bid.or(self.bid), ask.or(self.ask));
        // What lies beyond the best price has gone, whether or not somebody says so.
        if let Some(bid) = self.bid {
            drop(self.bids.split_off(&(bid.ticks() + 1)));
        }
        if let Some(ask) = self.ask {
            self.asks = self.asks.split_off(&ask.ticks());
        }
        let quote = self.best();
        let told = quote.bid.is_some() || quote.ask.is_some();
        Ok((told && self.told != Some(quote)).then(|| *self.told.insert(quote)))
    }

    /// Returns a quote without an ask: of how the market stands nothing is known any more. `None` where nothing was told.
    pub fn blind(&mut self) -> Option<Tick> {
        let told = self.told.take().filter(|told| told.bid.is_some())?;
        Some(Tick { bid: told.bid, symbol: self.symbol, ..Tick::default() })
    }

    /// Takes a change of the book in.
    pub fn depth(&mut self, changes: &[Depth]) {
        for change in changes {
            let side = match change.kind {
                DepthKind::Bid => &mut self.bids,
                DepthKind::Ask => &mut self.asks,
                DepthKind::Reset => {
                    self.bids.clear();
                    self.asks.clear();
                    continue;
                }
                // Pointers to the best price, trades, marks of the day: no levels.
                _ => continue,
            };
            let Some(ticks) = change.price.ticks() else { continue };
            match change.current_volume.unwrap_or(change.volume) {
                size @ 1..=MOST if side.len() < LEVELS => drop(side.insert(ticks, size)),
                _ => drop(side.remove(&ticks)),
            }
        }
    }

    /// Returns the best prices and their sizes. A side that no quote has told yet is that of the book.
    fn best(&self) -> Tick {
        let top = (self.bids.keys().next_back(), self.asks.keys().next());
        let top = match top {
            (Some(bid), Some(ask)) if bid < ask => {
                (Some(Price::from_ticks(*bid)), Some(Price::from_ticks(*ask)))
            }
            _ => (None, None),
        };
        let (bid, ask) = (self.bid.or(top.0), self.ask.or(top.1));
        let size = |side: &BTreeMap<i64, i64>, price: Option<Price>| side.get(&price?.ticks()).copied();
        Tick {
            bid: bid.map(Price::points),
            ask: ask.map(Price::points),
            bid_size: size(&self.bids, bid),
            ask_size: size(&self.asks, ask),
            symbol: self.symbol,
            ..Tick::default()
        }
    }

    fn believe(&mut self, [high, low, close]: [Price; 3], ts: Ts, traded: bool) -> Result<(), Odd> {
        let breaks = self.priced_at.is_some_and(|before| ts.saturating_sub(before) > BREAK);
        let [high, low, close] = [high, low, close].map(Price::points);
        if self.prices.push(Quotation { low, high, close, traded }, breaks, SECOND).is_implausible() {
            return Err(Odd::Implausible);
        }
        self.priced_at = Some(ts);
        Ok(())
    }
}

fn price(decimal: Decimal) -> Result<Price, Odd> {
    decimal.ticks().filter(|ticks| *ticks > 0).map(Price::from_ticks).ok_or(Odd::Malformed)
}

#[cfg(test)]
mod tests {
    use mes_projectx::wire::{Side, Stamp};

    use super::*;

    fn market() -> Market {
        Market::new("MESZ6".parse().expect("short"))
    }

    fn quote(bid: Option<i64>, ask: Option<i64>) -> Quote {
        Quote {
            best_bid: bid.map(Decimal::of_ticks),
            best_ask: ask.map(Decimal::of_ticks),
            ..Quote::default()
        }
    }

    fn level(kind: DepthKind, ticks: i64, size: i64) -> Depth {
        let price = Decimal::of_ticks(ticks);
        Depth { timestamp: Stamp::of(0), kind, price, volume: size, current_volume: None }
    }

    fn print(ticks: i64, volume: i64) -> Print {
        let price = Decimal::of_ticks(ticks);
        Print { symbol_id: None, price, timestamp: Stamp::of(0), side: Side::Bid, volume }
    }

    #[test]
    fn a_quote_is_what_was_told_of_it_piece_by_piece() {
        let mut market = market();
        let sides = |tick: Option<Tick>| tick.map(|tick| (tick.bid, tick.ask));
        assert_eq!(market.quote(&quote(None, None), 0), Ok(None));
        assert_eq!(market.quote(&quote(Some(100), None), 0).map(sides), Ok(Some((Some(25.0), None))));
        assert_eq!(market.quote(&quote(None, Some(101)), 0).map(sides), Ok(Some((Some(25.0), Some(25.25)))));
        assert_eq!(market.quote(&quote(None, Some(101)), 0), Ok(None), "the same");
        assert_eq!(market.quote(&quote(None, Some(102)), 0).map(sides), Ok(Some((Some(25.0), Some(25.5)))));
        assert_eq!(sides(market.blind()), Some((Some(25.0), None)));
        assert_eq!(market.blind(), None, "once");
        assert!(market.quote(&quote(None, None), 0).is_ok_and(|tick| tick.is_some()), "told again");
        market.forget();
        assert_eq!(market.quote(&quote(None, None), 0), Ok(None));
    }

    #[test]
    fn sizes_are_those_of_the_book_and_pointers_are_no_levels() {
        let mut market = market();
        let sizes = |tick: Result<Option<Tick>, Odd>| {
            let tick = tick.ok().flatten().expect("another quote");
            (tick.bid, tick.ask, tick.bid_size, tick.ask_size)
        };
        let whole = [
            (DepthKind::Bid, 99, 7),
            (DepthKind::Bid, 100, 5),
            (DepthKind::Ask, 101, 3),
            (DepthKind::Ask, 102, 4),
        ];
        market.depth(&whole.map(|(kind, ticks, size)| level(kind, ticks, size)));
        for kind in [3, 4, 9, 10, 5, 7, 8, 0, 11, 99] {
            market.depth(&[level(DepthKind::of(kind), 150, 1), level(DepthKind::of(kind), 50, 1)]);
        }
        // Nobody has told the quote yet: it is that of the book.
        assert_eq!(sizes(market.quote(&quote(None, None), 0)), (Some(25.0), Some(25.25), Some(5), Some(3)));
        assert_eq!(
            sizes(market.quote(&quote(Some(99), None), 0)),
            (Some(24.75), Some(25.25), Some(7), Some(3))
        );
        market.depth(&[level(DepthKind::Ask, 101, 0), level(DepthKind::Bid, 99, 8)]);
        assert_eq!(
            sizes(market.quote(&quote(None, Some(102)), 0)),
            (Some(24.75), Some(25.5), Some(8), Some(4))
        );
        // A level that the quote has left behind is no level of the next one.
        assert_eq!(sizes(market.quote(&quote(Some(100), None), 0)).2, None);
        market.depth(&[level(DepthKind::Reset, 0, 0)]);
        assert_eq!(sizes(market.quote(&quote(None, Some(101)), 0)), (Some(25.0), Some(25.25), None, None));
    }

    #[test]
    fn what_cannot_be_is_left_out_and_a_price_that_is_confirmed_is_not() {
        let mut market = market();
        assert!(market.print(&print(20_000, 1)).is_ok());
        for (ticks, volume) in [(0, 1), (-5, 1), (20_000, 0), (20_000, -1), (20_000, i64::MAX)] {
            assert_eq!(market.print(&print(ticks, volume)), Err(Odd::Malformed));
        }
        let off = Print { price: "5000.1".parse().expect("a number"), ..print(1, 1) };
        assert_eq!(market.print(&off), Err(Odd::Malformed));
        assert_eq!(market.print(&print(2_000, 1)), Err(Odd::Implausible));
        assert_eq!(market.quote(&quote(Some(2_000), None), 0), Err(Odd::Implausible));
        assert!(market.print(&print(20_001, 1)).is_ok(), "a lone one changes nothing");
        let odd = (0..20).filter(|_| market.print(&print(30_000, 1)).is_err()).count();
        assert_eq!(odd, 9);
    }
}
