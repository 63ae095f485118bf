//! Passes the rows of one span of time on: what a fold trains on, what it is tested on.

use clap::Args;
use mes_core::time::{self, Ts};
use mes_pipe::{Error, Event, Input, InputArgs, Kind, Output, OutputArgs, Result, columns::times};
use serde_json::json;

#[derive(Args)]
pub struct SliceArgs {
    /// Rows stamped after this instant
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    after: Option<Ts>,
    /// Rows stamped up to this instant
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    until: Option<Ts>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes the rows `after < ts <= to`; reads no further than it must.
///
/// # Errors
///
/// `Usage` where the span is empty, and what input and output fail of.
pub fn run(args: &SliceArgs) -> Result<()> {
    let (after, to) = (args.after.unwrap_or(Ts::MIN), args.until.unwrap_or(Ts::MAX));
    if after >= to {
        return Err(Error::usage("--after is not before --until"));
    }
    let mut input = Input::open(&args.input, &[Kind::Tick, Kind::Ohlcv])?;
    let settings = json!({
        "verb": "slice",
        "after": args.after.map(time::format),
        "to": args.until.map(time::format),
    });
    let meta = input.meta().stage("mes-lab", input.meta().kind, settings);
    let mut output = Output::create(&args.output, input.schema().clone(), &meta)?;
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let stamps = times(&batch)?;
                let rows = stamps.len();
                // Time never goes back: two searches find the rows.
                let at_or_before = |limit: Ts| stamps.partition_point(|ts| *ts <= limit);
                let (first, last) = (at_or_before(after), at_or_before(to));
                if last > first {
                    output.write(&batch.slice(first, last - first))?;
                }
                if last < rows {
                    return output.finish();
                }
            }
            Event::Idle => output.flush()?,
            Event::End => return output.finish(),
        }
    }
}
