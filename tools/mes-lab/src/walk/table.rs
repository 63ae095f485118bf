//! The folds as a table for people, as text, and the stitched days as one for programs.

use std::{fmt::Write as _, io};

use super::{
    fold::{FoldResult, Side},
    outcome::{Outcome, Stitched},
};
use crate::folds::day_of as date;
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use mes_judge::{
    evidence::FEWEST_SESSIONS,
    files::dollars,
    summary::FEW_TRADES,
    words::{self, or_dash, percent, signed_usd, two, usd},
};

/// Writes the outcome for a person.
pub fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    let all = &outcome.out_of_sample;
    let data = outcome.origin.mark();
    let (folds, days) =
        (words::count(outcome.folds.len() as u64, "fold"), words::count(all.days as u64, "day"));
    for death in outcome.deaths() {
        let _ = writeln!(out, "{death}");
    }
    let _ = writeln!(out, "{data}{} in {days}, {folds}\n", outcome.verdict());
    let _ = writeln!(
        out,
        "  {:>4}  {:<23}  {:>11} {:>9} {:>7} {:>8} {:>10} {:>13}   {:>12} {:>12} {:>13}  {:<10}",
        "fold",
        "unseen",
        "net",
        "a day",
        "trades",
        "a trade",
        "drawdown",
        "Sharpe",
        "fitted a day",
        "trades a day",
        "Sharpe",
        "fitted from"
    );
    for fold in &outcome.folds {
        let _ = writeln!(out, "{}", line(fold));
    }
    let _ = writeln!(out, "\n  {}\n", sharpe_from());
    for (name, value) in figures(outcome, all) {
        let _ = writeln!(out, "  {name:<18} {value}");
    }
    for line in &all.why_no_trade {
        let _ = writeln!(out, "  {line}");
    }
    out.push('\n');
    for warning in &outcome.warnings {
        let _ = writeln!(out, "  ! {warning}");
    }
    out
}

fn line(result: &FoldResult) -> String {
    let (fold, inside, outside) = (&result.fold, &result.in_sample, &result.out_of_sample);
    let few = if outside.trades < FEW_TRADES { "  few trades" } else { "" };
    let died = if outside.account_died.is_some() { "  account died" } else { "" };
    format!(
        "  {:>4}  {} {}  {:>11} {:>9} {:>7} {:>8} {:>10} {:>13}   {:>12} {:>12} {:>13}  {:<10}{few}{died}",
        fold.fold,
        first_date(result),
        last_date(result),
        signed_usd(outside.net_usd),
        or_dash(outside.net_per_day_usd, signed_usd),
        outside.trades,
        or_dash(outside.expectancy_usd, signed_usd),
        usd(outside.max_drawdown_usd),
        outside.sharpe_words(),
        or_dash(inside.net_per_day_usd, signed_usd),
        or_dash(inside.trades_per_day, two),
        inside.sharpe_words(),
        date(fold.train.from)
    )
}

/// Lists the figures of the stitched days: what, and how much.
pub fn figures(outcome: &Outcome, all: &Stitched) -> Vec<(&'static str, String)> {
    vec![
        ("unseen, stitched", all.net_words()),
        ("worst to best", words::band(all.net_usd, all.best_net_usd, all.ambiguous)),
        ("Sharpe", all.rests().sentence()),
        ("Sortino", or_dash(all.sortino, two)),
        (
            "max drawdown",
            format!("{} ({}), bar by bar", usd(all.max_drawdown_usd), percent(all.max_drawdown_ratio)),
        ),
        (
            "trades",
            format!(
                "{}, {} a day, {} each",
                words::grouped(all.trades as u64),
                or_dash(all.trades_per_day, two),
                or_dash(all.expectancy_usd, signed_usd)
            ),
        ),
        ("folds won", format!("{} of {}", all.folds_won, outcome.folds.len())),
        (
            "fitted, unseen",
            format!(
                "{} and {} a day: {} of it kept",
                or_dash(outcome.net_per_day_in_usd, signed_usd),
                or_dash(outcome.net_per_day_out_usd, signed_usd),
                or_dash(outcome.kept_ratio.map(|kept| kept.max(0.0)), percent)
            ),
        ),
    ]
}

/// Said of the Sharpe ratios of folds.
pub fn sharpe_from() -> String {
    format!("a fold's Sharpe ratio, ± its standard error, is shown from {FEWEST_SESSIONS} days on")
}

/// The first day that was traded unseen.
pub fn first_date(result: &FoldResult) -> NaiveDate {
    result.days.first().map_or_else(|| date(result.fold.test.from), |day| day.date)
}

/// The last day that was traded unseen; the span itself ends with the evening on which the next one begins.
pub fn last_date(result: &FoldResult) -> NaiveDate {
    result.days.last().map_or_else(|| weekday_before(date(result.fold.test.to)), |day| day.date)
}

/// Returns the last day before this one that is not of a weekend.
fn weekday_before(date: NaiveDate) -> NaiveDate {
    let back = match date.weekday() {
        Weekday::Mon => 3,
        Weekday::Sun => 2,
        _ => 1,
    };
    date - TimeDelta::days(back)
}

/// Writes the stitched days as comma-separated values.
///
/// # Errors
///
/// What the file says.
pub fn equity_csv(outcome: &Outcome, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "date,fold,net_usd,sum_usd,max_drawdown_usd")?;
    for point in outcome.points() {
        let (net, sum) = (dollars(point.net_cents), dollars(point.sum_cents));
        writeln!(out, "{},{},{net},{sum},{}", point.date, point.fold, dollars(point.drawdown_cents))?;
    }
    Ok(())
}

/// Columns of each side of a fold.
const SIDE: [&str; 16] = [
    "days",
    "trades",
    "trades_per_day",
    "net_usd",
    "net_per_day_usd",
    "expectancy_usd",
    "costs_usd",
    "max_drawdown_usd",
    "sharpe",
    "sharpe_se",
    "psr",
    "sortino",
    "win_ratio",
    "profit_factor",
    "best_net_usd",
    "died_on_day",
];

/// Writes a line a fold as comma-separated values: what was unseen, then what was fitted.
pub fn folds_csv(outcome: &Outcome) -> String {
    let names = |side: &str| SIDE.map(|name| format!("{side}_{name}")).join(",");
    let mut out = format!("fold,train_from,test_from,test_to,{},{}\n", names("out"), names("in"));
    for result in &outcome.folds {
        let _ = writeln!(
            out,
            "{},{},{},{},{},{}",
            result.fold.fold,
            date(result.fold.train.from),
            first_date(result),
            last_date(result),
            side_csv(&result.out_of_sample),
            side_csv(&result.in_sample)
        );
    }
    out
}

fn side_csv(side: &Side) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let money = |value: f64| format!("{value:.2}");
    let cells: [String; SIDE.len()] = [
        side.days.to_string(),
        side.trades.to_string(),
        number(side.trades_per_day),
        money(side.net_usd),
        number(side.net_per_day_usd),
        number(side.expectancy_usd),
        money(side.costs_usd),
        money(side.max_drawdown_usd),
        number(side.sharpe),
        number(side.sharpe_se),
        number(side.psr),
        number(side.sortino),
        number(side.win_ratio),
        number(side.profit_factor),
        money(side.best_net_usd),
        side.account_died.as_ref().map_or_else(String::new, |died| died.day.to_string()),
    ];
    cells.join(",")
}

#[cfg(test)]
mod tests {
    use mes_core::time;

    use super::*;

    #[test]
    fn a_span_ends_with_the_session_before() {
        let evening = |text: &str| time::parse(text).expect("a time");
        // Until Sunday evening is until Friday; until Thursday evening is until Thursday.
        for (to, last) in [("2026-11-08T23:00:00Z", "2026-11-06"), ("2026-11-05T23:00:00Z", "2026-11-05")] {
            assert_eq!(weekday_before(date(evening(to))).to_string(), last);
        }
        assert_eq!(date(evening("2026-11-08T23:00:00Z")).to_string(), "2026-11-09");
    }

    #[test]
    fn a_line_has_a_value_a_column() {
        assert_eq!(side_csv(&Side::default()), "0,0,,0.00,,,0.00,0.00,,,,,,,0.00,");
        assert_eq!(Side::default().sharpe_words(), "-");
    }
}
