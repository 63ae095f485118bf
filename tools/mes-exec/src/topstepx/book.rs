//! The order book of an account, kept from run to run: which run traded it last, and the last order that was taken over.

use std::path::{Path, PathBuf};

use mes_core::{
    broker::{BrokerError, Hello},
    kept::Book,
    run::Run,
};
use mes_pipe::{
    Error, Result, account,
    durable::{Busy, Durable},
};
use serde::Deserialize;
use serde_json::json;

use crate::start::{self, Start};

/// The folder of an account and the lines of its book.
pub struct Kept {
    pub folder: PathBuf,
    lines: Durable,
    pub book: Book,
    /// The last order written down.
    seen: u64,
}

impl Kept {
    /// Opens the book of an account, or begins it.
    ///
    /// # Errors
    ///
    /// `Usage` where another process trades the account, `Stopped` where the book is damaged, `Failed` where it cannot be
    /// written.
    pub fn open(state: &Path, hello: &Hello) -> Result<Kept> {
        let folder = account::folder(state, hello);
        let head = account::head("account", &hello.broker, &hello.account);
        let (mut lines, records) = Durable::open(&folder.join("account"), &head, Busy::Refuse)?;
        let damaged = |error| Error::stopped(format!("{}: cannot be understood: {error}", folder.display()));
        let of = |kind: &'static str| records.iter().rev().find(move |record| record["kind"] == kind);
        let seen = of("order").and_then(|record| record["seen"].as_u64()).unwrap_or(0);
        let start = of("start").map(|record| Start::deserialize(record).map_err(damaged)).transpose()?;
        let start = match start {
            Some(start) => start,
            None => {
                let start = Start::of(account::nonce(), None, 0);
                lines.append(&start)?;
                start
            }
        };
        account::unlock(&folder, &hello.broker, &hello.account)?;
        account::reserve(&folder)?;
        let order = start.order.max(seen);
        let book = Book { id: start.id, past: start.run, next: account::nonce(), order };
        Ok(Kept { folder, lines, book, seen: order })
    }

    /// Writes down that a run begins.
    ///
    /// # Errors
    ///
    /// `Mismatch` where risk keeps another account or another past, `Lost` where the disk does not take it.
    pub fn begin(&mut self, run: &Run) -> std::result::Result<(), BrokerError> {
        start::agree(&self.folder, &self.book, run.kept.as_ref())?;
        let order = self.book.order.max(run.ledger.order);
        let start = Start::of(self.book.id.clone(), Some(self.book.next.clone()), order);
        let written = self.lines.append(&start).and_then(|()| self.lines.sync());
        written.map_err(|error| BrokerError::Lost(error.to_string()))
    }

    /// Writes down that an order was taken over. It outlives a kill, and needs not outlive the machine's power: risk's ledger
    /// names the order, synced before the order left it, and the next run goes on from the later of the two.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it.
    pub fn took(&mut self, order: u64) -> Result<()> {
        if order > self.seen {
            self.lines.append(&json!({ "kind": "order", "seen": order }))?;
            self.seen = order;
        }
        Ok(())
    }
}
