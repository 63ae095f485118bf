//! Bars or ticks of another shape, from text with a header, as canonical ones.
//!
//! Whether it is bars or ticks, the columns tell: bars have a close. A bar's time is moved to its close, the
//! instant it became known, if it is that of its open; nobody but the user can know which, so there is no default.
//! `seg` is counted by the calendar and the holes (see [`crate::segments`]). Nothing is repaired: a line that
//! cannot be read, or a time that goes back, is an error with its place.

mod header;
mod lines;

use std::{fs::File, path::PathBuf};

use clap::ValueEnum;
use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    order::Side,
    session::Filter,
    symbol::Symbol,
    tick::Tick,
    time::{self, Ts},
};
use mes_pipe::{Error, Kind, Lineage, Meta, OutputArgs, Result, log};
use serde_json::{Value, json};

use crate::{
    segments::Segments,
    table::{BarTable, TickTable},
};
use header::{Header, rename};
use lines::{Fields, Lines};

/// Which end of a bar its time tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stamp {
    Open,
    Close,
}

/// Turns bars or ticks of another shape into canonical ones
///
/// Reads text with a header (separated by comma, semicolon or tab; also as gzip or zstd), writes bars stamped at
/// their close, or ticks. Times must carry a zone. It says on stderr what it took the columns for.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch import --stamp open --interval 1s ESH0_1s.csv.gz --to parquet > bars.parquet
  zcat trades.csv.gz | mes-fetch import --columns px=price,q=size --symbol MESZ6 | mes-bars

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped on purpose")]
pub struct Args {
    /// Files in the order of time; stdin without any
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which end of the bar its time tells; bars only
    #[arg(long, value_name = "END")]
    stamp: Option<Stamp>,
    /// Length of a bar; bars only
    #[arg(long)]
    interval: Option<Interval>,
    /// What columns of other names are
    #[arg(long, value_name = "THEIRS=OURS,…", value_delimiter = ',', value_parser = rename)]
    columns: Vec<(String, String)>,
    /// Symbol of rows that do not tell theirs
    #[arg(long, default_value = "MES")]
    symbol: Symbol,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes what the files hold.
pub fn run(args: &Args) -> Result<()> {
    let mut files = args.files.iter();
    let mut lines = Lines::open(files.next().map(PathBuf::as_path))?;
    let header = begin(&mut lines, args)?;
    let mut sink = Sink::create(args, &header)?;
    loop {
        rows(&mut lines, &header, &mut sink, args.symbol)?;
        let Some(path) = files.next() else { break };
        lines = Lines::open(Some(path))?;
        let other = begin(&mut lines, args)?;
        if other.describe() != header.describe() {
            return Err(lines.refused(format!("{} after {}", other.describe(), header.describe())));
        }
    }
    sink.finish(args)
}

/// Reads the header of a text.
fn begin(lines: &mut Lines, args: &Args) -> Result<Header> {
    if !lines.advance()? {
        return Err(lines.refused("empty: no header and no rows"));
    }
    lines.guess_separator();
    let header = Header::read(lines.fields()?, &args.columns);
    header.map_err(|error| match error {
        Error::Data(what) => lines.refused(what),
        other => other,
    })
}

/// Hands the rows of one text on.
fn rows(lines: &mut Lines, header: &Header, sink: &mut Sink, symbol: Symbol) -> Result<()> {
    loop {
        if !lines.ready() {
            sink.flush()?;
        }
        if !lines.advance()? {
            return Ok(());
        }
        let row = Row { fields: lines.fields()?, header, symbol };
        if let Err(what) = row.check().and_then(|()| sink.push(&row)) {
            return Err(match what {
                Refused::Row(what) => lines.refused(what),
                Refused::Output(error) => error,
            });
        }
    }
}

/// Why a row did not get through.
enum Refused {
    Row(String),
    Output(Error),
}

impl From<String> for Refused {
    fn from(what: String) -> Self {
        Refused::Row(what)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused::Output(error)
    }
}

/// Where the rows go.
enum Sink {
    Bars { table: BarTable, segments: Segments, interval: Interval, stamp: Stamp, last: Option<Ts> },
    Ticks { table: TickTable, last: Option<Ts> },
}

impl Sink {
    /// Checks the flags against the columns, says what was taken for what, and begins the table.
    fn create(args: &Args, header: &Header) -> Result<Sink> {
        let mut settings = json!({
            "columns": args.columns.iter().map(|(theirs, ours)| format!("{theirs}={ours}")).collect::<Vec<_>>(),
            "symbol": args.symbol.as_str(),
        });
        if !header.bars {
            if args.stamp.is_some() || args.interval.is_some() {
                return Err(Error::usage(
                    "--stamp and --interval are for bars, and these are ticks: no close",
                ));
            }
            note(args, format!("ticks: {}", header.describe()));
            let meta = meta(args, Kind::Tick, None, settings)?;
            let has = |name: &str| name == "symbol" || header.place(name).is_some();
            return Ok(Sink::Ticks { table: TickTable::create(&args.output, has, &meta)?, last: None });
        }
        let name = &header.time_name;
        let stamp = args.stamp.ok_or_else(|| {
            Error::usage(format!("--stamp open or --stamp close: which end of a bar does {name:?} tell?"))
        })?;
        let interval =
            args.interval.ok_or_else(|| Error::usage("--interval, such as 1s: how long is a bar?"))?;
        let end = if stamp == Stamp::Open { "open" } else { "close" };
        note(args, format!("bars of {interval}: {}; {name} is the {end} of the bar", header.describe()));
        settings["stamp"] = json!(end);
        settings["interval"] = json!(interval.to_string());
        let meta = meta(args, Kind::Bar, Some(interval), settings)?;
        let table = BarTable::create(&args.output, header.optional(), &meta)?;
        let segments = Segments::new(Calendar::shipped(), Filter::All, interval);
        Ok(Sink::Bars { table, segments, interval, stamp, last: None })
    }

    fn push(&mut self, row: &Row<'_>) -> std::result::Result<(), Refused> {
        match self {
            Sink::Ticks { table, last } => {
                let tick = row.tick()?;
                in_order(*last, tick.ts, false)?;
                *last = Some(tick.ts);
                Ok(table.push(&tick)?)
            }
            Sink::Bars { table, segments, interval, stamp, last } => {
                let mut bar = row.bar()?;
                if bar.ts % interval.nanos() != 0 {
                    return Err(format!("{} is off the grid of {interval}", time::format(bar.ts)).into());
                }
                if *stamp == Stamp::Open {
                    bar.ts =
                        bar.ts.checked_add(interval.nanos()).ok_or("the time is out of range".to_owned())?;
                }
                in_order(*last, bar.ts, true)?;
                *last = Some(bar.ts);
                bar.seg = segments.of_bar(bar.ts);
                Ok(table.push(&bar)?)
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Sink::Bars { table, .. } => table.flush(),
            Sink::Ticks { table, .. } => table.flush(),
        }
    }

    fn finish(self, args: &Args) -> Result<()> {
        match self {
            Sink::Bars { table, segments, .. } => {
                if segments.outside() > 0 {
                    note(args, format!("{} bars lie where the calendar has no session", segments.outside()));
                }
                table.finish()
            }
            Sink::Ticks { table, .. } => table.finish(),
        }
    }
}

/// Says something on stderr, unless nobody wants to know.
fn note(args: &Args, what: String) {
    if !args.output.quiet {
        log::note(what);
    }
}

/// Refuses a time before the last one, and for bars also the same again.
fn in_order(last: Option<Ts>, ts: Ts, strictly: bool) -> std::result::Result<(), String> {
    match last {
        Some(last) if ts < last || strictly && ts == last => {
            Err(format!("time goes back: {} after {}", time::format(ts), time::format(last)))
        }
        _ => Ok(()),
    }
}

/// Returns what travels with the rows, the hashes of regular files among it.
fn meta(args: &Args, kind: Kind, interval: Option<Interval>, settings: Value) -> Result<Meta> {
    let mut hashes = Vec::new();
    for path in &args.files {
        let place = |error: std::io::Error| Error::from(error).at(path.display());
        let mut file = File::open(path).map_err(place)?;
        if !file.metadata().map_err(place)?.is_file() {
            hashes.clear();
            break;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut file).map_err(place)?;
        hashes.push(hasher.finalize().to_hex().to_string());
    }
    let input = if hashes.is_empty() { json!("pipe") } else { json!(hashes) };
    let chain = json!([{ "tool": "mes-fetch", "settings": settings, "input": input }]);
    let lineage = Lineage::from_json(&chain).unwrap_or_default();
    Ok(Meta { kind, interval, session: Filter::All, lineage })
}

/// One line of the foreign table.
struct Row<'a> {
    fields: Fields<'a>,
    header: &'a Header,
    symbol: Symbol,
}

impl Row<'_> {
    fn check(&self) -> std::result::Result<(), Refused> {
        let (found, wanted) = (self.fields.len(), self.header.width());
        if found == wanted {
            return Ok(());
        }
        Err(format!("{found} values where the header has {wanted} columns").into())
    }

    fn bar(&self) -> std::result::Result<Bar, String> {
        Ok(Bar {
            ts: self.ts()?,
            open: self.needed("open", Self::price)?,
            high: self.needed("high", Self::price)?,
            low: self.needed("low", Self::price)?,
            close: self.needed("close", Self::price)?,
            volume: self.needed("volume", Self::count)?,
            buy_volume: self.count("buy_volume")?,
            sell_volume: self.count("sell_volume")?,
            trades: self.count("trades")?,
            bid: self.price("bid")?,
            ask: self.price("ask")?,
            bid_size: self.count("bid_size")?,
            ask_size: self.count("ask_size")?,
            ofi: self.count("ofi")?,
            vwap: self.price("vwap")?,
            age_ms: self.count("age_ms")?,
            seg: 0,
            symbol: self.symbol()?,
        })
    }

    fn tick(&self) -> std::result::Result<Tick, String> {
        Ok(Tick {
            ts: self.ts()?,
            price: self.price("price")?,
            size: self.count("size")?,
            side: self.side()?,
            bid: self.price("bid")?,
            ask: self.price("ask")?,
            bid_size: self.count("bid_size")?,
            ask_size: self.count("ask_size")?,
            symbol: self.symbol()?,
        })
    }

    /// Returns the text of one of our columns, or `None` when there is none or it is empty.
    fn text(&self, name: &str) -> Option<&str> {
        self.header.place(name).map(|index| self.fields.get(index)).filter(|text| !text.is_empty())
    }

    fn ts(&self) -> std::result::Result<Ts, String> {
        let text = self.text("ts").ok_or("no time")?;
        time::parse(text).map_err(|error| error.to_string())
    }

    fn price(&self, name: &str) -> std::result::Result<Option<f64>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let price = text.parse().ok().filter(|price: &f64| price.is_finite());
        price.map(Some).ok_or_else(|| format!("{name} {text:?} is not a number"))
    }

    fn count(&self, name: &str) -> std::result::Result<Option<i64>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // Some write counts as 12.0.
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let count = whole.parse().ok().filter(|_| rest.bytes().all(|byte| byte == b'0'));
        count.map(Some).ok_or_else(|| format!("{name} {text:?} is not a whole number"))
    }

    fn side(&self) -> std::result::Result<Option<Side>, String> {
        let Some(text) = self.text("side") else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "buy" | "b" => Ok(Some(Side::Buy)),
            "sell" | "s" => Ok(Some(Side::Sell)),
            _ => Err(format!("side {text:?} is neither buy nor sell")),
        }
    }

    fn symbol(&self) -> std::result::Result<Symbol, String> {
        let Some(text) = self.text("symbol") else { return Ok(self.symbol) };
        text.parse().map_err(|error: mes_core::Error| error.to_string())
    }

    /// Reads a column that no row may lack.
    fn needed<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> std::result::Result<Option<T>, String>,
    ) -> std::result::Result<T, String> {
        read(self, name)?.ok_or_else(|| format!("no {name}"))
    }
}
