//! Prices and amounts as the service writes them: decimal, and exact.

use std::{fmt, str::FromStr};

use mes_core::{money::Cents, price::TICK};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// In one unit.
const NANOS: i64 = 1_000_000_000;
/// In one tick of every contract of the house.
const TICK_NANOS: i64 = (TICK * NANOS as f64) as i64;
const CENT_NANOS: i64 = NANOS / 100;

/// A decimal number with up to nine digits after the point, as many as the service prints; below nine thousand million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

/// A text that is no such number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no decimal number of at most nine digits on either side of the point")]
pub struct BadDecimal(String);

impl Decimal {
    /// Returns the price of so many ticks; beyond what a price can be, the nearest it can hold.
    pub const fn of_ticks(ticks: i64) -> Decimal {
        Decimal(ticks.saturating_mul(TICK_NANOS))
    }

    /// Returns the average price of contracts that came to so many ticks together, to the billionth.
    pub fn average(ticks: i64, contracts: i64) -> Decimal {
        let nanos = i128::from(ticks) * i128::from(TICK_NANOS) / i128::from(contracts.max(1));
        Decimal(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// Returns an amount; beyond what it can hold, the nearest.
    pub const fn of_cents(cents: Cents) -> Decimal {
        Decimal(cents.0.saturating_mul(CENT_NANOS))
    }

    /// Returns whole ticks, where it is a price on the grid: an average price may lie between.
    pub fn ticks(self) -> Option<i64> {
        (self.0 % TICK_NANOS == 0).then_some(self.0 / TICK_NANOS)
    }

    /// Returns the tick at or below it.
    pub fn floor_ticks(self) -> i64 {
        self.0.div_euclid(TICK_NANOS)
    }

    /// Returns an amount in cents, half a cent away from zero.
    pub fn cents(self) -> Cents {
        let half = self.0.signum() * CENT_NANOS / 2;
        Cents((self.0 + half) / CENT_NANOS)
    }

    /// Returns the nearest double, for what is only shown.
    pub fn nearest(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl FromStr for Decimal {
    type Err = BadDecimal;

    fn from_str(text: &str) -> Result<Decimal, BadDecimal> {
        let bad = || BadDecimal(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || !all().all(|byte| byte.is_ascii_digit()) || all().count() > 40 {
            return Err(bad());
        }
        // The digits are a whole number of units of 10^-shift; what lies below a billionth has to be zeros.
        let number = all().fold(0_i128, |sum, byte| (sum * 10 + i128::from(byte - b'0')).min(i128::MAX / 16));
        let shift = 9 - fraction.len() as i64 + i64::from(exponent);
        let power = |places: i64| 10_i128.checked_pow(places.unsigned_abs() as u32).ok_or_else(bad);
        let nanos = match shift {
            _ if number == 0 => 0,
            -38..0 if number % power(shift)? == 0 => number / power(shift)?,
            0..=38 => number.checked_mul(power(shift)?).ok_or_else(bad)?,
            _ => return Err(bad()),
        };
        let nanos = i64::try_from(nanos).map_err(|_| bad())?;
        Ok(Decimal(if negative { -nanos } else { nanos }))
    }
}

impl fmt::Display for Decimal {
    /// Writes the shortest form: `29547.5`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (whole, nanos) = (self.0.unsigned_abs() / NANOS as u64, self.0.unsigned_abs() % NANOS as u64);
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{nanos:09}");
        let text = format!("{sign}{whole}.{}", fraction.trim_end_matches('0'));
        f.pad(text.trim_end_matches('.'))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % NANOS == 0 {
            serializer.serialize_i64(self.0 / NANOS)
        } else {
            serializer.serialize_f64(self.nearest())
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a decimal number or its digits")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
                // The shortest text of the nearest double is the text that was read, up to 15 digits.
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
                text.trim().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Decimal> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn every_way_to_write_a_number_is_the_number() {
        for (text, nanos, written) in [
            ("29547.5", 29_547_500_000_000, "29547.5"),
            ("6335.250000000", 6_335_250_000_000, "6335.25"),
            ("\"7000.25\"", 7_000_250_000_000, "7000.25"),
            ("149848.64", 149_848_640_000_000, "149848.64"),
            ("-49", -49_000_000_000, "-49"),
            ("0.36", 360_000_000, "0.36"),
            ("-0.01", -10_000_000, "-0.01"),
            ("1e2", 100_000_000_000, "100"),
            ("0.0", 0, "0"),
            ("28446.375", 28_446_375_000_000, "28446.375"),
        ] {
            let decimal = read(text).expect(text);
            assert_eq!((decimal.0, decimal.to_string().as_str()), (nanos, written), "{text}");
            assert_eq!(serde_json::to_string(&decimal).expect("JSON"), written);
        }
        for bad in [
            "\"\"",
            "\"-\"",
            "\"1.2.3\"",
            "\"NaN\"",
            "\"inf\"",
            "1e300",
            "\"1e-300\"",
            "null",
            "[]",
            "true",
            "1e10",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_price_off_the_grid_is_no_whole_number_of_ticks() {
        let read = |text| read(text).expect(text);
        assert_eq!(read("7000.25").ticks(), Some(28_001));
        assert_eq!(read("28446.375").ticks(), None);
        assert_eq!(Decimal::average(113_785 + 113_786, 2), read("28446.375"));
        assert_eq!(["28446.375", "-0.3", "7000"].map(|text| read(text).floor_ticks()), [113_785, -2, 28_000]);
        assert_eq!(read("149848.645").cents(), Cents(14_984_865));
        assert_eq!(read("-0.364").cents(), Cents(-36));
    }

    proptest! {
        #[test]
        fn ticks_and_cents_come_back(number in -1_000_000_000_i64..1_000_000_000) {
            for (decimal, back) in [
                (Decimal::of_ticks(number), Decimal::ticks as fn(Decimal) -> Option<i64>),
                (Decimal::of_cents(Cents(number)), |decimal| Some(decimal.cents().0)),
            ] {
                let text = serde_json::to_string(&decimal).expect("JSON");
                prop_assert_eq!(read(&text).and_then(back), Some(number), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in "[-0-9.eE+ ]{0,60}") {
            let _ = text.parse::<Decimal>();
        }
    }
}
