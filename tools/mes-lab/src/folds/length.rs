//! Lengths of spans as people say them: `6mo`, `2w`, `10d`, `20sessions`.

use std::{fmt, str::FromStr};

use chrono::{Months, NaiveDate, TimeDelta};

/// A length of time on the calendar, or a number of trading days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Months(u32),
    Days(u32),
    Sessions(u32),
}

/// A place between two trading days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first date behind it.
    pub date: NaiveDate,
    /// The first session behind it.
    pub session: usize,
}

impl Length {
    /// Returns the place this far behind `place`; absent when `sessions`, which end before `end`, do not reach it.
    pub fn from(self, place: Place, sessions: &[NaiveDate], end: NaiveDate) -> Option<Place> {
        let at =
            |date: NaiveDate| Place { date, session: sessions.partition_point(|session| *session < date) };
        match self {
            Length::Months(count) => place.date.checked_add_months(Months::new(count)).map(at),
            Length::Days(count) => place.date.checked_add_signed(TimeDelta::days(i64::from(count))).map(at),
            Length::Sessions(0) => Some(place),
            Length::Sessions(count) => {
                let session = place.session + count as usize;
                let date = if session == sessions.len() { Some(&end) } else { sessions.get(session) };
                date.map(|date| Place { date: *date, session })
            }
        }
        .filter(|found| found.date <= end)
    }

    /// Tells whether it has no day.
    pub fn is_zero(self) -> bool {
        matches!(self, Length::Months(0) | Length::Days(0) | Length::Sessions(0))
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Length, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let refused = || format!("{text:?} is not a length such as 6mo, 2w, 10d or 20sessions");
        let count: u32 = text[..digits].parse().map_err(|_| refused())?;
        match &text[digits..] {
            "mo" => Ok(Length::Months(count)),
            "w" => count.checked_mul(7).map(Length::Days).ok_or_else(refused),
            "d" => Ok(Length::Days(count)),
            "session" | "sessions" => Ok(Length::Sessions(count)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Months(count) => write!(f, "{count}mo"),
            Length::Days(count) => write!(f, "{count}d"),
            Length::Sessions(count) => write!(f, "{count}sessions"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        for text in ["6mo", "10d", "20sessions", "0d"] {
            assert_eq!(text.parse::<Length>().map(|length| length.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("2w".parse(), Ok(Length::Days(14)));
        for text in ["", "6", "mo", "-1d", "1.5d", "6 mo", "6m", "99999999999d", "4294967295w"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }
}
