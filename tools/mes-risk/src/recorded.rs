//! Accounts without a broker: statements from a file, or none at all.

use std::path::Path;

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello, Kind},
    money::Cents,
    order::Order,
    record::Tag,
    run::Run,
    statement::Statement,
};
use mes_pipe::{
    Error, Result,
    messages::{Message, Messages},
};

use crate::wire::{answers, parse};

/// Answers every row with the next statement of a journal.
pub struct Recorded {
    messages: Messages,
    hello: Hello,
    statement: Statement,
}

impl Recorded {
    /// Opens a journal or a file of statements; `capital` is what the account began with, unless its `run` says.
    pub fn open(path: &Path, capital: Cents) -> Result<Recorded> {
        let mut messages = Messages::open(path)?;
        let mut hello = hello("recorded", capital);
        if let Message::Line(line) = messages.next()?
            && serde_json::from_slice::<Tag>(line).is_ok_and(|tag| tag.kind == "run")
        {
            hello = parse::<Run>(line)?.broker;
        } else {
            messages = Messages::open(path)?;
        }
        Ok(Recorded { messages, hello, statement: Statement::default() })
    }

    fn advance(&mut self) -> Result<bool> {
        loop {
            match self.messages.next()? {
                Message::Line(line) => {
                    let tag = serde_json::from_slice::<Tag>(line).map_err(Error::data)?;
                    if tag.kind == "statement" {
                        self.statement = parse(line)?;
                        return Ok(true);
                    }
                }
                Message::Idle => {}
                Message::End => return Ok(false),
            }
        }
    }

    fn read(&mut self) -> std::result::Result<bool, BrokerError> {
        self.advance().map_err(|error| BrokerError::Data(error.to_string()))
    }
}

impl Broker for Recorded {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    fn begin(&mut self, _run: &Run) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        if !self.read()? {
            return Err(BrokerError::Data("the recorded statements end before the rows".into()));
        }
        answers(&self.statement, bar.ts)?;
        Ok(&self.statement)
    }

    fn submit(&mut self, _order: &Order) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        // A file cut by a crash has no last statement; the one before it is the last that is known.
        self.read()?;
        Ok(&self.statement)
    }
}

/// An account that is always flat: verdicts are printed and nothing is done.
pub struct NoAccount {
    hello: Hello,
    statement: Statement,
}

impl NoAccount {
    pub fn new(capital: Cents) -> Self {
        let statement = Statement { balance_cents: capital, equity_cents: capital, ..Statement::default() };
        NoAccount { hello: hello("none", capital), statement }
    }
}

fn hello(name: &str, capital: Cents) -> Hello {
    Hello::new(Kind::Recorded, name, capital)
}

impl Broker for NoAccount {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    fn begin(&mut self, _run: &Run) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.statement.ts = bar.ts;
        Ok(&self.statement)
    }

    fn submit(&mut self, order: &Order) -> std::result::Result<(), BrokerError> {
        self.statement.seen = order.id;
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        Ok(&self.statement)
    }
}
