//! What the numbers of a row can be, column by column: beyond these bounds a row is no fact of a market, and sums of what
//! lies within them never overflow (the variance of 30 volumes, n·Σv² − (Σv)², just fits into 64 bits).
//!
//! Whoever takes rows in asks here, a table column by column, a record by [`crate::row::Row`]. What a bar's prices
//! say of each other is in [`crate::bar`], what predictions mean in [`crate::prediction`].

use std::fmt;

/// The highest price, in points.
pub const MOST_POINTS: f64 = 1e6;
/// The most contracts of a row or a quote, and the most trades of a row.
pub const MOST_CONTRACTS: i64 = 100_000_000;
/// The most of what is only counted on: milliseconds (31 years), segments, order flow.
pub const MOST_COUNTED: i64 = 1_000_000_000_000;
/// The most contracts that a stage may ask for: those of the largest order.
const MOST_SIZE: f32 = 1e6;

/// The least and the most that a value can be.
pub type Bounds<T> = (T, T);

/// What cannot be, and in which column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub column: &'static str,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {:?}: {}", self.column, self.what)
    }
}

impl Fault {
    /// Says what is wrong in a column.
    pub fn new(column: &'static str, what: impl Into<String>) -> Fault {
        Fault { column, what: what.into() }
    }
}

/// Returns the bounds of a column of prices; 0 itself is no price.
pub fn price(name: &str) -> Option<Bounds<f64>> {
    ["open", "high", "low", "close", "price", "bid", "ask", "vwap"]
        .contains(&name)
        .then_some((f64::MIN_POSITIVE, MOST_POINTS))
}

/// Returns the bounds of a column of whole numbers.
pub fn whole(name: &str) -> Option<Bounds<i64>> {
    match name {
        "volume" | "buy_volume" | "sell_volume" | "trades" | "size" | "bid_size" | "ask_size" => {
            Some((0, MOST_CONTRACTS))
        }
        "age_ms" | "seg" => Some((0, MOST_COUNTED)),
        "ofi" => Some((-MOST_COUNTED, MOST_COUNTED)),
        _ => None,
    }
}

/// Returns the bounds of a column of predictions.
pub fn prediction(name: &str) -> Option<Bounds<f32>> {
    match name {
        "p_down" | "p_flat" | "p_up" | "p_conf" => Some((0.0, 1.0)),
        "p_dir" => Some((-1.0, 1.0)),
        "p_size" => Some((0.0, MOST_SIZE)),
        _ => None,
    }
}

/// Returns the bounds of a column of classes: 0 down, 1 flat, 2 up.
pub fn class(name: &str) -> Option<Bounds<i8>> {
    (name == "y_dir").then_some((0, 2))
}

/// Says of a value out of bounds what it should be.
pub fn words<T: fmt::Display + fmt::Debug>(name: &str, value: T, (least, most): Bounds<T>) -> String {
    match name {
        "p_dir" => format!("{value} is not -1, 0 or 1"),
        "y_dir" => format!("{value} is not 0 (down), 1 (flat) or 2 (up)"),
        _ if price(name).is_some() => {
            format!("{value:?} is no price: above 0 and at most {most}; leave empty what is not known")
        }
        _ => format!("{value} is not within {least} and {most}"),
    }
}

/// Checks a price that may be absent.
pub(crate) fn check_price(column: &'static str, value: Option<f64>) -> Result<(), Fault> {
    within(column, value, price(column))
}

/// Checks a whole number that may be absent.
pub(crate) fn check_whole(column: &'static str, value: Option<i64>) -> Result<(), Fault> {
    within(column, value, whole(column))
}

/// Checks a number of a prediction that may be absent.
pub(crate) fn check_prediction(column: &'static str, value: Option<f32>) -> Result<(), Fault> {
    within(column, value, prediction(column).or(Some((f32::MIN, f32::MAX))))
}

#[inline]
fn within<T: PartialOrd + Copy + fmt::Display + fmt::Debug>(
    column: &'static str,
    value: Option<T>,
    bounds: Option<Bounds<T>>,
) -> Result<(), Fault> {
    let (Some(value), Some((least, most))) = (value, bounds) else { return Ok(()) };
    // Not `value < least`, which NaN is not either.
    if least <= value && value <= most {
        Ok(())
    } else {
        Err(Fault::new(column, words(column, value, (least, most))))
    }
}
