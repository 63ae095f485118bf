//! `mes-features describe`: what a table of features is like, as text, JSON and a page with pictures.

mod importance;
mod page;
mod table;

use std::path::PathBuf;

use mes_pipe::{Error, Event, Input, InputArgs, Kind, Origin, Result, answer::print};

use table::Table;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// As one JSON object, with the whole correlation matrix
    #[arg(long)]
    json: bool,
    /// Write a page with pictures to this file too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Reads the table and prints what it is like.
///
/// # Errors
///
/// `Data` for a table without features or a row that cannot be, `Failed` where the page or stdout cannot be written.
pub fn describe(args: &Args) -> Result<()> {
    let mut input = Input::open(&args.input, &[Kind::Feature])?;
    let mut table = Table::of(input.schema());
    if table.features().is_empty() {
        return Err(Error::data("no column f_*: run mes-features first"));
    }
    table.origin = Origin::of(&input.meta().lineage.to_json());
    loop {
        match input.next()? {
            Event::Batch(batch) => table.add(&batch),
            Event::Idle => {}
            Event::End => break,
        }
    }
    if let Some(path) = &args.html {
        std::fs::write(path, page::page(&table)).map_err(|error| Error::from(error).at(path.display()))?;
    }
    print(if args.json { format!("{}\n", table.json()) } else { table.text() })
}
