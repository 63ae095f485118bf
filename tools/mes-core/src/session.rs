//! The Globex day: 18:00 to 17:00 New York (17:15 until September 2015), labelled by the date on which it ends.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};

use crate::{
    Error,
    calendar::{Calendar, Status},
    time::Ts,
    tz,
};

/// Which seconds a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    #[default]
    All,
    /// The cash session, 09:30–16:00 New York.
    Rth,
    /// All but the cash session.
    Eth,
}

impl Filter {
    /// Says whether a stream with this filter carries the seconds of `part`.
    pub fn keeps(self, part: Part) -> bool {
        match self {
            Filter::All => true,
            Filter::Rth => part == Part::Rth,
            Filter::Eth => matches!(part, Part::Overnight | Part::Evening),
        }
    }

    /// Returns the name as written in flags and headers.
    pub fn name(self) -> &'static str {
        match self {
            Filter::All => "all",
            Filter::Rth => "rth",
            Filter::Eth => "eth",
        }
    }
}

/// Where in the day an instant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the opening at 18:00 to 09:30.
    Overnight,
    /// The cash session.
    Rth,
    /// From 16:00 to the close, save a pause.
    Evening,
    /// The market stands still: 16:15–16:30 until 2021-06-25, and in an outage.
    Pause,
    Closed,
}

/// One Globex day. All intervals are half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub label: NaiveDate,
    pub open: Ts,
    pub close: Ts,
    /// The cash session, cut by an early close; absent when the day closes before 09:30.
    pub rth: Option<(Ts, Ts)>,
    pub pause: Option<(Ts, Ts)>,
    /// What nobody had announced: known of the past alone, so nothing that is decided may look ahead to it.
    pub outage: Option<(Ts, Ts)>,
}

impl Day {
    /// Returns the day labelled `label`, or `None` when no session ends on that date.
    pub fn labelled(label: NaiveDate, calendar: &Calendar) -> Option<Day> {
        if matches!(label.weekday(), Weekday::Sat | Weekday::Sun) {
            return None;
        }
        let at = |hour, minute| tz::instant(label, clock(hour, minute));
        let last_quarter = NaiveDate::from_ymd_opt(2015, 9, 18).unwrap_or_default();
        let close = match calendar.status(label) {
            Some(Status::Closed) => return None,
            Some(Status::Early(time)) => tz::instant(label, time),
            None if label <= last_quarter => at(17, 15),
            None => tz::instant(label, close()),
        };
        let open = tz::instant(label - TimeDelta::days(1), clock(18, 0));
        let rth = (at(9, 30) < close).then(|| (at(9, 30), at(16, 0).min(close)));
        let last_pause = NaiveDate::from_ymd_opt(2021, 6, 25).unwrap_or_default();
        let pause = (label <= last_pause && at(16, 30) < close).then(|| (at(16, 15), at(16, 30)));
        Some(Day { label, open, close, rth, pause, outage: calendar.outage(open, close) })
    }

    /// Returns the day as it was announced.
    pub fn as_scheduled(self) -> Day {
        Day { outage: None, ..self }
    }

    /// Returns the part of this day that holds the instant `ts`.
    #[inline]
    pub fn part(&self, ts: Ts) -> Part {
        let within = |span: Option<(Ts, Ts)>| span.is_some_and(|(from, to)| (from..to).contains(&ts));
        if !(self.open..self.close).contains(&ts) {
            Part::Closed
        } else if within(self.pause) || within(self.outage) {
            Part::Pause
        } else if within(self.rth) {
            Part::Rth
        } else if self.rth.is_none_or(|(from, _)| ts < from) {
            Part::Overnight
        } else {
            Part::Evening
        }
    }

    /// Returns the unbroken stretch of open market around `ts` that a stream with this filter carries.
    #[inline]
    pub fn stretch(&self, ts: Ts, filter: Filter) -> Option<(Ts, Ts)> {
        let (rth_open, rth_close) = self.rth.unwrap_or((self.close, self.close));
        let (mut from, mut to) = match (self.part(ts), filter) {
            (Part::Closed | Part::Pause, _) | (Part::Rth, Filter::Eth) => return None,
            (Part::Overnight | Part::Evening, Filter::Rth) => return None,
            (_, Filter::All) => (self.open, self.close),
            (Part::Rth, Filter::Rth) => (rth_open, rth_close),
            (Part::Overnight, Filter::Eth) => (self.open, rth_open),
            (Part::Evening, Filter::Eth) => (rth_close, self.close),
        };
        for (stop, resume) in [self.pause, self.outage].into_iter().flatten() {
            if ts < stop {
                to = to.min(stop);
            } else {
                from = from.max(resume);
            }
        }
        Some((from, to))
    }
}

/// Finds the day of an instant. Keeps the day it found last, so that a stream pays for a look-up once a day.
#[derive(Clone, Debug)]
pub struct Sessions {
    calendar: Calendar,
    current: Option<Frame>,
}

/// From 18:00 to 18:00 New York.
#[derive(Clone, Copy, Debug)]
struct Frame {
    from: Ts,
    to: Ts,
    /// The session within, if there is one.
    day: Option<Day>,
    covered: bool,
}

impl Sessions {
    /// Makes them by a calendar.
    pub fn new(calendar: Calendar) -> Self {
        Sessions { calendar, current: None }
    }

    /// Returns the day whose 18:00-to-18:00 span holds the instant `ts`; `None` on weekends and holidays.
    #[inline]
    pub fn day(&mut self, ts: Ts) -> Option<&Day> {
        self.covers(ts);
        self.current.as_ref().and_then(|frame| frame.day.as_ref())
    }

    /// Refuses a bar stamped `ts` whose day the calendar knows nothing of: what it would say of that day is a guess.
    ///
    /// # Errors
    ///
    /// [`Error::Beyond`].
    #[inline]
    pub fn check_bar(&mut self, ts: Ts) -> Result<(), Error> {
        if self.covers(ts - 1) { Ok(()) } else { Err(self.calendar.beyond(ts)) }
    }

    /// Says whether the calendar knows of the day that holds the instant `ts`.
    #[inline]
    pub fn covers(&mut self, ts: Ts) -> bool {
        match &self.current {
            Some(frame) if (frame.from..frame.to).contains(&ts) => frame.covered,
            _ => self.look_up(ts),
        }
    }

    fn look_up(&mut self, ts: Ts) -> bool {
        let label = (tz::new_york(ts) + TimeDelta::hours(6)).date();
        let from = tz::instant(label - TimeDelta::days(1), clock(18, 0));
        let to = tz::instant(label, clock(18, 0));
        let (day, covered) = (Day::labelled(label, &self.calendar), self.calendar.covers(label));
        self.current = Some(Frame { from, to, day, covered });
        covered
    }

    /// Returns the part of the day that holds the instant `ts`.
    pub fn of_instant(&mut self, ts: Ts) -> Part {
        self.day(ts).map_or(Part::Closed, |day| day.part(ts))
    }

    /// Returns the part of the day that a bar stamped `ts` belongs to: that of its interval, which ends just
    /// before its stamp. So the bar stamped 16:00:00 is the last one of the cash session.
    pub fn of_bar(&mut self, ts: Ts) -> Part {
        self.of_instant(ts - 1)
    }

    /// Returns the day that a bar stamped `ts` belongs to.
    pub fn day_of_bar(&mut self, ts: Ts) -> Option<&Day> {
        self.day(ts - 1)
    }
}

/// Returns when an ordinary day closes, in New York.
pub fn close() -> NaiveTime {
    clock(17, 0)
}

/// A wall time from constants.
pub(crate) fn clock(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN)
}
