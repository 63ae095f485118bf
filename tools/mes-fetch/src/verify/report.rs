//! What was found, as a table for a person and as JSON for a program.

use std::fmt::Write as _;

use chrono::Timelike;
use mes_core::{
    time::{self, Ts},
    tz,
};
use serde_json::{Value, json};

/// How many cases of each kind are shown.
const SHOWN: usize = 5;

/// What can be wrong with rows. Those up to [`Check::Mixed`] make data unfit; the rest is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Order,
    Duplicates,
    Ohlc,
    Grid,
    Sizes,
    Dummies,
    Implausible,
    Range,
    Mixed,
    Outside,
    Beyond,
    Outliers,
    Jumps,
    Seams,
    Wide,
    Crossed,
    Sides,
}

/// Every check, its name and what it looks for.
#[rustfmt::skip]
const CHECKS: [(Check, &str, &str); 17] = [
    (Check::Order, "order", "time goes back"),
    (Check::Duplicates, "duplicates", "two bars of one instrument at one time"),
    (Check::Ohlc, "ohlc", "high below or low above open or close, price not above 0, volume below 0"),
    (Check::Grid, "grid", "price between two ticks"),
    (Check::Sizes, "sizes", "trade without a size, which mes-bars refuses: import --volume 1 makes one up"),
    (Check::Dummies, "dummies", "bid = ask throughout, which is no quote: import --columns Bid=-,Ask=- leaves them out"),
    (Check::Implausible, "implausible", "price that no market makes: 5 % from the row before, 20 % after a break"),
    (Check::Range, "range", "price that the contract never had at the time: wrong scale?"),
    (Check::Mixed, "mixed", "several instruments side by side"),
    (Check::Outside, "outside", "row where the calendar has no session"),
    (Check::Beyond, "beyond", "row beyond the calendar, so that nobody knows what is missing around it: --calendar"),
    (Check::Outliers, "outliers", "volume far above that of one row in a thousand"),
    (Check::Jumps, "jumps", "price 1 % or more from the row before: a roll?"),
    (Check::Seams, "seams", "jump at an opening or at midnight UTC in a week of rolls, no symbol with it: a roll?"),
    (Check::Wide, "wide", "bar higher than 7 %"),
    (Check::Crossed, "crossed", "bid above ask"),
    (Check::Sides, "sides", "bought and sold volume above the volume"),
];

/// A hole, half-open, and how many rows it lacks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stretch {
    pub from: Ts,
    pub to: Ts,
    pub rows: i64,
}

/// One instrument following another.
pub struct Roll {
    pub ts: Ts,
    pub old: String,
    pub new: String,
    pub old_price: Option<f64>,
    pub new_price: Option<f64>,
}

/// All that was found.
#[derive(Default)]
pub struct Report {
    pub rows: u64,
    pub first: Option<Ts>,
    pub last: Option<Ts>,
    pub symbols: Vec<String>,
    pub rolls: Vec<Roll>,
    /// What the findings together look like.
    pub hints: Vec<String>,
    /// Days of which the source says that they are not whole.
    pub impaired: Vec<String>,
    counts: [u64; CHECKS.len()],
    cases: Vec<(Check, Ts, String)>,
    /// Why, how many pieces, how many rows.
    known: Vec<(&'static str, u64, i64)>,
    expected: (u64, i64),
    suspicious: Vec<(&'static str, Stretch)>,
}

impl Report {
    /// Counts a case and keeps the first few.
    pub fn add(&mut self, check: Check, ts: Ts, what: impl FnOnce() -> String) {
        let count = &mut self.counts[check as usize];
        *count += 1;
        if *count <= SHOWN as u64 {
            self.cases.push((check, ts, what()));
        }
    }

    /// Adds a stretch without rows that is known to have had none.
    pub fn known(&mut self, why: &'static str, stretch: Stretch) {
        match self.known.iter_mut().find(|(known, _, _)| *known == why) {
            Some((_, pieces, rows)) => (*pieces, *rows) = (*pieces + 1, *rows + stretch.rows),
            None => self.known.push((why, 1, stretch.rows)),
        }
    }

    /// Adds a stretch without rows in which none were to come.
    pub fn expected(&mut self, stretch: Stretch) {
        self.expected = (self.expected.0 + 1, self.expected.1 + stretch.rows);
    }

    /// Adds a stretch without rows that nothing explains.
    pub fn suspicious(&mut self, why: &'static str, stretch: Stretch) {
        self.suspicious.push((why, stretch));
    }

    /// Returns the suspicious holes.
    pub fn holes(&self) -> impl Iterator<Item = Stretch> {
        self.suspicious.iter().map(|(_, hole)| *hole)
    }

    /// Notes an hour of the day at which half of the suspicious holes and more begin, three at least.
    pub fn note_hours(&mut self) {
        let mut hours = [0; 24];
        for (_, hole) in &self.suspicious {
            hours[tz::new_york(hole.from).hour() as usize] += 1;
        }
        let all = self.suspicious.len();
        let most = (0..24).max_by_key(|hour| hours[*hour]).unwrap_or(0);
        if hours[most] >= 3 && 2 * hours[most] >= all {
            self.hints.push(format!(
                "{} of {all} holes begin between {most:02}:00 and {most:02}:59 New York: is the zone off (--tz), or does \
                 the recording begin or end there?",
                hours[most]
            ));
        }
    }

    /// Says what makes the data unfit, or `None`.
    pub fn unfit(&self) -> Option<String> {
        let defects = CHECKS.iter().filter(|(check, ..)| *check as usize <= Check::Mixed as usize);
        let mut found: Vec<_> = defects
            .filter(|(check, ..)| self.counts[*check as usize] > 0)
            .map(|(check, name, _)| format!("{name} {}", self.counts[*check as usize]))
            .collect();
        found.extend((!self.suspicious.is_empty()).then(|| format!("gaps {}", self.suspicious.len())));
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// Returns the report as one object.
    pub fn to_json(&self) -> Value {
        let instant = |ts: Option<Ts>| ts.map(time::format);
        let checks: Vec<_> = CHECKS.iter().map(|(check, name, what)| {
            let cases: Vec<_> = self.cases.iter().filter(|(found, ..)| found == check)
                .map(|(_, ts, what)| json!({ "ts": time::format(*ts), "what": what })).collect();
            let defect = *check as usize <= Check::Mixed as usize;
            json!({ "check": name, "what": what, "defect": defect, "count": self.counts[*check as usize], "first": cases })
        }).collect();
        let known: Vec<_> = self
            .known
            .iter()
            .map(|(why, pieces, rows)| json!({ "why": why, "count": pieces, "rows": rows }))
            .collect();
        let suspicious: Vec<_> = self.suspicious.iter().map(|(why, gap)| {
            json!({ "from": time::format(gap.from), "to": time::format(gap.to), "rows": gap.rows, "where": why })
        }).collect();
        let rolls: Vec<_> = self
            .rolls
            .iter()
            .map(|roll| {
                let jump = roll.new_price.zip(roll.old_price).map(|(new, old)| new - old);
                json!({ "ts": time::format(roll.ts), "old": roll.old, "new": roll.new, "jump": jump })
            })
            .collect();
        json!({
            "fit": self.unfit().is_none(), "unfit": self.unfit(), "rows": self.rows,
            "first": instant(self.first), "last": instant(self.last), "symbols": self.symbols, "checks": checks,
            "gaps": {
                "known": known, "expected": { "count": self.expected.0, "rows": self.expected.1 },
                "suspicious": suspicious,
            },
            "rolls": rolls, "hints": self.hints, "impaired_days": self.impaired,
        })
    }

    /// Returns the report as lines for a person.
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        let instant = |ts: Option<Ts>| ts.map(time::format).unwrap_or_default();
        let (first, last, symbols) = (instant(self.first), instant(self.last), self.symbols.join(" "));
        let _ = writeln!(text, "{} rows of {symbols}, {first} to {last}\n", self.rows);
        for (check, name, what) in &CHECKS {
            let count = self.counts[*check as usize];
            let defect = count > 0 && *check as usize <= Check::Mixed as usize;
            let mark = if defect {
                "unfit"
            } else if count > 0 {
                "look"
            } else {
                "ok"
            };
            let _ = writeln!(text, "{mark:<6} {name:<11} {count:>8}  {what}");
            for (_, ts, what) in self.cases.iter().filter(|(found, ..)| found == check) {
                let _ = writeln!(text, "{:28}{}  {what}", "", time::format(*ts));
            }
        }
        for (why, pieces, rows) in &self.known {
            let _ = writeln!(text, "ok     gaps        {pieces:>8}  {why}: {rows} rows");
        }
        let _ = writeln!(
            text,
            "ok     gaps        {:>8}  short, nothing traded: {} rows",
            self.expected.0, self.expected.1
        );
        let mark = if self.suspicious.is_empty() { "ok" } else { "unfit" };
        let _ = writeln!(text, "{mark:<6} gaps        {:>8}  suspicious", self.suspicious.len());
        for (why, gap) in self.suspicious.iter().take(4 * SHOWN) {
            let (from, to) = (time::format(gap.from), time::format(gap.to));
            let _ = writeln!(text, "{:28}{from} to {to}  {} rows, {why}", "", gap.rows);
        }
        for roll in &self.rolls {
            let jump = roll.new_price.zip(roll.old_price).map(|(new, old)| format!("{:+}", new - old));
            let (ts, jump) = (time::format(roll.ts), jump.unwrap_or_default());
            let _ = writeln!(text, "look   roll                  {ts}  {} to {} {jump}", roll.old, roll.new);
        }
        if !self.impaired.is_empty() {
            let days = self.impaired.join(", ");
            let _ = writeln!(
                text,
                "look   days        {:>8}  not whole at the source: {days}",
                self.impaired.len()
            );
        }
        for hint in &self.hints {
            let _ = writeln!(text, "hint   {hint}");
        }
        let verdict = self.unfit().map_or("fit".to_owned(), |what| format!("unfit: {what}"));
        let _ = writeln!(text, "\n{verdict}");
        text
    }
}
