//! Ticks or finer bars in, bars out: one row per interval of open session, or per so many trades, contracts, dollars.

pub mod by;

use std::path::PathBuf;

use clap::Parser;
use mes_core::{bar, interval::Interval, session::Filter, symbol::Symbol, tick::Tick};
use mes_pipe::{
    Ahead, BarBuilder, CalendarArgs, Error, Event, Input, InputArgs, Kind, Output, OutputArgs, Result,
    Session, TextArgs, Ticks, log,
};
use serde_json::json;

use by::{
    By,
    time::{self, TimeBars},
    trades::{self, Rule, TradeBars},
};

/// Make bars from ticks, or coarser bars from finer ones.
///
/// Reads ticks (ts price? size? side? bid? ask? bid_size? ask_size? symbol?) or bars, writes bars: a row per interval
/// of open session, stamped at its close. After a traded interval up to --carry of empty rows follow; a longer hole,
/// a pause, a session start or a roll begins a new segment (column seg).
///
/// With --by tick, volume, dollar or imbalance a bar ends with the trade that brings it to --size, and is stamped with
/// the time of that trade. Trades are not split, so a bar may hold more than --size. Bars of a segment's end are smaller;
/// there are no empty rows. These kinds need ticks.
///
/// A bar closes when a record or heartbeat at or past its end arrives; no clock is read, so the same ticks give the
/// same bars live and from a file.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-bars ticks.csv.gz | head -3
  mes-bars --interval 5m --session rth 2026/*.parquet --to parquet > rth-5m.parquet
  mes-bars --by volume --size 500 ticks.arrow | head -3

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped")]
pub struct Args {
    /// Files in the order of time, or a directory of *.parquet; stdin without any
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What a bar ends by
    #[arg(long, value_enum, default_value = "time")]
    by: By,
    /// Length of a bar; only by time [default: 1s]
    #[arg(long)]
    interval: Option<Interval>,
    /// Size of a bar, not by time: trades, contracts, dollars (price x $5 x contracts), or for imbalance the trades
    /// expected of the first bar
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=1_000_000_000_000))]
    size: Option<i64>,
    /// Keep the cash session (09:30-16:00 New York), all but it, or everything
    #[arg(long, value_enum, default_value = "all")]
    session: Session,
    /// Leave out intervals without trades; only by time
    #[arg(long)]
    sparse: bool,
    /// How long empty rows follow a traded one; by other than time, the longest hole within a segment
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(i64).range(0..=86_400))]
    carry: i64,
    /// Symbol of an input that has none, or another one for an input that has; MES for one that has none
    #[arg(long)]
    symbol: Option<Symbol>,
    /// Side file for what rows are and came from: read for text without a header, else written (mes-features --help)
    #[arg(long, value_name = "FILE")]
    lineage: Option<PathBuf>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Reads, aggregates, writes.
///
/// # Errors
///
/// `Usage` for flags that do not fit each other or the input, `Data` for rows that cannot be, `Failed` where nothing can be
/// read or written, `Stopped` by a person.
pub fn main(args: Args) -> Result<()> {
    let measure = Measure::of(&args)?;
    let calendar = args.calendar.read()?;
    let input =
        InputArgs { files: args.files.clone(), lineage: args.lineage.clone(), text: TextArgs::default() };
    let input = Input::open_columns(&input, &[Kind::Tick, Kind::Ohlcv], needed)?;
    let ticks = input.meta().kind == Kind::Tick;
    measure.accept(&input, ticks)?;
    let symbol = match args.symbol {
        None if input.schema().column_with_name("symbol").is_none() => {
            log::note("no column \"symbol\": taken for MES (--symbol says otherwise)");
            "MES".parse().ok()
        }
        given => given,
    };
    let session = Filter::from(args.session);
    let mut settings = match &measure {
        Measure::Time(interval) => json!({
            "interval": interval.to_string(), "session": session.name(), "sparse": args.sparse,
        }),
        Measure::Trades(size, _) => json!({
            "by": args.by.name(), "size": size, "session": session.name(),
        }),
    };
    settings["carry_s"] = json!(args.carry);
    settings["calendar"] = json!(calendar.blake3);
    if let Some(symbol) = symbol {
        settings["symbol"] = json!(symbol.as_str());
    }
    let mut meta = input.meta().stage("mes-bars", Kind::Bar, settings);
    (meta.interval, meta.session) = (measure.interval(), session);
    let builder = BarBuilder::new(columns(&input, ticks));
    say_what_is_dropped(&input, ticks);
    if args.by == By::Imbalance && !builder.columns().has("buy_volume") {
        log::note("no column \"side\": buyers and sellers are told apart by the tick rule");
    }
    let output = Output::create(&args.output, builder.schema(), &meta)?;
    let bars = match measure {
        Measure::Time(interval) => {
            let (carry_s, sparse) = (args.carry, args.sparse);
            let settings = time::Settings { interval, filter: session, carry_s, sparse, symbol };
            Maker::Time(Box::new(TimeBars::new(settings, calendar.value)))
        }
        Measure::Trades(_, rule) => {
            let settings = trades::Settings { filter: session, carry_s: args.carry, symbol };
            Maker::Trades(Box::new(TradeBars::new(settings, calendar.value, rule)))
        }
    };
    Work { input: Ahead::of(input)?, output, builder, bars }.run(ticks)
}

/// What a bar ends by, with its length or size.
enum Measure {
    Time(Interval),
    Trades(i64, Box<dyn Rule>),
}

impl Measure {
    /// Reads the flags; one that means nothing for the kind is an error.
    fn of(args: &Args) -> Result<Measure> {
        let by = args.by.name();
        let Some(size) = args.size else {
            return match args.by {
                By::Time => Ok(Measure::Time(args.interval.unwrap_or(Interval::SECOND))),
                _ => Err(Error::usage(format!("--by {by} needs --size: a number of {}", args.by.unit()))),
            };
        };
        let Some(rule) = args.by.rule(size) else {
            return Err(Error::usage(
                "--size means nothing by time: --interval, or --by tick|volume|dollar|imbalance",
            ));
        };
        if let Some(interval) = args.interval {
            return Err(Error::usage(format!("--interval {interval} means nothing with --by {by}")));
        }
        if args.sparse {
            return Err(Error::usage(format!(
                "--sparse means nothing with --by {by}: it makes no empty rows"
            )));
        }
        Ok(Measure::Trades(size, rule))
    }

    /// Checks that such bars can be made of the input.
    fn accept(&self, input: &Input, ticks: bool) -> Result<()> {
        match self {
            Measure::Time(interval) => {
                match input.meta().interval.filter(|finer| interval.nanos() % finer.nanos() != 0) {
                    Some(finer) => {
                        Err(Error::usage(format!("--interval {interval} cannot be made of bars of {finer}")))
                    }
                    None => Ok(()),
                }
            }
            Measure::Trades(..) if ticks => Ok(()),
            Measure::Trades(..) => {
                Err(Error::usage("such bars are made of ticks; within bars the trades are lost"))
            }
        }
    }

    fn interval(&self) -> Option<Interval> {
        match self {
            Measure::Time(interval) => Some(*interval),
            Measure::Trades(..) => None,
        }
    }
}

/// Tells which optional columns can be known. A column that cannot is absent, never 0.
fn columns(input: &Input, ticks: bool) -> bar::Columns {
    let schema = input.schema();
    let has = |name: &str| schema.column_with_name(name).is_some();
    if !ticks {
        return schema.fields().iter().map(|field| field.name().as_str()).collect();
    }
    let quotes = has("bid") && has("ask");
    let sizes = quotes && has("bid_size") && has("ask_size");
    let known = [
        (&["trades", "vwap", "age_ms"][..], true),
        (&["buy_volume", "sell_volume"], has("side")),
        (&["bid", "ask"], quotes),
        (&["bid_size", "ask_size", "ofi"], sizes),
    ];
    known.iter().filter(|(_, known)| *known).flat_map(|(names, _)| names.iter().copied()).collect()
}

/// Says whether bars or ticks have a column of this name.
fn needed(name: &str) -> bool {
    mes_pipe::schema::TICK.contains(&name) || mes_pipe::schema::BAR.contains(&name)
}

fn say_what_is_dropped(input: &Input, ticks: bool) {
    let known: &[&str] = if ticks { &mes_pipe::schema::TICK } else { &mes_pipe::schema::BAR };
    let names = input.schema().fields().iter().map(|field| field.name().as_str());
    let names = names.chain(input.left_out().iter().map(String::as_str));
    // The own time of a late tick is for whoever looks into a recording.
    let dropped: Vec<_> = names.filter(|name| !known.contains(name) && *name != "ts_event").collect();
    if !dropped.is_empty() {
        log::note(format!("dropped columns that a bar cannot keep: {}", dropped.join(" ")));
    }
}

/// Bars per batch: few enough that they stay in the cache.
const BATCH_ROWS: usize = 4096;

/// What makes the bars.
enum Maker {
    Time(Box<TimeBars>),
    Trades(Box<TradeBars>),
}

impl Maker {
    fn tick(&mut self, tick: &Tick, out: &mut BarBuilder) -> Result<()> {
        match self {
            Maker::Time(bars) => bars.tick(tick, out),
            Maker::Trades(bars) => bars.tick(tick, out),
        }
    }

    fn end(&mut self, out: &mut BarBuilder) {
        match self {
            Maker::Time(bars) => bars.end(out),
            Maker::Trades(bars) => bars.end(out),
        }
    }

    fn outside(&self) -> u64 {
        match self {
            Maker::Time(bars) => bars.outside(),
            Maker::Trades(bars) => bars.outside(),
        }
    }
}

struct Work {
    input: Ahead,
    output: Output,
    builder: BarBuilder,
    bars: Maker,
}

impl Work {
    fn run(mut self, ticks: bool) -> Result<()> {
        loop {
            match self.input.next()? {
                Event::Batch(batch) if ticks => {
                    let rows = Ticks::of(&batch)?;
                    for row in 0..rows.len() {
                        let tick = rows.get(row).map_err(|error| error.at(self.input.at(row)))?;
                        self.bars
                            .tick(&tick, &mut self.builder)
                            .map_err(|error| error.at(self.input.at(row)))?;
                        self.write(BATCH_ROWS)?;
                    }
                }
                Event::Batch(batch) => {
                    let Maker::Time(bars) = &mut self.bars else {
                        return Err(Error::usage("bars of trades are made of ticks"));
                    };
                    let (input, output) = (&self.input, &mut self.output);
                    bars.batch(&batch, &mut self.builder, |row| input.at(row), |rows| output.write(rows))?;
                }
                Event::Idle => {
                    self.write(1)?;
                    self.output.flush()?;
                }
                Event::End => break,
            }
        }
        self.bars.end(&mut self.builder);
        self.write(1)?;
        let outside = self.bars.outside();
        if outside > 0 {
            log::note(format!("{outside} bars lie outside the calendar's sessions; is the calendar right?"));
        }
        self.output.finish()
    }

    /// Writes the bars collected, once there are as many as `least`.
    fn write(&mut self, least: usize) -> Result<()> {
        if self.builder.len() < least {
            return Ok(());
        }
        self.output.write(&self.builder.finish()?)
    }
}
