//! When to change to the next contract, and at which prices.
//!
//! A roll takes place at the opening of a session (18:00 New York), where a new segment begins anyway, and is decided
//! by what was known before it: the volumes of the session before, the calendar, or the user's dates.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    bar::Bar,
    calendar::Calendar,
    contract::Name,
    session::Sessions,
    symbol::Symbol,
    time::{self, Ts},
    tz,
};
use mes_pipe::{Error, Result};

/// What decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// A later contract traded more in the session before.
    Volume,
    /// So many days before the expiry.
    ExpiryDays(i64),
    /// The sessions of these dates.
    Dates(Vec<NaiveDate>),
}

/// Reads `volume`, `expiry-days:8` or `2023-03-13,2023-06-12`.
pub fn on(text: &str) -> std::result::Result<On, String> {
    if text == "volume" {
        return Ok(On::Volume);
    }
    if let Some(days) = text.strip_prefix("expiry-days:") {
        let days = days.parse().ok().filter(|days| (0..=60).contains(days));
        return days.map(On::ExpiryDays).ok_or_else(|| "the days are not a number from 0 to 60".to_owned());
    }
    let dates: std::result::Result<Vec<NaiveDate>, _> = text.split(',').map(str::parse).collect();
    let mut dates = dates.map_err(|_| "neither volume nor expiry-days:N nor DATE,…".to_owned())?;
    dates.sort();
    Ok(On::Dates(dates))
}

/// The last instant at which two contracts had a bar: when, the old one's close, the new one's.
pub type Common = (Ts, f64, f64);

/// One change of contract.
#[derive(Clone, Debug)]
pub struct Roll {
    /// Bars stamped later are those of the new contract.
    pub ts: Ts,
    pub old: Symbol,
    pub new: Symbol,
    pub common: Option<Common>,
    pub why: &'static str,
}

/// What one session had.
struct Day {
    label: NaiveDate,
    open: Ts,
    volumes: HashMap<Symbol, i64>,
    /// At the end of it.
    common: HashMap<(Symbol, Symbol), Common>,
}

/// Gathers what the decision needs.
pub struct Planner {
    calendar: Calendar,
    sessions: Sessions,
    /// Contracts and when they end.
    ends: HashMap<Symbol, Ts>,
    days: Vec<Day>,
    /// Bars of the instant at hand.
    group: Vec<(Symbol, f64)>,
    group_ts: Ts,
    common: HashMap<(Symbol, Symbol), Common>,
}

impl Planner {
    pub fn new(calendar: Calendar) -> Planner {
        Planner {
            sessions: Sessions::new(calendar.clone()),
            calendar,
            ends: HashMap::new(),
            days: vec![],
            group: vec![],
            group_ts: 0,
            common: HashMap::new(),
        }
    }

    /// Looks at one bar; they come in the order of time.
    pub fn bar(&mut self, bar: &Bar) -> Result<()> {
        if !self.ends.contains_key(&bar.symbol) {
            let near = tz::new_york(bar.ts).date();
            let Ok(Name::Contract(_, expiry)) = Name::parse(bar.symbol.as_str(), near) else {
                return Err(Error::data(format!(
                    "{} {:?} is no contract such as MESZ6: name it with mes-fetch import --symbol",
                    time::format(bar.ts),
                    bar.symbol.as_str()
                )));
            };
            self.ends.insert(bar.symbol, expiry.ends(&self.calendar));
        }
        if let Some(day) = self.sessions.day_of_bar(bar.ts)
            && self.days.last().is_none_or(|last| last.label != day.label)
        {
            let (label, open) = (day.label, day.open);
            if let Some(last) = self.days.last_mut() {
                last.common = self.common.clone();
            }
            self.days.push(Day { label, open, volumes: HashMap::new(), common: HashMap::new() });
        }
        if bar.ts != self.group_ts {
            (self.group_ts, self.group) = (bar.ts, vec![]);
        }
        for (other, price) in &self.group {
            self.common.insert((*other, bar.symbol), (bar.ts, *price, bar.close));
            self.common.insert((bar.symbol, *other), (bar.ts, bar.close, *price));
        }
        self.group.push((bar.symbol, bar.close));
        if let Some(day) = self.days.last_mut() {
            *day.volumes.entry(bar.symbol).or_default() += bar.volume;
        }
        Ok(())
    }

    /// Decides. Returns the first contract and the rolls.
    pub fn plan(self, on: &On) -> Result<(Symbol, Vec<Roll>)> {
        let mut contracts: Vec<_> = self.ends.iter().map(|(symbol, end)| (*end, *symbol)).collect();
        contracts.sort_by_key(|(end, symbol)| (*end, symbol.to_string()));
        let first =
            self.days.first().ok_or_else(|| Error::data("no bars inside a session: nothing to roll"))?;
        let start = contracts.iter().position(|(end, _)| *end > first.open).unwrap_or(0);
        let (mut at, mut rolls) = (start, Vec::new());
        let mut dates = match on {
            On::Dates(dates) => dates.iter().filter(|date| **date > first.label).copied().collect(),
            _ => vec![],
        };
        for pair in self.days.windows(2) {
            let [before, day] = pair else { continue };
            let (end, old) = contracts[at];
            let volume = |symbol: &Symbol| before.volumes.get(symbol).copied().unwrap_or(0);
            let later = contracts[at + 1..].iter().enumerate();
            let (steps, why) = match on {
                _ if end <= day.open => (1, "expired"),
                On::Volume => {
                    let most = later.max_by_key(|(index, (_, symbol))| (volume(symbol), usize::MAX - index));
                    let (index, traded) = most.map_or((0, 0), |(index, (_, symbol))| (index, volume(symbol)));
                    (if traded > volume(&old) { index + 1 } else { 0 }, "volume")
                }
                On::ExpiryDays(days) => {
                    let due = tz::new_york(end).date() - TimeDelta::days(*days) <= day.label;
                    (usize::from(due), "days before expiry")
                }
                On::Dates(_) => {
                    let due = dates.first().is_some_and(|date| *date <= day.label);
                    dates.drain(..usize::from(due));
                    (usize::from(due), "date")
                }
            };
            if steps == 0 || at + steps >= contracts.len() {
                continue;
            }
            at += steps;
            let new = contracts[at].1;
            let common = before.common.get(&(old, new)).copied();
            rolls.push(Roll { ts: day.open, old, new, common, why });
        }
        Ok((contracts[start].1, rolls))
    }
}
