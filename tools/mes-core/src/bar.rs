//! What happened in one interval.

use crate::{
    bounds::{self, Fault},
    price::Price,
    symbol::Symbol,
    time::Ts,
};

/// The half-open interval that ends at `ts`, the instant it became known. Volumes in contracts.
///
/// Prices are whole ticks. A `Bar<f64>` holds points as a table has them: they may be mid prices, or adjusted by a
/// ratio, which lie on no grid and are never traded at.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Bar<P = Price> {
    pub ts: Ts,
    pub open: P,
    pub high: P,
    pub low: P,
    pub close: P,
    pub volume: i64,
    pub buy_volume: Option<i64>,
    pub sell_volume: Option<i64>,
    /// How many trades.
    pub trades: Option<i64>,
    /// The quote at the close.
    pub bid: Option<P>,
    pub ask: Option<P>,
    pub bid_size: Option<i64>,
    pub ask_size: Option<i64>,
    /// Order-flow imbalance: Σeₙ of Cont, Kukanov and Stoikov (2014), in contracts.
    pub ofi: Option<i64>,
    /// In points: a mean lies on no grid.
    pub vwap: Option<f64>,
    /// Milliseconds since the last trade or quote.
    pub age_ms: Option<i64>,
    /// Counts the unbroken stretches of a stream; nothing may be computed across a change.
    pub seg: i64,
    pub symbol: Symbol,
}

impl Bar<f64> {
    /// Puts every price on the grid of ticks.
    ///
    /// # Errors
    ///
    /// A column whose price is off it.
    #[inline]
    pub fn on_grid(&self) -> Result<Bar, Fault> {
        let side = |column, side: Option<f64>| side.map(|points| on_grid(column, points)).transpose();
        self.priced(side("bid", self.bid)?, side("ask", self.ask)?)
    }

    /// Does the same, but for a side of the quote that is off the grid: it is none, and absent.
    ///
    /// # Errors
    ///
    /// The first of open, high, low and close that is off it.
    #[inline]
    pub fn prices_on_grid(&self) -> Result<Bar, Fault> {
        let side = |side: Option<f64>| Price::of(side?).ok();
        self.priced(side(self.bid), side(self.ask))
    }

    #[inline]
    fn priced(&self, bid: Option<Price>, ask: Option<Price>) -> Result<Bar, Fault> {
        Ok(Bar {
            ts: self.ts,
            open: on_grid("open", self.open)?,
            high: on_grid("high", self.high)?,
            low: on_grid("low", self.low)?,
            close: on_grid("close", self.close)?,
            volume: self.volume,
            buy_volume: self.buy_volume,
            sell_volume: self.sell_volume,
            trades: self.trades,
            bid,
            ask,
            bid_size: self.bid_size,
            ask_size: self.ask_size,
            ofi: self.ofi,
            vwap: self.vwap,
            age_ms: self.age_ms,
            seg: self.seg,
            symbol: self.symbol,
        })
    }

    /// Checks that such a bar can be: every number within its bounds, and the prices of one range.
    ///
    /// # Errors
    ///
    /// The first column whose value cannot be, and why.
    pub fn check(&self) -> Result<(), Fault> {
        let prices = [("open", self.open), ("high", self.high), ("low", self.low), ("close", self.close)];
        for (column, price) in prices {
            bounds::check_price(column, Some(price))?;
        }
        for (column, price) in [("bid", self.bid), ("ask", self.ask), ("vwap", self.vwap)] {
            bounds::check_price(column, price)?;
        }
        for (column, count) in [
            ("volume", Some(self.volume)),
            ("buy_volume", self.buy_volume),
            ("sell_volume", self.sell_volume),
            ("trades", self.trades),
            ("bid_size", self.bid_size),
            ("ask_size", self.ask_size),
            ("ofi", self.ofi),
            ("age_ms", self.age_ms),
            ("seg", Some(self.seg)),
        ] {
            bounds::check_whole(column, count)?;
        }
        check_range([self.open, self.high, self.low, self.close])
    }
}

#[inline]
fn on_grid(column: &'static str, points: f64) -> Result<Price, Fault> {
    Price::of(points).map_err(|error| Fault::new(column, error.to_string()))
}

/// Says whether open and close lie within low and high: `[open, high, low, close]`, without a branch.
#[inline]
pub fn is_range([open, high, low, close]: [f64; 4]) -> bool {
    (low <= open) & (open <= high) & (low <= close) & (close <= high)
}

/// Checks the same.
///
/// # Errors
///
/// The column at fault, and why.
pub fn check_range(prices: [f64; 4]) -> Result<(), Fault> {
    let [open, high, low, close] = prices;
    if is_range(prices) {
        return Ok(());
    }
    if high < low {
        return Err(Fault::new("high", format!("{high} lies below the low of {low}")));
    }
    let (column, price) = if low <= open && open <= high { ("close", close) } else { ("open", open) };
    Err(Fault::new(column, format!("{price} does not lie within the low of {low} and the high of {high}")))
}

/// The columns that a stream of bars may lack.
pub const OPTIONAL: [&str; 10] =
    ["buy_volume", "sell_volume", "trades", "bid", "ask", "bid_size", "ask_size", "ofi", "vwap", "age_ms"];

/// Which of [`OPTIONAL`] a stream has. A column that cannot be known is absent, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Columns(u16);

impl Columns {
    /// Adds the column `name`; other names change nothing.
    pub fn with(self, name: &str) -> Self {
        OPTIONAL.iter().position(|column| *column == name).map_or(self, |index| Columns(self.0 | 1 << index))
    }

    /// Tells whether the optional column of this name is among them.
    pub fn has(self, name: &str) -> bool {
        OPTIONAL.iter().position(|column| *column == name).is_some_and(|index| self.0 & (1 << index) != 0)
    }
}

impl<'a> FromIterator<&'a str> for Columns {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        names.into_iter().fold(Columns::default(), Columns::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_off_the_grid_is_named_by_its_column_and_a_side_of_the_quote_may_be_absent() {
        let (bid, ask) = (Some(4999.75), Some(5000.25));
        let good = Bar { open: 5000.0, high: 5000.5, low: 4999.5, close: 5000.0, bid, ask, ..Bar::default() };
        let bar = good.on_grid().expect("on the grid");
        assert_eq!((bar.high - bar.low, bar.ask), (4, Some(Price::nearest(5000.25))));
        assert_eq!(good.prices_on_grid(), Ok(bar));
        for (column, wrong) in [
            ("open", Bar { open: 5000.1, ..good }),
            ("high", Bar { high: f64::INFINITY, ..good }),
            ("low", Bar { low: f64::NAN, ..good }),
            ("close", Bar { close: 1e300, ..good }),
        ] {
            assert_eq!(wrong.on_grid().map_err(|fault| fault.column), Err(column));
            assert_eq!(wrong.prices_on_grid(), wrong.on_grid());
        }
        let wrong = Bar { ask: Some(5000.1), ..good };
        let fault = wrong.on_grid().expect_err("off the grid").to_string();
        assert_eq!(fault, "column \"ask\": price 5000.1 is off the 0.25 tick grid");
        assert_eq!(wrong.prices_on_grid(), Ok(Bar { ask: None, ..bar }));
    }
}
