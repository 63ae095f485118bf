//! What the broker says of the account as of one bar. A state, not a delta: it replaces the view before it.

use serde::{Deserialize, Serialize};

use crate::{
    money::Cents,
    order::{ExitReason, Side},
    time::{self, Ts},
    within,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(with = "time::text")]
    pub ts: Ts,
    /// The last order id handled; orders with a higher one are in flight.
    #[serde(deserialize_with = "within::id")]
    pub seen: u64,
    /// Contracts, negative when short.
    #[serde(deserialize_with = "within::contracts")]
    pub position: i64,
    #[serde(default, deserialize_with = "within::price_or_null")]
    pub entry_price: Option<f64>,
    /// Cash after all that was booked.
    pub balance_cents: Cents,
    /// The balance and the open position marked at the close, less what its exit will cost.
    pub equity_cents: Cents,
    pub working: Vec<Working>,
    /// Since the statement before.
    pub fills: Vec<Fill>,
    pub refused: Vec<Refusal>,
    /// The market is locked, and an exit of the position waits for that to end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub locked: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What a working order does when it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Entry,
    Exit,
    Stop,
    Target,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Working {
    #[serde(deserialize_with = "within::id")]
    pub order: u64,
    pub role: Role,
    pub side: Side,
    #[serde(deserialize_with = "within::contracts")]
    pub contracts: i64,
    /// Absent for a market order.
    #[serde(default, deserialize_with = "within::price_or_null")]
    pub price: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    #[serde(with = "time::text")]
    pub ts: Ts,
    /// The order that asked for it; of a bracket's fill, the entry that it protected.
    #[serde(deserialize_with = "within::id")]
    pub order: u64,
    pub side: Side,
    #[serde(deserialize_with = "within::contracts")]
    pub contracts: i64,
    #[serde(deserialize_with = "within::price")]
    pub price: f64,
    #[serde(deserialize_with = "within::ticks")]
    pub slippage_ticks: i64,
    /// Ticks that the opposite quote lay beyond the open of the bar it was filled in: what crossing the spread took.
    #[serde(default, deserialize_with = "within::ticks")]
    pub spread_ticks: i64,
    pub commission_cents: Cents,
    /// Profit before costs of the contracts that this fill closed; 0 for an entry.
    pub gross_cents: Cents,
    /// Why the position was closed; absent for an entry.
    pub exit: Option<ExitReason>,
    /// The bar touched stop and target, and the stop was assumed.
    pub ambiguous: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    #[serde(deserialize_with = "within::id")]
    pub order: u64,
    pub reason: String,
}
