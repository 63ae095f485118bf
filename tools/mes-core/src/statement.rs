//! What the broker says of the account as of one bar. A state, not a delta: it replaces the view before it.

use serde::{Deserialize, Serialize};

use crate::{
    money::Cents,
    order::{ExitReason, Side},
    price::Price,
    time::{self, Ts},
    within,
};

/// The whole account as of a bar, and its fills and refusals since the statement before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(with = "time::text")]
    pub ts: Ts,
    /// The broker's clock as it answered; absent where the row's `ts` is the only time there is.
    #[serde(default, with = "time::text_or_null", skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Ts>,
    /// The instant, on the same clock, at which the account was as it says; absent: now.
    #[serde(default, with = "time::text_or_null", skip_serializing_if = "Option::is_none")]
    pub known_as_of: Option<Ts>,
    /// The last order id taken over, whatever became of it; orders with a higher one are in flight.
    #[serde(deserialize_with = "within::id")]
    pub seen: u64,
    /// Contracts, negative when short.
    #[serde(deserialize_with = "within::contracts")]
    pub position: i64,
    /// In points: that of an entry in parts is their mean, which may lie between two ticks.
    #[serde(default, deserialize_with = "within::points_or_null")]
    pub entry_price: Option<f64>,
    /// Cash after all that was booked.
    pub balance_cents: Cents,
    /// The balance and the open position marked at the close, less what its exit will cost.
    pub equity_cents: Cents,
    pub working: Vec<Working>,
    /// Since the statement before.
    pub fills: Vec<Fill>,
    pub refused: Vec<Refusal>,
    /// Cash that no fill explains, since the statement before: fees that were put right, money paid in or out. It is no gain
    /// and no loss.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adjusted_cents: Cents,
    /// The market is locked, and an exit of the position waits for that to end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub locked: bool,
    /// What protects the open position; absent where the stop in `working` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: Connection,
    /// Why the broker wants no entries, and what it says of the position may not add up; no reason to flatten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred: Option<Barred>,
}

impl Statement {
    /// Returns how old the view of the account is, in nanoseconds; 0 where nothing says otherwise.
    pub fn age(&self) -> i64 {
        self.known_as_of.map_or(0, |known| self.now().saturating_sub(known).max(0))
    }

    /// Returns the tick nearest to the entry price of the open position.
    pub fn entry(&self) -> Option<Price> {
        self.entry_price.filter(|_| self.position != 0).map(Price::nearest)
    }

    /// Returns for how long the open position has had no protection, in nanoseconds, where the broker says so.
    pub fn unprotected(&self) -> Option<i64> {
        match self.protection? {
            Protection::None { since } if self.position != 0 => Some(self.now().saturating_sub(since).max(0)),
            _ => None,
        }
    }

    /// Returns the time of whoever answered.
    fn now(&self) -> Ts {
        self.told_at.unwrap_or(self.ts)
    }
}

/// What keeps the loss of an open position within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// A bracket that the exchange attached to the entry.
    Native,
    /// A stop of our own.
    Own,
    None {
        #[serde(with = "time::text")]
        since: Ts,
    },
}

/// Whether the broker hears of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    #[default]
    Up,
    /// It was lost and is being opened again.
    Lost,
}

/// Why a broker wants no entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Barred {
    /// A position or an order on the account is not ours.
    Outside,
    /// The firm has locked or liquidated the account.
    Broker,
    /// What we know and what the exchange says has still to be compared.
    Reconcile,
}

impl Barred {
    /// Returns the name as written in records.
    pub fn name(self) -> &'static str {
        match self {
            Barred::Outside => "outside",
            Barred::Broker => "broker",
            Barred::Reconcile => "reconcile",
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_none(contracts: &i64) -> bool {
    *contracts == 0
}

/// What is known of a working order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// On its way; not acknowledged.
    Sent,
    #[default]
    Working,
    /// Nobody knows whether it arrived. It counts in full, and holds back no exit.
    Unknown,
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

/// An order that may still fill.
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
    pub price: Option<Price>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: Progress,
    /// Contracts of it that are filled already.
    #[serde(default, deserialize_with = "within::contracts", skip_serializing_if = "is_none")]
    pub filled: i64,
}

impl Working {
    /// Describes an order that works; `price` is absent at market.
    pub fn new(order: u64, role: Role, side: Side, contracts: i64, price: Option<Price>) -> Working {
        Working { order, role, side, contracts, price, state: Progress::Working, filled: 0 }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    #[serde(with = "time::text")]
    pub ts: Ts,
    /// The order that asked for it; of a bracket's fill, the entry that it protected. Absent where none of ours did: a
    /// person's click, the firm's liquidation.
    #[serde(default, deserialize_with = "within::id_or_null", skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    pub side: Side,
    #[serde(deserialize_with = "within::contracts")]
    pub contracts: i64,
    #[serde(deserialize_with = "within::price")]
    pub price: Price,
    /// What paper took off; absent at an exchange, as all that is modelled.
    #[serde(default, deserialize_with = "within::ticks_or_null", skip_serializing_if = "Option::is_none")]
    pub slippage_ticks: Option<i64>,
    /// Ticks that the opposite quote lay beyond the open of the bar it was filled in: what crossing the spread took.
    #[serde(default, deserialize_with = "within::ticks_or_null", skip_serializing_if = "Option::is_none")]
    pub spread_ticks: Option<i64>,
    pub commission_cents: Cents,
    /// Profit before costs of the contracts that this fill closed; 0 for an entry.
    pub gross_cents: Cents,
    /// Why the position was closed; absent for an entry.
    pub exit: Option<ExitReason>,
    /// The bar touched stop and target, and the stop was assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambiguous: Option<bool>,
}

/// Why an entry was given up that may yet arrive.
pub const NEVER_ARRIVED: &str = "never_arrived";

/// An order that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    #[serde(deserialize_with = "within::id")]
    pub order: u64,
    pub reason: String,
}
