//! The loop alone: rows in memory, a guarded paper account, nobody who keeps a journal.

use std::path::Path;

use mes_core::{contract::Contract, row::Row, rules::Breakers, statement::Statement};
use mes_pipe::{InputArgs, Settings, SettingsArgs, journal::Journal};
use mes_risk::{
    rows::TableRows,
    trade::{Next, Rows, Stream, trade},
};

use crate::Result;

/// All rows of a table.
pub struct Held {
    rows: Vec<Row>,
    stream: Stream,
}

impl Held {
    /// Reads a table of predictions.
    pub fn read(path: &Path) -> Result<Held> {
        let files = vec![path.to_owned()];
        let mut table = TableRows::open(&InputArgs { files, ..InputArgs::default() }, Contract::Mes)?;
        let (stream, _) = table.stream()?;
        let mut rows = Vec::new();
        while let Next::Row(row) = table.next()? {
            rows.push(*row);
        }
        Ok(Held { rows, stream })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Trades the rows, or lets all of them warm up, and returns how many fills there were.
    pub fn trade(&self, entries: bool) -> Result<usize> {
        let from = (!entries).then_some(i64::MAX);
        let settings = settings()?;
        let mut broker = mes_exec::paper(&settings)?;
        let mut fills = Fills(0);
        let mut rows = Walk { rows: &self.rows };
        trade(&mut rows, &mut broker, &mut fills, &settings, &self.stream, from)?;
        Ok(fills.0)
    }
}

/// The owner's rules for an account that no limit stops: it shall trade to the last row.
fn settings() -> Result<Settings> {
    let named = |name: &str| name.to_owned();
    let args = SettingsArgs { rules: named("mes-1k"), costs: named("owner"), ..SettingsArgs::default() };
    let mut settings = args.read()?;
    let rules = &mut settings.rules.value;
    let limits = &mut rules.limits;
    rules.capital_usd = 1e7;
    rules.breakers = Breakers::off();
    for limit in [
        &mut limits.daily_loss_usd,
        &mut limits.daily_drawdown_usd,
        &mut limits.account_drawdown_usd,
        &mut limits.kill_loss_usd,
    ] {
        *limit = 1e6;
    }
    Ok(settings)
}

struct Walk<'a> {
    rows: &'a [Row],
}

impl Rows for Walk<'_> {
    fn next(&mut self) -> mes_pipe::Result<Next<'_>> {
        let Some((row, rest)) = self.rows.split_first() else { return Ok(Next::End) };
        self.rows = rest;
        Ok(Next::Row(row))
    }
}

/// Keeps nothing but the number of fills, so that a loop that does not trade is seen.
struct Fills(usize);

impl Journal for Fills {
    fn statement(&mut self, statement: &Statement) -> mes_pipe::Result<()> {
        self.0 += statement.fills.len();
        Ok(())
    }
}
