//! Days that lack rows, fetched into the series they are missing from.
//!
//! Holes are found in the Parquet, by the eyes of `verify`, not in the ledger: what counts is what a reader would miss.
//! A day that was fetched whole is asked for again only when the server has published it anew since; what the server
//! itself does not have stays a hole, and costs nothing.

use std::path::PathBuf;

use chrono::NaiveDate;
use mes_core::{calendar::Calendar, price::TICK, session::Day};
use mes_pipe::{CalendarArgs, Error, InputArgs, Result, log};
use serde_json::Value;

use super::{
    bought::Purchases,
    plan,
    purchase::{Order, Terms, tell},
    span::{Span, day_at},
};
use crate::verify::{Impaired, look};

/// Fetches what a directory of mes-fetch history lacks, which costs money
///
/// Looks for suspicious holes as mes-fetch verify does, and fetches the days they lie in from Databento: days that were
/// never fetched, and days that were published again since. Nothing else is asked for, and nothing twice. It knows symbol
/// and schema from the directory; the key comes from DATABENTO_API_KEY. Prints the plan and its cost first.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch backfill data/mes-1s
  mes-fetch backfill data/mes-1s --max-cost 5 --yes && mes-fetch verify data/mes-1s

Exit codes: 0 done, 1 failed and a retry may help, 2 arguments or key, 3 data, 4 stopped by --max-cost")]
pub struct Args {
    /// What mes-fetch history made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    terms: Terms,
}

/// Looks, plans, asks, fetches.
///
/// # Errors
///
/// `Usage` where the folder holds no series of rows or the server refuses, `Stopped` where it costs too much or nobody
/// agrees, `Data` where files or answers are damaged, `Failed` where server or disk do not do it.
pub fn run(args: &Args) -> Result<()> {
    let client = args.terms.client()?;
    let (mut ledger, series) = Purchases::open(&args.dir)?;
    if !series.records.is_table() {
        let (dir, schema) = (args.dir.display(), series.records.name());
        return Err(Error::usage(format!("{dir} holds {schema}, which has no rows to look at")));
    }
    let calendar = args.calendar.read()?.value;
    let input = InputArgs { files: vec![args.dir.clone()], ..InputArgs::default() };
    let report = look(&input, calendar.clone(), TICK, &Impaired::default())?;
    let holes: Vec<_> = report.holes().map(|hole| days_of(hole.from, hole.to, &calendar)).collect();
    let (Some(from), Some(until)) =
        (holes.iter().map(|span| span.from).min(), holes.iter().map(|span| span.until).max())
    else {
        log::note("no suspicious hole");
        return Ok(());
    };
    let span = plan::clamp(&client, &series, Span { from, until })?;
    let conditions = plan::conditions(&client, &series, span)?;
    let whole = whole(&ledger, &conditions);
    let missing: Vec<_> =
        joined(&holes, &calendar).into_iter().flat_map(|days| days.within(span).without(&whole)).collect();
    let there = holes.iter().filter(|days| days.without(&whole).is_empty()).count();
    log::note(format!("{} suspicious holes, {there} of them on days that were fetched whole", holes.len()));
    let order =
        Order { dir: &args.dir, series: &series, conditions: &conditions, missing: &missing, stale: &[] };
    args.terms.buy(&client, &order, &mut ledger)
}

/// Returns the UTC days that a hole touches, and days on to one with a session: no other can be asked for alone.
fn days_of(from: i64, to: i64, calendar: &Calendar) -> Span {
    let traded = |day: NaiveDate| Day::labelled(day, calendar).is_some();
    let (first, last) = (day_at(from), day_at(to - 1));
    let alone = !first.iter_days().take_while(|day| *day <= last).any(traded);
    let last = if alone { last.iter_days().take(7).find(|day| traded(*day)).unwrap_or(last) } else { last };
    Span { from: first, until: last.succ_opt().unwrap_or(last) }
}

/// Joins spans, in the order of time, between which there is no session.
fn joined(spans: &[Span], calendar: &Calendar) -> Vec<Span> {
    let apart = |last: &Span, next: &Span| {
        let mut between = last.until.iter_days().take_while(|day| *day < next.from);
        between.any(|day| Day::labelled(day, calendar).is_some())
    };
    let mut sorted = spans.to_vec();
    sorted.sort();
    let mut joined: Vec<Span> = Vec::new();
    for span in sorted {
        match joined.last_mut() {
            Some(last) if !apart(last, &span) => last.until = last.until.max(span.until),
            _ => joined.push(span),
        }
    }
    joined
}

/// Returns the days that need not be fetched: those stored, save those published again since.
fn whole(ledger: &Purchases, conditions: &[Value]) -> Vec<Span> {
    let mut whole = Vec::new();
    for (span, entry) in ledger.stored() {
        let before = plan::days_of(entry["days"].as_array().map(Vec::as_slice).unwrap_or_default(), span);
        let again = plan::republished(&before, conditions);
        let days = again.iter().filter_map(|day| day.parse().ok()).map(Span::day);
        whole.extend(span.without(&days.collect::<Vec<_>>()));
        tell("days published again since they were fetched", &again);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_whole_days_with_a_session_among_them() {
        let of = |from: &str, to: &str| {
            let ts = |text: &str| mes_core::time::parse(text).expect("a time");
            days_of(ts(from), ts(to), &Calendar::shipped()).to_string()
        };
        assert_eq!(of("2024-01-17T15:00:00Z", "2024-01-17T16:00:00Z"), "2024-01-17..2024-01-18");
        assert_eq!(of("2024-01-17T23:00:00Z", "2024-01-18T00:00:00Z"), "2024-01-17..2024-01-18");
        // Sunday evening belongs to Monday, Christmas evening to the day after.
        assert_eq!(of("2024-01-21T23:00:00Z", "2024-01-21T23:30:00Z"), "2024-01-21..2024-01-23");
        assert_eq!(of("2024-12-25T23:00:00Z", "2024-12-25T23:30:00Z"), "2024-12-25..2024-12-27");
    }

    #[test]
    fn spans_without_a_session_between_them_are_one() {
        let span = |text: &str| Span::parse(text).expect("a span");
        let spans = [
            "2024-01-14..2024-01-16",
            "2024-01-08..2024-01-10",
            "2024-01-10..2024-01-11",
            "2024-01-12..2024-01-13",
        ];
        assert_eq!(
            joined(&spans.map(span), &Calendar::shipped()),
            [span("2024-01-08..2024-01-11"), span("2024-01-12..2024-01-16")]
        );
    }
}
