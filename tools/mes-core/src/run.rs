//! The first record of a journal: everything its bytes depend on, and nothing else (no program name, no path).

use serde::{Deserialize, Serialize};

use crate::{
    broker::Hello,
    costs::Costs,
    fills::Fills,
    money::Cents,
    rules::Rules,
    session::Filter,
    time::{self, Ts},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub v: u32,
    /// As in flags: `1s`.
    pub interval: String,
    pub session: Filter,
    pub rules: Named<Rules>,
    pub costs: Named<Costs>,
    pub fills: Fills,
    /// BLAKE3 of the calendar.
    pub calendar: String,
    /// Rows before it only warm up.
    #[serde(with = "time::text_or_null")]
    pub from: Option<Ts>,
    pub ledger: Ledger,
    pub broker: Hello,
    /// The chain of settings and hashes that made the rows.
    pub lineage: serde_json::Value,
}

/// A setting from a file, with the BLAKE3 of that file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named<T> {
    pub blake3: String,
    pub value: T,
}

/// What risk remembers from day to day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Equity at the first start; the kill switch measures from it.
    pub start_cents: Cents,
    /// The highest equity so far.
    pub peak_cents: Cents,
    /// The last order id used.
    pub order: u64,
    /// Why trading has stopped for good, if it has.
    pub halted: Option<String>,
}

impl Ledger {
    /// Returns the ledger of an account that begins with this much.
    pub fn new(start: Cents) -> Self {
        Ledger { start_cents: start, peak_cents: start, order: 0, halted: None }
    }
}
