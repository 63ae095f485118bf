//! What happened, in the order it happened: who keeps it, or some of it.

use mes_core::{ledger::Ledger, person::Person, row::Row, run::Run, statement::Statement, verdict::Verdict};

use crate::Result;

/// Who keeps what happened, or some of it.
pub trait Journal {
    fn run(&mut self, _run: &Run) -> Result<()> {
        Ok(())
    }
    fn row(&mut self, _row: &Row) -> Result<()> {
        Ok(())
    }
    fn statement(&mut self, statement: &Statement) -> Result<()>;
    fn verdict(&mut self, _verdict: &Verdict) -> Result<()> {
        Ok(())
    }
    fn person(&mut self, _person: &Person) -> Result<()> {
        Ok(())
    }
    /// Keeps what is remembered after a row, before any of its verdicts goes out.
    fn remember(&mut self, _ledger: &mut Ledger, _row: &Row, _statement: &Statement) -> Result<()> {
        Ok(())
    }
    /// Keeps what is remembered once the last statement has come.
    fn closed(&mut self, _ledger: &mut Ledger, _statement: &Statement) -> Result<()> {
        Ok(())
    }
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
