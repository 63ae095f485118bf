//! Proves of any program in a stage's place that it does not look ahead and keeps the rules of a
//! stage, or says which it breaks, at which row and column; and of a day at a real broker, from its records, that it kept
//! what must always hold.

mod alter;
mod child;
mod compare;
mod day;
mod laws;
mod market;
mod report;
mod runs;
mod table;
mod wire;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, Subcommand};
use mes_core::interval::Interval;
use mes_pipe::{AnswerArgs, Error, Event, Input, InputArgs, Meta, Result, TextArgs, answer::print};

use child::Program;
use compare::Promise;
use laws::Judge;
use report::{LAWS, Report};
use runs::Stage;
use table::{Given, rows_of};
use wire::Wire;

/// Prove that what others wrote may stand in the pipeline, and that a day kept what must always hold.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-check stage -- mes-features
  mes-check day --exec run/state/topstepx-1007/exec-*.jsonl --journal run/practice/journals/*.jsonl

Exit codes: 0 nothing broken, 1 a law is broken, 2 arguments, 3 data that cannot be read")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Stage(StageArgs),
    Day(day::DayArgs),
}

/// Prove that a program can stand in a stage's place
///
/// Runs CMD some twenty times over the same rows: all at once, one by one (each row only after the one before was
/// answered), in odd pieces, with other rows after a cut, with other segments before, on the other side of a clock
/// change. A row answered before the next was given cannot have looked at it, so this is a proof for every row. The
/// built-in rows are synthetic bars of 1 s: a half day, a session's change, the open of 09:30, a hole, a day on which
/// clocks change, quotes, empty seconds, two columns that nobody knows.
///
/// Prints one line a law and, for each column, from which row on it agrees with a longer history to the last bit.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-check stage -- mes-features
  mes-check stage --horizon 30s -- mes-features --labels
  mes-check stage -- python3 my_stage.py
  mes-check stage --ticks --resamples -- mes-bars

Exit codes: 0 nothing broken, 1 a law is broken, 2 arguments, 3 the rows of --rows")]
struct StageArgs {
    /// Rows to check with instead of those built in, in any format
    #[arg(long, value_name = "FILE")]
    rows: Vec<PathBuf>,
    /// Check with the built-in trades and quotes instead of bars
    #[arg(long, conflicts_with = "rows")]
    ticks: bool,
    #[command(flatten)]
    text: TextArgs,
    /// How rows are handed to it; Arrow to tools of this house, else JSON lines
    #[arg(long = "as", value_name = "FORMAT")]
    wire: Option<Wire>,
    /// Begin JSON lines with a header (kind, interval, session, lineage)
    #[arg(long)]
    header: bool,
    /// It makes rows of its own, as mes-bars does: judge those whose interval has ended
    #[arg(long)]
    resamples: bool,
    /// How far ahead its y_* columns look: rows may be held so long
    #[arg(long, value_name = "TIME")]
    horizon: Option<Interval>,
    /// How long it may be silent when an answer is due
    #[arg(long, value_name = "TIME", default_value = "5s")]
    patience: Interval,
    /// Leave out these: batch, segments, clocks
    #[arg(long, value_name = "LAW,...", value_delimiter = ',', value_parser = ["batch", "segments", "clocks"])]
    skip: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// Checks what is asked for.
///
/// # Errors
/// A law that is broken (exit code 1), rows or journals that cannot be read or are none (3), a program that cannot be
/// judged as it was called (2).
pub fn main(args: Args) -> Result<()> {
    match args.verb {
        Verb::Stage(args) => stage(&args),
        Verb::Day(args) => day::day(&args),
    }
}

fn stage(args: &StageArgs) -> Result<()> {
    let (given, meta) = rows(args)?;
    let report = judge(args, &given, meta)?;
    print(if args.answer.is_json() { format!("{}\n", report.json()) } else { report.text() })?;
    match report.faults().as_slice() {
        [] => Ok(()),
        broken => Err(Error::failed(format!("stage: broken: {}", broken.join(", ")))),
    }
}

/// Reads or makes the rows.
fn rows(args: &StageArgs) -> Result<(Given, Meta)> {
    if args.rows.is_empty() {
        return if args.ticks { market::ticks() } else { market::bars() };
    }
    let mut input =
        Input::open(&InputArgs { files: args.rows.clone(), text: args.text.clone(), lineage: None }, &[])?;
    let (schema, meta) = (input.schema().clone(), input.meta().clone());
    let mut rows = Vec::new();
    loop {
        match input.next()? {
            Event::Batch(batch) => rows.extend(rows_of(&batch)?),
            Event::Idle => {}
            Event::End => break,
        }
    }
    if rows.is_empty() {
        return Err(Error::data("no rows to check with"));
    }
    Ok((Given::new(meta.onto(&schema), rows)?, meta))
}

fn judge(args: &StageArgs, given: &Given, meta: Meta) -> Result<Report> {
    let program = Program {
        argv: args.command.clone(),
        patience: Duration::from_nanos(args.patience.nanos().unsigned_abs()),
    };
    let ours = args.command.first().and_then(|name| Path::new(name).file_name());
    let ours = ours.is_some_and(|name| name.to_string_lossy().starts_with("mes-"));
    let wire = args.wire.unwrap_or(if ours { Wire::Arrow } else { Wire::Jsonl });
    let words: Vec<_> = args.command.iter().map(|word| word.to_string_lossy()).collect();
    let mut report = Report::new(words.join(" "), given.rows.len(), given.segments().len());
    for law in LAWS.iter().map(|(law, _)| *law).filter(|law| args.skip.iter().any(|skip| skip == law)) {
        report.found(law, report::Finding::NotJudged("left out".into()));
    }
    let stage = Stage { program, wire, header: args.header.then_some(meta), environment: Vec::new() };
    let promise = Promise { resamples: args.resamples, horizon: args.horizon.map(Interval::nanos) };
    let judge = Judge { stage, given, promise, report };
    judge.all(|law| !args.skip.iter().any(|skip| skip == law))
}
