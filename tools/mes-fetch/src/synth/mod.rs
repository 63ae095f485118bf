//! Made-up but lifelike MES data, and the flags that ask for it. It is always called synthetic.
//!
//! The parts: [`curve`] is the shape of a day, [`intensity`] how busy each second is, [`market`] the quotes and
//! trades within it and the planted edge, [`day`] the level, the contract and the bars. Prices are a sum of
//! single orders, so they lie on the tick grid, bounce between bid and ask, and stand still while nobody trades.
//! Bars are made from the very ticks that `--ticks` shows.

mod curve;
mod day;
mod intensity;
mod market;
mod rng;

use chrono::NaiveDate;
use mes_core::{
    bar::Bar,
    calendar::{self, Calendar},
    contract::Contract,
    session::{Day, Filter},
    tick::Tick,
    within,
};
use mes_pipe::{BarBuilder, Error, Kind, Meta, OutputArgs, Result, Session, log, progress::Progress};
use serde_json::json;

use market::Nature;

use crate::{
    segments::Segments,
    table::{Table, TickBuilder},
};

/// Raised whenever the same flags begin to make other rows.
const GENERATOR: u32 = 1;
const SESSIONS: u32 = 60;

/// Makes up lifelike data of MES, ES, MNQ or NQ: one-second bars, or ticks
///
/// Reads nothing; writes bars of the seconds that traded (stamped at their close), or trades and quote changes with
/// --ticks. The same flags give the same bytes; a day depends on its date, the seed, the edge and the bounce alone.
#[derive(clap::Args)]
#[command(mut_arg("lineage_to", |arg| arg.visible_alias("lineage")))]
#[command(after_help = "Examples:
  mes-fetch synth --sessions 60 --to parquet > data/synth.parquet
  mes-fetch synth --sessions 1 --ticks --session rth | mes-bars --interval 5s
  mes-fetch synth --contract MNQ --sessions 5 | mes-features |
      mes-predict --rule ema-cross | mes-bt --rules mnq-1k

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped on purpose")]
pub struct Args {
    /// How many Globex days [default: 60, or all between --from and --until]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sessions: Option<u32>,
    /// First date that may end a session
    #[arg(long, value_name = "DATE", value_parser = within::date)]
    from: Option<NaiveDate>,
    /// Last date that may end a session [default: 2026-11-20 without --from]
    #[arg(long, value_name = "DATE", value_parser = within::date)]
    until: Option<NaiveDate>,
    /// MES, ES, MNQ or NQ; the S&P 500 of both is one market, and so is the Nasdaq-100
    #[arg(long, value_name = "ROOT", default_value = "MES", value_parser = contract)]
    contract: Contract,
    /// Another seed makes another market
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How well order flow foretells the next half minute: 0 not at all, 0.5 a little, 1 much
    #[arg(long, value_name = "0..1", default_value_t = 0.5)]
    edge: f64,
    /// Trades all print at one price, not at bid and ask, so that the last price is a martingale at edge 0
    #[arg(long)]
    no_bounce: bool,
    /// Write trades and quote changes, not bars
    #[arg(long)]
    ticks: bool,
    /// Which part of the day
    #[arg(long, value_name = "SESSION", default_value = "all")]
    session: Session,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes the market that the flags ask for.
///
/// # Errors
///
/// `Usage` where a flag says what cannot be, `Failed` where stdout cannot be written; a reader that went away.
pub fn run(args: &Args) -> Result<()> {
    if !(0.0..=1.0).contains(&args.edge) {
        return Err(Error::usage(format!("--edge {} is not between 0 and 1", args.edge)));
    }
    let calendar = Calendar::shipped();
    let (from, until) = span(args, &calendar)?;
    let filter = Filter::from(args.session);
    let (kind, interval) = if args.ticks { (Kind::Tick, None) } else { (Kind::Bar, Some(day::INTERVAL)) };
    let mut settings = json!({
        "synthetic": true, "generator": GENERATOR, "seed": args.seed, "edge": args.edge, "ticks": args.ticks,
        "session": filter.name(), "from": from.to_string(), "until": until.to_string(),
        "calendar": mes_pipe::hash(calendar::SHIPPED.as_bytes()),
    });
    // Only where it is asked for: all other rows are those of before, and so is what is said of them.
    if args.no_bounce {
        settings["no_bounce"] = true.into();
    }
    if args.contract != Contract::Mes {
        settings["contract"] = args.contract.root().into();
    }
    let meta = Meta::source("mes-fetch", kind, interval, filter, settings);
    if !args.output.quiet {
        let of =
            if args.contract == Contract::Mes { String::new() } else { format!(" of {}", args.contract) };
        let bounce = if args.no_bounce { ", no bounce" } else { "" };
        log::note(format!(
            "synthetic data{of}, {from} to {until}, seed {}, edge {}{bounce}",
            args.seed, args.edge
        ));
    }
    let nature = Nature { contract: args.contract, edge: args.edge, bounce: !args.no_bounce };
    let market = Synthetic { calendar, from, until, filter, seed: args.seed, nature };
    if args.ticks {
        let mut table = Table::create(&args.output, TickBuilder::new(|_| true), &meta)?;
        market.seconds(|_, ticks| ticks.iter().try_for_each(|tick| table.push(tick)))?;
        table.finish()
    } else {
        let mut table =
            Table::create(&args.output, BarBuilder::new(day::COLUMNS.into_iter().collect()), &meta)?;
        market.bars(|bar| table.push(bar))?;
        table.finish()
    }
}

fn contract(root: &str) -> std::result::Result<Contract, String> {
    Contract::of(root).ok_or_else(|| {
        let roots: Vec<_> = Contract::all().map(Contract::root).collect();
        format!("not one of {}", roots.join(", "))
    })
}

/// Returns the first and the last date whose sessions are wanted.
fn span(args: &Args, calendar: &Calendar) -> Result<(NaiveDate, NaiveDate)> {
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    // MES began to trade on 2019-05-06.
    let (first, last) = (date(2019, 5, 6), calendar.last());
    let has = |date: &NaiveDate| Day::labelled(*date, calendar).is_some();
    let count = args.sessions.unwrap_or(SESSIONS) as usize;
    let found = match (args.from, args.until) {
        (Some(_), Some(_)) if args.sessions.is_some() => {
            return Err(Error::usage("--sessions, --from and --until: give two of them at most"));
        }
        (Some(from), Some(until)) => Some((from, until)),
        (Some(from), None) => {
            let mut days = from.iter_days().take_while(|date| *date <= last).filter(has);
            days.nth(count - 1).map(|until| (from, until))
        }
        (None, until) => {
            let until = until.unwrap_or(date(2026, 11, 20));
            let dates = std::iter::successors(Some(until), NaiveDate::pred_opt);
            let mut days = dates.take_while(|date| *date >= first).filter(has);
            days.nth(count - 1).map(|from| (from, until))
        }
    };
    match found {
        Some((from, until)) if from > until => {
            Err(Error::usage(format!("--from {from} is after --until {until}")))
        }
        Some((from, until)) if first <= from && until <= last => Ok((from, until)),
        _ => Err(Error::usage(format!(
            "dates outside {first} to {last}, the life of MES that the calendar knows"
        ))),
    }
}

/// What is to be made up.
struct Synthetic {
    calendar: Calendar,
    from: NaiveDate,
    until: NaiveDate,
    filter: Filter,
    seed: u64,
    nature: Nature,
}

impl Synthetic {
    /// Hands every open second to `each`: its end, and what happened in it.
    fn seconds(&self, mut each: impl FnMut(i64, &[Tick]) -> Result<()>) -> Result<()> {
        let curve = curve::orders_per_second();
        let mut ticks = Vec::new();
        let days: Vec<Day> = self
            .from
            .iter_days()
            .take_while(|date| *date <= self.until)
            .filter_map(|date| Day::labelled(date, &self.calendar))
            .collect();
        let mut progress = Progress::beside_rows(days.len() as u64, "sessions");
        for day in days {
            let mut seconds = day::Seconds::new(&day, &self.calendar, &curve, self.seed, self.nature);
            while let Some(ts) = seconds.next(&mut ticks) {
                if !ticks.is_empty() && self.filter.keeps(day.part(ts - 1)) {
                    each(ts, &ticks)?;
                }
            }
            progress.add(1);
        }
        progress.end();
        Ok(())
    }

    /// Hands the bar of every second that traded to `each`.
    fn bars(&self, mut each: impl FnMut(&Bar<f64>) -> Result<()>) -> Result<()> {
        let mut segments = Segments::new(self.calendar.clone(), self.filter, day::INTERVAL);
        self.seconds(|ts, ticks| match day::bar(ticks, ts) {
            Some(bar) => each(&Bar { seg: segments.of_bar(ts), ..bar }),
            None => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests;
