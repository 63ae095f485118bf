//! Whether data can be trusted: what is wrong in its rows, and what is missing between them.
//!
//! It reads canonical bars or ticks as they are: that time goes back, or that a bar contradicts itself, is what it reports,
//! where every other tool stops. A value that cannot be read at all, a NaN among them, is an error here as everywhere.

mod gaps;
mod prices;
mod report;
mod rows;
mod seams;

use std::io::{IsTerminal, stdout};

use mes_core::calendar::Calendar;
use mes_pipe::{Bars, CalendarArgs, Error, Event, Input, InputArgs, Kind, Result, Ticks, answer::print};

use crate::history;
use gaps::Gaps;
use report::Report;
use rows::RowChecks;

pub use gaps::Impaired;

/// Checks bars or ticks and says whether they are fit
///
/// Reads canonical bars or ticks. Writes a table to a terminal, else one JSON object. Order, duplicates, prices that
/// cannot be or that no market makes, trades without a size, quotes of bid = ask throughout, instruments side by side and
/// suspicious holes make data unfit; rolls, jumps, outliers and rows outside the sessions or beyond the calendar are only
/// shown. A bar's missing rows are held against the calendar, and in a directory of mes-fetch history
/// against what the server said of each day: holes of a degraded day are known.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch verify data/bars.parquet
  mes-fetch import --preset ninjatrader mes.txt.gz | mes-fetch verify --json | jq .gaps.suspicious
  mes-fetch verify --session rth quotes.parquet

Exit codes: 0 fit, 1 failed, 2 arguments, 3 unfit or unreadable")]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// The smallest step of a price
    #[arg(long, value_name = "POINTS", default_value_t = mes_core::price::TICK)]
    tick: f64,
    /// Write JSON, also to a terminal
    #[arg(long)]
    json: bool,
    /// Write the table, also to a pipe
    #[arg(long, conflicts_with = "json")]
    table: bool,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Writes what was found; unfit data is an error.
///
/// # Errors
///
/// `Data` where it is unfit or damaged, `Usage` where a flag says what cannot be, `Failed` where files or stdout fail.
pub fn run(args: &Args) -> Result<()> {
    if !(args.tick > 0.0 && args.tick.is_finite()) {
        return Err(Error::usage(format!("--tick {}: not above 0", args.tick)));
    }
    let mut impaired = Impaired::default();
    for path in &args.input.files {
        impaired.add(&history::impaired_days(path)?);
    }
    let report = look(&args.input, args.calendar.read()?.value, args.tick, &impaired)?;
    let table = args.table || (stdout().is_terminal() && !args.json);
    let text = if table { report.to_table() } else { format!("{}\n", report.to_json()) };
    print(text)?;
    report.unfit().map_or(Ok(()), |what| Err(Error::data(format!("unfit: {what}"))))
}

/// Looks at all rows of the inputs; of the days in `impaired` nobody knows what is missing.
///
/// # Errors
///
/// `Usage` where nobody says how long a bar is, and what [`Input::open`] and [`Input::next`] fail of.
pub fn look(args: &InputArgs, calendar: Calendar, tick: f64, impaired: &Impaired) -> Result<Report> {
    let mut input = Input::open(args, &[Kind::Tick, Kind::Ohlcv])?.in_any_order().with_any_bar();
    let bars = input.meta().kind != Kind::Tick;
    let row = if bars { input.interval()?.nanos() } else { 0 };
    let filter = rows::filter(args.text.session, input.meta().session);
    let gaps = Gaps::new(calendar, filter, row, impaired.clone());
    let mut rows = RowChecks::new(gaps, row, tick);
    loop {
        match input.next()? {
            Event::Batch(batch) if bars => {
                let bars = Bars::of(&batch)?;
                (0..bars.len()).for_each(|row| rows.bar(&bars.get(row)));
            }
            Event::Batch(batch) => {
                let ticks = Ticks::of(&batch)?;
                for row in 0..ticks.len() {
                    rows.tick(&ticks.get(row)?);
                }
            }
            Event::Idle => {}
            Event::End => return Ok(rows.finish()),
        }
    }
}
