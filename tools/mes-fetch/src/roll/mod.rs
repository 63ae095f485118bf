//! Contracts stitched into one series that can be computed on.
//!
//! Two passes: the first finds the rolls and both contracts' prices at the last instant before each at which both had
//! a bar, the second writes. Adjusting moves all prices before a roll by the difference (or ratio) of those two, so the
//! newest contract keeps its prices and the raw ones stay in columns of their own.

mod merge;
mod plan;

use std::{path::PathBuf, sync::Arc};

use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::{DataType, Field, SchemaRef};
use clap::ValueEnum;
use mes_core::{bar::Bar, interval::Interval, session::Filter, symbol::Symbol, time};
use mes_pipe::{
    BarBuilder, CalendarArgs, Error, Input, InputArgs, Kind, Output, OutputArgs, Result, append, columns, log,
};
use serde_json::{Value, json};

use crate::segments::Segments;
use merge::Source;
use plan::{On, Planner, Roll};

const BATCH_ROWS: usize = 8192;
const RAW: [&str; 4] = ["raw_open", "raw_high", "raw_low", "raw_close"];

/// How the jump at a roll is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Adjust {
    /// Added: keeps the tick grid and points of profit and loss
    Difference,
    /// Multiplied: keeps returns, leaves the tick grid
    Ratio,
    /// Left in
    None,
}

/// Stitches contracts into a continuous series
///
/// Reads canonical bars whose symbols are contracts (MESZ6): a file for each, in any order, or one stream with several
/// in the order of time. Rolls at the opening of a session. Adjusted prices need an instant at which both contracts
/// have a bar; raw prices stay in raw_open, raw_high, raw_low, raw_close.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch roll --on volume --adjust difference --table rolls.json \\
      MESH6.parquet MESM6.parquet > mes.parquet
  mes-fetch roll --on expiry-days:4 --adjust ratio MES*.parquet | mes-bars --interval 1m
  mes-fetch roll --on 2026-03-16,2026-06-15 --adjust none MES*.parquet

Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// When: volume, expiry-days:N, or dates of sessions
    #[arg(long, value_name = "RULE", default_value = "volume", value_parser = plan::on)]
    on: On,
    /// How the jump at a roll is taken out
    #[arg(long, value_name = "HOW", default_value = "difference")]
    adjust: Adjust,
    /// Write the rolls to this file, as JSON
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes the series.
///
/// # Errors
///
/// `Usage` where flags and rows do not go together, `Data` where rows are damaged, of no contract, or cannot be
/// stitched, `Failed` where stdout cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let mut input = Input::open(&args.input, &[Kind::Ohlcv])?;
    let interval = input.interval()?;
    let calendar = args.calendar.read()?;
    let settings = json!({
        "on": format!("{:?}", args.on).to_lowercase(),
        "adjust": format!("{:?}", args.adjust).to_lowercase(),
        "calendar": calendar.blake3,
    });
    let mut meta = input.meta().stage("mes-fetch roll", Kind::Bar, settings);
    meta.interval = Some(interval);
    let sources: Vec<_> = match &args.input.files[..] {
        [] => vec![Source::memory(input)?],
        paths => paths.iter().map(|path| Source::file(path.clone(), &args.input.text)).collect(),
    };
    let mut planner = Planner::new(calendar.value.clone());
    merge::each(&sources, |bar| planner.bar(bar))?;
    let (first, rolls) = planner.plan(&args.on)?;
    let shifts = shifts(&rolls, args.adjust)?;
    tell(&rolls);
    if let Some(path) = &args.table {
        let text = format!("{:#}\n", table(&rolls));
        std::fs::write(path, text).map_err(|error| Error::from(error).at(path.display()))?;
    }
    let segments = Segments::new(calendar.value, Filter::All, interval);
    let mut series = Series::create(args, &sources, &meta, segments, interval)?;
    let mut current = (0, first);
    merge::each(&sources, |bar| {
        while let Some(roll) = rolls.get(current.0).filter(|roll| bar.ts > roll.ts) {
            current = (current.0 + 1, roll.new);
        }
        if bar.symbol == current.1 { series.push(*bar, shifts[current.0]) } else { Ok(()) }
    })?;
    series.finish()
}

/// Returns for each stretch between rolls what its prices are multiplied by and what is then added.
fn shifts(rolls: &[Roll], adjust: Adjust) -> Result<Vec<(f64, f64)>> {
    let mut shifts = vec![(1.0, 0.0)];
    for roll in rolls.iter().rev() {
        let (factor, difference) = shifts[shifts.len() - 1];
        let next = match (adjust, roll.common) {
            (Adjust::None, _) => (1.0, 0.0),
            (Adjust::Difference, Some((_, old, new))) => (1.0, difference + (new - old)),
            (Adjust::Ratio, Some((_, old, new))) => (factor * (new / old), 0.0),
            (_, None) => {
                return Err(Error::data(format!(
                    "no bar of both {} and {} at one time before {}: fetch days of both, or --adjust none",
                    roll.old,
                    roll.new,
                    time::format(roll.ts)
                )));
            }
        };
        shifts.push(next);
    }
    shifts.reverse();
    Ok(shifts)
}

fn tell(rolls: &[Roll]) {
    for roll in rolls {
        let jump =
            roll.common.map_or("no common price".to_owned(), |(_, old, new)| format!("{:+}", new - old));
        log::note(format!("{} {} to {} ({}), {jump}", time::format(roll.ts), roll.old, roll.new, roll.why));
    }
}

/// Returns the rolls as data.
fn table(rolls: &[Roll]) -> Value {
    let row = |roll: &Roll| {
        let (price_ts, old, new) = match roll.common {
            Some((ts, old, new)) => (Some(time::format(ts)), Some(old), Some(new)),
            None => (None, None, None),
        };
        json!({
            "ts": time::format(roll.ts), "old": roll.old.as_str(), "new": roll.new.as_str(), "why": roll.why,
            "price_ts": price_ts, "old_price": old, "new_price": new,
            "difference": new.zip(old).map(|(new, old)| new - old), "ratio": new.zip(old).map(|(new, old)| new / old),
        })
    };
    json!({ "rolls": rolls.iter().map(row).collect::<Vec<_>>() })
}

/// The series that is being written.
struct Series {
    rows: BarBuilder,
    /// The prices as they were, if they are kept.
    raw: Option<[Vec<f64>; 4]>,
    schema: SchemaRef,
    output: Output,
    segments: Segments,
    interval: Interval,
    /// The time, contract and segment of the row before.
    last: Option<(i64, Symbol, i64)>,
    /// Segments that rolls within a session added to those of the calendar.
    added: i64,
}

impl Series {
    fn create(
        args: &Args,
        sources: &[Source],
        meta: &mes_pipe::Meta,
        segments: Segments,
        interval: Interval,
    ) -> Result<Series> {
        let rows = BarBuilder::new(merge::columns(sources)?);
        let raw = (args.adjust != Adjust::None).then(Default::default);
        let fields = RAW.iter().filter(|_| raw.is_some());
        let fields = fields.map(|name| Field::new(*name, DataType::Float64, true)).collect();
        let schema = columns::extend(&rows.schema(), fields)?;
        let output = Output::create(&args.output, Arc::clone(&schema), meta)?;
        Ok(Series { rows, raw, schema, output, segments, interval, last: None, added: 0 })
    }

    fn push(&mut self, mut bar: Bar<f64>, (factor, difference): (f64, f64)) -> Result<()> {
        if bar.ts % self.interval.nanos() != 0 || self.last.is_some_and(|(ts, ..)| ts == bar.ts) {
            let ts = time::format(bar.ts);
            let what = "is twice there, or off the grid of";
            return Err(Error::data(format!("{}: the bar of {ts} {what} {}", bar.symbol, self.interval)));
        }
        bar.seg = self.segments.of_bar(bar.ts) + self.added;
        if self.last.is_some_and(|(_, symbol, seg)| symbol != bar.symbol && seg == bar.seg) {
            (self.added, bar.seg) = (self.added + 1, bar.seg + 1);
        }
        self.last = Some((bar.ts, bar.symbol, bar.seg));
        if let Some(raw) = &mut self.raw {
            for (column, price) in raw.iter_mut().zip([bar.open, bar.high, bar.low, bar.close]) {
                column.push(price);
            }
        }
        let moved = |price: f64| price * factor + difference;
        [bar.open, bar.high, bar.low, bar.close] = [bar.open, bar.high, bar.low, bar.close].map(moved);
        [bar.bid, bar.ask, bar.vwap] = [bar.bid, bar.ask, bar.vwap].map(|price| price.map(moved));
        self.rows.push(&bar);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let batch = self.rows.finish()?;
        let raw = self.raw.as_mut().map(std::mem::take).into_iter().flatten();
        let raw = raw.map(|column: Vec<f64>| Arc::new(Float64Array::from(column)) as ArrayRef).collect();
        if self.raw.is_some() {
            self.raw = Some(Default::default());
        }
        self.output.write(&append(&batch, &self.schema, raw)?)
    }

    fn finish(mut self) -> Result<()> {
        if !self.rows.is_empty() {
            self.write()?;
        }
        self.output.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roll(common: Option<(f64, f64)>) -> Roll {
        let symbol = |text: &str| text.parse().expect("a symbol");
        let common = common.map(|(old, new)| (0, old, new));
        Roll { ts: 0, old: symbol("MESH6"), new: symbol("MESM6"), common, why: "volume" }
    }

    /// Two rolls: from 4000 to 4040, then from 4100 to 4141.
    #[test]
    fn prices_before_a_roll_move_by_all_later_rolls() {
        let rolls = [roll(Some((4000.0, 4040.0))), roll(Some((4100.0, 4141.0)))];
        let moved = |adjust, price: f64| -> Vec<f64> {
            let shifts = shifts(&rolls, adjust).expect("common prices");
            shifts.iter().map(|(factor, difference)| price * factor + difference).collect()
        };
        assert_eq!(moved(Adjust::Difference, 4000.0), [4081.0, 4041.0, 4000.0]);
        // 4040/4000 is 1.01, 4141/4100 too: 4000 becomes 4080.4, then 4040.
        for (found, wanted) in moved(Adjust::Ratio, 4000.0).into_iter().zip([4080.4, 4040.0, 4000.0]) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        assert_eq!(moved(Adjust::None, 4000.0), [4000.0; 3]);
        // The close before a roll lands on the new contract's price at that instant.
        assert_eq!(4100.0 * shifts(&rolls, Adjust::Ratio).expect("prices")[1].0, 4141.0);
    }

    #[test]
    fn without_a_common_price_nothing_is_adjusted() {
        let told = shifts(&[roll(None)], Adjust::Ratio).expect_err("no common price").to_string();
        assert!(told.starts_with("no bar of both MESH6 and MESM6 at one time before"), "{told}");
        assert_eq!(shifts(&[roll(None)], Adjust::None).expect("nothing to adjust"), [(1.0, 0.0); 2]);
    }
}
