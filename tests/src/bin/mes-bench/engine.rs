//! `mes-bench engine BARS RULES COSTS`: our engine alone, for the table of tests/engines. One line of JSON.
//!
//! Timed is what the other engines are timed for: bars in memory, column by column, to the list of trades. The
//! crossings are decided row by row on the way.

use std::{
    io::{Write, stdout},
    path::Path,
};

use arrow_array::RecordBatch;
use mes_core::{
    money::Cents,
    prediction::Prediction,
    round_trip::{Pairing, RoundTrip},
    row::Row,
    statement::Statement,
    verdict::Verdict,
};
use mes_pipe::{Bars, Kind, SettingsArgs, journal::Journal, read_table, settings::FillModel};
use mes_predict::rules::{EmaCross, Rule};
use mes_risk::trade::{Next, Rows, Stream, trade};
use serde_json::json;

use crate::{Result, timed};

/// Times one run with realistic fills and prints what it came to.
pub fn print(bars: &str, rules: &str, costs: &str) -> Result<()> {
    let named = |name: &str| name.to_owned();
    let args = SettingsArgs {
        rules: named(rules),
        costs: named(costs),
        fills: FillModel::Realistic,
        ..SettingsArgs::default()
    };
    let settings = args.read()?;
    let (meta, batches) = read_table(Path::new(bars), &[Kind::Bar])?;
    let interval = meta.interval.ok_or("bars of no known length")?;
    let stream = Stream::new(interval, meta.session, meta.lineage);
    let mut kept = Trades::default();
    let took = timed(&mut || {
        let mut broker = mes_exec::paper(&settings)?;
        let mut rows = Crossings::new(&batches)?;
        Ok(trade(&mut rows, &mut broker, &mut kept, &settings, &stream, None)?)
    })?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let gross: Cents = kept.trades.iter().map(|trade| trade.gross_cents).sum();
    let line = json!({
        "rows": rows, "seconds": took.as_secs_f64(), "trades": kept.trades.len(), "gross_usd": gross.usd()
    });
    Ok(writeln!(stdout().lock(), "{line}")?)
}

/// Bars with what the crossing of their averages says.
struct Crossings<'a> {
    tables: std::vec::IntoIter<Bars<'a>>,
    table: Option<Bars<'a>>,
    next: usize,
    rule: EmaCross,
    row: Row,
}

impl<'a> Crossings<'a> {
    fn new(batches: &'a [RecordBatch]) -> mes_pipe::Result<Self> {
        let tables: mes_pipe::Result<Vec<_>> = batches.iter().map(Bars::of).collect();
        let mut tables = tables?.into_iter();
        let (rule, row) = (EmaCross::default(), Row::default());
        Ok(Crossings { table: tables.next(), tables, next: 0, rule, row })
    }
}

impl Rows for Crossings<'_> {
    fn next(&mut self) -> mes_pipe::Result<Next<'_>> {
        while let Some(table) = &self.table {
            if self.next < table.len() {
                let bar = table.get(self.next);
                let (dir, conf) = self.rule.decide(&bar).unzip();
                self.next += 1;
                let bar = bar.prices_on_grid().map_err(mes_pipe::Error::data)?;
                self.row = Row { bar, prediction: Prediction { dir, conf, ..Prediction::default() } };
                return Ok(Next::Row(&self.row));
            }
            (self.table, self.next) = (self.tables.next(), 0);
        }
        Ok(Next::End)
    }
}

/// Keeps the trades.
#[derive(Default)]
struct Trades {
    pairing: Pairing,
    trades: Vec<RoundTrip>,
}

impl Journal for Trades {
    fn statement(&mut self, statement: &Statement) -> mes_pipe::Result<()> {
        self.trades.extend(statement.fills.iter().filter_map(|fill| self.pairing.fill(fill)));
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> mes_pipe::Result<()> {
        if let Verdict::Order(order) = verdict {
            self.pairing.order(order);
        }
        Ok(())
    }
}
