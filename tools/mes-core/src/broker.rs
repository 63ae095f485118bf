//! Whoever holds the account.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use crate::{bar::Bar, kept::Book, money::Cents, order::Order, run::Run, statement::Statement, within};

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
}

/// Who the broker is, said once at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    #[serde(deserialize_with = "within::name")]
    pub broker: String,
    #[serde(deserialize_with = "within::name")]
    pub account: String,
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

/// An account that is told every bar and answers with one statement. See DESIGN in `tools/README.md`: bar down,
/// statement up, orders down.
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
    /// Cancels and closes everything and returns the last statement.
    fn end(&mut self) -> Result<&Statement, BrokerError>;
}
