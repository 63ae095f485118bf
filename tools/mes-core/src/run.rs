//! The first record of a journal: everything its bytes depend on, and nothing else (no program name, no path).

use serde::{Deserialize, Serialize};

use crate::{
    broker::Hello,
    costs::Costs,
    fills::Fills,
    kept::Memory,
    ledger::Ledger,
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
    /// What risk remembers as the rows begin.
    pub ledger: Ledger,
    pub broker: Hello,
    /// What risk keeps of the account from run to run; absent where nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Memory>,
    /// The chain of settings and hashes that made the rows.
    pub lineage: serde_json::Value,
}

/// A setting from a file, with the BLAKE3 of that file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named<T> {
    pub blake3: String,
    pub value: T,
}
