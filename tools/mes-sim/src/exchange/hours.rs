//! The firm's day: from 17:00 to 15:10 Chicago, flat by then; what is still open shortly before is closed.

use mes_core::{
    calendar::Calendar,
    session::{Day, Part, Sessions},
    time::{HOUR, MINUTE, Ts},
};

/// What may be done at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Everything.
    Open,
    /// What makes a position smaller.
    Exits,
    /// Nothing: the firm's day is over, though the exchange is open.
    Closed,
    /// Nothing: the exchange is closed.
    Shut,
    /// Nothing, though the day goes on: the market stands still.
    Halted,
}

/// Finds the phase of an instant.
#[derive(Clone, Debug)]
pub struct Hours {
    sessions: Sessions,
    kept: bool,
    no_entries: i64,
    flattens: i64,
}

impl Hours {
    /// Makes them by a calendar; where they are not kept it is always open.
    pub fn new(calendar: Calendar, kept: bool, no_entries: i64, flattens: i64) -> Hours {
        Hours { sessions: Sessions::new(calendar), kept, no_entries, flattens }
    }

    /// Returns the exchange's day around an instant.
    pub fn day(&mut self, ts: Ts) -> Option<Day> {
        self.sessions.day(ts).copied()
    }

    /// Returns by when the firm wants a day to be flat: 50 minutes before an ordinary close, 15 before an early one.
    pub fn flat_by(day: &Day) -> Ts {
        let ordinary = day.close - day.open >= 23 * HOUR;
        day.close - if ordinary { 50 * MINUTE } else { 15 * MINUTE }
    }

    /// Returns when everything that is open at the end of a day is closed.
    pub fn flattens_at(&self, day: &Day) -> Ts {
        Hours::flat_by(day) - self.flattens
    }

    /// Returns the phase at an instant.
    pub fn phase(&mut self, ts: Ts) -> Phase {
        if !self.kept {
            return Phase::Open;
        }
        let Some(day) = self.day(ts) else { return Phase::Shut };
        match day.part(ts) {
            Part::Closed => Phase::Shut,
            Part::Pause => Phase::Halted,
            _ if ts >= self.flattens_at(&day) => Phase::Closed,
            _ if ts >= Hours::flat_by(&day) - self.no_entries => Phase::Exits,
            _ => Phase::Open,
        }
    }

    /// Returns when the house has to look next, after an instant: at the opening, when it flattens, at the end of a day;
    /// within the hour where there is none.
    pub fn next_look(&mut self, ts: Ts) -> Ts {
        let hour = ts.div_euclid(HOUR).saturating_add(1).saturating_mul(HOUR);
        let Some(day) = self.day(ts) else { return hour };
        let flattens = self.flattens_at(&day);
        [day.open, flattens, day.close, hour].into_iter().filter(|at| *at > ts).min().unwrap_or(hour)
    }

    /// Says whether what is open at an instant has to be closed.
    pub fn must_be_flat(&mut self, ts: Ts) -> bool {
        self.kept && self.day(ts).is_none_or(|day| ts >= self.flattens_at(&day) || ts < day.open)
    }
}

#[cfg(test)]
mod tests {
    use mes_core::time;

    use super::*;

    #[test]
    fn entries_end_at_15_08_chicago_and_everything_shortly_before_15_10() {
        let mut hours = Hours::new(Calendar::shipped(), true, 2 * MINUTE, 10 * time::SECOND);
        // 20 November 2026 is an ordinary Friday, 27 November closes early, at 12:15 Chicago.
        for (ts, phase) in [
            ("2026-11-19T23:59:59Z", Phase::Open),
            ("2026-11-20T21:07:59Z", Phase::Open),
            ("2026-11-20T21:08:00Z", Phase::Exits),
            ("2026-11-20T21:09:49Z", Phase::Exits),
            ("2026-11-20T21:09:50Z", Phase::Closed),
            ("2026-11-20T21:30:00Z", Phase::Closed),
            ("2026-11-20T22:00:00Z", Phase::Shut),
            ("2026-11-21T15:00:00Z", Phase::Shut),
            ("2026-11-22T22:59:59Z", Phase::Shut),
            ("2026-11-22T23:00:00Z", Phase::Open),
            ("2026-11-27T17:57:59Z", Phase::Open),
            ("2026-11-27T17:58:00Z", Phase::Exits),
            ("2026-11-27T17:59:55Z", Phase::Closed),
        ] {
            let ts = time::parse(ts).expect(ts);
            assert_eq!(hours.phase(ts), phase, "{}", time::format(ts));
            let over = matches!(phase, Phase::Closed | Phase::Shut);
            assert_eq!(hours.must_be_flat(ts), over, "{}", time::format(ts));
        }
        let mut never = Hours::new(Calendar::shipped(), false, 0, 0);
        assert_eq!(never.phase(0), Phase::Open);
    }
}
