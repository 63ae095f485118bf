//! `--refill`: rows dealt out to one account after the other. An account that died keeps the rows of its day; the next
//! trading day is that of a new one, which knows the market that its forerunner saw.

use std::cell::Cell;

use mes_core::{
    ledger::{Lasts, Ledger},
    money::Cents,
    row::Row,
    schedule::Schedule,
    time::Ts,
};
use mes_pipe::Result;
use mes_risk::trade::{Next, Rows};

/// Rows that end for the account with the day on which it died.
pub struct Dealt<'a, R> {
    rows: &'a mut R,
    schedule: Schedule,
    /// Whoever listens to the loop sets it when the account is dead and flat.
    over: &'a Cell<bool>,
    last: Ts,
    /// The first row of the next account.
    held: Option<Row>,
    row: Row,
}

impl<'a, R: Rows> Dealt<'a, R> {
    /// Deals `rows`; `over` says that the account has died.
    pub fn new(rows: &'a mut R, schedule: Schedule, over: &'a Cell<bool>) -> Self {
        Dealt { rows, schedule, over, last: Ts::MIN, held: None, row: Row::default() }
    }

    /// Says whether there are rows for another account.
    pub fn has_more(&self) -> bool {
        self.held.is_some()
    }
}

impl<R: Rows> Rows for Dealt<'_, R> {
    fn next(&mut self) -> Result<Next<'_>> {
        if let Some(row) = self.held.take() {
            (self.row, self.last) = (row, row.bar.ts);
            return Ok(Next::Row(&self.row));
        }
        let next = self.rows.next()?;
        let Next::Row(row) = next else { return Ok(next) };
        if self.over.get() {
            let mut label = |ts| self.schedule.of_bar(ts).map(|today| today.label());
            let (died, now) = (label(self.last), label(row.bar.ts));
            if now.is_some() && now != died {
                self.held = Some(*row);
                return Ok(Next::End);
            }
        }
        self.last = row.bar.ts;
        Ok(Next::Row(row))
    }
}

/// Returns what is to be remembered of a dead account; nothing of one that lives.
pub fn remembered(ledger: &Ledger) -> Option<Ledger> {
    let dead = ledger.stopped.as_ref().is_some_and(|stopped| stopped.lasts > Lasts::Day);
    dead.then(|| ledger.clone())
}

/// Returns the ledger of a new account: its forerunner's market, its own money. Order ids are never used again.
pub fn anew(forerunner: Ledger, start: Cents) -> Ledger {
    let Ledger { ts, order, market, .. } = forerunner;
    Ledger { ts, order, market, ..Ledger::new(start) }
}
