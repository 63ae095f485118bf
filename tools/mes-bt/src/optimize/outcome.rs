//! What a search came to: the best trial, what it did on rows that no trial had seen, and how much of it is the search.

use std::fmt::Write as _;

use mes_core::money::Cents;
use serde::Serialize;
use serde_json::{Map as JsonMap, Value};

use super::{
    importance::{Importance, text},
    ledger::Trial,
    map::Map,
    record::Record,
};
use crate::{
    evidence::Searched,
    metrics::{ratio, returns::YEAR},
    stats::{
        deflated::dsr,
        moments::Track,
        overfitting::{Overfitting, cscv},
        probabilistic::psr,
    },
    terms::Terms,
    words::{self, or_dash, percent, signed_usd, two, usd},
};

/// Best trials that are shown.
const SHOWN: usize = 10;
/// The most blocks that days are cut into for the probability of overfitting, and the fewest days of one.
const BLOCKS: usize = 16;
const BLOCK_DAYS: usize = 4;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub kind: &'static str,
    pub v: u32,
    pub synthetic: bool,
    pub method: &'static str,
    pub by: String,
    pub vary: Vec<String>,
    pub counts: Counts,
    pub days: usize,
    pub holdout_days: usize,
    pub best: Option<Judged>,
    /// The best trial on the rows held out.
    pub holdout: Option<Judged>,
    /// All trials on these rows, of this search and others in the ledger.
    pub searched: Option<Searched>,
    /// Whether the days are enough for so many trials.
    pub record: Option<Record>,
    pub overfitting: Option<Overfitting>,
    pub importance: Vec<Importance>,
    pub warnings: Vec<String>,
    /// What was varied is varied from these.
    pub settings: Terms,
    pub lineage: Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub trials: usize,
    /// Ran to the end and traded enough to be ranked.
    pub scored: usize,
    pub pruned: usize,
    /// Values that break the rules.
    pub refused: usize,
    pub too_few_trades: usize,
}

/// A trial as it is reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub trial: usize,
    pub values: JsonMap<String, Value>,
    pub score: Option<f64>,
    /// A year.
    pub sharpe: Option<f64>,
    /// The chance that the true ratio is above 0, before and after the search is allowed for.
    pub psr: Option<f64>,
    pub dsr: Option<f64>,
    pub net_usd: f64,
    pub max_drawdown_usd: f64,
    pub trades: usize,
    pub win_ratio: Option<f64>,
    pub days: usize,
    pub account_died: bool,
}

impl Judged {
    /// Reports a trial; `capital` is what its account began with.
    pub fn of(trial: &Trial, searched: Option<Searched>, capital: Cents) -> Judged {
        let track = Track::of(&returns(&trial.days_cents, capital));
        let deflated = |track: &Track| {
            searched.and_then(|search| dsr(track, search.sharpe_variance, search.trials as f64))
        };
        Judged {
            trial: trial.trial,
            values: trial.values.clone(),
            score: trial.score,
            sharpe: track.map(|track| track.sharpe * YEAR.sqrt()),
            psr: track.and_then(|track| psr(&track, 0.0)),
            dsr: track.as_ref().and_then(deflated),
            net_usd: trial.net_cents.usd(),
            max_drawdown_usd: trial.drawdown_cents.usd(),
            trades: trial.trades,
            win_ratio: ratio(trial.wins as f64, trial.trades as f64),
            days: trial.days_cents.len(),
            account_died: trial.died,
        }
    }
}

/// Returns the return of every day on the equity at its start; none once there is no equity.
fn returns(days: &[Cents], capital: Cents) -> Vec<f64> {
    let mut equity = capital;
    let mut returns = Vec::with_capacity(days.len());
    for net in days {
        if equity <= Cents::ZERO {
            return Vec::new();
        }
        returns.push(net.0 as f64 / equity.0 as f64);
        equity += *net;
    }
    returns
}

/// Returns the trials that are ranked, the best first; of equals the earlier.
pub fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> =
        trials.iter().filter(|trial| trial.score.is_some() && trial.pruned_after.is_none()).collect();
    ranked.sort_by(|a, b| b.score.unwrap_or(f64::MIN).total_cmp(&a.score.unwrap_or(f64::MIN)));
    ranked
}

/// Returns the probability of overfitting over the daily results of trials that ran to the end.
pub fn overfitting(trials: &[Trial]) -> Option<Overfitting> {
    let whole = trials.iter().filter(|trial| trial.pruned_after.is_none() && trial.refused.is_none());
    let days: Vec<Vec<f64>> =
        whole.map(|trial| trial.days_cents.iter().map(|net| net.usd()).collect()).collect();
    let blocks = (days.first()?.len() / BLOCK_DAYS).min(BLOCKS);
    cscv(&days, blocks - blocks % 2)
}

impl Counts {
    pub fn of(trials: &[Trial]) -> Counts {
        let count = |is: fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count();
        Counts {
            trials: trials.len(),
            scored: ranked(trials).len(),
            pruned: count(|trial| trial.pruned_after.is_some()),
            refused: count(|trial| trial.refused.is_some()),
            too_few_trades: count(|t| t.score.is_none() && t.pruned_after.is_none() && t.refused.is_none()),
        }
    }
}

impl Outcome {
    /// Writes the outcome for a person.
    pub fn text(&self, trials: &[Trial], map: Option<&Map>) -> String {
        let mut out = String::new();
        let data = if self.synthetic { "SYNTHETIC DATA: " } else { "" };
        let counts = &self.counts;
        let _ = writeln!(
            out,
            "{data}{} by {} over {}, ranked by {}: {} ranked, {} pruned, {} with too few trades, {} refused\n",
            words::count(counts.trials as u64, "trial"),
            self.method,
            words::count(self.days as u64, "day"),
            self.by,
            counts.scored,
            counts.pruned,
            counts.too_few_trades,
            counts.refused
        );
        self.top(trials, &mut out);
        for (name, judged) in [("best, searched on", &self.best), ("best, held out", &self.holdout)] {
            if let Some(judged) = judged {
                let _ = writeln!(out, "  {name:<20} {}", judged.sentence());
            }
        }
        if let Some(record) = &self.record {
            let _ = writeln!(out, "  {:<20} {}", "record (MinBTL)", record.sentence());
        }
        if let Some(overfitting) = &self.overfitting {
            let _ = writeln!(
                out,
                "  {:<20} {}: chance that the best of one half of the days is below the median in the other",
                "overfitting (PBO)",
                percent(overfitting.pbo)
            );
        }
        for importance in &self.importance {
            let _ =
                writeln!(out, "  {:<20} {:>6}  {}", "importance", percent(importance.share), importance.key);
        }
        if let Some(map) = map {
            let _ = write!(out, "\n{}", map.text());
        }
        out.push('\n');
        for warning in &self.warnings {
            let _ = writeln!(out, "  ! {warning}");
        }
        out
    }

    fn top(&self, trials: &[Trial], out: &mut String) {
        let best = ranked(trials);
        if best.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "  {:>5} {:>9} {:>11} {:>10} {:>7}  values",
            "trial", "score", "net", "drawdown", "trades"
        );
        for trial in best.into_iter().take(SHOWN) {
            let values: Vec<String> =
                trial.values.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
            let _ = writeln!(
                out,
                "  {:>5} {:>9} {:>11} {:>10} {:>7}  {}",
                trial.trial,
                or_dash(trial.score, two),
                signed_usd(trial.net_cents.usd()),
                usd(trial.drawdown_cents.usd()),
                trial.trades,
                values.join(" ")
            );
        }
        out.push('\n');
    }
}

impl Judged {
    fn sentence(&self) -> String {
        format!(
            "{} in {}, {}, drawdown {}; Sharpe {}, PSR {}, DSR {}{}",
            signed_usd(self.net_usd),
            words::count(self.days as u64, "day"),
            words::count(self.trades as u64, "trade"),
            usd(self.max_drawdown_usd),
            or_dash(self.sharpe, two),
            or_dash(self.psr, percent),
            or_dash(self.dsr, percent),
            if self.account_died { "; account died" } else { "" }
        )
    }
}

/// Writes a line a trial as comma-separated values.
pub fn csv(trials: &[Trial]) -> String {
    let Some(first) = trials.first() else { return String::new() };
    let quoted = |text: &str| match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let keys: Vec<String> = first.values.keys().map(|key| quoted(key)).collect();
    let mut out = format!(
        "trial,{},score,net_usd,drawdown_usd,trades,wins,died,pruned_after,refused\n",
        keys.join(",")
    );
    for trial in trials {
        let values: Vec<String> = trial.values.values().map(|value| quoted(&text(value))).collect();
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{}",
            trial.trial,
            values.join(","),
            trial.score.map_or_else(String::new, |score| score.to_string()),
            crate::files::dollars(trial.net_cents),
            crate::files::dollars(trial.drawdown_cents),
            trial.trades,
            trial.wins,
            trial.died,
            trial.pruned_after.map_or_else(String::new, |days| days.to_string()),
            quoted(trial.refused.as_deref().unwrap_or_default())
        );
    }
    out
}
