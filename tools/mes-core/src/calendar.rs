//! Days on which the exchange is closed or closes early, and the hours in which it stood still.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use crate::{
    Error,
    time::{self, Ts},
    tz,
};

/// `data/cme_calendar.csv`. Its first line says which days it covers and how many lines it has, so that a part of it is
/// not taken for the whole; then come the columns `date,status,close_ny,reopen_ny` and whatever else is told of a day.
/// A date that is covered and not listed is an ordinary day.
pub const SHIPPED: &str = include_str!("../../../data/cme_calendar.csv");

const FORM: &str = "# calendar 2019-01-01..2027-12-31, 105 lines";

/// How a special day trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Closed,
    /// Closes at this New York time.
    Early(NaiveTime),
}

/// The special days of a span of years, and the outages in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    first: NaiveDate,
    last: NaiveDate,
    days: BTreeMap<NaiveDate, Status>,
    /// When the market stood still though nobody had announced it, half-open, in order.
    outages: Vec<(Ts, Ts)>,
}

impl Calendar {
    /// Reads a calendar in the form of [`SHIPPED`]: `full-closed`, `early-close` at `close_ny`, or `outage` from
    /// `close_ny` of that date to `reopen_ny`, which has a date of its own where it is another day. Lines that begin
    /// with `#` are remarks.
    ///
    /// # Errors
    ///
    /// [`Error::Calendar`] for a line that is not of this form, a span or a number of lines that is not what is there.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| Line { number: index + 1, text: line.trim() })
            .filter(|line| !line.text.is_empty());
        let head = lines.next().unwrap_or(Line { number: 1, text: "" });
        let mut rows = lines.filter(|line| !line.text.starts_with('#'));
        let Some((first, last, stated)) = span(head.text) else { return Err(unstated(text)) };
        let heads = rows.next().unwrap_or(head);
        let columns = Columns::read(&heads)?;
        let mut calendar = Calendar { first, last, days: BTreeMap::new(), outages: Vec::new() };
        let mut count = 0;
        for row in rows {
            calendar.add(&columns, &row)?;
            count += 1;
        }
        if count != stated {
            return Err(head.refused(format!(
                "{stated} lines are stated and {count} are there: the file is cut off, or lines were added and the \
                 number was not"
            )));
        }
        calendar.outages.sort_unstable();
        Ok(calendar)
    }

    fn add(&mut self, columns: &Columns, row: &Line) -> Result<(), Error> {
        let [date, status, close, reopen] = columns.of(row.text);
        let date: NaiveDate = date.parse().map_err(|_| row.refused("the date is not YYYY-MM-DD"))?;
        if !self.covers(date) {
            return Err(row.refused(format!("the date is not within {}", self.span())));
        }
        let clock = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
        let close = || clock(close).ok_or_else(|| row.refused("close_ny is not HH:MM"));
        let status = match status {
            "full-closed" => Status::Closed,
            "early-close" => Status::Early(close()?),
            "outage" => {
                let close = close()?;
                let until = clock(reopen)
                    .map(|time| date.and_time(time))
                    .or_else(|| NaiveDateTime::parse_from_str(reopen, "%Y-%m-%d %H:%M").ok())
                    .filter(|until| *until > date.and_time(close))
                    .ok_or_else(|| {
                        row.refused("reopen_ny is neither HH:MM nor YYYY-MM-DD HH:MM after close_ny")
                    })?;
                self.outages.push((tz::instant(date, close), tz::instant(until.date(), until.time())));
                return Ok(());
            }
            _ => return Err(row.refused("the status is none of full-closed, early-close, outage")),
        };
        match self.days.insert(date, status) {
            None => Ok(()),
            Some(_) => Err(row.refused("the date is listed twice")),
        }
    }

    /// Returns the calendar that ships with the tools.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("the shipped calendar is tested")
    }

    /// Returns what is special about `date`, if anything.
    pub fn status(&self, date: NaiveDate) -> Option<Status> {
        self.days.get(&date).copied()
    }

    /// Says whether the calendar knows of `date`.
    pub fn covers(&self, date: NaiveDate) -> bool {
        (self.first..=self.last).contains(&date)
    }

    /// Returns the last day that the calendar covers.
    pub fn last(&self) -> NaiveDate {
        self.last
    }

    /// Returns what of the time from `from` to `to` the market stood still, as one stretch.
    pub fn outage(&self, from: Ts, to: Ts) -> Option<(Ts, Ts)> {
        let mut within = self.outages.iter().filter(|(stop, resume)| *stop < to && *resume > from);
        let first = within.next()?;
        let last = within.next_back().unwrap_or(first);
        Some((first.0.max(from), last.1.min(to)))
    }

    /// Makes the error for an instant that the calendar knows nothing of.
    pub fn beyond(&self, ts: Ts) -> Error {
        Error::Beyond { ts: time::format(ts), span: self.span() }
    }

    fn span(&self) -> String {
        format!("{} to {}", self.first, self.last)
    }
}

/// A line and where it is.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn refused(&self, what: impl std::fmt::Display) -> Error {
        Error::Calendar { line: self.number, what: format!("{what}: {:?}", self.text) }
    }
}

/// Where the columns are that mean something; `reopen_ny` may be absent where there are no outages.
struct Columns([Option<usize>; 4]);

impl Columns {
    fn read(heads: &Line) -> Result<Columns, Error> {
        let place = |wanted: &str| heads.text.split(',').position(|name| name.trim() == wanted);
        let places = ["date", "status", "close_ny", "reopen_ny"].map(place);
        if places[..3].contains(&None) {
            return Err(heads.refused("the columns are not date,status,close_ny,reopen_ny"));
        }
        Ok(Columns(places))
    }

    fn of<'a>(&self, row: &'a str) -> [&'a str; 4] {
        self.0.map(|place| place.and_then(|place| row.split(',').nth(place)).unwrap_or_default().trim())
    }
}

/// Reads the first line: the first day, the last one, how many lines.
fn span(text: &str) -> Option<(NaiveDate, NaiveDate, usize)> {
    let (days, lines) = text.strip_prefix("# calendar ")?.strip_suffix(" lines")?.split_once(", ")?;
    let (first, last) = days.split_once("..")?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last, lines.parse().ok()?))
}

/// Says how a calendar without a span is to begin: with the years of its dates, were it whole.
fn unstated(text: &str) -> Error {
    let dates: Vec<NaiveDate> =
        text.lines().filter_map(|line| line.split(',').next()?.trim().parse().ok()).collect();
    let form = match (dates.iter().min(), dates.iter().max()) {
        (Some(first), Some(last)) => {
            format!("# calendar {}-01-01..{}-12-31, {} lines", first.year(), last.year(), dates.len())
        }
        _ => FORM.to_owned(),
    };
    let what = format!(
        "it does not say which days it covers: if it is whole, put before it a line such as {form:?} (the first day and \
         the last one, and how many lines follow the names of the columns)"
    );
    Error::Calendar { line: 1, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# calendar 2025-01-01..2025-12-31, 1 lines\ndate,status,close_ny,reopen_ny\n";

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn told(text: &str) -> String {
        Calendar::parse(text).expect_err("refused").to_string()
    }

    #[test]
    fn the_shipped_calendar_reads() {
        let calendar = Calendar::shipped();
        let on = |text: &str| calendar.status(day(text));
        let early = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).map(Status::Early);
        assert_eq!((calendar.first, calendar.last), (day("2014-01-01"), day("2030-12-31")));
        assert_eq!(on("2025-12-25"), Some(Status::Closed));
        assert_eq!(on("2025-11-28"), early(13, 15));
        assert_eq!(on("2018-12-05"), early(9, 30));
        assert_eq!(on("2025-11-25"), None);
        assert_eq!(calendar.outages.len(), 2);
    }

    #[test]
    fn a_calendar_that_is_cut_is_refused() {
        let three: Vec<_> = SHIPPED.lines().take(7).collect();
        let said = told(&three.join("\n"));
        assert!(said.contains(" lines are stated and 3 are there: the file is cut off"), "{said}");
    }

    #[test]
    fn a_calendar_without_a_span_is_told_what_to_add() {
        let said = told(
            "date,status,close_ny,source,note\n2024-12-25,full-closed,,,\n2025-07-04,early-close,13:00,,\n",
        );
        assert!(said.contains("\"# calendar 2024-01-01..2025-12-31, 2 lines\""), "{said}");
        for text in [
            "",
            "date,status,close_ny\n",
            "# calendar 2025-12-31..2025-01-01, 0 lines\ndate,status,close_ny\n",
        ] {
            assert!(told(text).contains(FORM), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for line in [
            "2025-13-01,full-closed,",
            "2026-01-01,full-closed,",
            "2025-01-01,open,",
            "2025-01-01,early-close,1pm",
            "2025-01-01,outage,10:00",
            "2025-01-01,outage,10:00,09:00",
            "x",
        ] {
            assert!(Calendar::parse(&format!("{HEAD}{line}\n")).is_err(), "{line}");
        }
        assert!(Calendar::parse(&format!("{HEAD}# a remark\n\n2025-01-01,full-closed\n")).is_ok());
        assert!(told(&HEAD.replace("status", "state")).contains("the columns are not"));
    }

    #[test]
    fn an_outage_is_cut_to_what_is_asked_for() {
        let line = "2025-11-27,outage,21:44,2025-11-28 08:30";
        let calendar = Calendar::parse(&format!("{HEAD}{line}\n")).expect("a calendar");
        let at = |text: &str| time::parse(text).expect("a time");
        let (stop, resume) = (at("2025-11-28T02:44:00Z"), at("2025-11-28T13:30:00Z"));
        assert_eq!(calendar.outage(0, i64::MAX), Some((stop, resume)));
        assert_eq!(calendar.outage(stop + 5, resume - 5), Some((stop + 5, resume - 5)));
        assert_eq!((calendar.outage(0, stop), calendar.outage(resume, i64::MAX)), (None, None));
    }
}
