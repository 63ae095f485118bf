//! `table`: one kind of a journal's records as a flat table. Money is in dollars, in columns whose names end in `_usd`: a
//! table is for people and for what they compute with; the records themselves hold cents.

mod cells;
mod rows;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mes_core::record::Record;
use mes_pipe::{Kind, Meta, Output, OutputArgs, Result, journal::Reader, log};
use serde_json::json;

use cells::Cells;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// Write the fills, orders, denials or statements of a journal as a flat table
///
/// Reads a journal (JSON lines, also packed by gzip or zstd) of mes-bt or of mes-risk | mes-exec and writes a row for each of
/// what is asked for, in the order in which it happened. Empty is what a record does not say.
#[derive(Args)]
#[command(after_help = rows::HELP)]
pub struct TableArgs {
    /// Which records
    #[arg(value_enum)]
    what: What,
    /// A journal; - is stdin
    #[arg(value_name = "JOURNAL", default_value = "-")]
    journal: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    Fills,
    Orders,
    Denials,
    Statements,
}

/// Writes the table.
///
/// # Errors
///
/// Exit code 2 where there is no such journal, 3 where it is none, 1 where the table cannot be written.
pub fn run(args: &TableArgs) -> Result<()> {
    let mut journal = Reader::open(&args.journal)?;
    let run = journal.run()?;
    let mut cells = Cells::new(rows::columns(args.what));
    let meta = Meta::of_run(&run).stage(
        "mes-bt",
        Kind::Record,
        json!({"verb": "table", "of": rows::name(args.what)}),
    );
    let mut output = Output::create(&args.output, cells.schema(), &meta)?;
    while let Some(record) = journal.next()? {
        push(&mut cells, args.what, &record);
        if cells.len() >= BATCH_ROWS {
            output.write(&cells.take()?)?;
        }
    }
    output.write(&cells.take()?)?;
    if let Some(missing) = journal.missing() {
        log::note(format!("{}: {}", args.journal.display(), missing.words()));
    }
    output.finish()
}

/// Adds the rows that a record makes.
fn push(cells: &mut Cells, what: What, record: &Record) {
    match (what, record) {
        (What::Fills, Record::Statement(statement)) => {
            statement.fills.iter().for_each(|fill| cells.push(rows::fill(fill)));
        }
        (What::Statements, Record::Statement(statement)) => cells.push(rows::statement(statement)),
        (What::Orders, Record::Verdict(verdict)) => {
            rows::order(verdict).into_iter().for_each(|row| cells.push(row))
        }
        (What::Denials, Record::Verdict(verdict)) => {
            rows::denial(verdict).into_iter().for_each(|row| cells.push(row));
        }
        _ => {}
    }
}
