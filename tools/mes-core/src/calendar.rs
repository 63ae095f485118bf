//! Days on which the exchange is closed or closes early.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};

use crate::Error;

/// `data/cme_calendar.csv`: columns `date,status,close_ny,source,note`, where a status is `full-closed` or
/// `early-close`. A date that is not listed is an ordinary day. Made from pandas_market_calendars 5.5.0 (MIT),
/// calendar "CME Globex Equity", with the overrides that the `source` column marks.
pub const SHIPPED: &str = include_str!("../../../data/cme_calendar.csv");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Closed,
    /// Closes at this New York time.
    Early(NaiveTime),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar(BTreeMap<NaiveDate, Status>);

impl Calendar {
    /// Reads a calendar in the form of [`SHIPPED`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut days = BTreeMap::new();
        for (index, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
            let refused =
                |what: &str| Error::Calendar { line: index + 1, what: format!("{what} in {line:?}") };
            let mut fields = line.splitn(4, ',');
            let mut field = || fields.next().unwrap_or_default().trim();
            let (date, status, close) = (field(), field(), field());
            let date = date.parse().map_err(|_| refused("the date is not YYYY-MM-DD"))?;
            let status = match status {
                "full-closed" => Status::Closed,
                "early-close" => Status::Early(
                    NaiveTime::parse_from_str(close, "%H:%M")
                        .map_err(|_| refused("close_ny is not HH:MM"))?,
                ),
                _ => return Err(refused("the status is neither full-closed nor early-close")),
            };
            if days.insert(date, status).is_some() {
                return Err(refused("the date is listed twice"));
            }
        }
        Ok(Calendar(days))
    }

    /// Returns the calendar that ships with the tools.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("the shipped calendar is tested")
    }

    /// Returns what is special about `date`, if anything.
    pub fn status(&self, date: NaiveDate) -> Option<Status> {
        self.0.get(&date).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_calendar_reads() {
        let calendar = Calendar::shipped();
        let on = |text: &str| calendar.status(text.parse().expect("a date"));
        assert_eq!(calendar.0.len(), 105);
        assert_eq!(on("2025-12-25"), Some(Status::Closed));
        assert_eq!(on("2025-11-28"), NaiveTime::from_hms_opt(13, 15, 0).map(Status::Early));
        assert_eq!(on("2025-11-25"), None);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for line in ["2025-13-01,full-closed,", "2025-01-01,open,", "2025-01-01,early-close,1pm", "x"] {
            assert!(Calendar::parse(&format!("date,status,close_ny\n{line}\n")).is_err(), "{line}");
        }
    }
}
