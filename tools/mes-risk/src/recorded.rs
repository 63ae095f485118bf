//! Accounts without a broker: statements from a file, or none at all.

use std::path::Path;

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello, Kind},
    money::Cents,
    order::Order,
    record::Record,
    run::Run,
    statement::Statement,
};
use mes_pipe::{Result, journal::Reader};

use crate::wire::answers;

/// Answers every row with the next statement of a journal.
pub struct Recorded {
    journal: Reader,
    hello: Hello,
    /// Read, but of the next row.
    ahead: Option<Statement>,
    statement: Statement,
}

impl Recorded {
    /// Opens a journal or a file of statements; `capital` is what the account began with, unless its `run` says.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`] and [`Reader::next`] do.
    pub fn open(path: &Path, capital: Cents) -> Result<Recorded> {
        let mut journal = Reader::open(path)?;
        let (hello, ahead) = match journal.next()? {
            Some(Record::Run(run)) => (run.broker, None),
            Some(Record::Statement(statement)) => (hello("recorded", capital), Some(statement)),
            _ => (hello("recorded", capital), None),
        };
        Ok(Recorded { journal, hello, ahead, statement: Statement::default() })
    }

    /// Reads the next statement; says whether there was one.
    fn read(&mut self) -> std::result::Result<bool, BrokerError> {
        if let Some(statement) = self.ahead.take() {
            self.statement = statement;
            return Ok(true);
        }
        while let Some(record) = self.journal.next().map_err(|error| BrokerError::Data(error.to_string()))? {
            if let Record::Statement(statement) = record {
                self.statement = statement;
                return Ok(true);
            }
        }
        Ok(false)
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
        // A file cut by a crash has no last statement; the one before it is the last that is known. What happened before
        // it was told with it.
        if !self.read()? {
            self.statement.fills.clear();
            self.statement.refused.clear();
        }
        Ok(&self.statement)
    }
}

/// An account that is always flat: verdicts are printed and nothing is done.
pub struct NoAccount {
    hello: Hello,
    statement: Statement,
}

impl NoAccount {
    /// Makes an account that holds this much and trades nothing.
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
