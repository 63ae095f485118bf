//! The folds as a table for people, as text, and the stitched days as one for programs.

use std::fmt::Write as _;

use mes_core::{time::Ts, tz};

use super::{
    fold::FoldResult,
    outcome::{Outcome, Stitched},
};
use crate::{
    files::dollars,
    summary::FEW_TRADES,
    words::{self, interval, or_dash, percent, signed_usd, two, usd},
};

/// Writes the outcome for a person.
pub fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    let all = &outcome.out_of_sample;
    let data = if outcome.synthetic { "SYNTHETIC DATA: " } else { "" };
    let (folds, days) =
        (words::count(outcome.folds.len() as u64, "fold"), words::count(all.days as u64, "day"));
    let _ = writeln!(out, "{data}out of sample {} in {days}, {folds}\n", signed_usd(all.net_usd));
    let _ = writeln!(
        out,
        "  {:>4}  {:<10}  {:<23}  {:>7} {:>11} {:>7}  {:>7} {:>11} {:>7}",
        "fold", "fitted", "tested", "trades", "in-sample", "Sharpe", "trades", "unseen", "Sharpe"
    );
    for fold in &outcome.folds {
        let _ = writeln!(out, "{}", line(fold));
    }
    out.push('\n');
    for (name, value) in figures(outcome, all) {
        let _ = writeln!(out, "  {name:<18} {value}");
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
    let died = if outside.account_died { "  account died" } else { "" };
    format!(
        "  {:>4}  {:<10}  {} {}  {:>7} {:>11} {:>7}  {:>7} {:>11} {:>7}{few}{died}",
        fold.fold,
        date(fold.train.from),
        date(fold.test.from),
        last_date(fold.test.to),
        inside.trades,
        signed_usd(inside.net_usd),
        or_dash(inside.sharpe, two),
        outside.trades,
        signed_usd(outside.net_usd),
        or_dash(outside.sharpe, two)
    )
}

pub fn figures(outcome: &Outcome, all: &Stitched) -> Vec<(&'static str, String)> {
    let intervals = all.intervals.as_ref();
    let psr = all.evidence.as_ref().and_then(|evidence| evidence.psr);
    vec![
        (
            "unseen, stitched",
            format!(
                "{}{}",
                signed_usd(all.net_usd),
                interval(intervals.and_then(|intervals| intervals.net_usd), signed_usd)
            ),
        ),
        (
            "Sharpe",
            format!(
                "{}{}; PSR {}",
                or_dash(all.sharpe, two),
                interval(intervals.and_then(|intervals| intervals.sharpe), two),
                or_dash(psr, percent)
            ),
        ),
        ("max drawdown", usd(all.max_drawdown_usd)),
        ("trades", words::grouped(all.trades as u64)),
        ("folds won", format!("{} of {}", all.folds_won, outcome.folds.len())),
        (
            "fitted, unseen",
            format!(
                "mean Sharpe {} and {}: {} of it kept",
                or_dash(outcome.mean_sharpe_in, two),
                or_dash(outcome.mean_sharpe_out, two),
                or_dash(outcome.kept_ratio.map(|kept| kept.max(0.0)), percent)
            ),
        ),
    ]
}

/// The trading day that begins at this evening.
pub fn date(from: Ts) -> String {
    (tz::new_york(from) + chrono::TimeDelta::hours(6)).date().to_string()
}

/// The last trading day before this evening.
pub fn last_date(to: Ts) -> String {
    tz::new_york(to).date().to_string()
}

/// Writes the stitched days as comma-separated values.
pub fn equity_csv(outcome: &Outcome) -> String {
    let mut out = String::from("date,fold,net_usd,sum_usd\n");
    for point in outcome.points() {
        let (net, sum) = (dollars(point.net_cents), dollars(point.sum_cents));
        let _ = writeln!(out, "{},{},{net},{sum}", point.date, point.fold);
    }
    out
}

/// Writes a line a fold as comma-separated values.
pub fn folds_csv(outcome: &Outcome) -> String {
    let mut out = String::from(
        "fold,train_from,test_from,test_to,in_trades,in_net_usd,in_sharpe,out_trades,out_net_usd,out_sharpe,out_psr\n",
    );
    for result in &outcome.folds {
        let (fold, inside, outside) = (&result.fold, &result.in_sample, &result.out_of_sample);
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let _ = writeln!(
            out,
            "{},{},{},{},{},{:.2},{},{},{:.2},{},{}",
            fold.fold,
            date(fold.train.from),
            date(fold.test.from),
            last_date(fold.test.to),
            inside.trades,
            inside.net_usd,
            number(inside.sharpe),
            outside.trades,
            outside.net_usd,
            number(outside.sharpe),
            number(outside.psr)
        );
    }
    out
}
