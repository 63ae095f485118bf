//! A trial as it is reported: its result with what that rests on.

use mes_core::money::Cents;
use serde::Serialize;
use serde_json::{Map, Value};

use mes_judge::search::trials::Trial;
use mes_judge::{
    evidence::{Intervals, Range, Rests, SharpeEvidence},
    facts::{DayResult, Facts},
    metrics::{ratio, returns::Returns},
    reached::Reached,
    search::Searched,
    words::{self, count, signed_usd, usd},
};

/// Seed of the intervals: the same trials make the same bytes.
const SEED: u64 = 1;

/// A trial beside what its result rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub trial: usize,
    pub values: Map<String, Value>,
    pub score: Option<f64>,
    /// A year; with its plain standard error, and its 95 % interval where there are days enough.
    pub sharpe: Option<f64>,
    pub sharpe_se: Option<f64>,
    pub sharpe_interval: Range,
    /// The chance that the true ratio is above 0, before and after the search is allowed for.
    pub psr: Option<f64>,
    pub dsr: Option<f64>,
    pub net_usd: f64,
    pub net_interval_usd: Range,
    /// Net had every trade whose bar touched stop and target reached its target, and how many these are.
    pub best_net_usd: Option<f64>,
    pub ambiguous: usize,
    pub max_drawdown_usd: f64,
    pub trades: usize,
    pub win_ratio: Option<f64>,
    pub expectancy_usd: Option<f64>,
    pub sortino: Option<f64>,
    pub trades_per_day: Option<f64>,
    pub days: usize,
    pub account_died: bool,
    /// The limit that ended it; what is said of days is of those until then.
    pub account_death: Option<Reached>,
    #[serde(skip)]
    pub trials: Option<usize>,
}

impl Judged {
    /// Reports a trial; `capital` is what its account began with.
    pub fn of(trial: &Trial, searched: Option<Searched>, capital: Cents) -> Judged {
        let lived = trial.lived.unwrap_or(usize::MAX).min(trial.days_cents.len());
        let days = days(&trial.days_cents[..lived], capital);
        let results = Facts { days, ..Facts::default() };
        let (returns, intervals) = (Returns::of(&results), Intervals::of(&results, SEED));
        let evidence = SharpeEvidence::of(&results, searched);
        let rests = Rests::of(&returns, intervals.as_ref(), evidence.as_ref());
        let (net, trades) = (trial.net_cents.usd(), trial.trades as f64);
        Judged {
            trial: trial.trial,
            values: trial.values.clone(),
            score: trial.score,
            sharpe: rests.sharpe,
            sharpe_se: rests.error,
            sharpe_interval: rests.interval,
            psr: rests.psr,
            dsr: rests.dsr,
            net_usd: net,
            net_interval_usd: intervals.and_then(|intervals| intervals.net_usd),
            best_net_usd: trial.best_net_cents.map(Cents::usd),
            ambiguous: trial.ambiguous,
            max_drawdown_usd: trial.drawdown_cents.usd(),
            trades: trial.trades,
            win_ratio: ratio(trial.wins as f64, trades),
            expectancy_usd: ratio(net, trades),
            sortino: returns.sortino,
            trades_per_day: ratio(trades, results.days.len() as f64),
            days: results.days.len(),
            account_died: trial.died,
            account_death: trial.death.clone(),
            trials: searched.map(|searched| searched.trials),
        }
    }

    /// Says what the Sharpe ratio rests on.
    pub fn rests(&self) -> Rests {
        Rests {
            sharpe: self.sharpe,
            days: self.days,
            interval: self.sharpe_interval,
            error: self.sharpe_se,
            psr: self.psr,
            dsr: self.dsr,
            trials: self.trials.filter(|_| self.dsr.is_some()),
            pbo: None,
        }
    }

    /// Says it in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{}{} in {}, {}, drawdown {}; Sharpe {}{}{}",
            signed_usd(self.net_usd),
            words::interval(self.net_interval_usd, signed_usd),
            count(self.days as u64, "day"),
            count(self.trades as u64, "trade"),
            usd(self.max_drawdown_usd),
            self.rests().sentence(),
            self.band().map_or_else(String::new, |band| format!("; net {band}")),
            self.death().map_or_else(String::new, |death| format!("; {death}"))
        )
    }

    /// Says when the account died, if it did.
    pub fn death(&self) -> Option<String> {
        match &self.account_death {
            Some(reached) => Some(format!("account died on day {}: {}", reached.day, reached.sentence())),
            None => self.account_died.then(|| "account died".to_owned()),
        }
    }

    /// Says between what the net lies; absent where that is not known.
    pub fn band(&self) -> Option<String> {
        self.best_net_usd.map(|best| words::band(self.net_usd, best, self.ambiguous))
    }
}

/// Returns the days of an account that begins with `capital`.
fn days(nets: &[Cents], capital: Cents) -> Vec<DayResult> {
    let mut equity = capital;
    let day = |net: &Cents| {
        let start = equity;
        equity += *net;
        DayResult::of_ends(Default::default(), start, equity)
    };
    nets.iter().map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::sample::trial;

    #[test]
    fn is_told_with_what_it_rests_on() {
        let nets: Vec<i64> = (0..40).map(|day| day * 7919 % 3001 - 1300).collect();
        let mut of = trial("s", 3, &[], 1.0, &nets);
        (of.ambiguous, of.best_net_cents) = (2, Some(of.net_cents + Cents(4800)));
        let searched = Searched { trials: 50, sharpe_variance: 0.01, holdout_looks: 0 };
        let judged = Judged::of(&of, Some(searched), Cents(100_000));
        let text = judged.sentence();
        for part in
            ["95 % from", "40 days; PSR ", "DSR ", "after 50 trials", "by the order within 2 doubtful bars"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        // An account without equity has no returns to speak of.
        let broke = Judged::of(&trial("s", 1, &[], 1.0, &[-60_000, -50_000, 100]), None, Cents(100_000));
        assert_eq!((broke.sharpe, broke.psr), (None, None));
    }
}
