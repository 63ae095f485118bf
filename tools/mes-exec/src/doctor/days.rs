//! The calendar: how long it still knows of holidays, and which session is the next.

use mes_core::{
    calendar::Calendar,
    time::{SECOND, Ts},
    tz,
};
use mes_pipe::clock::Clock;

use super::{
    Desk,
    check::{Check, fail, ok, warn},
};
use crate::service::due;

/// Days before its end at which a person is told.
const NEAR_DAYS: i64 = 30;

impl Desk<'_> {
    /// Returns what time it is where we trade.
    pub(super) fn now(&self) -> Ts {
        self.service.clock().unwrap_or_else(|_| Clock::machine()).now().utc
    }
}

/// Looks how far the calendar reaches: past its end nothing is traded.
pub fn calendar(desk: &Desk) -> Check {
    reaches(&desk.calendar(), desk.now())
}

fn reaches(calendar: &Calendar, now: Ts) -> Check {
    let last = calendar.last();
    let left = (last - tz::new_york(now).date()).num_days();
    let says = format!("knows the holidays until {last}, {left} days");
    match left {
        ..=0 => fail(
            "calendar",
            format!("ends with {last}: nothing is traded past it; take newer tools, or give --calendar FILE"),
        ),
        1..=NEAR_DAYS => {
            warn("calendar", format!("{says}: take newer tools, or give --calendar FILE, before that"))
        }
        _ => ok("calendar", says),
    }
}

/// Says which session is open, or opens next.
pub fn session(desk: &Desk) -> Check {
    let calendar = desk.calendar();
    match (due::due(calendar.clone(), desk.now()), due::next(&calendar, desk.now())) {
        (Ok(says), _) => ok("session", says),
        (Err(_), Some(day)) => {
            let (open, close) = (due::wall(day.open), due::wall(day.close));
            ok("session", format!("closed; the day of {} is open from {open} until {close}", day.label))
        }
        (Err(error), None) => fail("session", error),
    }
}

/// Writes nanoseconds as seconds.
pub fn seconds(nanos: i64) -> String {
    format!("{:.1} s", nanos as f64 / SECOND as f64)
}

#[cfg(test)]
mod tests {
    use mes_core::time::parse;

    use super::{
        super::check::Came::{Fail, Ok, Warn},
        *,
    };

    #[test]
    fn the_end_of_the_calendar_is_told_a_month_before() {
        let calendar = Calendar::shipped();
        let came = |at: &str| reaches(&calendar, parse(at).expect("an instant")).came;
        let wanted = [
            ("2030-11-30T15:00:00Z", Ok),
            ("2030-12-01T15:00:00Z", Warn),
            ("2030-12-30T15:00:00Z", Warn),
            ("2030-12-31T15:00:00Z", Fail),
        ];
        for (at, wanted) in wanted {
            assert_eq!(came(at), wanted, "{at}");
        }
    }
}
