//! What risk asks a broker to do.

use serde::{Deserialize, Serialize};

use crate::{
    price::Price,
    symbol::Symbol,
    time::{self, Ts},
    within,
};

/// Which way an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    /// Returns 1 for a purchase, −1 for a sale.
    pub fn sign(self) -> i64 {
        match self {
            Side::Buy => 1,
            Side::Sell => -1,
        }
    }

    /// Returns the other side.
    pub fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// Returns the side that opens a position of this sign.
    pub fn of(position: i64) -> Side {
        if position >= 0 { Side::Buy } else { Side::Sell }
    }
}

/// What a decision means for the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Signal {
    LongEntry,
    ShortEntry,
    ExitLong,
    ExitShort,
    ReverseToLong,
    ReverseToShort,
    Flatten,
    Hold,
}

/// Why a position was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    Target,
    Stop,
    /// A stop that has been moved, whatever moved it: break-even, trailing, the day's end.
    Trail,
    Signal,
    Timeout,
    EodFlatten,
    Limit,
    SessionEnd,
    DataGap,
    EndOfData,
    /// The price jumped further than any market, and stayed there.
    PriceJump,
    /// Another contract came.
    Roll,
    /// A person ended the day: ^C, TERM or HUP.
    Person,
    /// A person or a program beside us closed it.
    Outside,
    /// The broker or the firm closed it.
    Broker,
}

impl ExitReason {
    /// All of them.
    pub const ALL: [ExitReason; 15] = [
        ExitReason::Target,
        ExitReason::Stop,
        ExitReason::Trail,
        ExitReason::Signal,
        ExitReason::Timeout,
        ExitReason::EodFlatten,
        ExitReason::Limit,
        ExitReason::SessionEnd,
        ExitReason::DataGap,
        ExitReason::EndOfData,
        ExitReason::PriceJump,
        ExitReason::Roll,
        ExitReason::Person,
        ExitReason::Outside,
        ExitReason::Broker,
    ];

    /// Returns the name as written in records.
    pub fn name(self) -> &'static str {
        match self {
            ExitReason::Target => "target",
            ExitReason::Stop => "stop",
            ExitReason::Trail => "trail",
            ExitReason::Signal => "signal",
            ExitReason::Timeout => "timeout",
            ExitReason::EodFlatten => "eod_flatten",
            ExitReason::Limit => "limit",
            ExitReason::SessionEnd => "session_end",
            ExitReason::DataGap => "data_gap",
            ExitReason::EndOfData => "end_of_data",
            ExitReason::PriceJump => "price_jump",
            ExitReason::Roll => "roll",
            ExitReason::Person => "person",
            ExitReason::Outside => "outside",
            ExitReason::Broker => "broker",
        }
    }
}

/// One request. Ids rise and are never used again; 0 is the guard's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    #[serde(with = "time::text")]
    pub ts: Ts,
    #[serde(deserialize_with = "within::id")]
    pub id: u64,
    pub signal: Signal,
    /// Of the row that it was decided on; absent where rows do not say.
    #[serde(default, skip_serializing_if = "Symbol::is_empty")]
    pub contract: Symbol,
    #[serde(flatten)]
    pub action: Action,
}

/// An entry that waits at its price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    #[serde(deserialize_with = "within::price")]
    pub price: Price,
    /// Milliseconds after its decision for which it waits.
    #[serde(deserialize_with = "within::count")]
    pub lifetime_ms: u32,
}

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Opens a position, with a stop and a target measured from the fill.
    Enter {
        side: Side,
        #[serde(deserialize_with = "within::contracts")]
        contracts: i64,
        #[serde(deserialize_with = "within::ticks")]
        stop_ticks: i64,
        #[serde(deserialize_with = "within::ticks")]
        target_ticks: i64,
        #[serde(deserialize_with = "within::share")]
        confidence: f32,
        /// The worst price to open at; absent: at market.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Limit>,
    },
    /// Closes the whole position at market and cancels its bracket and every waiting entry.
    Exit { reason: ExitReason },
    /// Moves the protective stop to this price.
    MoveStop {
        #[serde(deserialize_with = "within::price")]
        stop: Price,
    },
}
