//! Times as others write them: with or without a zone, with any separators, as whole numbers since 1970, as
//! milliseconds of a day.
//!
//! A time without a zone is read by `--tz` and nothing else. One that happens twice when summer time ends, or never
//! when it begins, is refused: at both the market is closed, so it is the zone that is wrong.

use std::cell::Cell;

use chrono::{DateTime, LocalResult, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use clap::ValueEnum;
use mes_core::time::{self, MILLI, SECOND, Ts};

/// Which part of a date comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// 2026-11-20
    Ymd,
    /// 11/20/2026
    Mdy,
    /// 20.11.2026
    Dmy,
}

const DAY: i64 = 86_400;
/// Offsets change only on this grid, in seconds.
const GRID: i64 = 900;

/// Reads times of one table.
pub struct Clock {
    zone: Option<Tz>,
    order: Order,
    date: Option<NaiveDate>,
    /// The quarter of an hour looked up last and what is to be taken off, in seconds.
    last: Cell<Option<(i64, i64)>>,
}

type Read<T> = std::result::Result<T, String>;

impl Clock {
    /// Makes one that reads times of this zone, order of day and month, and date where rows have none.
    pub fn new(zone: Option<Tz>, order: Order, date: Option<NaiveDate>) -> Clock {
        Clock { zone, order, date, last: Cell::new(None) }
    }

    /// Reads an instant.
    pub fn read(&self, text: &str) -> Read<Ts> {
        let bytes = text.as_bytes();
        if bytes.last() == Some(&b'Z') && bytes.get(4) == Some(&b'-') {
            return time::parse(text).map_err(|error| error.to_string());
        }
        let of_day = self.date.is_some() && bytes.len() <= 8;
        if bytes.iter().all(u8::is_ascii_digit) && (of_day || !matches!(bytes.len(), 8 | 14)) {
            return self.number(text);
        }
        if let Some(ts) = self.fraction(text) {
            return ts;
        }
        let mut cursor = Cursor(bytes);
        let wrong = || format!("time {text:?} is of no known form");
        let (date, clock) = match (self.date, bytes.get(1..3).is_some_and(|next| next.contains(&b':'))) {
            (Some(date), true) => (date, cursor.clock()),
            _ => (cursor.date(self.order).ok_or_else(wrong)?, cursor.clock()),
        };
        let (seconds, nanos) = clock.ok_or_else(wrong)?;
        let local = i64::from(date.to_epoch_days()) * DAY + seconds;
        let offset = match cursor.0 {
            b"" => return self.instant(local, text)?.checked_add(nanos).ok_or_else(wrong),
            rest => offset(rest).ok_or_else(wrong)?,
        };
        (local - offset).checked_mul(SECOND).and_then(|ts| ts.checked_add(nanos)).ok_or_else(wrong)
    }

    /// Reads a date and a time from columns of their own.
    pub fn read_pair(&self, date: &str, clock: &str) -> Read<Ts> {
        self.read(&format!("{date} {clock}"))
    }

    /// Reads a whole number: milliseconds of the day that is known, else seconds to nanoseconds since 1970.
    fn number(&self, text: &str) -> Read<Ts> {
        let wrong = || format!("time {text:?} is out of range");
        let number: i64 = text.parse().map_err(|_| wrong())?;
        if let (Some(date), true) = (self.date, number <= DAY * 1000) {
            let day = i64::from(date.to_epoch_days()) * DAY;
            return Ok(self.instant(day + number / 1000, text)? + number % 1000 * MILLI);
        }
        let unit = match text.len() {
            10 => SECOND,
            13 => MILLI,
            16 => 1_000,
            19 => 1,
            _ => {
                return Err(format!("time {text:?} is of no known form (milliseconds of a day need --date)"));
            }
        };
        number.checked_mul(unit).ok_or_else(wrong)
    }

    /// Reads milliseconds of the day with a fraction, as LEAN's ticks have them; `None` where it is nothing of the kind.
    fn fraction(&self, text: &str) -> Option<Read<Ts>> {
        let (whole, rest) = text.split_once('.').filter(|_| self.date.is_some())?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(rest) || !(1..=6).contains(&rest.len()) {
            return None;
        }
        let nanos = rest.parse::<i64>().ok()? * 10_i64.pow(6 - rest.len() as u32);
        Some(self.number(whole).map(|ts| ts + nanos))
    }

    /// Returns the instant of a wall time given in seconds since 1970.
    pub fn instant(&self, local: i64, text: &str) -> Read<Ts> {
        let out_of_range = || format!("time {text:?} is out of range");
        let quarter = local.div_euclid(GRID);
        if let Some((known, offset)) = self.last.get().filter(|(known, _)| *known == quarter) {
            debug_assert_eq!(known, quarter);
            return (local - offset).checked_mul(SECOND).ok_or_else(out_of_range);
        }
        let Some(zone) = self.zone else {
            return Err(format!("time {text:?} has no zone: --tz America/Chicago, or whichever it is"));
        };
        let wall = DateTime::from_timestamp(local, 0).ok_or_else(out_of_range)?.naive_utc();
        let offset = match zone.offset_from_local_datetime(&wall) {
            LocalResult::Single(offset) => i64::from(offset.fix().local_minus_utc()),
            LocalResult::Ambiguous(..) => {
                return Err(format!("time {text:?} happens twice in {zone}: is it the zone?"));
            }
            LocalResult::None => {
                return Err(format!("time {text:?} never happens in {zone}: is it the zone?"));
            }
        };
        self.last.set(Some((quarter, offset)));
        (local - offset).checked_mul(SECOND).ok_or_else(out_of_range)
    }
}

/// Reads `Z`, `+01:00`, `+0100` or `+01`, in seconds east.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        b"Z" | b"z" | b" UTC" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let digits: Vec<u8> = digits.iter().copied().filter(|byte| *byte != b':').collect();
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i64>().ok();
    match digits.len() {
        2 => Some(sign * number(&digits)? * 3600),
        4 => Some(sign * (number(&digits[..2])? * 3600 + number(&digits[2..])? * 60)),
        _ => None,
    }
}

/// What is left of the text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Takes up to `most` digits.
    fn digits(&mut self, most: usize) -> Option<(i64, usize)> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        (count > 0).then(|| (digits.iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')), count))
    }

    /// Takes one byte if it is one of these.
    fn skip(&mut self, of: &[u8]) -> bool {
        let there = self.0.first().is_some_and(|byte| of.contains(byte));
        if there {
            self.0 = &self.0[1..];
        }
        there
    }

    /// Takes a date and the gap behind it.
    fn date(&mut self, order: Order) -> Option<NaiveDate> {
        let joined = self.0.len() >= 8 && self.0[..8].iter().all(u8::is_ascii_digit);
        let parts = if joined {
            [self.digits(4)?.0, self.digits(2)?.0, self.digits(2)?.0]
        } else {
            let mut part = || {
                let digits = self.digits(4)?.0;
                self.skip(b"-/.");
                Some(digits)
            };
            [part()?, part()?, part()?]
        };
        let [year, month, day] = match order {
            _ if joined || parts[0] > 31 => parts,
            Order::Ymd => return None,
            Order::Mdy => [parts[2], parts[0], parts[1]],
            Order::Dmy => [parts[2], parts[1], parts[0]],
        };
        while self.skip(b" T") {}
        NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)
    }

    /// Takes a time of day, as seconds and nanoseconds; none at all is midnight.
    fn clock(&mut self) -> Option<(i64, i64)> {
        if self.0.is_empty() {
            return Some((0, 0));
        }
        let hour = self.digits(2)?.0;
        self.skip(b":");
        let minute = self.digits(2)?.0;
        let second = if self.skip(b":") || self.0.first().is_some_and(u8::is_ascii_digit) {
            self.digits(2)?.0
        } else {
            0
        };
        // NinjaTrader sets fractions off by a space.
        let spaced = self.0.first() == Some(&b' ') && self.0.get(1).is_some_and(u8::is_ascii_digit);
        let nanos = if (spaced && self.skip(b" ")) || self.skip(b".,") {
            let (fraction, count) = self.digits(9)?;
            fraction * 10_i64.pow(9 - count as u32)
        } else {
            0
        };
        (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: Option<Tz>, order: Order, date: Option<&str>, text: &str) -> Read<String> {
        let date = date.map(|date| date.parse().expect("a date"));
        Clock::new(zone, order, date).read(text).map(time::format)
    }

    #[test]
    fn reads_what_others_write() {
        let (utc, chicago) = (Some(Tz::UTC), Some(Tz::America__Chicago));
        for (zone, order, date, text, wanted) in [
            (None, Order::Ymd, None, "2026-11-20T15:00:00.5+01:00", "2026-11-20T14:00:00.500Z"),
            (None, Order::Ymd, None, "2026-11-20 14:00:00+00:00", "2026-11-20T14:00:00Z"),
            (utc, Order::Ymd, None, "20261120 140000", "2026-11-20T14:00:00Z"),
            (utc, Order::Ymd, None, "20261120 140000 1234567", "2026-11-20T14:00:00.123456700Z"),
            (utc, Order::Ymd, None, "20261120140000", "2026-11-20T14:00:00Z"),
            (utc, Order::Ymd, None, "20261120 1400", "2026-11-20T14:00:00Z"),
            (chicago, Order::Ymd, None, "2023/3/10 17:00:00", "2023-03-10T23:00:00Z"),
            (chicago, Order::Ymd, None, "2023/3/12 17:00:00", "2023-03-12T22:00:00Z"),
            (utc, Order::Mdy, None, "11/20/2026 9:05", "2026-11-20T09:05:00Z"),
            (utc, Order::Dmy, None, "20.11.2026 09:05:01,5", "2026-11-20T09:05:01.500Z"),
            (utc, Order::Ymd, Some("2013-12-02"), "60000", "2013-12-02T00:01:00Z"),
            (utc, Order::Ymd, Some("2013-12-02"), "60000.25", "2013-12-02T00:01:00.000250Z"),
            (utc, Order::Ymd, Some("2013-12-02"), "9:30:00.25", "2013-12-02T09:30:00.250Z"),
            (None, Order::Ymd, None, "1576450800", "2019-12-15T23:00:00Z"),
            (None, Order::Ymd, None, "1576450800028", "2019-12-15T23:00:00.028Z"),
            (None, Order::Ymd, None, "1576450800028000001", "2019-12-15T23:00:00.028000001Z"),
        ] {
            assert_eq!(read(zone, order, date, text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn refuses_what_nobody_can_know() {
        let chicago = Some(Tz::America__Chicago);
        for (zone, text, what) in [
            (None, "2026-11-20 14:00:00", "has no zone"),
            (chicago, "2023-03-12 02:30:00", "never happens in America/Chicago"),
            (chicago, "2023-11-05 01:30:00", "happens twice in America/Chicago"),
            (chicago, "11/20/2026 09:00", "of no known form"),
            (chicago, "60000", "milliseconds of a day need --date"),
            (chicago, "2026-11-20 24:00:00", "of no known form"),
            (chicago, "", "out of range"),
            (chicago, "noon", "of no known form"),
            (chicago, "99999999999999999999", "out of range"),
        ] {
            let told = read(zone, Order::Ymd, None, text).expect_err(text);
            assert!(told.contains(what), "{text}: {told}");
        }
    }
}
