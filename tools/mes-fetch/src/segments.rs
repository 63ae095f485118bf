//! Which unbroken stretch of the market a bar belongs to.

use mes_core::{
    calendar::Calendar,
    interval::Interval,
    session::{Filter, Sessions},
    time::{SECOND, Ts},
};

/// A hole longer than this begins a new segment: what mes-bars carries a price forward for, unless told otherwise.
const CARRY: i64 = 300 * SECOND;

/// Numbers the segments of one stream, from 1: +1 at each opening by the calendar (18:00, after a pause, 09:30 when
/// only the cash session is kept) and after a long hole.
pub struct Segments {
    sessions: Sessions,
    filter: Filter,
    interval: Interval,
    stretch: Option<(Ts, Ts)>,
    last: Option<Ts>,
    seg: i64,
    outside: u64,
}

impl Segments {
    /// Makes one that has seen no bar yet.
    pub fn new(calendar: Calendar, filter: Filter, interval: Interval) -> Self {
        let sessions = Sessions::new(calendar);
        Segments { sessions, filter, interval, stretch: None, last: None, seg: 0, outside: 0 }
    }

    /// Returns the segment of the bar stamped `ts`; bars come in order of time.
    pub fn of_bar(&mut self, ts: Ts) -> i64 {
        let instant = ts - 1;
        let stretch = match self.stretch {
            Some((from, to)) if (from..to).contains(&instant) => self.stretch,
            _ => self.sessions.day(instant).and_then(|day| day.stretch(instant, self.filter)),
        };
        self.outside += u64::from(stretch.is_none());
        let hole = self.last.is_some_and(|last| ts - self.interval.nanos() - last > CARRY);
        if self.last.is_none() || hole || stretch != self.stretch {
            self.seg += 1;
        }
        (self.stretch, self.last) = (stretch, Some(ts));
        self.seg
    }

    /// Returns how many bars lay where the calendar says that the market is closed.
    pub fn outside(&self) -> u64 {
        self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mes_core::time;

    #[test]
    fn counts_openings_pauses_and_holes() {
        let of = |filter, stamps: &[&str]| {
            let mut segments = Segments::new(Calendar::shipped(), filter, Interval::SECOND);
            stamps.iter().map(|text| segments.of_bar(time::parse(text).expect("a time"))).collect::<Vec<_>>()
        };
        // The bar stamped 21:15:00Z is the last before the pause of 2019, 22:00:00Z the last of the day.
        let day = [
            "2019-12-16T21:14:00Z",
            "2019-12-16T21:15:00Z",
            "2019-12-16T21:30:01Z",
            "2019-12-16T22:00:00Z",
            "2019-12-16T23:00:01Z",
        ];
        assert_eq!(of(Filter::All, &day), [1, 1, 2, 3, 4]);
        let hole = ["2026-11-20T03:00:00Z", "2026-11-20T03:05:01Z", "2026-11-20T03:10:03Z"];
        assert_eq!(of(Filter::All, &hole), [1, 1, 2]);
        let open = ["2026-11-19T21:00:00Z", "2026-11-20T14:30:01Z"];
        assert_eq!(of(Filter::Rth, &open), [1, 2]);
    }
}
