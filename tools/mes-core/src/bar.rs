//! What happened in one interval.

use crate::{
    bounds::{self, Fault},
    symbol::Symbol,
    time::Ts,
};

/// The half-open interval that ends at `ts`, the instant it became known. Prices in points, volumes in contracts.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Bar {
    pub ts: Ts,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: i64,
    pub buy_volume: Option<i64>,
    pub sell_volume: Option<i64>,
    /// How many trades.
    pub trades: Option<i64>,
    /// The quote at the close.
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    pub bid_size: Option<i64>,
    pub ask_size: Option<i64>,
    /// Order-flow imbalance: Σeₙ of Cont, Kukanov and Stoikov (2014), in contracts.
    pub ofi: Option<i64>,
    pub vwap: Option<f64>,
    /// Milliseconds since the last trade or quote.
    pub age_ms: Option<i64>,
    /// Counts the unbroken stretches of a stream; nothing may be computed across a change.
    pub seg: i64,
    pub symbol: Symbol,
}

impl Bar {
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
