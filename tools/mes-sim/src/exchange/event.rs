//! What the exchange tells, in the order in which it happened.

use mes_core::{money::Cents, order::Side, time::Ts};

use super::{account::AccountView, instrument::Instrument, market::Print, order::Order, refusal::Call};

/// A fill. A position that is reversed has two: what closes and what opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    pub id: i64,
    pub account: i64,
    pub instrument: Instrument,
    pub ts: Ts,
    pub price: i64,
    /// Before costs; absent where it opened.
    pub profit: Option<Cents>,
    pub fees: Cents,
    pub commissions: Cents,
    pub side: Side,
    pub size: i64,
    pub order: i64,
}

/// What is told of a position; without contracts it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionView {
    pub id: i64,
    pub account: i64,
    pub instrument: Instrument,
    pub created: Ts,
    pub side: Side,
    pub size: i64,
    /// Of what is open, or was: Σ price × contracts, and the contracts.
    pub paid: i64,
    pub contracts: i64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Order(Order),
    Trade(Trade),
    Position(PositionView),
    Account(AccountView),
    /// A quote that changed: what is absent is as it was.
    Quote {
        instrument: Instrument,
        bid: Option<i64>,
        ask: Option<i64>,
    },
    Print {
        instrument: Instrument,
        print: Print,
    },
    /// A request that was refused; for the journal alone.
    Refused {
        call: Call,
        account: i64,
        code: i64,
        message: Option<String>,
        tag: Option<String>,
    },
    /// What the firm or the platform did, and why; likewise.
    House {
        account: i64,
        what: &'static str,
    },
}

/// An event and when it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub ts: Ts,
    pub event: Event,
}
