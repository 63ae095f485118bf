//! The day and its end for every bar of a stream, looked up once a day.

use chrono::{NaiveDate, NaiveTime};

use crate::{
    Error,
    calendar::Calendar,
    day_end::DayEnd,
    session::{Day, Filter, Part, Sessions},
    time::Ts,
};

/// The days of one stream; holds the one that its last bar was in.
#[derive(Clone, Debug)]
pub struct Schedule {
    sessions: Sessions,
    flat_by: NaiveTime,
    broker_cut: Option<NaiveTime>,
    filter: Filter,
    current: Option<Today>,
}

/// One trading day of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    pub day: Day,
    pub end: DayEnd,
    filter: Filter,
}

impl Today {
    /// Returns the date that the day is named by: that on which it ends.
    pub fn label(&self) -> NaiveDate {
        self.day.label
    }

    /// Returns when the stretch of open session that a bar stamped `ts` lies in ends for this stream, as far as anybody
    /// knew at that time: an outage is no end.
    pub fn stretch_end(&self, ts: Ts) -> Option<Ts> {
        self.day.as_scheduled().stretch(ts - 1, self.filter).map(|(_, end)| end)
    }

    /// Returns the part of the day that a bar stamped `ts` belongs to.
    pub fn part_of_bar(&self, ts: Ts) -> Part {
        self.day.part(ts - 1)
    }
}

impl Schedule {
    /// Makes one for the rows that pass `filter`; times of day are New York's.
    pub fn new(
        calendar: Calendar,
        flat_by: NaiveTime,
        broker_cut: Option<NaiveTime>,
        filter: Filter,
    ) -> Self {
        Schedule { sessions: Sessions::new(calendar), flat_by, broker_cut, filter, current: None }
    }

    /// Is for rows that pass another filter from here on: the day in hand ends anew.
    pub fn set_filter(&mut self, filter: Filter) {
        (self.filter, self.current) = (filter, None);
    }

    /// Refuses a bar whose day the calendar knows nothing of.
    ///
    /// # Errors
    ///
    /// [`Error::Beyond`].
    #[inline]
    pub fn check_bar(&mut self, ts: Ts) -> Result<(), Error> {
        self.sessions.check_bar(ts)
    }

    /// Returns the day that a bar stamped `ts` belongs to; `None` on weekends and holidays.
    #[inline]
    pub fn of_bar(&mut self, ts: Ts) -> Option<&Today> {
        let day = self.sessions.day_of_bar(ts)?;
        if self.current.as_ref().is_none_or(|today| today.day.label != day.label) {
            let end = DayEnd::of(day, self.flat_by, self.broker_cut, self.filter);
            self.current = Some(Today { day: *day, end, filter: self.filter });
        }
        self.current.as_ref()
    }
}
