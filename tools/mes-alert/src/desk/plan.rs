//! What a person wants to be told, and when.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use mes_core::time::{MINUTE, SECOND, Ts};

use crate::{alert::Alert, kinds::Priority};

/// Who is told what, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    pub routes: Vec<Route>,
    /// How fast each channel may be told.
    pub channels: BTreeMap<String, Pace>,
    pub quiet: Option<Quiet>,
    /// In nanoseconds: within it the same thing is told once.
    pub same: i64,
    /// In nanoseconds, between two heartbeats; absent: none.
    pub heartbeat: Option<i64>,
    /// In nanoseconds: a journal that does not grow for so long in an open market is dead.
    pub silence: i64,
    /// In nanoseconds, until that is told again.
    pub silence_again: i64,
    /// What a kind matters here, where that is not what it matters elsewhere.
    pub priorities: BTreeMap<String, Priority>,
}

/// Which alerts go where.
#[derive(Clone, Debug)]
pub struct Route {
    /// Names of kinds, with `*` for any letters.
    pub kinds: Vec<String>,
    pub least: Priority,
    /// The first of them, or the next where that fails; at least one.
    pub to: Vec<String>,
}

/// How fast a channel may be told, and whether quiet hours are for it.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub per_minute: u32,
    pub quiet: bool,
}

/// Hours in which only what is urgent is told; the rest comes together when they are over.
#[derive(Clone, Debug)]
pub struct Quiet {
    pub from: NaiveTime,
    pub to: NaiveTime,
    pub zone: Tz,
}

impl Plan {
    /// Tells everything to one channel, called `console`.
    pub fn console() -> Plan {
        let to = vec!["console".to_owned()];
        Plan {
            routes: vec![Route { kinds: vec!["*".into()], least: Priority::Info, to }],
            channels: BTreeMap::from([("console".to_owned(), Pace { per_minute: 600, quiet: false })]),
            quiet: None,
            same: 5 * MINUTE,
            heartbeat: None,
            silence: 30 * SECOND,
            silence_again: 10 * MINUTE,
            priorities: BTreeMap::new(),
        }
    }
}

impl Route {
    /// Says whether an alert is for it.
    pub fn takes(&self, alert: &Alert) -> bool {
        alert.priority >= self.least && self.kinds.iter().any(|pattern| fits(pattern, &alert.kind))
    }
}

impl Quiet {
    /// Says whether an instant lies within; over midnight where `to` comes before `from`.
    pub fn holds(&self, now: Ts) -> bool {
        let utc = DateTime::from_timestamp_nanos(now).naive_utc();
        let wall = (utc + self.zone.offset_from_utc_datetime(&utc).fix()).time();
        if self.from <= self.to {
            (self.from..self.to).contains(&wall)
        } else {
            wall >= self.from || wall < self.to
        }
    }
}

/// Says whether a name fits a pattern, in which `*` stands for any letters.
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, &rest[at..]))
        }),
    }
}
