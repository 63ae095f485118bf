//! Instants as nanoseconds, and their RFC 3339 text.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::Error;

/// Nanoseconds since 1970-01-01 00:00 UTC.
pub type Ts = i64;

/// A millisecond in nanoseconds.
pub const MILLI: i64 = 1_000_000;
/// A second in nanoseconds.
pub const SECOND: i64 = 1_000_000_000;
/// A minute in nanoseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour in nanoseconds.
pub const HOUR: i64 = 60 * MINUTE;
const DAY_SECONDS: i64 = 86_400;

/// Writes `ts` as RFC 3339 in UTC with as many of 0, 3, 6 or 9 decimals as it needs.
pub fn write(ts: Ts, out: &mut Vec<u8>) {
    let (seconds, nanos) = (ts.div_euclid(SECOND), ts.rem_euclid(SECOND));
    let (days, of_day) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let date = NaiveDate::from_epoch_days(days as i32).unwrap_or(NaiveDate::MAX);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    digits(out, i64::from(date.year()), 4);
    out.push(b'-');
    digits(out, i64::from(date.month()), 2);
    out.push(b'-');
    digits(out, i64::from(date.day()), 2);
    out.push(b'T');
    digits(out, hour, 2);
    out.push(b':');
    digits(out, minute, 2);
    out.push(b':');
    digits(out, second, 2);
    if nanos != 0 {
        out.push(b'.');
        match nanos {
            n if n % 1_000_000 == 0 => digits(out, n / 1_000_000, 3),
            n if n % 1_000 == 0 => digits(out, n / 1_000, 6),
            n => digits(out, n, 9),
        }
    }
    out.push(b'Z');
}

/// Formats `ts` as [`write`] does.
pub fn format(ts: Ts) -> String {
    let mut out = Vec::with_capacity(30);
    write(ts, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10_i64.pow(place) % 10) as u8);
    }
}

/// 1970 up to 2200, in nanoseconds: what an instant of a record can be.
pub const TIMES: std::ops::Range<Ts> = 0..7_258_118_400 * SECOND;

/// Returns an instant that a record can have.
///
/// # Errors
///
/// [`Error::Time`] when it is not between 1970 and 2200.
pub fn bounded(ts: Ts) -> Result<Ts, Error> {
    if TIMES.contains(&ts) {
        return Ok(ts);
    }
    Err(Error::Time(format!("time {} is not between 1970 and 2200", format(ts))))
}

/// Reads RFC 3339 with a zone, which may lack its colon (`+0000`), as `%z` writes it. A time without one is refused:
/// nobody can know what it means. So is one before 1970 or after 2199, for sums of times would not fit.
///
/// # Errors
///
/// `Time` where it is no such instant.
pub fn parse(text: &str) -> Result<Ts, Error> {
    if let Some(ts) = parse_utc(text.as_bytes()) {
        return bounded(ts);
    }
    let basic = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z");
    let spaced = || DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%z");
    match DateTime::parse_from_rfc3339(text).or_else(|_| basic()).or_else(|_| spaced()) {
        Ok(time) => {
            let ts = time.timestamp_nanos_opt();
            ts.ok_or_else(|| Error::Time(format!("time {text:?} is out of range"))).and_then(bounded)
        }
        Err(_)
            if text.parse::<NaiveDateTime>().is_ok()
                || text.replacen(' ', "T", 1).parse::<NaiveDateTime>().is_ok() =>
        {
            Err(Error::Time(format!("time {text:?} has no zone: write it in UTC with a Z")))
        }
        Err(_) => Err(Error::Time(format!("time {text:?} is not RFC 3339, such as 2026-11-20T14:30:00Z"))),
    }
}

/// The form this house writes, `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, without the general parser's cost.
fn parse_utc(text: &[u8]) -> Option<Ts> {
    let (&last, body) = text.split_last()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if last != b'Z' || body.len() < 19 || separators.iter().any(|&(at, byte)| body[at] != byte) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        number(&body[..4])? as i32,
        number(&body[5..7])? as u32,
        number(&body[8..10])? as u32,
    )?;
    let (hour, minute, second) = (number(&body[11..13])?, number(&body[14..16])?, number(&body[17..19])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match body.get(19) {
        None => 0,
        Some(b'.') if (21..=29).contains(&body.len()) => {
            number(&body[20..])? * 10_i64.pow(29 - body.len() as u32)
        }
        Some(_) => return None,
    };
    let seconds = i64::from(date.to_epoch_days()) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    seconds.checked_mul(SECOND)?.checked_add(nanos)
}

fn number(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |sum, &byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Serialises a [`Ts`] field as text: `#[serde(with = "time::text")]`.
pub mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::{Ts, write};

    /// Writes the instant as RFC 3339.
    ///
    /// # Errors
    ///
    /// What the serializer fails of.
    pub fn serialize<S: Serializer>(ts: &Ts, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Vec::with_capacity(30);
        write(*ts, &mut out);
        serializer.serialize_str(std::str::from_utf8(&out).unwrap_or_default())
    }

    /// Reads the instant from RFC 3339.
    ///
    /// # Errors
    ///
    /// What the deserializer fails of, and what [`parse`](super::parse) refuses.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ts, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        super::parse(&text).map_err(D::Error::custom)
    }
}

/// An instant on both clocks, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// UTC, which may jump when it is set.
    pub utc: Ts,
    /// Since some start; it only goes on.
    pub steady: i64,
}

/// [`text`] for an instant that may be absent.
pub mod text_or_null {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::Ts;

    /// Writes the instant as RFC 3339, or null.
    ///
    /// # Errors
    ///
    /// What the serializer fails of.
    pub fn serialize<S: Serializer>(ts: &Option<Ts>, serializer: S) -> Result<S::Ok, S::Error> {
        match ts {
            Some(ts) => super::text::serialize(ts, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the instant from RFC 3339, or null.
    ///
    /// # Errors
    ///
    /// What the deserializer fails of, and what [`parse`](super::parse) refuses.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ts>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_decimals_it_needs_and_reads_them_back() {
        for (ts, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_576_450_800_028_000_000, "2019-12-15T23:00:00.028Z"),
            (1_576_450_800_000_500_000, "2019-12-15T23:00:00.000500Z"),
        ] {
            assert_eq!(format(ts), text);
            assert_eq!(parse(text).ok(), Some(ts).filter(|ts| *ts >= 0));
        }
        assert_eq!(parse("2022-01-03T14:34:14.9Z"), Ok(1_641_220_454_900_000_000));
        assert_eq!(parse("2022-01-03T09:34:14-05:00"), Ok(1_641_220_454_000_000_000));
    }

    #[test]
    fn an_offset_without_a_colon_is_an_offset() {
        let times = ["2022-01-03T14:34:14+0000", "2022-01-03T09:34:14.9-0500", "2022-01-03 14:34:14+0000"];
        for text in times {
            assert_eq!(parse(text).map(|ts| ts / SECOND), Ok(1_641_220_454), "{text}");
        }
        for text in ["2022-01-03T14:34:14+00000", "2022-01-03T14:34:14+", "2022-01-03T14:34:14 +0000Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_naive_and_broken_times() {
        for text in [
            "2022-01-03T09:34:14",
            "2022-01-03 09:34:14",
            "2022-02-30T00:00:00Z",
            "",
            "Z",
            "2022-01-03T25:00:00Z",
            "2200-01-01T00:00:00Z",
            "2262-04-11T23:47:16.854775807Z",
            "1970-01-01T00:59:59+01:00",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
