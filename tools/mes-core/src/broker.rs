//! Whoever holds the account.

use std::os::fd::BorrowedFd;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use crate::{
    bar::Bar,
    kept::Book,
    money::Cents,
    order::Order,
    run::Run,
    statement::{Statement, Working},
    time::Now,
    within,
};

/// What a broker, or the channel to it, failed of.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The other end is gone; a retry may help.
    #[error("{0}")]
    Lost(String),
    /// Both ends do not mean the same.
    #[error("{0}")]
    Mismatch(String),
    /// A record that cannot be true.
    #[error("{0}")]
    Data(String),
    /// Somebody has ended it: a person, the firm.
    #[error("{0}")]
    Stopped(String),
}

/// What an account is: whether its orders reach an exchange, and whose money is at stake. The broker's name says neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fills by the rows, lives on their `ts`.
    Paper,
    /// Statements of a run that is over, or of nobody.
    Recorded,
    /// An exchange to practise on, on this machine.
    Exercise,
    /// The firm's own account for practice.
    Practice,
    /// Money, the firm's or one's own.
    Real,
}

impl Kind {
    /// Says whether an exchange is at the other end, which goes on when rows do not: time is that of the clock then, and
    /// what must not be lost is on disk before it is sent.
    pub fn is_live(self) -> bool {
        match self {
            Kind::Paper | Kind::Recorded => false,
            Kind::Exercise | Kind::Practice | Kind::Real => true,
        }
    }
}

/// Who the broker is, said once at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    #[serde(deserialize_with = "within::name")]
    pub broker: String,
    pub kind: Kind,
    /// The account's id.
    #[serde(deserialize_with = "within::name")]
    pub account: String,
    /// What people call the account, where that is something else.
    #[serde(default, deserialize_with = "within::name", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The root of the contract that it trades.
    #[serde(deserialize_with = "within::name")]
    pub contract: String,
    /// Orders are taken.
    pub can_trade: bool,
    /// Contracts that are open as the run begins, negative when short.
    #[serde(default, deserialize_with = "within::contracts", skip_serializing_if = "is_flat")]
    pub position: i64,
    /// Orders that work as the run begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub working: Vec<Working>,
    pub balance_cents: Cents,
    /// The New York time by which the broker itself demands to be flat.
    pub cut: Option<NaiveTime>,
    /// The last order id it has seen.
    #[serde(deserialize_with = "within::id")]
    pub seen: u64,
    /// What it keeps of the account from run to run; absent where nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Book>,
}

fn is_flat(position: &i64) -> bool {
    *position == 0
}

impl Hello {
    /// Introduces a flat account that may trade, and that nothing is kept of; broker and account bear one name.
    pub fn new(kind: Kind, name: &str, balance_cents: Cents) -> Hello {
        Hello {
            broker: name.into(),
            kind,
            account: name.into(),
            name: String::new(),
            contract: "MES".into(),
            can_trade: true,
            position: 0,
            working: Vec::new(),
            balance_cents,
            cut: None,
            seen: 0,
            kept: None,
        }
    }
}

/// An account that is told every bar and answers with one statement. See `tools/README.md`: bar down,
/// statement up, orders down.
///
/// Nothing here ever waits for a network: what a broker does with an exchange it does in a thread of its own, takes in by
/// [`Broker::tick`], and answers with what it knows. An order counts as seen once it is taken over, whatever becomes of
/// it. A close is outstanding until the position is flat: the broker repeats it by itself, and shows it as working all
/// that time.
pub trait Broker {
    fn hello(&mut self) -> Result<Hello, BrokerError>;
    /// Tells the broker what rows are about to come and by which rules; a broker that has others refuses.
    fn begin(&mut self, run: &Run) -> Result<(), BrokerError>;
    /// Tells the broker a bar and returns the account as of it.
    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError>;
    /// Shows the broker a bar that nothing but its memory of the market needs: the account is flat, nothing is on its way.
    fn watch(&mut self, _bar: &Bar) {}
    /// Hands over an order. Never waits for the outcome: that is in the next statement.
    fn submit(&mut self, order: &Order) -> Result<(), BrokerError>;
    /// Tells the broker that an order was refused before it came there: its id is used up all the same.
    fn used(&mut self, _order: u64) {}
    /// Tells the broker that a person has ended the day: what `end` then closes, it closes for that reason.
    fn stop(&mut self) {}
    /// Returns the contracts that are open now as far as the broker knows, which may be before any row has said so; none
    /// where the rows are all that it goes by.
    fn exposure(&self) -> i64 {
        0
    }
    /// Returns what can be read once something has happened at the broker, to wait on beside the rows.
    fn wake(&self) -> Option<BorrowedFd<'_>> {
        None
    }
    /// Returns when the broker wants its next [`Broker::tick`], on the steady clock, whatever else comes; after it a
    /// later one.
    fn due(&self) -> Option<i64> {
        None
    }
    /// Takes in what has happened, and the time that has passed, with or without rows.
    ///
    /// # Errors
    ///
    /// What ends the run: everything is closed then.
    fn tick(&mut self, _now: Now) -> Result<(), BrokerError> {
        Ok(())
    }
    /// Cancels and closes everything and returns the last statement.
    fn end(&mut self) -> Result<&Statement, BrokerError>;
}

impl<B: Broker + ?Sized> Broker for Box<B> {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        (**self).hello()
    }

    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        (**self).begin(run)
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        (**self).on_bar(bar)
    }

    fn watch(&mut self, bar: &Bar) {
        (**self).watch(bar);
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        (**self).submit(order)
    }

    fn used(&mut self, order: u64) {
        (**self).used(order);
    }

    fn stop(&mut self) {
        (**self).stop();
    }

    fn exposure(&self) -> i64 {
        (**self).exposure()
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        (**self).wake()
    }

    fn due(&self) -> Option<i64> {
        (**self).due()
    }

    fn tick(&mut self, now: Now) -> Result<(), BrokerError> {
        (**self).tick(now)
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        (**self).end()
    }
}
