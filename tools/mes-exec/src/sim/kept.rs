//! A paper account that outlives its process: what it has, and the last order it saw, are on disk before anybody is told.
//!
//! A position that a kill left open is booked at its stop when the account is opened again: nobody knows what became of
//! it, and of what may have been, paper takes the worst.

use std::path::Path;

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    contract::TICK_VALUE,
    money::Cents,
    order::Order,
    person::{Person, Says},
    run::Run,
    statement::Statement,
    time::{self, Ts},
};
use mes_pipe::{
    Error, Result, Settings, account,
    durable::{Busy, Durable},
    log,
};
use serde::{Deserialize, Serialize};

use super::{Position, Sim};

/// What is kept of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    #[serde(with = "time::text")]
    ts: Ts,
    seen: u64,
    balance_cents: Cents,
    position: i64,
    /// The balance once an open position is stopped out.
    stopped_cents: Cents,
}

/// A paper account, and the files it is kept in, if it is.
pub struct Kept {
    sim: Sim,
    lines: Option<Durable>,
    account: Option<Account>,
}

impl Kept {
    /// Opens a paper account, which begins with the capital of the rules unless it is kept in `state` and was before.
    pub fn open(settings: &Settings, state: Option<&Path>) -> Result<Kept> {
        let mut sim = Sim::new(settings);
        let Some(state) = state else { return Ok(Kept { sim, lines: None, account: None }) };
        let Hello { broker, account: name, .. } = sim.hello.clone();
        let folder = account::folder(state, &sim.hello);
        let (lines, records) =
            Durable::open(&folder.join("account"), &account::head("account", &broker, &name), Busy::Refuse)?;
        let account: Option<Account> = match records.last() {
            None => None,
            Some(record) => Some(Account::deserialize(record).map_err(|error| {
                Error::stopped(format!("{}: cannot be understood: {error}", folder.display()))
            })?),
        };
        if let Some(account) = account {
            sim.take_up(account.stopped_cents, account.seen);
            if account.position != 0 {
                log::note(format!(
                    "a position of {} was left open at {}: booked at its stop, the balance is {}",
                    account.position,
                    time::format(account.ts),
                    account.stopped_cents
                ));
            }
        }
        Ok(Kept { sim, lines: Some(lines), account })
    }

    fn keep(&mut self) -> std::result::Result<(), BrokerError> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        let statement = &self.sim.statement;
        let account = Account {
            ts: statement.ts,
            seen: statement.seen,
            balance_cents: statement.balance_cents,
            position: statement.position,
            stopped_cents: self.sim.stopped_out(),
        };
        if self.account.is_some_and(|before| before == Account { ts: before.ts, ..account }) {
            return Ok(());
        }
        lines.append(&account).map_err(|error| BrokerError::Lost(error.to_string()))?;
        self.account = Some(account);
        Ok(())
    }
}

/// Halts the account until a person resumes it: the program that held it ended in an error.
pub fn halt(state: &Path, hello: &Hello, ts: Ts, error: &Error) -> Result<()> {
    let person =
        Person { ts, says: Says::Halt, reason: error.to_string(), by: "mes-exec".into(), rules: None };
    account::say(&account::folder(state, hello), &hello.broker, &hello.account, &person)
}

impl Sim {
    /// Goes on as an account with this balance, flat, that has seen this order.
    fn take_up(&mut self, balance: Cents, seen: u64) {
        (self.hello.balance_cents, self.hello.seen) = (balance, seen);
        self.balance = balance;
        self.statement.seen = seen;
        (self.statement.balance_cents, self.statement.equity_cents) = (balance, balance);
    }

    /// Returns the balance once an open position is stopped out.
    fn stopped_out(&self) -> Cents {
        let loss = |position: &Position| {
            let fill = position.stop - position.side.sign() * self.slippage_ticks;
            let gross = TICK_VALUE * (position.gain(fill) * position.contracts);
            gross - self.side_cost * position.contracts
        };
        self.balance + self.position.as_ref().map_or(Cents::ZERO, loss)
    }
}

impl Broker for Kept {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        self.sim.hello()
    }

    /// A journal is replayed on an account of its own, never on one that is kept.
    fn begin(&mut self, run: &Run) -> std::result::Result<(), BrokerError> {
        let hello = &self.sim.hello;
        let (theirs, ours) = ((run.broker.balance_cents, run.broker.seen), (hello.balance_cents, hello.seen));
        if self.lines.is_some() && theirs != ours {
            let text = "the journal began with another account: replay it with a mes-exec without --state";
            return Err(BrokerError::Mismatch(text.into()));
        }
        self.sim.begin(run)
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.sim.on_bar(bar)?;
        self.keep()?;
        Ok(&self.sim.statement)
    }

    fn watch(&mut self, bar: &Bar) {
        self.sim.watch(bar);
    }

    fn submit(&mut self, order: &Order) -> std::result::Result<(), BrokerError> {
        self.sim.submit(order)
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        self.sim.end()?;
        self.keep()?;
        Ok(&self.sim.statement)
    }
}
