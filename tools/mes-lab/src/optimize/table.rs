//! The outcome of a search for a person, as text.

use std::fmt::Write as _;

use super::{importance::text, judged::Judged, map::Map, outcome::Outcome};
use mes_judge::words::{self, or_dash, percent, signed_usd, two, usd};

/// Said of the shares of importance.
pub const SHARES: &str = "share of the scores' variance that a key explains by itself (omega squared); shares need not add to 100 %";

/// Writes the outcome for a person.
pub fn of(outcome: &Outcome, map: Option<&Map>) -> String {
    let mut out = head(outcome);
    top(outcome, &mut out);
    for line in &outcome.why_no_trade {
        let _ = writeln!(out, "  {line}");
    }
    for (name, judged) in [("best, searched on", &outcome.best), ("best, held out", &outcome.holdout)] {
        if let Some(judged) = judged {
            let _ = writeln!(out, "  {name:<20} {}", judged.sentence());
        }
    }
    if let Some(record) = &outcome.record {
        let _ = writeln!(out, "  {:<20} {}", "record (MinBTL)", record.sentence());
    }
    if let Some(overfitting) = &outcome.overfitting {
        let _ = writeln!(
            out,
            "  {:<20} {}: {}\n  {:<20} {}",
            "overfitting (PBO)",
            percent(overfitting.pbo),
            overfitting.sentence(),
            "in, out of sample",
            overfitting.decay()
        );
    }
    for importance in &outcome.importance {
        let _ = writeln!(out, "  {:<20} {:>6}  {}", "importance", percent(importance.share), importance.key);
    }
    if !outcome.importance.is_empty() {
        let _ = writeln!(out, "  {:<20} {SHARES}", "");
    }
    if let Some(map) = map {
        let _ = write!(out, "\n{}", map.text());
    }
    out.push('\n');
    for warning in &outcome.warnings {
        let _ = writeln!(out, "  ! {warning}");
    }
    out
}

fn head(outcome: &Outcome) -> String {
    let mut out = String::new();
    for line in deaths(outcome) {
        let _ = writeln!(out, "{line}");
    }
    out + &format!("{}{}\n\n", outcome.origin.mark(), counts(outcome))
}

/// Says of the best trial whether its account died, on days searched and held out.
pub fn deaths(outcome: &Outcome) -> Vec<String> {
    let of = |name: &str, judged: &Option<Judged>| Some(format!("{name}: {}", judged.as_ref()?.death()?));
    let both = [of("best trial", &outcome.best), of("best trial, on days held out", &outcome.holdout)];
    both.into_iter().flatten().collect()
}

/// Says how many trials there were and what became of them.
pub fn counts(outcome: &Outcome) -> String {
    let counts = &outcome.counts;
    format!(
        "{} by {} over {}, ranked by {}: {} ranked, {} pruned, {} with too few trades, {} refused",
        words::count(counts.trials as u64, "trial"),
        outcome.method,
        words::count(outcome.days as u64, "day"),
        outcome.by,
        counts.scored,
        counts.pruned,
        counts.too_few_trades,
        counts.refused
    )
}

fn top(outcome: &Outcome, out: &mut String) {
    if outcome.top.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "  {:>5} {:>9} {:>11} {:>10} {:>7}  {:<20} {:>7}  values",
        "trial", "score", "net", "drawdown", "trades", "Sharpe, 95 %", "DSR"
    );
    for judged in &outcome.top {
        let _ = writeln!(
            out,
            "  {:>5} {:>9} {:>11} {:>10} {:>7}  {:<20} {:>7}  {}",
            judged.trial,
            or_dash(judged.score, two),
            signed_usd(judged.net_usd),
            usd(judged.max_drawdown_usd),
            judged.trades,
            sharpe_range(judged),
            or_dash(judged.dsr, percent),
            values(judged)
        );
    }
    out.push('\n');
}

/// Says where a trial's Sharpe ratio lies, or what its error is where there are too few days.
pub fn sharpe_range(judged: &Judged) -> String {
    match (judged.sharpe_interval, judged.sharpe.zip(judged.sharpe_se)) {
        (Some((low, high)), _) => format!("{low:.2} to {high:.2}"),
        (None, Some((sharpe, error))) => format!("{sharpe:.2} ± {error:.2}"),
        (None, None) => "-".to_owned(),
    }
}

/// Lists what a trial varied: `key=value`.
pub fn values(judged: &Judged) -> String {
    let values: Vec<String> =
        judged.values.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
    values.join(" ")
}
