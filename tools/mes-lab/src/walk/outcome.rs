//! What all folds together came to: the days out of sample, stitched, beside what the same models made on the rows that
//! they were fitted on.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mes_core::money::Cents;
use mes_pipe::Origin;
use serde::Serialize;
use serde_json::{Value, json};

use super::fold::{FoldResult, Side};
use mes_judge::{
    evidence::{Intervals, Rests, SharpeEvidence},
    facts::{DayResult, Facts},
    metrics::{blocked::Blocked, drawdown::Fall, ratio, returns::Returns},
    summary::FEW_TRADES,
    terms::Terms,
    words,
};

/// Seed of the intervals: the same folds make the same bytes.
const SEED: u64 = 1;

/// What all folds came to.
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
    /// The kinds of processors that the folds were made on, each once.
    pub processors: Vec<String>,
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
    /// Greatest fall of the sum of results from its peak, and of the compounded days as a share of it, bar by bar.
    pub max_drawdown_usd: f64,
    pub max_drawdown_ratio: f64,
    pub folds_won: usize,
    /// Accounts that died, and days of data after the last death of a fold, which are no days.
    pub deaths: usize,
    pub days_dead: usize,
    /// Why there was no trade in any fold; empty if there was one.
    pub why_no_trade: Vec<String>,
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
    /// Greatest fall within the day, bar by bar.
    pub drawdown_cents: Cents,
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
            v: 2,
            synthetic: origin.synthetic(),
            origin,
            out_of_sample,
            net_per_day_in_usd: inside,
            net_per_day_out_usd: outside,
            kept_ratio: kept.and_then(|(outside, inside)| ratio(outside, inside)),
            processors: processors(&folds),
            warnings: warnings(&folds, origin),
            folds,
            settings,
            lineage,
        }
    }

    /// Returns the figures of a group among several.
    pub fn line(&self, group: &str) -> Value {
        let all = &self.out_of_sample;
        json!({
            "group": group,
            "folds": self.folds.len(),
            "folds_won": all.folds_won,
            "days": all.days,
            "trades": all.trades,
            "net_usd": all.net_usd,
            "sharpe": all.sharpe,
            "sharpe_se": all.sharpe_se,
            "sortino": all.sortino,
            "max_drawdown_usd": all.max_drawdown_usd,
            "deaths": all.deaths,
            "kept_ratio": self.kept_ratio,
        })
    }

    /// Returns the stitched days, one after the other: of thousands of folds they are many.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let mut sum = Cents::ZERO;
        let days = self.folds.iter().flat_map(|fold| fold.days.iter().map(|day| (fold.fold.fold, day)));
        let point = move |(fold, day): (usize, &super::fold::Day)| {
            let net = day.end_cents - day.start_cents;
            sum += net;
            Point { date: day.date, fold, net_cents: net, sum_cents: sum, drawdown_cents: day.drawdown_cents }
        };
        days.map(point)
    }
}

impl Stitched {
    fn of(folds: &[FoldResult]) -> Stitched {
        let mut days: Vec<DayResult> = Vec::with_capacity(folds.iter().map(|fold| fold.days.len()).sum());
        days.extend(folds.iter().flat_map(|fold| &fold.days).map(DayResult::from));
        let sum: Cents = days.iter().map(|day| day.end_cents - day.start_cents).sum();
        let fall = Fall::over(&days);
        let results = Facts { days, ..Facts::default() };
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
            max_drawdown_usd: fall.cents.usd(),
            max_drawdown_ratio: fall.ratio,
            deaths: sides().map(|side| side.deaths).sum(),
            days_dead: sides().map(|side| side.days_dead).sum(),
            why_no_trade: if trades > 0 { Vec::new() } else { blocked(sides()).why_no_trade() },
            folds_won: folds.iter().filter(|fold| fold.out_of_sample.net_usd > 0.0).count(),
            sharpe: returns.sharpe,
            sharpe_se: returns.sharpe_se,
            sortino: returns.sortino,
            calmar: returns.calmar,
            intervals: Intervals::of(&results, SEED),
            evidence: SharpeEvidence::of(&results, None),
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

fn processors(folds: &[FoldResult]) -> Vec<String> {
    let kinds: BTreeSet<&String> = folds.iter().map(|fold| &fold.processor).collect();
    kinds.into_iter().cloned().collect()
}

fn warnings(folds: &[FoldResult], origin: Origin) -> Vec<String> {
    let mut warnings: Vec<String> = origin.caution().map(str::to_owned).into_iter().collect();
    let kinds = processors(folds);
    if kinds.len() > 1 {
        warnings.push(format!(
            "folds were made on {} kinds of processors ({}): made anew on one, last digits may differ; --pin-processor",
            kinds.len(),
            kinds.join("; ")
        ));
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
    warnings.extend(untraded(folds));
    warnings
}

/// Explains the folds without a trade; where none had one, that is said of all together.
fn untraded(folds: &[FoldResult]) -> Vec<String> {
    let idle: Vec<&FoldResult> = folds.iter().filter(|fold| fold.out_of_sample.trades == 0).collect();
    if idle.len() == folds.len() {
        return Vec::new();
    }
    let why = |fold: &&FoldResult| {
        let reasons = fold.out_of_sample.blocked.why_no_trade().join(" ");
        format!("fold {} made no trade: {reasons}", fold.fold.fold)
    };
    idle.iter().map(why).collect()
}

/// Adds up what stood between rows and trades.
fn blocked<'a>(sides: impl Iterator<Item = &'a Side>) -> Blocked {
    sides.fold(Blocked::default(), |mut sum, side| {
        sum.add(&side.blocked);
        sum
    })
}

impl FoldResult {
    /// Says when and why the account died on rows that nothing had seen, if it did: `on day 3: account drawdown $201.02,
    /// limit $200.00`.
    pub fn died(&self) -> Option<String> {
        let side = &self.out_of_sample;
        let reached = side.account_died.as_ref()?;
        let more = match (side.deaths, side.days_dead) {
            (2.., _) => format!("; {} in all", words::count(side.deaths as u64, "death")),
            (_, 0) => String::new(),
            (_, days) => format!("; {} after it count for nothing", words::count(days as u64, "day")),
        };
        Some(format!("on day {}: {}{more}", reached.day, reached.sentence()))
    }
}

impl Outcome {
    /// Says in a line a fold which accounts died.
    pub fn deaths(&self) -> Vec<String> {
        let line =
            |fold: &FoldResult| Some(format!("fold {}: account died {}", fold.fold.fold, fold.died()?));
        self.folds.iter().filter_map(line).collect()
    }

    /// Says what came of it in a clause: `+$12.34 out of sample`.
    pub fn verdict(&self) -> String {
        match self.out_of_sample.trades {
            0 => "no trade out of sample".to_owned(),
            _ => format!("{} out of sample", words::signed_usd(self.out_of_sample.net_usd)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::folds::Fold;
    use mes_judge::reached::Reached;

    fn fold(number: usize, side: Side, days: &[[i64; 4]]) -> FoldResult {
        let span = json!({"from": "2026-11-01T23:00:00Z", "to": "2026-11-05T23:00:00Z", "sessions": 1});
        let fold: Fold = serde_json::from_value(json!({
            "kind": "fold", "v": 1, "fold": number, "train": span, "validate": span, "test": span, "until": "2026-11-05T23:00:00Z",
            "purge_s": 30, "embargo_s": 0
        }))
        .expect("a fold");
        let day = |[end, high, low, fall]: &[i64; 4]| super::super::fold::Day {
            date: Default::default(),
            start_cents: Cents(100_000),
            end_cents: Cents(*end),
            high_cents: Cents(*high),
            low_cents: Cents(*low),
            drawdown_cents: Cents(*fall),
            drawdown_ratio: *fall as f64 / 100_000.0,
        };
        FoldResult {
            kind: "fold_result".into(),
            v: 2,
            key: String::new(),
            processor: String::new(),
            fold,
            in_sample: Side { days: 20, net_usd: 400.0, net_per_day_usd: Some(20.0), ..Side::default() },
            out_of_sample: Side { days: days.len(), ..side },
            days: days.iter().map(day).collect(),
            origin: Origin::Recorded,
        }
    }

    fn traded() -> Side {
        Side { trades: 120, net_usd: 10.0, ..Side::default() }
    }

    #[test]
    fn a_fold_is_there_once() {
        let folds = |numbers: [usize; 3]| numbers.map(|number| fold(number, traded(), &[]));
        assert_eq!(super::super::twice(&folds([1, 2, 3])), None);
        assert_eq!(super::super::twice(&folds([1, 2, 2])), Some(2));
    }

    #[test]
    fn the_headline_has_the_drawdown_of_its_folds() {
        // Every day ends where it began or above: only bars know of $53.77.
        let folds = vec![
            fold(1, traded(), &[[100_500, 100_900, 99_800, 700]]),
            fold(2, traded(), &[[100_100, 100_200, 94_700, 5_377], [100_000, 100_000, 100_000, 0]]),
        ];
        let of = Stitched::of(&folds);
        assert!(of.max_drawdown_usd >= 53.77, "{}", of.max_drawdown_usd);
        assert!(of.max_drawdown_ratio > 0.053 && of.calmar.is_some(), "{of:?}");
    }

    #[test]
    fn a_dead_account_and_no_trade_are_explained() {
        let reached =
            Reached { rule: "kill_loss_usd".into(), ts: String::new(), day: 2, value: 301.0, limit: 300.0 };
        let dead = Side { account_died: Some(reached), deaths: 1, days_dead: 3, ..traded() };
        let blocked = Blocked { rows: 50, ..Blocked::default() };
        let idle = Side { blocked: blocked.clone(), ..Side::default() };
        let day = [[100_000, 100_000, 100_000, 0]];
        let folds = vec![fold(1, dead, &day), fold(2, idle.clone(), &day)];
        let outcome = Outcome::of(folds, Terms::default(), Value::Null);
        let deaths = outcome.deaths();
        assert_eq!(
            deaths,
            [
                "fold 1: account died on day 2: kill switch $301.00, limit $300.00; 3 days after it count for nothing"
            ]
        );
        let why = "fold 2 made no trade: None of 50 rows had a prediction (p_dir and p_conf).";
        assert!(outcome.warnings.iter().any(|warning| warning == why), "{:?}", outcome.warnings);
        let none = Outcome::of(
            vec![fold(1, idle.clone(), &day), fold(2, idle, &day)],
            Terms::default(),
            Value::Null,
        );
        assert_eq!(none.verdict(), "no trade out of sample");
        assert_eq!(
            none.out_of_sample.why_no_trade,
            ["None of 100 rows had a prediction (p_dir and p_conf)."]
        );
    }
}
