//! What the Sharpe ratio of daily returns is worth: how likely it is above 0, how long the record would have to be, and
//! what is left of it after a search.

use serde::Serialize;

use crate::{
    facts::Facts,
    metrics::{
        finite,
        returns::{self, YEAR},
    },
    search::Searched,
    stats::{
        deflated::{benchmark, dsr},
        moments::Track,
        probabilistic::psr,
        sharpe_error::{autocorrelation, eta, mertens},
        track_record::minimum_periods,
    },
};

/// The error at which a record is long enough.
const ALPHA: f64 = 0.05;

/// What the Sharpe ratio of a run is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SharpeEvidence {
    pub days: usize,
    /// Of daily returns, raw kurtosis.
    pub skewness: f64,
    pub kurtosis: f64,
    /// The error of the annual ratio for returns of this shape (Mertens).
    pub sharpe_se: Option<f64>,
    /// The chance that the true ratio is above 0.
    pub psr: Option<f64>,
    /// Days that a record of this ratio and shape needs to show it is above 0, at 5 %; absent if it is not.
    pub minimum_days: Option<f64>,
    /// The annual ratio if the correlation of each day with the last lasts, ρₖ = ρ₁ᵏ (Lo's η).
    pub sharpe_correlated: Option<f64>,
    pub searched: Option<Searched>,
    /// The annual ratio that the best of as many worthless trials is expected to show.
    pub expected_best: Option<f64>,
    /// The chance that the true ratio is above 0 given the search (deflated).
    pub dsr: Option<f64>,
}

impl SharpeEvidence {
    /// Works on the daily returns of a run; `searched` is what it is the best of.
    pub fn of(facts: &Facts, searched: Option<Searched>) -> Option<SharpeEvidence> {
        let daily = returns::daily(&facts.days)?;
        let track = Track::of(&daily)?;
        let rho = autocorrelation(&daily, 1);
        let powers = std::iter::successors(Some(rho), |last| Some(last * rho));
        let best = searched.map(|search| benchmark(search.sharpe_variance, search.trials as f64));
        Some(SharpeEvidence {
            days: daily.len(),
            skewness: track.skewness,
            kurtosis: track.kurtosis,
            sharpe_se: mertens(&track).map(|error| error * YEAR.sqrt()),
            psr: psr(&track, 0.0),
            minimum_days: minimum_periods(&track, 0.0, ALPHA).and_then(finite),
            sharpe_correlated: finite(track.sharpe * eta(YEAR as usize, powers)),
            searched,
            expected_best: best.map(|best| best * YEAR.sqrt()),
            dsr: searched.and_then(|search| dsr(&track, search.sharpe_variance, search.trials as f64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_search_deflates() {
        let nets: Vec<i64> = (0..250).map(|index| index * 7919 % 3001 - 1300).collect();
        let facts = sample::facts(&nets);
        let alone = SharpeEvidence::of(&facts, None).expect("known");
        assert_eq!((alone.dsr, alone.searched), (None, None));
        let searched = Searched { trials: 100, sharpe_variance: 0.002, holdout_looks: 0 };
        let best = SharpeEvidence::of(&facts, Some(searched)).expect("known");
        assert!(best.dsr < alone.psr && best.dsr > Some(0.0), "{best:?}");
        // √0.002·2.5306·√252.
        assert!((best.expected_best.expect("known") - 1.796_56).abs() < 1e-4, "{best:?}");
        assert_eq!(SharpeEvidence::of(&sample::facts(&[]), None), None);
        assert_eq!(SharpeEvidence::of(&sample::facts(&[0, 0, 0]), None), None);
    }
}
