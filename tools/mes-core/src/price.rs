//! A price that is traded at: a whole number of ticks. It becomes one where a record is read; behind that, nothing has to
//! ask again, and differences of prices are exact.

use std::{
    fmt,
    ops::{Add, Sub},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Error;

/// Points in one tick. All contracts have this one, so that prices become ticks without asking which.
pub const TICK: f64 = 0.25;

/// A whole number of ticks. Written and read as points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// Takes a price in points.
    ///
    /// # Errors
    ///
    /// `OffGrid` where it is no whole number of ticks, or no number.
    #[inline]
    pub fn of(points: f64) -> Result<Price, Error> {
        let ticks = points / TICK;
        // There and back: several times as fast as a remainder. What is not finite does not come back either.
        let whole = ticks as i64;
        if whole as f64 == ticks && ticks.abs() < 1e15 { Ok(Price(whole)) } else { Err(off_grid(points)) }
    }

    /// Returns the price nearest to so many points, which may lie between two ticks, as the mean of several fills does.
    pub fn nearest(points: f64) -> Price {
        Price((points / TICK).round() as i64)
    }

    /// Returns the price so many ticks above 0.
    #[inline]
    pub const fn from_ticks(ticks: i64) -> Price {
        Price(ticks)
    }

    /// Returns it in ticks.
    #[inline]
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Returns it in points. Exact.
    #[inline]
    pub fn points(self) -> f64 {
        self.0 as f64 * TICK
    }
}

#[cold]
fn off_grid(points: f64) -> Error {
    Error::OffGrid { price: points.to_string(), tick: TICK.to_string() }
}

impl Add<i64> for Price {
    type Output = Price;

    #[inline]
    fn add(self, ticks: i64) -> Price {
        Price(self.0 + ticks)
    }
}

impl Sub<i64> for Price {
    type Output = Price;

    #[inline]
    fn sub(self, ticks: i64) -> Price {
        Price(self.0 - ticks)
    }
}

/// How many ticks lie between two prices.
impl Sub for Price {
    type Output = i64;

    #[inline]
    fn sub(self, other: Price) -> i64 {
        self.0 - other.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.points().fmt(f)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Price::of(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_on_the_grid() {
        let price = Price::of(5000.25).expect("on the grid");
        assert_eq!((price.ticks(), price.points()), (20_001, 5000.25));
        assert_eq!((price + 3 - Price::nearest(5000.1), price - 1), (4, Price::from_ticks(20_000)));
        for bad in [5000.1, f64::NAN, f64::INFINITY, 1e300] {
            assert!(Price::of(bad).is_err());
        }
        assert_eq!(
            Price::of(5000.1).map_err(|error| error.to_string()),
            Err("price 5000.1 is off the 0.25 tick grid".into())
        );
    }

    #[test]
    fn is_written_as_points() {
        for (text, ticks) in [("5000.25", 20_001), ("5000.0", 20_000), ("-0.25", -1), ("0.0", 0)] {
            let price = Price::from_ticks(ticks);
            assert_eq!(serde_json::to_string(&price).expect("writes"), text);
            assert_eq!(serde_json::from_str::<Price>(text).expect("reads"), price);
            assert_eq!(price.to_string(), price.points().to_string());
        }
        assert_eq!(serde_json::from_str::<Price>("5000").expect("reads"), Price::from_ticks(20_000));
        assert!(serde_json::from_str::<Price>("5000.1").is_err());
    }
}
