//! Whether the days are enough for so many trials: with enough trials something shines on any few days.

use serde::Serialize;

use super::judged::Judged;
use mes_judge::{
    metrics::{finite, returns::YEAR},
    search::Searched,
    stats::track_record::minimum_backtest_years,
    words::{self, two},
};

/// The length of the record beside that which so many trials ask for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// All on these rows, of this search and others in the ledger.
    pub trials: usize,
    /// The best trial's, a year.
    pub sharpe: f64,
    /// The best of so many worthless trials is expected to show that ratio on any shorter record (MinBTL).
    pub minimum_years: f64,
    pub years: f64,
}

impl Record {
    /// Compares the days of the best trial with those that its ratio needs; absent when that is not above 0.
    pub fn of(searched: Searched, best: &Judged) -> Option<Record> {
        let sharpe = best.sharpe.filter(|sharpe| *sharpe > 0.0)?;
        let trials = searched.trials;
        let minimum_years = finite(minimum_backtest_years(trials as f64, sharpe))?;
        Some(Record { trials, sharpe, minimum_years, years: best.days as f64 / YEAR })
    }

    /// Says it in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{}: even worthless ones would show a Sharpe of {} on a record shorter than {} years; this one is {} long",
            words::count(self.trials as u64, "trial"),
            two(self.sharpe),
            two(self.minimum_years),
            two(self.years)
        )
    }
}

#[cfg(test)]
mod tests {
    use mes_core::money::Cents;

    use super::*;
    use crate::optimize::sample::trial;

    #[test]
    fn many_trials_need_a_long_record() {
        let days: Vec<i64> = (0..126).map(|day| day * 7919 % 3001 - 1300).collect();
        let best = Judged::of(&trial("a", 1, &[], 0.1, &days), None, Cents(100_000));
        let searched = |trials| Searched { trials, sharpe_variance: 0.0, holdout_looks: 0 };
        let one = Judged { sharpe: Some(1.0), ..best.clone() };
        let record = Record::of(searched(45), &one).expect("known");
        assert_eq!(
            record.sentence(),
            "45 trials: even worthless ones would show a Sharpe of 1.00 on a record shorter than 5.00 years; this one is \
             0.50 long"
        );
        assert_eq!(Record::of(searched(1), &one).map(|record| record.minimum_years), Some(0.0));
        for sharpe in [None, Some(-1.0), Some(0.0)] {
            assert_eq!(Record::of(searched(45), &Judged { sharpe, ..best.clone() }), None);
        }
    }
}
