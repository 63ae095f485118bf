//! The days for a person at a terminal.

use std::fmt::Write as _;

use super::{Day, Diary};
use crate::words::{or_dash, signed_usd};

/// Days shown; all of them are on the page and in the JSON.
const SHOWN: usize = 30;

/// Writes the last days as a table, what they came to, and what to do.
pub fn text(diary: &Diary) -> String {
    let mut out = String::new();
    let skipped = diary.days.len().saturating_sub(SHOWN);
    let _ =
        writeln!(out, "date        account   trades        net     equity   slippage, file  limits  errors");
    if skipped > 0 {
        let _ = writeln!(out, "… {skipped} days before");
    }
    diary.days.iter().skip(skipped).for_each(|day| row(day, &mut out));
    let _ = writeln!(out, "\n{}", diary.verdict());
    match (&diary.expectation, &diary.drift) {
        (None, _) => out += "drift: name the backtest to compare with by --against RUN\n",
        (Some(expected), None) => {
            let _ = writeln!(out, "expected {}; no trade to compare", expected.sentence());
        }
        (Some(expected), Some(drift)) => {
            let _ =
                writeln!(out, "expected {}\n{}\n{}", expected.sentence(), drift.standing(), drift.sentence());
        }
    }
    diary.warnings().iter().for_each(|warning| {
        let _ = writeln!(out, "  ! {warning}");
    });
    out
}

fn row(day: &Day, out: &mut String) {
    let ticks = |ticks| or_dash(ticks, |ticks| format!("{ticks:.2}"));
    let notes = [(!day.whole, "cut off"), (!day.alike, "other rules or model")];
    let notes: Vec<&str> = notes.into_iter().filter_map(|(is, note)| is.then_some(note)).collect();
    let line = format!(
        "{}  {:<8}  {:>6}  {:>9}  {:>9}  {:>8}, {:>4}  {:>6}  {:>6}  {}",
        day.date,
        day.account_kind,
        day.trades,
        signed_usd(day.net_usd),
        crate::words::usd(day.end_usd),
        ticks(day.slippage_ticks),
        ticks(day.expected_ticks),
        day.limits,
        day.errors,
        notes.join(", ")
    );
    let _ = writeln!(out, "{}", line.trim_end());
}
