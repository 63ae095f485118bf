//! A paper account that outlives its process: what it has, and the last order it saw, are on disk before anybody is told.
//!
//! A position that a kill left open is booked at its stop when the account is opened again: nobody knows what became of
//! it, and of what may have been, paper takes the worst. An entry that waited has not filled, and is gone.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    kept::Book,
    money::Cents,
    order::Order,
    person::{Person, Says},
    run::Run,
    statement::Statement,
    time::{self, Ts},
};
use mes_pipe::{
    Error, Result, Settings, account, clock,
    durable::{self, Busy, Durable},
    log, private,
};
use serde::{Deserialize, Serialize};

use super::{Paper, Position};
use crate::start::{self, Start};

/// The room that a closing needs on a disk that takes no more, and its name once it holds one.
const RESERVE: &str = "account.reserve";
const CLOSED: &str = "account.closed";
const RESERVED_BYTES: usize = 512;

/// What is kept of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptAccount {
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
    paper: Paper,
    files: Option<Files>,
}

/// The folder of an account and its lines.
struct Files {
    folder: PathBuf,
    lines: Durable,
    account: Option<KeptAccount>,
    book: Book,
    /// A write has failed and was told: what still has to be closed is closed without another try.
    failed: bool,
}

impl Kept {
    /// Opens a paper account, which begins with the capital of the rules unless it is kept in `state` and was before.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when its files cannot be written: it is locked then, until a person has looked.
    /// [`Error::Usage`] when it is kept there under the name it had before.
    pub fn open(settings: &Settings, state: Option<&Path>) -> Result<Kept> {
        let mut paper = Paper::new(settings);
        let Some(state) = state else { return Ok(Kept { paper, files: None }) };
        let folder = account::folder(state, &paper.hello);
        account::renamed(&folder)?;
        let files = Files::open(folder.clone(), &mut paper).map_err(|error| match error {
            Error::Failed(_) if durable::exists(&folder.join("account")) => {
                let locked = account::lock(&folder, &error.to_string()).err();
                error.and(locked)
            }
            other => other,
        })?;
        Ok(Kept { paper, files: Some(files) })
    }

    /// Checks that the run is of this account and of nothing else.
    fn agree(&self, run: &Run) -> std::result::Result<(), BrokerError> {
        let why = match (&self.files, &run.kept) {
            // A journal that is replayed says what its broker kept.
            (None, Some(_)) if run.broker.kept.is_none() => account::ONE_END,
            (None, _) => return Ok(()),
            (Some(_), _) if run.broker != self.paper.hello => {
                "the journal began with another account: replay it with a mes-exec without --state"
            }
            (Some(files), _) => return start::agree(&files.folder, &files.book, run.kept.as_ref()),
        };
        Err(BrokerError::Mismatch(why.into()))
    }

    fn account(&self) -> KeptAccount {
        let statement = &self.paper.statement;
        KeptAccount {
            ts: statement.ts,
            seen: statement.seen,
            balance_cents: statement.balance_cents,
            position: statement.position,
            stopped_cents: self.paper.stopped_out(),
        }
    }

    fn keep(&mut self) -> std::result::Result<(), BrokerError> {
        let account = self.account();
        let Some(files) = self.files.as_mut().filter(|files| !files.failed) else { return Ok(()) };
        if files.account.is_some_and(|before| before == KeptAccount { ts: before.ts, ..account }) {
            return Ok(());
        }
        let written = files.lines.append(&account).map_err(lost);
        (files.account, files.failed) = (Some(account), written.is_err());
        self.paper.untold = written.is_err();
        written
    }
}

impl Files {
    fn open(folder: PathBuf, paper: &mut Paper) -> Result<Files> {
        let Hello { broker, account: name, .. } = paper.hello.clone();
        let head = account::head("account", &broker, &name);
        let (mut lines, records) = Durable::open(&folder.join("account"), &head, Busy::Refuse)?;
        let damaged = |error| Error::stopped(format!("{}: cannot be understood: {error}", folder.display()));
        let (starts, accounts): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record["kind"] == "start");
        let account =
            accounts.last().map(|record| KeptAccount::deserialize(*record).map_err(damaged)).transpose()?;
        let account = closed(&folder, &mut lines)?.or(account);
        let start = starts.last().map(|record| Start::deserialize(*record).map_err(damaged)).transpose()?;
        if let Some(account) = &account {
            paper.take_up(account);
        }
        let seen = paper.hello.seen;
        let start = match start {
            Some(start) => start,
            None => {
                let start = Start::of(account::nonce(), None, seen);
                lines.append(&start)?;
                start
            }
        };
        account::unlock(&folder, &broker, &name)?;
        account::reserve(&folder)?;
        let reserve = folder.join(RESERVE);
        if !reserve.exists() {
            private::write(&reserve, &[b' '; RESERVED_BYTES])
                .map_err(|error| Error::from(error).at(reserve.display()))?;
        }
        let book =
            Book { id: start.id, past: start.run, next: account::nonce(), order: start.order.max(seen) };
        paper.hello.kept = Some(book.clone());
        Ok(Files { folder, lines, account, book, failed: false })
    }

    /// Puts the account as it was closed into the room that is kept for it, which gets another name.
    fn set_aside(&self, account: &KeptAccount) -> Result<()> {
        let text = serde_json::to_string(account).map_err(Error::failed)?;
        let (reserve, closed) = (self.folder.join(RESERVE), self.folder.join(CLOSED));
        let written = private::open(&reserve, File::options().write(true))
            .and_then(|file| file.write_all_at(text.as_bytes(), 0))
            .and_then(|()| fs::rename(&reserve, &closed));
        written.map_err(|error| Error::from(error).at(closed.display()))
    }

    /// Writes down that the run has begun.
    fn begin(&mut self, run: &Run) -> Result<()> {
        let order = self.book.order.max(run.ledger.order);
        let (id, next) = (self.book.id.clone(), self.book.next.clone());
        self.lines.append(&Start::of(id, Some(next), order))
    }
}

/// Writes down, in its place, the account that was closed when the disk took no more; nothing where there is none.
fn closed(folder: &Path, lines: &mut Durable) -> Result<Option<KeptAccount>> {
    let path = folder.join(CLOSED);
    let at = |error: std::io::Error| Error::from(error).at(path.display());
    if !path.exists() {
        return Ok(None);
    }
    let text = private::read(&path).map_err(at)?;
    let account: KeptAccount = serde_json::from_slice(&text)
        .map_err(|error| Error::stopped(format!("{}: cannot be understood: {error}", path.display())))?;
    lines.append(&account)?;
    // A loss of power must not take both.
    lines.sync()?;
    fs::remove_file(&path).map_err(at)?;
    Ok(Some(account))
}

fn lost(error: Error) -> BrokerError {
    BrokerError::Lost(error.to_string())
}

/// Halts the account until a person resumes it: the program that held it ended in an error. On a disk that takes no
/// more it is locked in place of that.
///
/// # Errors
///
/// Where neither the halt nor the lock could be written: both reasons, of the kind of the first.
pub fn halt(state: &Path, hello: &Hello, why: &str) -> Result<()> {
    let folder = account::folder(state, hello);
    let (ts, by) = (clock::now(), "mes-exec".into());
    let person = Person { ts, says: Says::Halt, reason: why.to_owned(), by, rules: None };
    account::say(&folder, &hello.broker, &hello.account, &person).or_else(|unwritten| {
        account::lock(&folder, &person.reason).map_err(|unlocked| unwritten.and(Some(unlocked)))
    })
}

impl Paper {
    /// Goes on as an account that was kept, flat: a position that was left open is booked at its stop.
    fn take_up(&mut self, account: &KeptAccount) {
        let KeptAccount { ts, seen, position, stopped_cents: balance, .. } = *account;
        if position != 0 {
            log::note(format!(
                "a position of {position} was left open at {}: booked at its stop, the balance is {balance}",
                time::format(ts)
            ));
        }
        (self.hello.balance_cents, self.hello.seen) = (balance, seen);
        self.balance = balance;
        self.statement.seen = seen;
        (self.statement.balance_cents, self.statement.equity_cents) = (balance, balance);
    }

    /// Returns the balance once an open position is stopped out.
    fn stopped_out(&self) -> Cents {
        let loss = |position: &Position| {
            let fill = position.stop - position.side.sign() * self.slippage_ticks;
            let gross = self.tick_value * (position.gain(fill) * position.contracts);
            gross - self.side_cost * position.contracts
        };
        self.balance + self.position.as_ref().map_or(Cents::ZERO, loss)
    }
}

impl Broker for Kept {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        self.paper.hello()
    }

    /// Refuses a run that mes-risk keeps otherwise. A journal is replayed on an account of its own, never on a kept one.
    fn begin(&mut self, run: &Run) -> std::result::Result<(), BrokerError> {
        self.agree(run)?;
        if let Some(files) = &mut self.files {
            files.begin(run).map_err(lost)?;
        }
        self.paper.begin(run)
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.paper.on_bar(bar)?;
        self.keep()?;
        Ok(&self.paper.statement)
    }

    fn watch(&mut self, bar: &Bar) {
        self.paper.watch(bar);
    }

    fn used(&mut self, order: u64) {
        self.paper.used(order);
    }

    fn submit(&mut self, order: &Order) -> std::result::Result<(), BrokerError> {
        self.paper.submit(order)
    }

    fn stop(&mut self) {
        self.paper.stop();
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        self.paper.end()?;
        let kept = self.keep();
        if let Some(files) = self.files.as_ref().filter(|files| files.failed) {
            // What was closed is closed: nothing of it is to be booked at its stop when there is room again.
            files.set_aside(&self.account()).map_err(lost)?;
        }
        kept?;
        Ok(&self.paper.statement)
    }
}
