//! What all folds together came to: the days out of sample, stitched, beside what the same models made on the rows that
//! they were fitted on.

use chrono::NaiveDate;
use mes_core::money::Cents;
use mes_pipe::Origin;
use serde::Serialize;
use serde_json::Value;

use super::fold::{FoldResult, Side};
use crate::{
    evidence::{Intervals, Rests, SharpeEvidence},
    metrics::{ratio, returns::Returns},
    recorder::{DayResult, Results},
    summary::FEW_TRADES,
    terms::Terms,
    words,
};

/// Seed of the intervals: the same folds make the same bytes.
const SEED: u64 = 1;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub kind: &'static str,
    pub v: u32,
    /// Whether the data were made up; null where nobody knows.
    pub synthetic: Option<bool>,
    pub origin: Origin,
    pub out_of_sample: Stitched,
    /// Net a day over all folds, fitted and unseen, and what is left of the one in the other where it is above 0.
    pub net_per_day_in_usd: Option<f64>,
    pub net_per_day_out_usd: Option<f64>,
    pub kept_ratio: Option<f64>,
    pub warnings: Vec<String>,
    pub folds: Vec<FoldResult>,
    pub settings: Terms,
    /// Of the rows; those of the folds' models are in their own summaries.
    pub lineage: Value,
}

/// The test spans one after the other. Every fold begins with a new account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stitched {
    pub days: usize,
    pub trades: usize,
    pub trades_per_day: Option<f64>,
    pub net_usd: f64,
    pub expectancy_usd: Option<f64>,
    /// Net of the folds had every trade whose bar touched stop and target reached its target, and how many these are.
    pub best_net_usd: f64,
    pub ambiguous: usize,
    /// Greatest fall of the sum of daily results from its peak.
    pub max_drawdown_usd: f64,
    pub folds_won: usize,
    pub sharpe: Option<f64>,
    pub sharpe_se: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
    pub intervals: Option<Intervals>,
    pub evidence: Option<SharpeEvidence>,
}

/// A day of the stitched equity.
pub struct Point {
    pub date: NaiveDate,
    pub fold: usize,
    pub net_cents: Cents,
    /// Sum since the first day.
    pub sum_cents: Cents,
}

impl Outcome {
    /// Puts folds together, in their order.
    pub fn of(folds: Vec<FoldResult>, settings: Terms, lineage: Value) -> Outcome {
        let out_of_sample = Stitched::of(&folds);
        let per_day = |of: fn(&FoldResult) -> &Side| {
            let days: usize = folds.iter().map(|fold| of(fold).days).sum();
            ratio(folds.iter().map(|fold| of(fold).net_usd).sum(), days as f64)
        };
        let (inside, outside) = (per_day(|fold| &fold.in_sample), per_day(|fold| &fold.out_of_sample));
        let kept = outside.zip(inside).filter(|(_, inside)| *inside > 0.0);
        let origin = folds.iter().map(|fold| fold.origin).fold(Origin::of(&lineage), Origin::max);
        Outcome {
            kind: "walk_forward",
            v: 1,
            synthetic: origin.synthetic(),
            origin,
            out_of_sample,
            net_per_day_in_usd: inside,
            net_per_day_out_usd: outside,
            kept_ratio: kept.and_then(|(outside, inside)| ratio(outside, inside)),
            warnings: warnings(&folds, origin),
            folds,
            settings,
            lineage,
        }
    }

    /// Returns the stitched days.
    pub fn points(&self) -> Vec<Point> {
        let mut sum = Cents::ZERO;
        let days = self.folds.iter().flat_map(|fold| fold.days.iter().map(|day| (fold.fold.fold, day)));
        let point = |(fold, day): (usize, &super::fold::Day)| {
            let net = day.end_cents - day.start_cents;
            sum += net;
            Point { date: day.date, fold, net_cents: net, sum_cents: sum }
        };
        days.map(point).collect()
    }
}

impl Stitched {
    fn of(folds: &[FoldResult]) -> Stitched {
        let days: Vec<DayResult> = folds
            .iter()
            .flat_map(|fold| &fold.days)
            .map(|day| DayResult::of_ends(day.date, day.start_cents, day.end_cents))
            .collect();
        let (mut sum, mut peak, mut fall) = (Cents::ZERO, Cents::ZERO, Cents::ZERO);
        for day in &days {
            sum += day.end_cents - day.start_cents;
            peak = peak.max(sum);
            fall = fall.max(peak - sum);
        }
        let results = Results { days, ..Results::default() };
        let sides = || folds.iter().map(|fold| &fold.out_of_sample);
        let trades: usize = sides().map(|side| side.trades).sum();
        let returns = Returns::of(&results);
        // A fold's own net may hold an open trade, which its band leaves out.
        let wider: f64 = sides()
            .map(|side| side.best_net_usd - side.expectancy_usd.unwrap_or(0.0) * side.trades as f64)
            .sum();
        Stitched {
            days: results.days.len(),
            trades,
            trades_per_day: ratio(trades as f64, results.days.len() as f64),
            net_usd: sum.usd(),
            expectancy_usd: ratio(sum.usd(), trades as f64),
            best_net_usd: sum.usd() + wider,
            ambiguous: sides().map(|side| side.ambiguous).sum(),
            max_drawdown_usd: fall.usd(),
            folds_won: folds.iter().filter(|fold| fold.out_of_sample.net_usd > 0.0).count(),
            sharpe: returns.sharpe,
            sharpe_se: returns.sharpe_se,
            sortino: returns.sortino,
            calmar: returns.calmar,
            intervals: Intervals::of(&results, SEED),
            evidence: SharpeEvidence::of(&results),
        }
    }
}

impl Stitched {
    /// Says what the Sharpe ratio rests on.
    pub fn rests(&self) -> Rests {
        let evidence = self.evidence.as_ref();
        Rests {
            sharpe: self.sharpe,
            days: self.days,
            interval: self.intervals.as_ref().and_then(|intervals| intervals.sharpe),
            error: self.sharpe_se,
            psr: evidence.and_then(|evidence| evidence.psr),
            ..Rests::default()
        }
    }

    /// Says the net with the interval that it lies in.
    pub fn net_words(&self) -> String {
        let range = self.intervals.as_ref().and_then(|intervals| intervals.net_usd);
        words::signed_usd(self.net_usd) + &words::interval(range, words::signed_usd)
    }
}

fn warnings(folds: &[FoldResult], origin: Origin) -> Vec<String> {
    let mut warnings: Vec<String> = origin.caution().map(str::to_owned).into_iter().collect();
    let few: Vec<&FoldResult> = folds.iter().filter(|fold| fold.out_of_sample.trades < FEW_TRADES).collect();
    if !few.is_empty() {
        let least = few.iter().map(|fold| fold.out_of_sample.trades).min().unwrap_or(0);
        warnings.push(format!(
            "{} of {} folds have fewer than {FEW_TRADES} trades (the least {least}): what they say is mostly luck",
            few.len(),
            folds.len()
        ));
    }
    let died = folds.iter().filter(|fold| fold.out_of_sample.account_died).count();
    if died > 0 {
        let died = words::count(died as u64, "fold");
        warnings.push(format!("the account died in {died}: later days of such a fold count 0"));
    }
    warnings
}
