//! What the numbers of a record can be: beyond, sums of them would not fit. Checked where a number enters, in whatever
//! record, so that nothing after that has to.
//!
//! Far beyond every account: a million contracts, ten thousand million dollars, ten million points. Sums of a line full of
//! them stay below 2⁶³. What a row can be is in [`crate::bounds`].

use std::fmt::Display;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{bar::Bar, bounds::MOST_POINTS, price::Price, time};

/// Bytes of the name of a broker or an account.
const NAME: usize = 40;
/// The most contracts.
pub const CONTRACTS: i64 = 1_000_000;
/// The most ticks: ten million points.
pub const TICKS: i64 = 40_000_000;
/// Of an account's prices, which slippage and stops carry beyond those of a row.
pub const POINTS: f64 = 10.0 * MOST_POINTS;
/// The most cents: ten billion dollars.
pub const CENTS: i64 = 1_000_000_000_000;
/// Programs that know numbers as doubles keep whole ones up to here.
pub const ID: u64 = 1 << 53;
/// Of a setting, whatever its unit: dollars, ticks, seconds.
const SETTING: f64 = 1e9;

fn beyond(what: &str, value: impl Display, most: impl Display) -> String {
    format!("{value} is more {what} than an account can have ({most})")
}

/// What a number may be, or why not.
type Check<T, V> = fn(T) -> Result<V, String>;

fn checked<'de, T: Deserialize<'de>, V, D: Deserializer<'de>>(
    json: D,
    check: Check<T, V>,
) -> Result<V, D::Error> {
    check(T::deserialize(json)?).map_err(D::Error::custom)
}

fn checked_or_null<'de, T, V, D>(json: D, check: Check<T, V>) -> Result<Option<V>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(json)?.map(check).transpose().map_err(D::Error::custom)
}

fn at_most(what: &str, value: i64, most: i64) -> Result<i64, String> {
    if value.unsigned_abs() <= most.unsigned_abs() { Ok(value) } else { Err(beyond(what, value, most)) }
}

fn are_ticks(ticks: i64) -> Result<i64, String> {
    at_most("ticks", ticks, TICKS)
}

fn is_id(id: u64) -> Result<u64, String> {
    if id <= ID { Ok(id) } else { Err(beyond("orders", id, ID)) }
}

fn are_points(points: f64) -> Result<f64, String> {
    // NaN is in no range either.
    if (-POINTS..=POINTS).contains(&points) { Ok(points) } else { Err(beyond("points", points, POINTS)) }
}

fn is_price(points: f64) -> Result<Price, String> {
    Price::of(are_points(points)?).map_err(|error| error.to_string())
}

/// Reads null as nothing said: where only changes are kept, a field that is left out again is null.
///
/// # Errors
///
/// What the deserializer fails of.
pub fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(json: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or_default())
}

/// Reads a number of contracts, of either sign.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`CONTRACTS`].
pub fn contracts<'de, D: Deserializer<'de>>(json: D) -> Result<i64, D::Error> {
    checked(json, |contracts| at_most("contracts", contracts, CONTRACTS))
}

/// Reads a number of ticks, of either sign.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`TICKS`].
pub fn ticks<'de, D: Deserializer<'de>>(json: D) -> Result<i64, D::Error> {
    checked(json, are_ticks)
}

/// Reads a number of ticks that may be absent.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`TICKS`].
pub fn ticks_or_null<'de, D: Deserializer<'de>>(json: D) -> Result<Option<i64>, D::Error> {
    checked_or_null(json, are_ticks)
}

/// Reads an amount in cents, of either sign.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`CENTS`].
pub fn cents<'de, D: Deserializer<'de>>(json: D) -> Result<i64, D::Error> {
    checked(json, |cents| at_most("cents", cents, CENTS))
}

/// Reads the id of an order.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`ID`].
pub fn id<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    checked(json, is_id)
}

/// Reads the id of an order that may be absent.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`ID`].
pub fn id_or_null<'de, D: Deserializer<'de>>(json: D) -> Result<Option<u64>, D::Error> {
    checked_or_null(json, is_id)
}

/// Reads a name that a file can bear, whatever is in it.
///
/// # Errors
///
/// What the deserializer fails of, and more bytes than a name may have.
pub fn name<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    let name = String::deserialize(json)?;
    if name.len() <= NAME {
        Ok(name)
    } else {
        Err(D::Error::custom(format!("a name of {} bytes, more than {NAME}", name.len())))
    }
}

/// Reads how often something happened.
///
/// # Errors
///
/// What the deserializer fails of, and more than [`CONTRACTS`].
pub fn count<'de, D: Deserializer<'de>>(json: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(json)?;
    if i64::from(count) <= CONTRACTS {
        Ok(count)
    } else {
        Err(D::Error::custom(beyond("of it", count, CONTRACTS)))
    }
}

/// Reads a price.
///
/// # Errors
///
/// What the deserializer fails of, and what is no price that a market makes.
pub fn price<'de, D: Deserializer<'de>>(json: D) -> Result<Price, D::Error> {
    checked(json, is_price)
}

/// Reads a price that may be absent.
///
/// # Errors
///
/// What the deserializer fails of, and what is no price that a market makes.
pub fn price_or_null<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Price>, D::Error> {
    checked_or_null(json, is_price)
}

/// Reads points that may be absent, and may lie between two ticks.
///
/// # Errors
///
/// What the deserializer fails of, and more than a market's.
pub fn points_or_null<'de, D: Deserializer<'de>>(json: D) -> Result<Option<f64>, D::Error> {
    checked_or_null(json, are_points)
}

/// Reads a share.
///
/// # Errors
///
/// What the deserializer fails of, and what is not within 0 and 1.
pub fn share<'de, D: Deserializer<'de>>(json: D) -> Result<f32, D::Error> {
    let share = f32::deserialize(json)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(D::Error::custom(format!("{share} is not within 0 and 1")))
    }
}

/// Reads a date between 1970 and 2200, for flags.
///
/// # Errors
///
/// Why it is none.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    let date: NaiveDate = text.parse().map_err(|_| format!("{text:?} is not YYYY-MM-DD"))?;
    if (1970..2200).contains(&date.year()) { Ok(date) } else { Err("not between 1970 and 2200".into()) }
}

/// Takes what is remembered of a bar.
///
/// # Errors
///
/// Says which value is beyond what a market does, and what it may be.
pub fn bar(bar: &Bar<f64>) -> Result<Bar, String> {
    time::bounded(bar.ts).map_err(|error| error.to_string())?;
    bar.check().and_then(|()| bar.on_grid()).map_err(|fault| fault.to_string())
}

/// Checks all numbers of settings, whatever they mean.
///
/// # Errors
///
/// The key of the first that is beyond what an account can have, and its value.
pub fn settings(of: &impl Serialize) -> Result<(), String> {
    let table = toml::Table::try_from(of).map_err(|error| error.to_string())?;
    table.iter().try_for_each(|(key, value)| setting(key, value))
}

fn setting(key: &str, value: &toml::Value) -> Result<(), String> {
    let number = match value {
        toml::Value::Integer(number) => *number as f64,
        toml::Value::Float(number) => *number,
        toml::Value::Array(values) => return values.iter().try_for_each(|value| setting(key, value)),
        toml::Value::Table(table) => {
            return table.iter().try_for_each(|(inner, value)| setting(&format!("{key}.{inner}"), value));
        }
        _ => return Ok(()),
    };
    if number.abs() <= SETTING {
        Ok(())
    } else {
        Err(format!("{key} = {value} is not within {SETTING} of 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_an_account_are_refused_by_their_key() {
        for (text, key) in [
            ("[limits]\nkill_loss_usd = 1e300\n", "limits.kill_loss_usd"),
            ("[[tier]]\nfrom_usd = 1\n[[tier]]\ncontracts = 9223372036854775807\n", "tier.contracts"),
            ("a = nan\n", "a"),
            ("a = -inf\n", "a"),
        ] {
            let table: toml::Table = text.parse().expect("reads");
            let error = settings(&table).expect_err(key);
            assert!(error.starts_with(&format!("{key} = ")), "{error}");
        }
        let table: toml::Table = "a = 1e9\nb = -5\nc = \"x\"\n".parse().expect("reads");
        assert_eq!(settings(&table), Ok(()));
    }
}
