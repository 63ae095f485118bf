//! The first record of a journal: everything its bytes depend on, and nothing else (no program name, no path).

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

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

/// The version of all records of a journal: a new field leaves it, a changed meaning raises it.
pub const VERSION: u32 = 2;

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`VERSION`]; no other is read.
    #[serde(deserialize_with = "same_version")]
    pub v: u32,
    /// As in flags: `1s`.
    pub interval: String,
    pub session: Filter,
    /// The rows have columns of bid or ask, so that a row without a quote says that there was none.
    #[serde(default)]
    pub quotes: bool,
    #[serde(deserialize_with = "checked_rules")]
    pub rules: Named<Rules>,
    #[serde(deserialize_with = "checked_costs")]
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

/// Reads a version, which has to be ours: it stands first, so that of a foreign journal nothing else is complained of.
fn same_version<'de, D: Deserializer<'de>>(json: D) -> Result<u32, D::Error> {
    let v = u32::deserialize(json)?;
    readable(v.into()).map(|()| v).map_err(D::Error::custom)
}

/// Says whether the records of a journal of this version are understood.
///
/// # Errors
///
/// Who wrote it, and what to do.
pub fn readable(v: u64) -> Result<(), String> {
    if v == u64::from(VERSION) {
        return Ok(());
    }
    let age = if v < u64::from(VERSION) { "an older" } else { "a newer" };
    Err(format!(
        "written by {age} mes (records v{v}; this one reads v{VERSION}): read it with that one, or run the backtest again"
    ))
}

/// Reads costs that can be paid.
fn checked_costs<'de, D: Deserializer<'de>>(json: D) -> Result<Named<Costs>, D::Error> {
    let costs = Named::<Costs>::deserialize(json)?;
    costs.value.check().map_err(D::Error::custom)?;
    Ok(costs)
}

/// Reads rules that can be traded by.
///
/// # Errors
///
/// What the deserializer fails of, and rules that cannot be traded by.
pub fn checked_rules<'de, D: Deserializer<'de>>(json: D) -> Result<Named<Rules>, D::Error> {
    let rules = Named::<Rules>::deserialize(json)?;
    rules.value.check().map_err(D::Error::custom)?;
    Ok(rules)
}

/// A setting from a file, with the BLAKE3 of that file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named<T> {
    pub blake3: String,
    pub value: T,
}
