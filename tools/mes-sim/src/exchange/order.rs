//! Orders as the exchange keeps them. Prices are whole ticks.

use std::sync::Arc;

use mes_core::{order::Side, time::Ts};

use super::instrument::Instrument;

/// What an order waits for. The numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Limit = 1,
    Market = 2,
    Stop = 4,
    TrailingStop = 5,
}

/// What became of an order, likewise. Partly filled is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open = 1,
    Filled = 2,
    Cancelled = 3,
    Rejected = 5,
    Pending = 6,
    /// A leg whose entry is not filled.
    Suspended = 8,
}

impl Status {
    /// Says whether nothing more becomes of the order.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Filled | Status::Cancelled | Status::Rejected)
    }
}

/// What an order is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// An entry with legs: the ids of its stop and its target.
    Entry {
        stop: Option<i64>,
        target: Option<i64>,
    },
    /// A leg of that entry, so many ticks from its fill.
    Leg {
        parent: i64,
        ticks: i64,
        sibling: Option<i64>,
    },
    /// Asked for by a call that closes.
    Close,
    /// Of the firm or the platform.
    House,
    /// What the platform attached to a position.
    Attached,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: i64,
    pub account: i64,
    pub instrument: Instrument,
    pub created: Ts,
    /// Neither the time of a fill nor rising with it: when it began to work, or was cancelled.
    pub updated: Ts,
    pub status: Status,
    pub kind: Kind,
    pub side: Side,
    pub size: i64,
    pub limit: Option<i64>,
    pub stop: Option<i64>,
    /// Ticks that a trailing stop stays behind.
    pub trail: Option<i64>,
    pub filled: i64,
    /// Σ price × contracts of its fills, in ticks.
    pub paid: i64,
    pub tag: Option<Arc<str>>,
    pub role: Role,
}

impl Order {
    /// Returns what is still to be filled.
    pub fn left(&self) -> i64 {
        self.size - self.filled
    }

    /// Returns the entry that it is a leg of.
    pub fn parent(&self) -> Option<i64> {
        match self.role {
            Role::Leg { parent, .. } => Some(parent),
            _ => None,
        }
    }

    /// Says whether it protects or ends a position and never is meant to open one.
    pub fn is_leg(&self) -> bool {
        matches!(self.role, Role::Leg { .. } | Role::Attached)
    }
}
