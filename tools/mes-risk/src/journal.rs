//! The journal as JSON lines: everything that happened, in the order it happened.

use std::{
    cell::RefCell,
    io::{BufWriter, Write},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mes_core::{
    ledger::Ledger,
    person::{Person, Says},
    record::Line,
    row::{Columns, Row},
    run::Run,
    statement::Statement,
    verdict::Verdict,
};
use mes_pipe::{Error, Result, account};

use crate::state::State;
use mes_pipe::journal::Journal;

/// Where lines go; shared with [`crate::wire::Wire`], which must flush them before it waits for an answer.
pub type Lines = Rc<RefCell<BufWriter<Box<dyn Write>>>>;

/// Begins lines on `out`.
pub fn lines(out: impl Write + 'static) -> Lines {
    Rc::new(RefCell::new(BufWriter::with_capacity(1 << 16, Box::new(out))))
}

/// Writes records as JSON lines, rows with the columns that they came with.
pub struct JsonJournal {
    lines: Lines,
    columns: Columns,
}

impl JsonJournal {
    /// Keeps a journal of rows with these columns.
    pub fn new(lines: Lines, columns: Columns) -> Self {
        JsonJournal { lines, columns }
    }

    fn write(&mut self, line: Line) -> Result<()> {
        let mut lines = self.lines.borrow_mut();
        serde_json::to_writer(&mut *lines, &line)
            .map_err(|error| Error::from(std::io::Error::from(error)))?;
        Ok(lines.write_all(b"\n")?)
    }
}

impl Journal for JsonJournal {
    fn run(&mut self, run: &Run) -> Result<()> {
        self.write(Line::Run(run))
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.write(Line::Row(row, self.columns))
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        self.write(Line::Statement(statement))
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        self.write(Line::Verdict(verdict))
    }

    fn person(&mut self, person: &Person) -> Result<()> {
        self.write(Line::Person(person))
    }

    fn end(&mut self) -> Result<()> {
        self.write(Line::End)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(self.lines.borrow_mut().flush()?)
    }
}

/// A journal, and the state that outlives it.
pub struct Remembered {
    pub journal: JsonJournal,
    pub state: Option<State>,
    /// A mes-exec is at the other end, and the rows are no replay: the two have to mean one account.
    pub wired: bool,
    /// As of the last statement, for whoever leaves in between.
    pub position: Arc<AtomicI64>,
}

impl Journal for Remembered {
    fn run(&mut self, run: &Run) -> Result<()> {
        self.journal.run(run)?;
        let book = run.broker.kept.as_ref().filter(|_| self.wired);
        let begun = if self.wired && book.is_some() != run.kept.is_some() {
            Err(Error::usage(account::ONE_END))
        } else {
            self.state.as_mut().map_or(Ok(()), |state| state.begin(book))
        };
        // Written down before mes-exec hears of it. What is refused here goes out too, to be refused there for the same reason.
        let sent = self.journal.flush();
        begun.and(sent)
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.journal.row(row)
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        self.position.store(statement.position, Ordering::Relaxed);
        self.journal.statement(statement)
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        self.journal.verdict(verdict)
    }

    fn person(&mut self, person: &Person) -> Result<()> {
        // A stop came from nobody's file.
        if let Some(state) = self.state.as_mut().filter(|_| person.says != Says::Stop) {
            state.hear();
        }
        self.journal.person(person)
    }

    fn remember(&mut self, ledger: &mut Ledger, row: &Row, statement: &Statement) -> Result<()> {
        self.state.as_mut().map_or(Ok(()), |state| state.keep(ledger, Some(&row.bar), statement))
    }

    fn closed(&mut self, ledger: &mut Ledger, statement: &Statement) -> Result<()> {
        self.state.as_mut().map_or(Ok(()), |state| state.keep(ledger, None, statement))
    }

    fn end(&mut self) -> Result<()> {
        self.journal.end()
    }

    fn flush(&mut self) -> Result<()> {
        self.journal.flush()
    }
}
