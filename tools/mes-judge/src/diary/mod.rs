//! Many days of trading, one journal after the other: what each came to, and whether they still are what the backtest let
//! expect.

mod drift;
mod read;

pub mod page;
pub mod terminal;

pub use drift::Drift;
pub use read::read;

use chrono::NaiveDate;
use mes_core::time::Ts;
use serde::Serialize;

use crate::{expectation::Expectation, terms::Terms};

/// Accounts from the least to the most real: where several kinds are found, the most real one is followed.
pub const KINDS: [&str; 5] = ["recorded", "paper", "exercise", "practice", "real"];

/// One trading day of one journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    pub date: NaiveDate,
    pub journal: String,
    pub account_kind: &'static str,
    pub account: String,
    pub trades: usize,
    pub net_usd: f64,
    /// Equity at its end.
    pub end_usd: f64,
    /// Ticks by which fills at market and at stops were worse than their reference, by contracts, and what the costs file
    /// takes for the same.
    pub slippage_ticks: Option<f64>,
    pub expected_ticks: Option<f64>,
    /// Limits that were reached.
    pub limits: usize,
    /// Incidents, refused orders, lost lines.
    pub errors: u64,
    /// The journal is whole.
    pub whole: bool,
    /// Traded by the same rules and the same model as the last day of its kind.
    pub alike: bool,
}

/// A trade that was made on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Net {
    pub ts: Ts,
    pub usd: f64,
}

/// A journal of which nothing could be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    pub journal: String,
    pub why: String,
}

/// Days one after the other.
#[derive(Clone, Debug, Serialize)]
pub struct Diary {
    pub kind: &'static str,
    pub v: u32,
    /// Which kind of account is followed: equity, calendar and drift are of its days.
    pub followed: &'static str,
    /// By what the last day of that kind was traded.
    pub terms: Option<Terms>,
    pub model: Option<serde_json::Value>,
    pub days: Vec<Day>,
    pub left_out: Vec<LeftOut>,
    pub expectation: Option<Expectation>,
    /// Absent without something to expect, and without a trade.
    pub drift: Option<Drift>,
    /// Of the trades that are followed: only those of days that are alike.
    #[serde(skip)]
    pub nets: Vec<Net>,
}

impl Diary {
    /// Returns the days that are followed, several journals of a day one after the other.
    pub fn followed(&self) -> impl Iterator<Item = &Day> {
        self.days.iter().filter(|day| day.account_kind == self.followed)
    }

    /// Returns each date that is followed, with its net and its trades.
    pub fn dates(&self) -> Vec<(NaiveDate, f64, usize)> {
        let mut dates: Vec<(NaiveDate, f64, usize)> = Vec::new();
        for day in self.followed() {
            match dates.last_mut().filter(|last| last.0 == day.date) {
                Some(last) => (last.1, last.2) = (last.1 + day.net_usd, last.2 + day.trades),
                None => dates.push((day.date, day.net_usd, day.trades)),
            }
        }
        dates
    }

    /// Says what is to be beware of.
    pub fn warnings(&self) -> Vec<String> {
        let days = |count: usize| crate::words::count(count as u64, "day");
        let mut said: Vec<String> =
            self.left_out.iter().map(|left| format!("{} left out: {}", left.journal, left.why)).collect();
        let (unlike, cut) = (
            self.followed().filter(|day| !day.alike).count(),
            self.days.iter().filter(|day| !day.whole).count(),
        );
        if unlike > 0 {
            said.push(format!(
                "{} traded by another rules file or model than the last: not in the control chart",
                days(unlike)
            ));
        }
        if cut > 0 {
            said.push(format!("{} of a journal that is not whole", days(cut)));
        }
        said
    }

    /// Says in a line what they came to.
    pub fn verdict(&self) -> String {
        let (dates, net) = (self.dates(), self.followed().map(|day| day.net_usd).sum::<f64>());
        let trades: usize = dates.iter().map(|date| date.2).sum();
        format!(
            "{} on {} accounts: {} in {}",
            crate::words::count(dates.len() as u64, "day"),
            self.followed,
            crate::words::signed_usd(net),
            crate::words::count(trades as u64, "trade")
        )
    }
}

#[cfg(test)]
mod tests;
