//! When to ask whether the contract is still the one: as a day begins, and never while one runs. Pure.
//!
//! Which month is the front one the service decides, from one day to the next. What holds a position cannot be rolled, and
//! nobody here knows whether anybody does; so a feed ends as a day begins, when all are flat, and whoever starts it again
//! starts with the other contract.

use chrono::NaiveDate;
use mes_core::{
    calendar::Calendar,
    session::{Part, Sessions},
    time::{SECOND, Ts},
};

/// Between two questions that were not answered, in nanoseconds.
const AGAIN: i64 = 10 * SECOND;

/// What is sent at the close may take so long, in nanoseconds.
const UNDER_WAY: i64 = 5 * SECOND;

/// Follows the days of the market.
pub struct Days {
    sessions: Sessions,
    /// The day that it was last, once that was looked at.
    day: Option<Option<NaiveDate>>,
    /// When to ask, on the steady clock.
    ask: Option<i64>,
}

impl Days {
    /// Begins.
    pub fn new(calendar: Calendar) -> Days {
        Days { sessions: Sessions::new(calendar), day: None, ask: None }
    }

    /// Says whether the market is open.
    pub fn is_open(&mut self, ts: Ts) -> bool {
        matches!(self.sessions.of_instant(ts), Part::Overnight | Part::Rth | Part::Evening)
    }

    /// Returns when the day of an instant opened, if it did before.
    pub fn opened(&mut self, ts: Ts) -> Option<Ts> {
        self.sessions.day(ts).map(|day| day.open).filter(|open| *open < ts)
    }

    /// Lets time pass; says whether to ask now.
    pub fn asks(&mut self, ts: Ts, steady: i64) -> bool {
        let day = self.sessions.day(ts).filter(|day| day.part(ts) != Part::Closed).map(|day| day.label);
        let before = *self.day.get_or_insert(day);
        if day.is_some() && day != before {
            (self.day, self.ask) = (Some(day), Some(steady));
        }
        let asks = self.ask.is_some_and(|at| at <= steady);
        if asks {
            self.ask = Some(steady.saturating_add(AGAIN));
        }
        asks
    }

    /// Takes an answer in: whether there was one.
    pub fn answered(&mut self, is_known: bool, steady: i64) {
        self.ask = (!is_known).then(|| steady.saturating_add(AGAIN));
    }
}

/// Waits for the end of a day: of the one that is open as it begins, or of the next that opens.
pub struct DayEnd {
    sessions: Sessions,
    close: Option<Ts>,
}

impl DayEnd {
    /// Begins.
    pub fn new(calendar: Calendar) -> DayEnd {
        DayEnd { sessions: Sessions::new(calendar), close: None }
    }

    /// Says whether the day has closed, so long ago that what was on its way has come.
    pub fn has_come(&mut self, ts: Ts) -> bool {
        if self.close.is_none() {
            let open = self.sessions.day(ts).filter(|day| day.part(ts) != Part::Closed);
            self.close = open.map(|day| day.close);
        }
        self.close.is_some_and(|close| ts >= close.saturating_add(UNDER_WAY))
    }
}

#[cfg(test)]
mod tests {
    use mes_core::time::parse;

    use super::*;

    #[test]
    fn a_new_day_is_asked_about_until_it_is_answered() {
        let at = |text: &str| parse(text).expect("an instant");
        let mut days = Days::new(Calendar::shipped());
        // Thursday, in session; the break; Friday's opening at 18:00 New York.
        assert!(!days.asks(at("2026-11-19T20:00:00Z"), 0));
        assert!(!days.asks(at("2026-11-19T22:30:00Z"), 0));
        assert!(!days.is_open(at("2026-11-19T22:30:00Z")) && days.is_open(at("2026-11-19T23:00:00Z")));
        assert!(days.asks(at("2026-11-19T23:00:00Z"), SECOND));
        assert!(!days.asks(at("2026-11-19T23:00:01Z"), 2 * SECOND));
        days.answered(false, 5 * SECOND);
        assert!(days.asks(at("2026-11-19T23:00:14Z"), 15 * SECOND));
        days.answered(true, 16 * SECOND);
        assert!(!days.asks(at("2026-11-20T15:00:00Z"), 60_000 * SECOND));
        assert_eq!(days.opened(at("2026-11-20T15:00:00Z")), Some(at("2026-11-19T23:00:00Z")));
        // Started while it is closed: the first opening is a new day.
        let mut days = Days::new(Calendar::shipped());
        assert!(!days.asks(at("2026-11-19T22:30:00Z"), 0) && days.asks(at("2026-11-19T23:00:00Z"), 1));
    }

    #[test]
    fn a_day_ends_at_its_close_whenever_one_began_to_wait() {
        let at = |text: &str| parse(text).expect("an instant");
        let mut end = DayEnd::new(Calendar::shipped());
        // Before the opening of Wednesday's day, in it, at its close at 17:00 New York.
        for (ts, has_come) in [
            ("2026-11-24T22:50:00Z", false),
            ("2026-11-24T23:00:00Z", false),
            ("2026-11-25T22:00:04Z", false),
            ("2026-11-25T22:00:05Z", true),
        ] {
            assert_eq!(end.has_come(at(ts)), has_come, "{ts}");
        }
        // The day after Thanksgiving closes at 13:15.
        let mut early = DayEnd::new(Calendar::shipped());
        assert!(!early.has_come(at("2026-11-27T15:00:00Z")) && !early.has_come(at("2026-11-27T18:15:04Z")));
        assert!(early.has_come(at("2026-11-27T18:15:05Z")));
    }
}
