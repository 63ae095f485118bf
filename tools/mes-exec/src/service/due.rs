//! Whether there is a day to trade: the timer knows the days of the week, and this the holidays.

use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    calendar::Calendar,
    session::{Day, Sessions},
    time::{MINUTE, Ts},
    tz,
};
use mes_pipe::{Error, Result};

use super::LEAD_MIN;

/// Days in which some session begins, whatever the holidays.
const AHEAD_DAYS: i64 = 10;

/// Says which session is open or opens within [`LEAD_MIN`].
///
/// # Errors
///
/// `Failed` where none does, with the next one; `Data` where the calendar does not know.
pub fn due(calendar: Calendar, now: Ts) -> Result<String> {
    let (mut sessions, soon) = (Sessions::new(calendar.clone()), now.saturating_add(LEAD_MIN * MINUTE));
    if !sessions.covers(soon) {
        return Err(Error::data(calendar.beyond(soon)));
    }
    let open = sessions.day(soon).filter(|day| now < day.close && day.open <= soon);
    match open {
        Some(day) => Ok(format!("the day of {} is open until {}", day.label, wall(day.close))),
        None => Err(Error::failed(match next(&calendar, now) {
            Some(day) => {
                format!("no session now: the next is that of {}, from {}", day.label, wall(day.open))
            }
            None => "no session now, and none that the calendar knows".to_owned(),
        })),
    }
}

/// Returns the session that opens next.
pub fn next(calendar: &Calendar, now: Ts) -> Option<Day> {
    let today: NaiveDate = tz::new_york(now).date();
    let dates = (0..=AHEAD_DAYS).map(|days| today + TimeDelta::days(days));
    let days = dates.filter(|date| calendar.covers(*date)).filter_map(|date| Day::labelled(date, calendar));
    days.into_iter().find(|day| day.open > now)
}

/// Writes an instant as a clock in New York shows it.
pub fn wall(ts: Ts) -> String {
    tz::new_york(ts).format("%a %Y-%m-%d %H:%M New York").to_string()
}

#[cfg(test)]
mod tests {
    use mes_core::time::parse;

    use super::*;

    fn said(at: &str) -> String {
        match due(Calendar::shipped(), parse(at).expect("an instant")) {
            Ok(said) => format!("yes: {said}"),
            Err(error) => format!("{}: {error}", error.code()),
        }
    }

    #[test]
    fn a_start_is_due_while_a_session_is_open_or_about_to_be_and_at_no_other_time() {
        // Sunday 17:49 and 17:50; daylight saving ended on November 1st.
        assert_eq!(
            said("2026-11-29T22:49:59Z"),
            "1: no session now: the next is that of 2026-11-30, from Sun 2026-11-29 18:00 New York"
        );
        let monday = "yes: the day of 2026-11-30 is open until Mon 2026-11-30 17:00 New York";
        assert_eq!(said("2026-11-29T22:50:00Z"), monday);
        assert_eq!(said("2026-11-30T21:59:59Z"), monday);
        assert!(said("2026-11-30T22:00:00Z").starts_with("1: "), "the break");
        // In summer an hour earlier by UTC.
        assert!(said("2026-07-06T21:50:00Z").starts_with("yes: the day of 2026-07-07"));
        // Thanksgiving trades until 13:00, the day after until 13:15; Christmas does not at all.
        assert!(said("2026-11-26T17:59:00Z").ends_with("13:00 New York"));
        assert!(said("2026-11-26T18:00:00Z").starts_with("1: "));
        assert!(said("2026-12-25T15:00:00Z").starts_with("1: no session now"));
        assert!(said("2026-11-28T15:00:00Z").contains("that of 2026-11-30"), "a Saturday");
        assert!(said("2031-01-06T15:00:00Z").starts_with("3: "), "past the calendar");
    }
}
