//! Rows out of a table of predictions.

use std::{collections::VecDeque, os::fd::OwnedFd};

use arrow_array::RecordBatch;
use clap::Args;
use mes_core::{
    contract::{self, Contract},
    interval::Interval,
    person::Person,
    row::{Columns, Row},
    run::Run,
    symbol::Symbol,
    time::{self, Ts},
    tz,
};
use mes_pipe::{Error, Event, Input, InputArgs, Kind, Result, SettingsArgs, columns};

use serde::Deserialize;

use crate::trade::{Next, Rows, Stream};

/// What is traded and by which settings; the same for a backtest and live.
#[derive(Args, Clone, Debug)]
pub struct TradeArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Trade from this instant on; rows before it only warm up
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub from: Option<Ts>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// No notes on stderr
    #[arg(short, long)]
    pub quiet: bool,
}

/// Reads a table row by row.
pub struct TableRows {
    input: Input,
    rows: Vec<Row>,
    next: usize,
    /// What was said before which of the rows; of a journal that is replayed.
    said: VecDeque<(usize, Person)>,
    contract: Contract,
    /// The last symbol that was found to be of the contract.
    symbol: Symbol,
    /// What is wrong with the row after the last one in `rows`.
    failed: Option<Error>,
}

impl TableRows {
    /// Opens a table of predictions for a contract. Features and labels are not looked at.
    ///
    /// # Errors
    /// A table that cannot be read, or is none of predictions.
    pub fn open(args: &InputArgs, contract: Contract) -> Result<Self> {
        let input = Input::open_columns(args, &[Kind::Prediction], |name| {
            !name.starts_with("f_") && !name.starts_with("y_")
        })?;
        let said = VecDeque::new();
        let (rows, symbol) = (Vec::new(), Symbol::default());
        Ok(TableRows { input, rows, next: 0, said, contract, symbol, failed: None })
    }

    /// Makes waits for rows end when the other end of `peer` is gone.
    pub fn watch(&mut self, peer: OwnedFd) {
        self.input.watch(peer);
    }

    /// Returns what the rows are, and which columns of them a journal keeps.
    ///
    /// # Errors
    ///
    /// `Usage` where nobody says how long a row is, `Data` where what a replayed journal began with cannot be read.
    pub fn stream(&mut self) -> Result<(Stream, Columns)> {
        let interval = self.input.interval()?;
        let meta = self.input.meta();
        let columns: Columns =
            self.input.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let (session, lineage) = (meta.session, meta.lineage.clone());
        let quotes = columns.bar.has("bid") || columns.bar.has("ask");
        let mut stream = Stream { quotes, ..Stream::new(interval, session, lineage) };
        if let Some(run) = self.replayed()? {
            (stream.ledger, stream.hello, stream.kept) = (Some(run.ledger), Some(run.broker), run.kept);
        }
        Ok((stream, columns))
    }

    /// Returns the run record of the journal whose rows these are, if they are a journal's.
    fn replayed(&self) -> Result<Option<Run>> {
        let head = self.input.head();
        if head["kind"] != "run" {
            return Ok(None);
        }
        let run = Run::deserialize(head);
        run.map(Some).map_err(|error| Error::data(format!("the run record: {error}: which mes wrote it?")))
    }

    /// Takes the rows of a batch up to the first that cannot be traded: what came before it is traded all the same.
    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let table = columns::PredictedRows::of(batch)?;
        // What stood behind the last row stands before this one.
        for (row, _) in &mut self.said {
            *row = 0;
        }
        self.say()?;
        self.rows.clear();
        self.next = 0;
        for index in 0..table.len() {
            match table.get(index).and_then(|row| self.check(row)) {
                Ok(row) => self.rows.push(row),
                Err(error) => {
                    self.failed = Some(error.at(self.input.at(index)));
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes what was said after the last row: that a person ended the day.
    fn last_said(&mut self) -> Result<Option<Person>> {
        self.say()?;
        Ok(self.said.pop_front().map(|(_, person)| person))
    }

    /// Takes what was said between the rows of the batch that comes next, or came last.
    fn say(&mut self) -> Result<()> {
        for (row, line) in self.input.between() {
            let person = serde_json::from_slice(&line).map_err(|error| {
                Error::data(format!("{}: a person record that cannot be read: {error}", self.input.at(row)))
            })?;
            self.said.push_back((row, person));
        }
        Ok(())
    }

    fn check(&mut self, row: Row) -> Result<Row> {
        let interval = self.input.meta().interval.map_or(1, Interval::nanos);
        if row.bar.ts % interval != 0 {
            return Err(Error::data(format!("{} is not on the grid of the rows", time::format(row.bar.ts))));
        }
        if row.bar.symbol != self.symbol {
            of_contract(&row, self.contract).map_err(Error::data)?;
            self.symbol = row.bar.symbol;
        }
        Ok(row)
    }
}

/// Refuses a row of another contract than the one whose money is counted. A row that does not say passes.
fn of_contract(row: &Row, contract: Contract) -> std::result::Result<(), String> {
    let symbol = row.bar.symbol.as_str();
    if symbol.is_empty() {
        return Ok(());
    }
    let name = contract::Name::parse(symbol, tz::new_york(row.bar.ts).date());
    if name.is_ok_and(|name| name.root() == contract.root()) {
        return Ok(());
    }
    Err(format!(
        "symbol {symbol:?} is not {contract}, which the rules trade: name rules of its contract by --rules, or say what \
         the rows are by mes-bars --symbol"
    ))
}

impl Rows for TableRows {
    fn next(&mut self) -> Result<Next<'_>> {
        while self.next == self.rows.len() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            match self.input.next()? {
                Event::Batch(batch) => self.take(&batch)?,
                Event::Idle => return Ok(Next::Idle),
                Event::End => return Ok(self.last_said()?.map_or(Next::End, Next::Person)),
            }
        }
        if self.said.front().is_some_and(|(row, _)| *row <= self.next)
            && let Some((_, person)) = self.said.pop_front()
        {
            return Ok(Next::Person(person));
        }
        self.next += 1;
        Ok(Next::Row(&self.rows[self.next - 1]))
    }
}
