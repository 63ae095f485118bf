//! Stretches of whole UTC days, and which of them are still to be had.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Weekday};
use clap::ValueEnum;
use mes_core::{calendar::Calendar, session::Day, time::Ts};
use mes_pipe::{Error, Result};

/// How much is downloaded at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chunk {
    Day,
    Week,
    Month,
}

/// Days from `from` until before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

impl Span {
    /// Returns the span of one day.
    pub fn day(day: NaiveDate) -> Span {
        Span { from: day, until: day + Days::new(1) }
    }

    /// Returns the days of this span in chunks, which never go beyond a month. None but the only one is without a
    /// session, for such days cannot be asked for alone: weekends and holidays belong to the next day.
    pub fn cut(self, chunk: Chunk, calendar: &Calendar) -> Vec<Span> {
        self.months().into_iter().flat_map(|month| month.cut_month(chunk, calendar)).collect()
    }

    fn cut_month(self, chunk: Chunk, calendar: &Calendar) -> Vec<Span> {
        let (mut pieces, mut from, mut traded) = (Vec::<Span>::new(), self.from, false);
        for day in self.from.iter_days().take_while(|day| *day < self.until) {
            traded |= Day::labelled(day, calendar).is_some();
            let ends = match chunk {
                Chunk::Day => true,
                Chunk::Week => day.weekday() == Weekday::Fri,
                Chunk::Month => false,
            };
            if ends && traded {
                let until = Span::day(day).until;
                pieces.push(Span { from, until });
                (from, traded) = (until, false);
            }
        }
        match pieces.last_mut() {
            Some(last) if !traded => last.until = self.until,
            _ if from < self.until => pieces.push(Span { from, until: self.until }),
            _ => {}
        }
        pieces
    }

    /// Returns the days of this span by calendar month.
    fn months(self) -> Vec<Span> {
        let mut months = Vec::new();
        let mut from = self.from;
        while from < self.until {
            let until = next_month(from).min(self.until);
            months.push(Span { from, until });
            from = until;
        }
        months
    }

    /// Returns the days that both spans have.
    pub fn within(self, other: Span) -> Span {
        Span { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// Returns what is left of this span when `had` is taken out, in order.
    pub fn without(self, had: &[Span]) -> Vec<Span> {
        let mut sorted = had.to_vec();
        sorted.sort();
        let (mut left, mut from) = (Vec::new(), self.from);
        for span in sorted {
            if span.from > from {
                left.push(Span { from, until: span.from.min(self.until) });
            }
            from = from.max(span.until);
            if from >= self.until {
                break;
            }
        }
        if from < self.until {
            left.push(Span { from, until: self.until });
        }
        left.retain(|span| span.from < span.until);
        left
    }

    /// Says whether all of the other span lies in this one.
    pub fn holds(self, other: Span) -> bool {
        self.from <= other.from && other.until <= self.until
    }

    /// Says whether the span has no day from Monday to Friday.
    pub fn is_weekend(self) -> bool {
        self.from
            .iter_days()
            .take_while(|day| *day < self.until)
            .all(|day| matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
    }

    /// Returns the month that the span begins in, as `2024-01`.
    pub fn month(self) -> String {
        self.from.format("%Y-%m").to_string()
    }

    /// Returns the last day that is part of the span.
    pub fn last_day(self) -> NaiveDate {
        self.until.pred_opt().unwrap_or(self.until)
    }

    /// Returns both ends in UNIX nanoseconds.
    pub fn nanos(self) -> (i64, i64) {
        (nanos(self.from), nanos(self.until))
    }

    /// Reads what [`Span::fmt`] writes.
    pub fn parse(text: &str) -> Option<Span> {
        let (from, until) = text.split_once("..")?;
        Some(Span { from: from.parse().ok()?, until: until.parse().ok()? })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.until)
    }
}

/// Reads a day as the flags have it.
///
/// # Errors
///
/// Says what is no date, or is not within 1990 and 2199.
pub fn day(text: &str) -> std::result::Result<NaiveDate, String> {
    let day: NaiveDate = text.parse().map_err(|_| format!("{text:?} is not a date such as 2024-01-31"))?;
    if (1990..2200).contains(&day.year()) { Ok(day) } else { Err(format!("{text} is out of range")) }
}

/// Returns the day that a time of the server lies in: `2024-01-31T12:00:00.000000000Z`.
///
/// # Errors
///
/// `Data` where it begins with no date.
pub fn day_of(time: &str) -> Result<NaiveDate> {
    let text = time.get(..10).unwrap_or_default();
    day(text).map_err(|_| Error::data(format!("the server's time {time:?} has no date")))
}

/// Returns the UTC day of an instant.
pub fn day_at(ts: Ts) -> NaiveDate {
    DateTime::from_timestamp_nanos(ts).date_naive()
}

fn next_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first.checked_add_months(chrono::Months::new(1)).unwrap_or(first + Days::new(31))
}

fn nanos(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp() * 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Span {
        Span::parse(text).expect("a span")
    }

    fn texts(spans: &[Span]) -> Vec<String> {
        spans.iter().map(Span::to_string).collect()
    }

    #[test]
    fn splits_at_months() {
        assert_eq!(
            texts(&span("2023-12-30..2024-02-02").months()),
            ["2023-12-30..2024-01-01", "2024-01-01..2024-02-01", "2024-02-01..2024-02-02"]
        );
        assert_eq!(span("2024-01-01..2024-01-01").months(), []);
    }

    #[test]
    fn cuts_by_weeks_and_days_none_of_them_without_a_session() {
        let cut = |text: &str, chunk| texts(&span(text).cut(chunk, &Calendar::shipped()));
        // June 2024 begins with a weekend and ends with one; Juneteenth is an early close and so a session.
        assert_eq!(
            cut("2024-06-01..2024-07-03", Chunk::Week),
            [
                "2024-06-01..2024-06-08",
                "2024-06-08..2024-06-15",
                "2024-06-15..2024-06-22",
                "2024-06-22..2024-07-01",
                "2024-07-01..2024-07-03"
            ]
        );
        assert_eq!(
            cut("2024-06-26..2024-07-02", Chunk::Day),
            [
                "2024-06-26..2024-06-27",
                "2024-06-27..2024-06-28",
                "2024-06-28..2024-07-01",
                "2024-07-01..2024-07-02"
            ]
        );
        assert_eq!(
            cut("2024-12-24..2024-12-27", Chunk::Day),
            ["2024-12-24..2024-12-25", "2024-12-25..2024-12-27"]
        );
        assert_eq!(cut("2024-06-01..2024-06-03", Chunk::Day), ["2024-06-01..2024-06-03"]);
        assert_eq!(cut("2024-06-08..2024-06-08", Chunk::Day), [""; 0]);
    }

    #[test]
    fn takes_out_what_was_had() {
        let month = span("2024-01-01..2024-02-01");
        let had =
            [span("2024-01-20..2024-02-10"), span("2023-12-01..2024-01-01"), span("2024-01-05..2024-01-10")];
        assert_eq!(texts(&month.without(&had)), ["2024-01-01..2024-01-05", "2024-01-10..2024-01-20"]);
        assert_eq!(month.without(&[month]), []);
        assert_eq!(month.without(&[]), [month]);
    }

    #[test]
    fn knows_weekends() {
        assert!(span("2024-06-01..2024-06-03").is_weekend());
        assert!(!span("2024-06-01..2024-06-04").is_weekend());
    }

    #[test]
    fn counts_nanoseconds() {
        assert_eq!(span("1970-01-02..1970-01-03").nanos(), (86_400_000_000_000, 172_800_000_000_000));
        let day = day_of("2024-01-31T12:00:00.000000000Z").expect("a day");
        assert_eq!(day.to_string(), "2024-01-31");
    }
}
