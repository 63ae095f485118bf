//! Daily returns and what is made of them.
//!
//! A return is the day's change of equity over the equity at its start, for every trading day of the data, those
//! without a trade included. Standard deviations are of a sample (n − 1), a year has 252 days, the risk-free rate
//! is 0. Conventions are those of empyrical and quantstats, whose values the tests hold.

use serde::Serialize;

use super::{drawdown::Fall, finite, mean, ratio};
use crate::{
    facts::{DayResult, Facts},
    stats::sharpe_error,
};

/// Trading days in a year.
pub const YEAR: f64 = 252.0;

/// Returns of days, as shares of the equity that each began with.
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
    /// The annual return over the greatest fall of equity, bar by bar, as a share of its peak.
    pub calmar: Option<f64>,
    /// What the winning days returned over what the losing ones did: Omega at a threshold of 0.
    pub omega: Option<f64>,
}

impl Returns {
    /// Computes from the days of a run. An equity of 0 or less leaves no return to speak of.
    pub fn of(facts: &Facts) -> Returns {
        let mut returns = Returns::of_daily(&daily(&facts.days).unwrap_or_default());
        returns.days = facts.days.len();
        let fall = Some(Fall::over(&facts.days).ratio).filter(|fall| *fall > 0.0);
        returns.calmar = returns.annual_ratio.zip(fall).and_then(|(annual, fall)| ratio(annual, fall));
        returns
    }

    /// Computes from daily returns; 0.01 is one percent. They do not know how far equity fell within a day, so there is no
    /// Calmar ratio.
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
            sharpe_se: per_day.map(|sharpe| sharpe_error::lo(sharpe, daily.len() as f64) * YEAR.sqrt()),
            // A single day says no more of it than of a Sharpe ratio.
            sortino: average
                .zip(downside(daily).filter(|_| daily.len() > 1))
                .and_then(|(m, down)| ratio(m * YEAR.sqrt(), down)),
            calmar: None,
            omega: omega(daily),
        }
    }
}

/// Returns the return of every day; absent where equity was 0 or less at the start of one.
pub fn daily(days: &[DayResult]) -> Option<Vec<f64>> {
    let of = |day: &DayResult| {
        let (start, end) = (day.start_cents.0, day.end_cents.0);
        (start > 0).then(|| end as f64 / start as f64 - 1.0)
    };
    days.iter().map(of).collect()
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

/// Returns Σ of the gains over Σ of the losses; absent without a loss. Keating and Shadwick (2002), "A Universal
/// Performance Measure", at a threshold of 0.
fn omega(daily: &[f64]) -> Option<f64> {
    let gains: f64 = daily.iter().map(|daily| daily.max(0.0)).sum();
    let losses: f64 = daily.iter().map(|daily| (-daily).max(0.0)).sum();
    ratio(gains, losses)
}

#[cfg(test)]
mod tests {
    use mes_core::money::Cents;

    use super::*;
    use crate::sample;

    /// The values of empyrical-reloaded 0.7.1 and quantstats 0.0.86.
    #[test]
    fn agree_with_the_published_packages() {
        let daily = [1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0].map(|percent| percent / 100.0);
        let returns = Returns::of_daily(&daily);
        for (name, got, want, within) in [
            ("sharpe", returns.sharpe, 1.723_861_396_17, 1e-11),
            ("sortino", returns.sortino, 2.605_531_251_67, 1e-11),
            ("annual", returns.annual_ratio, 2.330_292_797_300_439, 1e-12),
            ("omega", returns.omega, 1.357_142_857_142_857, 1e-13),
        ] {
            let got = got.expect(name);
            assert!((got - want).abs() < within, "{name}: {got}");
        }
        // √((1 + 1.72386²/252/2)/8)·√252.
        assert!((returns.sharpe_se.expect("known") - 5.629_008_0).abs() < 1e-6, "{:?}", returns.sharpe_se);
    }

    /// Days of one step each: what quantstats calls Calmar. empyrical's published 19.1359 counts an empty first day.
    #[test]
    fn calmar_of_days_of_one_step_agrees_with_the_published_packages() {
        let days = |percents: &[i64]| {
            let mut equity = 1e9;
            let of = |percent: &i64| {
                let start = equity;
                equity *= 1.0 + *percent as f64 / 100.0;
                DayResult::of_ends(Default::default(), Cents(start as i64), Cents(equity as i64))
            };
            Facts { days: percents.iter().map(of).collect(), ..Facts::default() }
        };
        let published = [1, 10, -4, 2, 3, 2, 1, -10];
        let calmar = |percents: &[i64]| Returns::of(&days(percents)).calmar.expect("known");
        assert!((calmar(&published) - 23.302_927_973_004_394).abs() < 1e-4, "{}", calmar(&published));
        let late: Vec<i64> = std::iter::once(0).chain(published).collect();
        assert!((calmar(&late) - 19.135_925_373_194_59).abs() < 1e-4, "{}", calmar(&late));
    }

    /// $100 down and back within a day that ends $1 up: the day's end knows nothing of it.
    #[test]
    fn calmar_knows_what_the_end_of_a_day_does_not() {
        let mut facts = sample::facts(&[100, 100, -50]);
        let before = Returns::of(&facts).calmar.expect("known");
        facts.days[1].low_cents = facts.days[1].start_cents - Cents(10_000);
        let after = Returns::of(&facts).calmar.expect("known");
        assert!(after < before / 100.0, "{before} {after}");
    }

    /// pypbo's test data, of the article it took them from.
    #[test]
    fn sortino_agrees_with_pypbo() {
        let annual = [0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04];
        let sortino = Returns::of_daily(&annual).sortino.expect("known") / YEAR.sqrt();
        assert!((sortino - 4.417_261).abs() < 5e-7, "{sortino}");
    }

    #[test]
    fn what_cannot_be_known_is_absent() {
        let none = Returns::of_daily(&[]);
        assert_eq!((none.sharpe, none.sortino, none.total_ratio), (None, None, None));
        let one = Returns::of_daily(&[0.01]);
        assert_eq!((one.sharpe, one.sd_daily_ratio), (None, None));
        let flat = Returns::of_daily(&[0.0, 0.0, 0.0]);
        assert_eq!((flat.sharpe, flat.sortino), (None, None));
        assert_eq!(Returns::of(&sample::facts(&[0, 0])).calmar, None);
        let rising = Returns::of_daily(&[0.01, 0.02]);
        assert!(rising.sharpe.is_some() && rising.sortino.is_none());
        assert_eq!(Returns::of_daily(&[1e6]).annual_ratio, None);
    }
}
