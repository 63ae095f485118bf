//! When to change to the next contract, and at which prices.
//!
//! A roll takes place at the opening of a session (18:00 New York), where a new segment begins anyway, and is decided
//! by what was known before it: the volumes of the session before, the calendar, or the user's dates. Only where the old
//! contract has no bars up to there (it expired, or the series changes at 00:00 UTC as `MES.v.0` does) it is earlier: with
//! its last bar.

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
///
/// # Errors
///
/// Says which of the forms it is not.
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
    /// Their last bars.
    last: HashMap<Symbol, Ts>,
    days: Vec<Day>,
    /// Bars of the instant at hand.
    group: Vec<(Symbol, f64)>,
    group_ts: Ts,
    common: HashMap<(Symbol, Symbol), Common>,
}

impl Planner {
    /// Makes one that has seen no bar yet.
    pub fn new(calendar: Calendar) -> Planner {
        Planner {
            sessions: Sessions::new(calendar.clone()),
            calendar,
            ends: HashMap::new(),
            last: HashMap::new(),
            days: vec![],
            group: vec![],
            group_ts: 0,
            common: HashMap::new(),
        }
    }

    /// Looks at one bar; they come in the order of time.
    ///
    /// # Errors
    ///
    /// `Data` where its symbol is no contract.
    pub fn bar(&mut self, bar: &Bar<f64>) -> Result<()> {
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
        self.last.insert(bar.symbol, bar.ts);
        if let Some(day) = self.days.last_mut() {
            *day.volumes.entry(bar.symbol).or_default() += bar.volume;
        }
        Ok(())
    }

    /// Decides. Returns the first contract and the rolls.
    ///
    /// # Errors
    ///
    /// `Data` where no bar is inside a session.
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
            let last = self.last.get(&old).copied().unwrap_or(day.open);
            rolls.push(Roll { ts: day.open.min(last), old, new, common, why });
        }
        Ok((contracts[start].1, rolls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When, to which contract, both prices, why.
    type Told = (String, String, Option<(f64, f64)>, &'static str);

    /// Plans for bars: time, contract, close, volume.
    fn plan(bars: &[(&str, &str, f64, i64)], on: On) -> Vec<Told> {
        let mut planner = Planner::new(Calendar::shipped());
        for (ts, symbol, close, volume) in bars {
            let (ts, symbol) = (time::parse(ts).expect("a time"), symbol.parse().expect("a symbol"));
            let bar = Bar { ts, symbol, close: *close, volume: *volume, ..Bar::default() };
            planner.bar(&bar).expect("a contract");
        }
        let (_, rolls) = planner.plan(&on).expect("a plan");
        let row = |roll: &Roll| {
            let prices = roll.common.map(|(_, old, new)| (old, new));
            (time::format(roll.ts), roll.new.to_string(), prices, roll.why)
        };
        rolls.iter().map(row).collect()
    }

    /// Three sessions of March 2026; both contracts trade, the later one more from Tuesday on. Wednesday opens on Tuesday
    /// at 22:00 UTC.
    const BOTH: [(&str, &str, f64, i64); 7] = [
        ("2026-03-09T15:00:00Z", "MESH6", 6800.0, 100),
        ("2026-03-09T15:00:00Z", "MESM6", 6850.0, 50),
        ("2026-03-10T15:00:00Z", "MESH6", 6801.0, 80),
        ("2026-03-10T15:00:00Z", "MESM6", 6851.25, 90),
        ("2026-03-10T16:00:00Z", "MESM6", 6852.0, 1),
        ("2026-03-11T15:00:00Z", "MESH6", 6700.0, 10),
        ("2026-03-11T15:00:00Z", "MESM6", 6750.0, 200),
    ];

    #[test]
    fn volume_rolls_at_the_opening_after_the_session_that_decided() {
        let (ts, new, prices, why) = plan(&BOTH, On::Volume).remove(0);
        assert_eq!((ts.as_str(), new.as_str(), why), ("2026-03-10T22:00:00Z", "MESM6", "volume"));
        // The last bars that both had before it, not those after it.
        assert_eq!(prices, Some((6801.0, 6851.25)));
    }

    #[test]
    fn dates_and_days_before_expiry() {
        let date = |text: &str| text.parse().expect("a date");
        let by_date = plan(&BOTH, On::Dates(vec![date("2026-03-10")]));
        assert_eq!((by_date[0].0.as_str(), by_date[0].2), ("2026-03-09T22:00:00Z", Some((6800.0, 6850.0))));
        // The contract ends on Friday the 20th.
        assert_eq!(plan(&BOTH, On::ExpiryDays(9))[0].0, "2026-03-10T22:00:00Z");
        assert_eq!(plan(&BOTH, On::ExpiryDays(8)), []);
    }

    /// As in a series MES.v.0: at 00:00 UTC, two hours into a session, another contract goes on, and no bar is lost.
    #[test]
    fn a_series_that_changes_within_a_session_is_rolled_where_it_does() {
        let bars = [
            ("2026-03-10T15:00:00Z", "MESH6", 6801.0, 80),
            ("2026-03-10T23:59:00Z", "MESH6", 6802.0, 8),
            ("2026-03-11T00:01:00Z", "MESM6", 6852.0, 9),
            ("2026-03-11T15:00:00Z", "MESM6", 6853.0, 90),
            ("2026-03-12T15:00:00Z", "MESM6", 6853.0, 90),
        ];
        assert_eq!(
            plan(&bars, On::Volume),
            [("2026-03-10T23:59:00Z".to_owned(), "MESM6".to_owned(), None, "volume")]
        );
    }
}
