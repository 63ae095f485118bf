//! Which account a run trades, and which run it was traded in last: what the two ends of the loop compare before a run.

use std::{borrow::Cow, path::Path};

use mes_core::{
    broker::BrokerError,
    kept::{Book, Memory, difference},
};
use mes_pipe::{account, durable};
use serde::{Deserialize, Serialize};

/// The first line of a run in the file of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub kind: Cow<'static, str>,
    pub id: String,
    pub run: Option<String>,
    /// No order id up to this one will be used again.
    pub order: u64,
}

impl Start {
    /// Writes down an account before its first run, or the run that begins.
    pub fn of(id: String, run: Option<String>, order: u64) -> Start {
        Start { kind: "start".into(), id, run, order }
    }
}

/// Checks that what is kept here and what risk keeps are of one account and one past.
///
/// # Errors
///
/// `Mismatch` with what to do.
pub fn agree(folder: &Path, book: &Book, memory: Option<&Memory>) -> Result<(), BrokerError> {
    let Some(memory) = memory else { return Err(BrokerError::Mismatch(account::ONE_END.into())) };
    let elsewhere = || (!durable::written(&folder.join("ledger"))).then_some(account::ELSEWHERE);
    match difference(book, memory).or_else(elsewhere) {
        None => Ok(()),
        Some(why) => Err(BrokerError::Mismatch(account::disagree(folder, why))),
    }
}
