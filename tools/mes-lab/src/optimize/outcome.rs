//! What a search came to: the best trial, what it did on rows that no trial had seen, and how much of it is the search.

use std::fmt::Write as _;

use mes_pipe::Origin;
use serde::Serialize;
use serde_json::Value;

use super::{
    importance::{Importance, text},
    judged::Judged,
    record::Record,
    search::Search,
};
use mes_judge::{
    metrics::returns::YEAR,
    search::Searched,
    search::trials::Trial,
    stats::{deflated::benchmark, overfitting::Overfitting},
    summary::FEW_TRADES,
    terms::Terms,
    words,
};

/// Best trials that are shown.
pub const SHOWN: usize = 10;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub kind: &'static str,
    pub v: u32,
    /// Whether the data were made up; null where nobody knows.
    pub synthetic: Option<bool>,
    pub origin: Origin,
    pub method: &'static str,
    pub by: String,
    pub vary: Vec<String>,
    pub counts: Counts,
    pub days: usize,
    pub holdout_days: usize,
    pub best: Option<Judged>,
    /// The best of the ranked, the first of them above.
    pub top: Vec<Judged>,
    /// The best trial on the rows held out.
    pub holdout: Option<Judged>,
    /// All trials on these rows, of this search and others in the ledger.
    pub searched: Option<Searched>,
    /// Whether the days are enough for so many trials.
    pub record: Option<Record>,
    pub overfitting: Option<Overfitting>,
    pub importance: Vec<Importance>,
    /// Why there was no trade, where the trial that is looked at first made none.
    pub why_no_trade: Vec<String>,
    pub warnings: Vec<String>,
    /// What was varied is varied from these.
    pub settings: Terms,
    pub lineage: Value,
}

/// How many trials there were, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub trials: usize,
    /// Ran to the end and traded enough to be ranked.
    pub scored: usize,
    pub pruned: usize,
    /// Values that break the rules.
    pub refused: usize,
    pub too_few_trades: usize,
    /// Made no trade at all.
    pub without_trades: usize,
    /// Whose account died.
    pub died: usize,
}

/// Returns the trials that are ranked, the best first, those whose account died last; of equals the earlier.
pub fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials.iter().filter(|trial| trial.is_ranked()).collect();
    ranked.sort_by(|a, b| b.rank().unwrap_or(f64::MIN).total_cmp(&a.rank().unwrap_or(f64::MIN)));
    ranked
}

impl Counts {
    /// Counts them.
    pub fn of(trials: &[Trial]) -> Counts {
        let count = |is: fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count();
        Counts {
            trials: trials.len(),
            scored: ranked(trials).len(),
            pruned: count(|trial| trial.pruned_after.is_some()),
            refused: count(|trial| trial.refused.is_some()),
            too_few_trades: count(|t| t.score.is_none() && t.pruned_after.is_none() && t.refused.is_none()),
            without_trades: count(|trial| trial.trades == 0 && trial.refused.is_none()),
            died: count(|trial| trial.died),
        }
    }
}

impl Outcome {
    /// Says what to beware of; trials with less than `fewest` trades are not ranked, rows held out had so many `looks`.
    pub fn cautions(&self, fewest: usize, looks: usize, search: &Search) -> Vec<String> {
        let mut warnings: Vec<String> = self.origin.caution().map(str::to_owned).into_iter().collect();
        let counts = &self.counts;
        if let Some(combinations) = search.exhausted() {
            let (all, asked) =
                (words::count(combinations as u64, "combination"), words::grouped(search.count() as u64));
            warnings.push(format!("every one of {all} was tried: there are no {asked}"));
        }
        if counts.scored == 0 {
            warnings.push(format!(
                "no trial made {fewest} trades: nothing is ranked; --min-trades, or look at one backtest"
            ));
        }
        if counts.died > 0 {
            let died = words::count(counts.died as u64, "trial");
            warnings.push(format!(
                "the account died in {died} of {}: these rank below all that lived, by the days that they lived",
                counts.trials
            ));
        }
        for (name, judged) in [("the best trial", &self.best), ("it, on days held out,", &self.holdout)] {
            if let Some(judged) = judged.as_ref().filter(|judged| judged.trades < FEW_TRADES) {
                let made = match judged.trades as u64 {
                    0 => "no trade".to_owned(),
                    trades => words::count(trades, "trade"),
                };
                warnings.push(format!("{name} made {made}: below {FEW_TRADES} most of this is luck"));
            }
        }
        if looks > 1 {
            warnings.push(format!("rows held out were looked at {looks} times: they are no longer unseen"));
        }
        if let Some(searched) = &self.searched {
            let best = benchmark(searched.sharpe_variance, searched.trials as f64) * YEAR.sqrt();
            let trials = words::count(searched.trials as u64, "trial");
            warnings.push(format!(
                "the best of {trials} without any worth would show a Sharpe of about {best:.2}"
            ));
        }
        warnings
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
            mes_judge::files::dollars(trial.net_cents),
            mes_judge::files::dollars(trial.drawdown_cents),
            trial.trades,
            trial.wins,
            trial.died,
            trial.pruned_after.map_or_else(String::new, |days| days.to_string()),
            quoted(trial.refused.as_deref().unwrap_or_default())
        );
    }
    out
}
