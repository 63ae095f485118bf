//! Passes any table on, in another format: the smallest filter there is, and the tests' way through the crate.

use std::process::ExitCode;

use clap::Parser;
use mes_pipe::{Event, Input, InputArgs, Kind, Output, OutputArgs, Result};

/// Read any table, write it in another format.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Demand ticks, bars or predictions instead of anything
    #[arg(long)]
    kind: Option<String>,
    /// Look at the times alone
    #[arg(long)]
    only_ts: bool,
    /// Cut batches to this many rows
    #[arg(long, default_value_t = usize::MAX)]
    rows_per_batch: usize,
}

fn main() -> ExitCode {
    mes_pipe::run("pass", pass)
}

fn pass(args: Args) -> Result<()> {
    let kinds = match args.kind.as_deref() {
        Some("tick") => vec![Kind::Tick],
        Some("ohlcv") => vec![Kind::Ohlcv],
        Some("bar") => vec![Kind::Bar],
        Some("prediction") => vec![Kind::Prediction],
        _ => Vec::new(),
    };
    let keep = if args.only_ts { |name: &str| name == "ts" } else { |_: &str| true };
    let mut input = Input::open_columns(&args.input, &kinds, keep)?;
    let mut output = Output::create(&args.output, input.schema().clone(), input.meta())?;
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let mut from = 0;
                while from < batch.num_rows() {
                    let rows = args.rows_per_batch.min(batch.num_rows() - from);
                    output.write(&batch.slice(from, rows))?;
                    from += rows;
                }
            }
            Event::Idle => output.flush()?,
            Event::End => return output.finish(),
        }
    }
}
