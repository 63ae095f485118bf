//! Daily returns and what is made of them.
//!
//! A return is the day's change of equity over the equity at its start, for every trading day of the data, those
//! without a trade included. Standard deviations are of a sample (n − 1), a year has 252 days, the risk-free rate
//! is 0. Conventions are those of empyrical and quantstats, whose values the tests hold.

use serde::Serialize;

use super::{finite, mean, ratio};
use crate::recorder::Results;

/// Trading days in a year.
const YEAR: f64 = 252.0;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Returns {
    pub days: usize,
    pub total_ratio: Option<f64>,
    pub mean_daily_ratio: Option<f64>,
    pub sd_daily_ratio: Option<f64>,
    /// A year at this pace, compounded.
    pub annual_ratio: Option<f64>,
    pub sharpe: Option<f64>,
    /// Plain standard error of the Sharpe ratio.
    pub sharpe_se: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
}

impl Returns {
    /// Computes from the days of a run. An equity of 0 or less leaves no return to speak of.
    pub fn of(results: &Results) -> Returns {
        let daily: Option<Vec<f64>> = results
            .days
            .iter()
            .map(|day| {
                let (start, end) = (day.start_cents.0, day.end_cents.0);
                (start > 0).then(|| end as f64 / start as f64 - 1.0)
            })
            .collect();
        let mut returns = Returns::of_daily(&daily.unwrap_or_default());
        returns.days = results.days.len();
        returns
    }

    /// Computes from daily returns; 0.01 is one percent.
    pub fn of_daily(daily: &[f64]) -> Returns {
        let growth: f64 = daily.iter().map(|daily| 1.0 + daily).product();
        let average = mean(daily);
        let deviation = deviation(daily);
        let annual = (!daily.is_empty())
            .then(|| libm::pow(growth.max(0.0), YEAR / daily.len() as f64) - 1.0)
            .and_then(finite);
        let per_day = average.zip(deviation).filter(|(_, sd)| *sd > 0.0).and_then(|(m, sd)| ratio(m, sd));
        Returns {
            days: daily.len(),
            total_ratio: (!daily.is_empty()).then_some(growth - 1.0),
            mean_daily_ratio: average,
            sd_daily_ratio: deviation,
            annual_ratio: annual,
            sharpe: per_day.map(|sharpe| sharpe * YEAR.sqrt()),
            sharpe_se: per_day.map(|sharpe| standard_error(sharpe, daily.len()) * YEAR.sqrt()),
            sortino: average.zip(downside(daily)).and_then(|(m, down)| ratio(m * YEAR.sqrt(), down)),
            calmar: annual.zip(deepest(daily)).and_then(|(annual, fall)| ratio(annual, fall)),
        }
    }
}

/// Returns the sample standard deviation of two or more values.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Returns the root of the mean square of the losses, over all days; absent without a loss.
fn downside(daily: &[f64]) -> Option<f64> {
    let squares: f64 = daily.iter().map(|daily| daily.min(0.0) * daily.min(0.0)).sum();
    (squares > 0.0).then(|| (squares / daily.len() as f64).sqrt())
}

/// Returns the greatest fall from a peak of the compounded days, as a share of it; absent without a fall.
pub fn deepest(daily: &[f64]) -> Option<f64> {
    let (mut equity, mut peak, mut fall) = (1.0_f64, 1.0_f64, 0.0_f64);
    for daily in daily {
        equity *= 1.0 + daily;
        peak = peak.max(equity);
        fall = fall.max(1.0 - equity / peak);
    }
    (fall > 0.0).then_some(fall)
}

/// Returns √((1 + SR²/2)/T) for a Sharpe ratio per period over T periods: Lo (2002), "The Statistics of Sharpe
/// Ratios", for independent returns.
fn standard_error(sharpe: f64, periods: usize) -> f64 {
    ((1.0 + sharpe * sharpe / 2.0) / periods as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of empyrical-reloaded 0.7.1 and quantstats 0.0.86. Calmar is the latter's: empyrical's published
    /// 19.1359 counts an empty first day, n = 9 in place of 8.
    #[test]
    fn agree_with_the_published_packages() {
        let daily = [1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0].map(|percent| percent / 100.0);
        let returns = Returns::of_daily(&daily);
        for (name, got, want, within) in [
            ("sharpe", returns.sharpe, 1.723_861_396_17, 1e-11),
            ("sortino", returns.sortino, 2.605_531_251_67, 1e-11),
            ("drawdown", deepest(&daily), 0.10, 1e-12),
            ("calmar", returns.calmar, 23.3029, 1e-4),
        ] {
            let got = got.expect(name);
            assert!((got - want).abs() < within, "{name}: {got}");
        }
        // √((1 + 1.72386²/252/2)/8)·√252.
        assert!((returns.sharpe_se.expect("known") - 5.629_008_0).abs() < 1e-6, "{:?}", returns.sharpe_se);
    }

    #[test]
    fn an_empty_first_day_explains_the_other_published_calmar() {
        let daily = [0.0, 0.01, 0.1, -0.04, 0.02, 0.03, 0.02, 0.01, -0.1];
        let calmar = Returns::of_daily(&daily).calmar.expect("known");
        assert!((calmar - 19.1359).abs() < 1e-4, "{calmar}");
    }

    #[test]
    fn what_cannot_be_known_is_absent() {
        let none = Returns::of_daily(&[]);
        assert_eq!((none.sharpe, none.sortino, none.calmar, none.total_ratio), (None, None, None, None));
        let one = Returns::of_daily(&[0.01]);
        assert_eq!((one.sharpe, one.sd_daily_ratio, one.calmar), (None, None, None));
        let flat = Returns::of_daily(&[0.0, 0.0, 0.0]);
        assert_eq!((flat.sharpe, flat.sortino, flat.calmar), (None, None, None));
        let rising = Returns::of_daily(&[0.01, 0.02]);
        assert!(rising.sharpe.is_some() && rising.sortino.is_none() && rising.calmar.is_none());
        assert_eq!(Returns::of_daily(&[1e6]).annual_ratio, None);
    }
}
