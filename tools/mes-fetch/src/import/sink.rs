//! Where imported rows go: stamped at their close, in order, counted into segments.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    session::Filter,
    tick::Tick,
    time::{self, Ts},
};
use mes_pipe::{BarBuilder, Error, Kind, Meta, Result, log};
use serde_json::{Value, json};

use super::{
    Args,
    dialect::{Dialect, Stamp},
    header::Header,
};
use crate::{
    segments::Segments,
    table::{BarTable, Table, TickBuilder, TickTable},
};

/// Why a row did not get through.
pub enum Refused {
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

type Pushed = std::result::Result<(), Refused>;

/// Where the rows go.
pub enum Sink {
    Bars {
        table: BarTable,
        segments: Box<Segments>,
        interval: Interval,
        stamp: Stamp,
        snap: bool,
        last: Option<Ts>,
    },
    /// `later` is how long after its time a row is known: the length of the bar whose closing quote it is.
    Ticks { table: TickTable, later: i64, last: Option<Ts> },
}

impl Sink {
    /// Checks the flags against the columns, says what was taken for what, and begins the table. `how` is what the
    /// text looks like.
    pub fn create(args: &Args, dialect: &Dialect, header: &Header, how: &str, input: &Value) -> Result<Sink> {
        let mut settings = args.settings();
        let said = header.describe();
        if !header.bars {
            if args.stamp.is_some() || args.interval.is_some() {
                return Err(Error::usage(
                    "--stamp and --interval are for bars, and these are ticks: no close",
                ));
            }
            let later = dialect.interval.filter(|_| dialect.lean);
            let shifted = later.map(|later| format!("; a quote is known {later} after its time"));
            log::note(format!("ticks{how}: {said}{}", shifted.unwrap_or_default()));
            let meta = meta(Kind::Tick, None, settings, input);
            let has = |name: &str| name == "symbol" || header.place(name).is_some();
            let table = Table::create(&args.output, TickBuilder::new(has), &meta)?;
            return Ok(Sink::Ticks { table, later: later.map_or(0, Interval::nanos), last: None });
        }
        let name = &header.time_name;
        let stamp = dialect.stamp.ok_or_else(|| {
            Error::usage(format!("--stamp open or --stamp close: which end of a bar does {name:?} tell?"))
        })?;
        let interval =
            dialect.interval.ok_or_else(|| Error::usage("--interval, such as 1s: how long is a bar?"))?;
        let end = if stamp == Stamp::Open { "open" } else { "close" };
        let snapped = if dialect.snap { ", moved up to the grid" } else { "" };
        let price = dialect.bars_of.map(|of| format!("; its one price is the {of:?}").to_lowercase());
        let price = price.unwrap_or_default();
        log::note(format!("bars of {interval}{how}: {said}; {name} is the {end} of the bar{snapped}{price}"));
        settings["stamp"] = json!(end);
        settings["interval"] = json!(interval.to_string());
        let meta = meta(Kind::Bar, Some(interval), settings, input);
        let table = Table::create(&args.output, BarBuilder::new(header.optional()), &meta)?;
        let segments = Box::new(Segments::new(Calendar::shipped(), Filter::All, interval));
        Ok(Sink::Bars { table, segments, interval, stamp, snap: dialect.snap, last: None })
    }

    /// Takes a bar whose time is still that of the table.
    pub fn bar(&mut self, mut bar: Bar) -> Pushed {
        let Sink::Bars { table, segments, interval, stamp, snap, last } = self else { return Ok(()) };
        let out_of_range = || "the time is out of range".to_owned();
        let past = bar.ts.rem_euclid(interval.nanos());
        if past != 0 && *snap {
            bar.ts = bar.ts.checked_add(interval.nanos() - past).ok_or_else(out_of_range)?;
        } else if past != 0 {
            return Err(format!("{} is off the grid of {interval}", time::format(bar.ts)).into());
        }
        if *stamp == Stamp::Open {
            bar.ts = bar.ts.checked_add(interval.nanos()).ok_or_else(out_of_range)?;
        }
        in_order(*last, bar.ts, true)?;
        *last = Some(bar.ts);
        bar.seg = segments.of_bar(bar.ts);
        Ok(table.push(&bar)?)
    }

    /// Takes a tick.
    pub fn tick(&mut self, mut tick: Tick) -> Pushed {
        let Sink::Ticks { table, later, last } = self else { return Ok(()) };
        tick.ts = tick.ts.checked_add(*later).ok_or_else(|| "the time is out of range".to_owned())?;
        in_order(*last, tick.ts, false)?;
        *last = Some(tick.ts);
        Ok(table.push(&tick)?)
    }

    pub fn flush(&mut self) -> Result<()> {
        match self {
            Sink::Bars { table, .. } => table.flush(),
            Sink::Ticks { table, .. } => table.flush(),
        }
    }

    pub fn finish(self) -> Result<()> {
        match self {
            Sink::Bars { table, segments, .. } => {
                if segments.outside() > 0 {
                    log::note(format!("{} bars lie where the calendar has no session", segments.outside()));
                }
                table.finish()
            }
            Sink::Ticks { table, .. } => table.finish(),
        }
    }
}

/// Refuses a time before the last one, and for bars also the same again.
fn in_order(last: Option<Ts>, ts: Ts, strictly: bool) -> std::result::Result<(), String> {
    match last {
        Some(last) if ts < last => {
            Err(format!("time goes back: {} after {}", time::format(ts), time::format(last)))
        }
        Some(last) if strictly && ts == last => {
            Err(format!("a second bar of {}: is it there twice, or of another instrument?", time::format(ts)))
        }
        _ => Ok(()),
    }
}

/// Returns what travels with the rows.
fn meta(kind: Kind, interval: Option<Interval>, settings: Value, input: &Value) -> Meta {
    let chain = json!([{ "tool": "mes-fetch", "settings": settings, "input": input }]);
    let lineage = mes_pipe::Lineage::from_json(&chain).unwrap_or_default();
    Meta { kind, interval, session: Filter::All, lineage, side: None }
}
