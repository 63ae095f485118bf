//! The rows of a journal traded again in a backtest: by its own rules, costs, fills and ledger, on a paper account that
//! begins with its balance, with what people said at the rows where they said it.

use std::{fs::File, path::Path};

use mes_core::{
    broker::{Hello, Kind},
    calendar::Calendar,
    record::Record,
    row::{Columns, Row},
    run::{Named, Run},
};
use mes_judge::{facts::Facts, journal, session::Replay};
use mes_pipe::{Error, Lineage, Result, Settings, journal::Reader};
use mes_risk::{
    journal::{JsonJournal, lines},
    trade::{Next, Rows, Stream, trade},
};
use serde_json::to_value;

use crate::diff;

/// Rows of a journal, and what was said between them.
struct Recorded {
    reader: Reader,
    row: Row,
    /// The first row, which says what columns all have.
    first: Option<Row>,
}

impl Rows for Recorded {
    fn next(&mut self) -> Result<Next<'_>> {
        if let Some(row) = self.first.take() {
            self.row = row;
            return Ok(Next::Row(&self.row));
        }
        while let Some(record) = self.reader.next()? {
            match record {
                Record::Row(row, _) => {
                    self.row = row;
                    return Ok(Next::Row(&self.row));
                }
                Record::Person(person) => return Ok(Next::Person(person)),
                Record::End => break,
                Record::Run(_) | Record::Statement(_) | Record::Verdict(_) => {}
            }
        }
        Ok(Next::End)
    }
}

/// Trades the rows of a journal again and compares; `facts` are of the journal itself.
///
/// # Errors
///
/// What reading, trading and a temporary file fail of.
pub fn of(path: &Path, calendar: &Named<Calendar>, facts: &Facts) -> Result<Replay> {
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("journal.jsonl");
    again(path, &copy, calendar)?;
    let made = journal::facts(&copy, calendar, None)?;
    let compared = diff::files(path, &copy)?;
    let net =
        |facts: &Facts| facts.trades.iter().map(|trade| trade.net_cents).sum::<mes_core::money::Cents>();
    let verdict = compared.verdict().unwrap_or_else(|| "nothing differs".to_owned());
    Ok(Replay {
        trades: made.trades.len(),
        net_usd: net(&made).usd(),
        difference_usd: (net(facts) - net(&made)).usd(),
        diff: to_value(&compared).map_err(Error::data)?,
        verdict,
        without: None,
    })
}

fn again(path: &Path, copy: &Path, calendar: &Named<Calendar>) -> Result<()> {
    let mut reader = Reader::open(path)?;
    let run = reader.run()?;
    let mut rows = Recorded { reader, row: Row::default(), first: None };
    let columns = first(&mut rows)?;
    let settings = Settings {
        rules: run.rules.clone(),
        costs: run.costs.clone(),
        fills: run.fills.clone(),
        calendar: calendar.clone(),
    };
    let mut broker = mes_exec::paper(&settings)?;
    let mut journal = JsonJournal::new(lines(File::create(copy)?), columns);
    match trade(&mut rows, &mut broker, &mut journal, &settings, &stream(&run)?, run.from) {
        // A day that a person stopped ends so again.
        Err(Error::Stopped(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads up to the first row, and returns its columns.
fn first(rows: &mut Recorded) -> Result<Columns> {
    while let Some(record) = rows.reader.next()? {
        if let Record::Row(row, columns) = record {
            rows.first = Some(row);
            return Ok(columns);
        }
    }
    Err(Error::data("it has no row"))
}

/// Describes the rows as the journal's first record does; the account is one on paper with the same balance.
fn stream(run: &Run) -> Result<Stream> {
    let interval = run.interval.parse().map_err(Error::data)?;
    let lineage = Lineage::from_json(&run.lineage).unwrap_or_default();
    let paper = run.broker.kind == Kind::Paper;
    let hello = if paper {
        run.broker.clone()
    } else {
        // What an exchange took over from before is no part of these rows.
        let Hello { balance_cents, seen, cut, .. } = run.broker.clone();
        Hello { seen, cut, ..Hello::new(Kind::Paper, "paper", balance_cents) }
    };
    let kept = run.kept.clone().filter(|_| paper);
    let ledger = Some(run.ledger.clone());
    Ok(Stream {
        quotes: run.quotes,
        ledger,
        hello: Some(hello),
        kept,
        ..Stream::new(interval, run.session, lineage)
    })
}
