//! What is missing, held against the calendar.
//!
//! A hole is cut where the market opens, closes, pauses and where the cash session begins and ends. A piece in which
//! the market was shut is known; in an open market a short piece is expected, since without a trade there is no bar,
//! and a long one is suspicious. How long is long depends on the row and on the time of day; the limits are those that
//! fit MES as it trades: 5 minutes of the cash session and 30 of the rest for rows of a minute and more, 2 and 15 for
//! shorter ones and ticks.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};
use mes_core::{
    calendar::{Calendar, Status},
    contract::Name,
    session::{Filter, Part, Sessions},
    symbol::Symbol,
    time::{MINUTE, SECOND, Ts},
    tz,
};

/// Why rows are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Known(&'static str),
    Expected,
    Suspicious(&'static str),
}

/// One piece of a hole, half-open.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub from: Ts,
    pub to: Ts,
    pub class: Class,
}

/// Days of which the source itself says that they are not whole: the date, and its word.
#[derive(Clone, Debug, Default)]
pub struct Impaired(BTreeMap<NaiveDate, String>);

impl Impaired {
    /// Adds days as `2024-01-17 (degraded)`.
    pub fn add(&mut self, days: &[String]) {
        let parts = days.iter().filter_map(|day| day.split_once(' '));
        self.0.extend(parts.filter_map(|(date, word)| Some((date.parse().ok()?, word.to_owned()))));
    }

    /// Returns why a piece is known to be missing: one of its UTC days is such a day.
    fn why(&self, from: Ts, to: Ts) -> Option<&'static str> {
        let day = |ts| DateTime::from_timestamp_nanos(ts).date_naive();
        let (_, word) = self.0.range(day(from)..=day(to - 1)).next()?;
        Some(match word.as_str() {
            "(degraded)" => "degraded at the source",
            "(missing)" => "missing at the source",
            _ => "not whole at the source",
        })
    }

    /// Returns the days that lie within a stretch of time, as they were added.
    pub fn between(&self, from: Ts, to: Ts) -> Vec<String> {
        let day = |ts| DateTime::from_timestamp_nanos(ts).date_naive();
        self.0
            .range(day(from)..=day(to).max(day(from)))
            .map(|(date, word)| format!("{date} {word}"))
            .collect()
    }
}

/// Cuts holes into pieces.
pub struct Gaps {
    calendar: Calendar,
    sessions: Sessions,
    filter: Filter,
    /// How long an open piece may be in the cash session and elsewhere.
    limits: [i64; 2],
    pub impaired: Impaired,
}

impl Gaps {
    /// Makes one for rows of this many nanoseconds; 0 for ticks.
    pub fn new(calendar: Calendar, filter: Filter, row: i64, impaired: Impaired) -> Gaps {
        let limits = if row >= MINUTE { [5 * MINUTE, 30 * MINUTE] } else { [120 * SECOND, 15 * MINUTE] };
        Gaps { sessions: Sessions::new(calendar.clone()), calendar, filter, limits, impaired }
    }

    /// Returns the part of the day of an instant, or `None` where the calendar knows nothing of it.
    pub fn part(&mut self, ts: Ts) -> Option<Part> {
        self.sessions.covers(ts).then(|| self.sessions.of_instant(ts))
    }

    /// Cuts the hole from `from` to `to`; `expired` is when the contract before it ended, if another one follows.
    pub fn pieces(&mut self, from: Ts, to: Ts, expired: Option<Ts>) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = from;
        while at < to {
            let (end, class) = self.piece(at, to, expired);
            match pieces.last_mut() {
                Some(last) if matches!(class, Class::Known(_)) && last.class == class => last.to = end,
                _ => pieces.push(Piece { from: at, to: end, class }),
            }
            at = end;
        }
        pieces
    }

    /// Returns where the piece that begins at `at` ends, and its class.
    fn piece(&mut self, at: Ts, to: Ts, expired: Option<Ts>) -> (Ts, Class) {
        let label = (tz::new_york(at) + TimeDelta::hours(6)).date();
        let frame_end = tz::instant(label, NaiveTime::from_hms_opt(18, 0, 0).unwrap_or_default());
        if !self.calendar.covers(label) {
            return (frame_end.min(to), Class::Known("beyond the calendar"));
        }
        let Some(day) = self.sessions.day(at).copied() else {
            return (frame_end.min(to), Class::Known(closed(label)));
        };
        let rth_open = day.rth.map(|(open, _)| open);
        let pairs = [day.rth, day.pause, day.outage].into_iter().flatten().flat_map(|(from, to)| [from, to]);
        let cuts = pairs.chain([day.open, day.close, frame_end, expired.unwrap_or(at)]);
        let end = cuts.filter(|cut| *cut > at).min().unwrap_or(to).min(to);
        let part = day.part(at);
        let class = match part {
            Part::Closed
                if at >= day.close && matches!(self.calendar.status(label), Some(Status::Early(_))) =>
            {
                Class::Known("early close")
            }
            Part::Closed => Class::Known("daily break"),
            Part::Pause if day.outage.is_some_and(|(from, to)| (from..to).contains(&at)) => {
                Class::Known("outage")
            }
            Part::Pause => Class::Known("pause of 16:15"),
            _ if expired.is_some_and(|end| at >= end && tz::new_york(end).date() == label) => {
                Class::Known("expiry")
            }
            _ if !self.filter.keeps(part) => Class::Known("not in this stream"),
            _ if at == day.open && Some(end) == rth_open && to >= day.close => {
                Class::Suspicious("session missing")
            }
            Part::Rth if end - at >= self.limits[0] => Class::Suspicious("cash session"),
            Part::Overnight | Part::Evening if end - at >= self.limits[1] => Class::Suspicious("overnight"),
            _ => Class::Expected,
        };
        let class = match (class, self.impaired.why(at, end)) {
            (Class::Suspicious(_), Some(why)) => Class::Known(why),
            (class, _) => class,
        };
        (end, class)
    }

    /// Returns when a contract ends, if the symbol names one.
    pub fn end_of(&self, symbol: Symbol, near: Ts) -> Option<Ts> {
        match Name::parse(symbol.as_str(), tz::new_york(near).date()) {
            Ok(Name::Contract(_, expiry)) => Some(expiry.ends(&self.calendar)),
            _ => None,
        }
    }
}

fn closed(label: NaiveDate) -> &'static str {
    if matches!(label.weekday(), Weekday::Sat | Weekday::Sun) { "weekend" } else { "holiday" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(row: i64, filter: Filter, from: &str, to: &str) -> Vec<(i64, Class)> {
        let ts = |text: &str| mes_core::time::parse(text).expect("a time");
        let mut gaps = Gaps::new(Calendar::shipped(), filter, row, Impaired::default());
        let pieces = gaps.pieces(ts(from), ts(to), None);
        pieces.iter().map(|piece| ((piece.to - piece.from) / MINUTE, piece.class)).collect()
    }

    #[test]
    fn tells_the_known_from_the_suspicious() {
        use Class::*;
        // From Friday's close over the weekend, in summer, half an hour into Sunday evening.
        let weekend = cut(MINUTE, Filter::All, "2026-06-05T21:00:00Z", "2026-06-07T22:30:00Z");
        assert_eq!(
            weekend,
            [(60, Known("daily break")), (2880, Known("weekend")), (30, Suspicious("overnight"))]
        );
        let evening = cut(MINUTE, Filter::All, "2026-06-09T00:00:00Z", "2026-06-09T00:29:00Z");
        assert_eq!(evening, [(29, Expected)]);
        let cash = cut(MINUTE, Filter::All, "2026-06-09T13:20:00Z", "2026-06-09T13:35:00Z");
        assert_eq!(cash, [(10, Expected), (5, Suspicious("cash session"))]);
        let seconds = cut(SECOND, Filter::All, "2026-06-09T15:00:00Z", "2026-06-09T15:02:00Z");
        assert_eq!(seconds, [(2, Suspicious("cash session"))]);
        let early = cut(MINUTE, Filter::All, "2022-11-25T18:15:00Z", "2022-11-25T22:00:00Z");
        assert_eq!(early, [(225, Known("early close"))]);
        let pause = cut(MINUTE, Filter::All, "2019-12-16T21:15:00Z", "2019-12-16T21:30:00Z");
        assert_eq!(pause, [(15, Known("pause of 16:15"))]);
        // The night of a cooling failure: nobody traded from 21:44 to 08:30 New York.
        let outage = cut(MINUTE, Filter::All, "2025-11-28T02:40:00Z", "2025-11-28T13:30:00Z");
        assert_eq!(outage, [(4, Expected), (646, Known("outage"))]);
        let beyond = cut(MINUTE, Filter::All, "2013-12-02T15:00:00Z", "2013-12-03T15:00:00Z");
        assert_eq!(beyond, [(1440, Known("beyond the calendar"))]);
        let rth = cut(MINUTE, Filter::Rth, "2026-06-09T20:00:00Z", "2026-06-10T13:30:00Z");
        assert!(rth.iter().all(|(_, class)| matches!(class, Known(_))), "{rth:?}");
        let mut impaired = Impaired::default();
        impaired.add(&["2026-06-09 (degraded)".to_owned()]);
        let mut gaps = Gaps::new(Calendar::shipped(), Filter::All, SECOND, impaired);
        let ts = |text: &str| mes_core::time::parse(text).expect("a time");
        let pieces = gaps.pieces(ts("2026-06-09T15:00:00Z"), ts("2026-06-09T15:02:00Z"), None);
        assert_eq!(pieces[0].class, Known("degraded at the source"));
        let friday = cut(MINUTE, Filter::All, "2023-04-06T21:00:00Z", "2023-04-09T22:00:00Z");
        assert!(friday.iter().any(|(_, class)| *class != Known("weekend")), "{friday:?}");
    }
}
