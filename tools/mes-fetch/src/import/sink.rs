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
    dialect::{BarsOf, Dialect, Duplicates, Stamp},
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
    Bars(Box<BarSink>),
    /// `later` is how long after its time a row is known: the length of the bar whose closing quote it is.
    Ticks {
        table: Box<TickTable>,
        later: i64,
        last: Option<Ts>,
    },
}

/// Where bars go.
pub struct BarSink {
    table: BarTable,
    segments: Segments,
    interval: Interval,
    stamp: Stamp,
    snap: bool,
    /// Whether a row tells the quote at its close and nothing of how it came there.
    samples: bool,
    duplicates: Duplicates,
    /// How many bars were left out because there was another one of the same time.
    left_out: u64,
    last: Option<Bar<f64>>,
    /// The last bar, while it may still be replaced.
    held: Option<Bar<f64>>,
}

impl Sink {
    /// Checks the flags against the columns, says what was taken for what, and begins the table. `how` is what the
    /// text looks like.
    ///
    /// # Errors
    ///
    /// `Usage` where flags and columns do not go together, `Failed` where stdout cannot be written.
    pub fn create(args: &Args, dialect: &Dialect, header: &Header, how: &str, input: &Value) -> Result<Sink> {
        let mut settings = args.settings();
        let said = header.describe();
        if !header.bars {
            if args.stamp.is_some() || args.interval.is_some() {
                return Err(Error::usage(
                    "--stamp and --interval are for bars, and these are ticks: no close",
                ));
            }
            if args.duplicates != Duplicates::Error {
                return Err(Error::usage("--duplicates is for bars: two trades may be alike"));
            }
            let later = dialect.interval.filter(|_| dialect.lean);
            let shifted = later.map(|later| format!("; a quote is known {later} after its time"));
            log::note(format!("ticks{how}: {said}{}", shifted.unwrap_or_default()));
            let meta = meta(Kind::Tick, None, settings, input);
            let made_up =
                |name: &str| name == "size" && dialect.volume.is_some() && header.place("price").is_some();
            let has = |name: &str| name == "symbol" || made_up(name) || header.place(name).is_some();
            let table = Box::new(Table::create(&args.output, TickBuilder::new(has), &meta)?);
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
        let price = dialect.bars_of.map(|of| {
            let led = if of == BarsOf::Close { "" } else { ", and it opens at that of the bar before" };
            format!("; its one price is the {of:?}{led}").to_lowercase()
        });
        let price = price.unwrap_or_default();
        log::note(format!("bars of {interval}{how}: {said}; {name} is the {end} of the bar{snapped}{price}"));
        settings["stamp"] = json!(end);
        settings["interval"] = json!(interval.to_string());
        let meta = meta(Kind::Bar, Some(interval), settings, input);
        let table = Table::create(&args.output, BarBuilder::new(header.optional()), &meta)?;
        let sink = BarSink {
            table,
            segments: Segments::new(Calendar::shipped(), Filter::All, interval),
            interval,
            stamp,
            snap: dialect.snap,
            samples: matches!(dialect.bars_of, Some(BarsOf::Bid | BarsOf::Ask | BarsOf::Mid)),
            duplicates: args.duplicates,
            left_out: 0,
            last: None,
            held: None,
        };
        Ok(Sink::Bars(Box::new(sink)))
    }

    /// Takes a bar whose time is still that of the table.
    pub fn bar(&mut self, bar: Bar<f64>) -> Pushed {
        match self {
            Sink::Bars(sink) => sink.bar(bar),
            Sink::Ticks { .. } => Ok(()),
        }
    }

    /// Takes a tick.
    pub fn tick(&mut self, mut tick: Tick) -> Pushed {
        let Sink::Ticks { table, later, last } = self else { return Ok(()) };
        tick.ts = tick.ts.checked_add(*later).ok_or_else(|| "the time is out of range".to_owned())?;
        in_order(*last, tick.ts)?;
        *last = Some(tick.ts);
        Ok(table.push(&tick)?)
    }

    /// Hands all rows to the reader.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn flush(&mut self) -> Result<()> {
        match self {
            Sink::Bars(sink) => sink.table.flush(),
            Sink::Ticks { table, .. } => table.flush(),
        }
    }

    /// Ends the table.
    ///
    /// # Errors
    ///
    /// `Data` where a row that was held back cannot be, `Failed` where stdout cannot be written; a reader that went
    /// away.
    pub fn finish(self) -> Result<()> {
        match self {
            Sink::Bars(sink) => sink.finish(),
            Sink::Ticks { table, .. } => table.finish(),
        }
    }
}

impl BarSink {
    fn bar(&mut self, mut bar: Bar<f64>) -> Pushed {
        bar.ts = self.close_of(bar.ts)?;
        in_order(self.last.map(|last| last.ts), bar.ts)?;
        if let Some(last) = self.last.filter(|last| last.ts == bar.ts) {
            return self.again(&last, bar);
        }
        if self.samples {
            self.lead(&mut bar);
        }
        self.last = Some(bar);
        match self.duplicates {
            Duplicates::Last => self.held.replace(bar).map_or(Ok(()), |held| self.push(held)),
            _ => self.push(bar),
        }
    }

    /// Returns the instant at which a bar is known, by its time in the table.
    fn close_of(&self, ts: Ts) -> std::result::Result<Ts, String> {
        let out_of_range = || "the time is out of range".to_owned();
        let (length, past) = (self.interval.nanos(), ts.rem_euclid(self.interval.nanos()));
        let ts = match past {
            0 => ts,
            _ if self.snap => ts.checked_add(length - past).ok_or_else(out_of_range)?,
            _ => return Err(format!("{} is off the grid of {}", time::format(ts), self.interval)),
        };
        if self.stamp == Stamp::Open { ts.checked_add(length).ok_or_else(out_of_range) } else { Ok(ts) }
    }

    /// Takes another bar of the time of the last one.
    fn again(&mut self, last: &Bar<f64>, mut bar: Bar<f64>) -> Pushed {
        let at = time::format(bar.ts);
        if last.symbol != bar.symbol {
            return Err(format!(
                "a bar of {} beside one of {} at {at}: import one at a time",
                bar.symbol, last.symbol
            )
            .into());
        }
        match self.duplicates {
            Duplicates::Error => {
                let advice = "is it there twice (--duplicates first or last), or of another instrument?";
                return Err(format!("a second bar of {at}: {advice}").into());
            }
            Duplicates::First => {}
            // It begins where the one that it replaces does.
            Duplicates::Last => {
                if self.samples {
                    begin_at(&mut bar, last.open);
                }
                (self.held, self.last) = (Some(bar), Some(bar));
            }
        }
        self.left_out += 1;
        Ok(())
    }

    /// Lets a sample of the quote begin where the one before ended, so that what the market moves from one sample to
    /// the next is movement within a bar, and not the price of trading.
    fn lead(&self, bar: &mut Bar<f64>) {
        let length = self.interval.nanos();
        if let Some(last) = self.last.filter(|last| last.ts.checked_add(length) == Some(bar.ts)) {
            begin_at(bar, last.close);
        }
    }

    fn push(&mut self, mut bar: Bar<f64>) -> Pushed {
        bar.seg = self.segments.of_bar(bar.ts);
        Ok(self.table.push(&bar)?)
    }

    fn finish(mut self) -> Result<()> {
        if let Some(bar) = self.held.take() {
            self.push(bar).map_err(|refused| match refused {
                Refused::Row(what) => Error::data(what),
                Refused::Output(error) => error,
            })?;
        }
        if self.left_out > 0 {
            let kept = format!("{:?}", self.duplicates).to_lowercase();
            log::note(format!(
                "{} bars of a time that has another one left out: the {kept} is kept",
                self.left_out
            ));
        }
        if self.segments.outside() > 0 {
            log::note(format!("{} bars lie where the calendar has no session", self.segments.outside()));
        }
        self.table.finish()
    }
}

/// Moves the open of a bar that is one price.
fn begin_at(bar: &mut Bar<f64>, open: f64) {
    (bar.open, bar.high, bar.low) = (open, open.max(bar.close), open.min(bar.close));
}

/// Refuses a time before the last one.
fn in_order(last: Option<Ts>, ts: Ts) -> std::result::Result<(), String> {
    match last {
        Some(last) if ts < last => {
            Err(format!("time goes back: {} after {}", time::format(ts), time::format(last)))
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
