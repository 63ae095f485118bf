//! The length of a time bar, as written in flags: `1s`, `5m`.

use std::{fmt, str::FromStr};

use crate::{
    Error,
    time::{HOUR, MILLI, MINUTE, SECOND, Ts},
};

/// A positive length of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(i64);

impl Interval {
    /// One second, that of the shipped pipelines.
    pub const SECOND: Interval = Interval(SECOND);

    /// Returns the length in nanoseconds.
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// Returns how many rows of this length last `seconds`, or `None` when that is not a whole number above 0.
    pub fn rows_in(self, seconds: i64) -> Option<usize> {
        let nanos = seconds.checked_mul(SECOND)?;
        (nanos % self.0 == 0 && nanos >= self.0).then_some((nanos / self.0) as usize)
    }

    /// Returns the end of the interval that holds `ts`: intervals are half-open, so `ts` on the grid begins one.
    pub fn end_of(self, ts: Ts) -> Ts {
        (ts.div_euclid(self.0) + 1) * self.0
    }
}

impl FromStr for Interval {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Interval(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
        let count: i64 = text[..digits].parse().map_err(|_| refused())?;
        let unit = match &text[digits..] {
            "ms" => MILLI,
            "s" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            _ => return Err(refused()),
        };
        match count.checked_mul(unit) {
            // A length that does not divide the day would drift against the sessions.
            Some(nanos) if nanos > 0 && (24 * HOUR) % nanos == 0 => Ok(Interval(nanos)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n % HOUR == 0 => write!(f, "{}h", n / HOUR),
            n if n % MINUTE == 0 => write!(f, "{}m", n / MINUTE),
            n if n % SECOND == 0 => write!(f, "{}s", n / SECOND),
            n => write!(f, "{}ms", n / MILLI),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for text in ["1s", "5s", "15m", "1h", "500ms"] {
            assert_eq!(text.parse::<Interval>().map(|i| i.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("5min".parse::<Interval>(), "5m".parse());
        for text in ["", "s", "0s", "7s", "-1s", "1d", "99999999999999999999s", "1.5s"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_trade_on_the_grid_begins_the_next_interval() {
        assert_eq!(Interval::SECOND.end_of(0), SECOND);
        assert_eq!(Interval::SECOND.end_of(SECOND - 1), SECOND);
        assert_eq!(Interval::SECOND.end_of(SECOND), 2 * SECOND);
        assert_eq!(Interval::SECOND.rows_in(60), Some(60));
        assert_eq!("5s".parse::<Interval>().map(|i| i.rows_in(1)), Ok(None));
    }
}
