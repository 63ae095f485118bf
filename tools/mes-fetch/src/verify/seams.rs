//! Where one contract may have been sewn to the next without a word.
//!
//! Quarterly futures roll in the days before the third Friday of their month. A series that is made of several says so
//! by its symbol, or it does not; then the new contract's price begins with a jump of interest less dividends, since
//! 2022 some tenths of a percent: far less than a bad tick, and far more than an opening or a midnight usually brings.
//! Those are the two places where series are joined: an opening, and 00:00 UTC (Databento's `v` and `n`). Where the
//! difference is as small as any opening's, as in 2019 to 2021, nobody can see it in the prices.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate};
use mes_core::{
    contract::Expiry,
    time::{MINUTE, Ts},
};

const DAY: i64 = 24 * 60 * MINUTE;
/// A hole after which the market opens.
const OPENING: i64 = 30 * MINUTE;
/// The days of an expiry, seen from its Friday, on which series are joined.
const BEFORE: i64 = 9;
const AFTER: i64 = 3;
/// What a jump has to be at least: a share of the price, and a multiple of the usual change at such a place.
const SHARE: f64 = 0.0015;
const TIMES: f64 = 2.0;

/// From one row to the next: when the first was known, when the second began and is known, and the prices of both.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub from: Ts,
    pub to: Ts,
    pub ts: Ts,
    pub before: f64,
    pub after: f64,
}

impl Step {
    fn size(&self) -> f64 {
        (self.after - self.before).abs()
    }
}

/// Collects the changes of price at openings and midnights.
pub struct Seams {
    tick_size: f64,
    /// How many openings, and how many midnights, changed by so many bits of ticks.
    usual: [[u64; 64]; 2],
    /// The largest change of each expiry.
    largest: BTreeMap<(NaiveDate, usize), Step>,
}

impl Seams {
    /// Makes one that has seen no bar yet; prices have this step.
    pub fn new(tick_size: f64) -> Seams {
        Seams { tick_size, usual: [[0; 64]; 2], largest: BTreeMap::new() }
    }

    /// Looks at a step; `one_contract` says whether the symbol names a contract, which nothing is sewn to.
    pub fn pass(&mut self, step: Step, one_contract: impl FnOnce() -> bool) {
        let place = if step.to.saturating_sub(step.from) >= OPENING {
            0
        } else if step.from.div_euclid(DAY) != step.ts.div_euclid(DAY) {
            1
        } else {
            return;
        };
        if one_contract() {
            return;
        }
        let ticks = (step.size() / self.tick_size) as u64;
        self.usual[place][64 - ticks.max(1).leading_zeros() as usize - 1] += 1;
        if let Some(friday) = expiry_near(step.ts) {
            let largest = self.largest.entry((friday, place)).or_insert(step);
            if step.size() > largest.size() {
                *largest = step;
            }
        }
    }

    /// Returns the changes that are far above the usual, with what is to be said of them.
    pub fn found(&self) -> Vec<(Ts, String)> {
        let far = |((_, place), step): (&(NaiveDate, usize), &Step)| {
            let usual = self.usual_of(*place);
            let size = step.size();
            (size >= SHARE * step.before.abs() && size >= TIMES * usual).then(|| {
                let Step { before, after, .. } = step;
                (step.ts, format!("from {before} to {after}, where {usual} is usual"))
            })
        };
        self.largest.iter().filter_map(far).collect()
    }

    /// Returns what nine in ten changes at such a place are below, rounded up to a power of two of ticks: openings after
    /// a weekend are among them.
    fn usual_of(&self, place: usize) -> f64 {
        let counts = &self.usual[place];
        let (all, mut below): (u64, u64) = (counts.iter().sum(), 0);
        let most = counts.iter().position(|count| {
            below += count;
            below * 10 >= all * 9
        });
        2_f64.powi(most.unwrap_or(0) as i32 + 1) * self.tick_size
    }
}

/// Returns the Friday of the expiry in whose days of rolling an instant lies.
fn expiry_near(ts: Ts) -> Option<NaiveDate> {
    let date = DateTime::from_timestamp_nanos(ts).date_naive();
    let friday = Expiry { year: date.year(), month: date.month() }.third_friday();
    let days = (date - friday).num_days();
    (date.month().is_multiple_of(3) && (-BEFORE..=AFTER).contains(&days)).then_some(friday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mes_core::time;

    /// Twenty openings a day apart, each a point higher, but for one.
    fn found(odd: &str, jump: f64) -> Vec<(Ts, String)> {
        let mut seams = Seams::new(0.25);
        let first = time::parse("2025-03-01T23:00:00Z").expect("a time");
        for day in 0..20 {
            let to = first + day * DAY;
            let change = if time::format(to).starts_with(odd) { jump } else { 1.0 };
            seams.pass(
                Step { from: to - 60 * MINUTE, to, ts: to + MINUTE, before: 5000.0, after: 5000.0 + change },
                || false,
            );
        }
        seams.found()
    }

    #[test]
    fn a_roll_under_one_percent_is_seen() {
        let seams = found("2025-03-17", 30.25);
        assert_eq!(seams.len(), 1);
        assert_eq!(time::format(seams[0].0), "2025-03-17T23:01:00Z");
        assert_eq!(seams[0].1, "from 5000 to 5030.25, where 2 is usual");
        // Neither in another week, nor what an opening can bring.
        assert_eq!((found("2025-03-05", 30.25).len(), found("2025-03-17", 5.0).len()), (0, 0));
    }

    #[test]
    fn only_openings_and_midnights_are_seams() {
        let at = |text: &str| time::parse(text).expect("a time");
        let mut seams = Seams::new(0.25);
        for (from, to) in [
            ("2025-03-18T12:30:00Z", "2025-03-18T12:30:00Z"),
            ("2025-03-18T23:59:59Z", "2025-03-18T23:59:59Z"),
        ] {
            let (from, to) = (at(from), at(to));
            seams.pass(Step { from, to, ts: to + 1_000_000_000, before: 5000.0, after: 5030.0 }, || false);
        }
        assert_eq!(
            seams.largest.values().map(|step| time::format(step.ts)).collect::<Vec<_>>(),
            ["2025-03-19T00:00:00Z"]
        );
    }
}
