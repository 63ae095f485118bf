//! What all folds together came to: the days out of sample, stitched, beside what the same models made on the rows that
//! they were fitted on.

use chrono::NaiveDate;
use mes_core::money::Cents;
use serde::Serialize;
use serde_json::Value;

use super::fold::FoldResult;
use crate::{
    evidence::{Intervals, SharpeEvidence},
    metrics::{mean, ratio, returns::Returns},
    recorder::{DayResult, Results},
    summary::{FEW_TRADES, is_synthetic},
    terms::{MADE_UP, Terms},
    words,
};

/// Seed of the intervals: the same folds make the same bytes.
const SEED: u64 = 1;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub kind: &'static str,
    pub v: u32,
    pub synthetic: bool,
    pub out_of_sample: Stitched,
    /// Mean annual Sharpe ratio of the folds, fitted and unseen, and what is left of the one in the other.
    pub mean_sharpe_in: Option<f64>,
    pub mean_sharpe_out: Option<f64>,
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
    pub net_usd: f64,
    /// Greatest fall of the sum of daily results from its peak.
    pub max_drawdown_usd: f64,
    pub folds_won: usize,
    pub sharpe: Option<f64>,
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
        let sharpes =
            |of: fn(&FoldResult) -> Option<f64>| mean(&folds.iter().filter_map(of).collect::<Vec<f64>>());
        let mean_sharpe_in = sharpes(|fold| fold.in_sample.sharpe);
        let mean_sharpe_out = sharpes(|fold| fold.out_of_sample.sharpe);
        let kept = mean_sharpe_out.zip(mean_sharpe_in).filter(|(_, inside)| *inside > 0.0);
        Outcome {
            kind: "walk_forward",
            v: 1,
            synthetic: is_synthetic(&lineage) || folds.iter().any(|fold| fold.synthetic),
            out_of_sample,
            mean_sharpe_in,
            mean_sharpe_out,
            kept_ratio: kept.and_then(|(outside, inside)| ratio(outside, inside)),
            warnings: warnings(&folds),
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
            .map(|day| DayResult {
                date: day.date,
                start_cents: day.start_cents,
                end_cents: day.end_cents,
                high_cents: day.start_cents.max(day.end_cents),
                low_cents: day.start_cents.min(day.end_cents),
                overnight: false,
            })
            .collect();
        let (mut sum, mut peak, mut fall) = (Cents::ZERO, Cents::ZERO, Cents::ZERO);
        for day in &days {
            sum += day.end_cents - day.start_cents;
            peak = peak.max(sum);
            fall = fall.max(peak - sum);
        }
        let results = Results { days, ..Results::default() };
        Stitched {
            days: results.days.len(),
            trades: folds.iter().map(|fold| fold.out_of_sample.trades).sum(),
            net_usd: sum.usd(),
            max_drawdown_usd: fall.usd(),
            folds_won: folds.iter().filter(|fold| fold.out_of_sample.net_usd > 0.0).count(),
            sharpe: Returns::of(&results).sharpe,
            calmar: Returns::of(&results).calmar,
            intervals: Intervals::of(&results, SEED),
            evidence: SharpeEvidence::of(&results),
        }
    }
}

fn warnings(folds: &[FoldResult]) -> Vec<String> {
    let mut warnings = Vec::new();
    if folds.iter().any(|fold| fold.synthetic) {
        warnings.push(MADE_UP.to_owned());
    }
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
