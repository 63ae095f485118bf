//! How long a record must be before its Sharpe ratio means something.

use super::{deflated::expected_maximum, moments::Track, normal};

/// Returns MinTRL = 1 + [1 − γ₃SR + (γ₄ − 1)/4·SR²]·(z_α/(SR − SR*))², in periods: the shortest record that rejects
/// a true ratio of `benchmark` or less with error `alpha`. Absent when the ratio is not above the benchmark.
/// Bailey and López de Prado (2012), "The Sharpe Ratio Efficient Frontier".
pub fn minimum_periods(track: &Track, benchmark: f64, alpha: f64) -> Option<f64> {
    let distance = normal::quantile(1.0 - alpha) / (track.sharpe - benchmark);
    (track.sharpe > benchmark).then(|| 1.0 + track.spread() * distance * distance)
}

/// Returns MinBTL = (E[max N]/SR)², in years: the shortest backtest at which the best of `trials` worthless trials is
/// not expected to reach `annual_sharpe`. Bailey, Borwein, López de Prado and Zhu (2014), "Pseudo-Mathematics and
/// Financial Charlatanism", Notices of the AMS 61:5.
pub fn minimum_backtest_years(trials: f64, annual_sharpe: f64) -> f64 {
    let ratio = expected_maximum(trials) / annual_sharpe;
    ratio * ratio
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    #[test]
    fn records_of_the_paper() {
        for (sharpe, benchmark, year, skewness, kurtosis, years) in [
            (2.0, 1.0, 250.0_f64, 0.0, 3.0, 2.731_187_801_728_176),
            (2.0, 1.0, 52.0, 0.0, 3.0, 2.828_833_586_945_237),
            (3.0, 2.5, 12.0, -0.72, 5.78, 27.352_920_196_040_3),
        ] {
            let track = Track { sharpe: sharpe / year.sqrt(), periods: 0.0, skewness, kurtosis };
            let periods = minimum_periods(&track, benchmark / year.sqrt(), 0.05).expect("above");
            close("MinTRL", periods / year, years, 1e-11);
        }
        let track = Track { sharpe: 0.1, periods: 0.0, skewness: 0.0, kurtosis: 3.0 };
        assert_eq!(minimum_periods(&track, 0.1, 0.05), None);
    }

    #[test]
    fn backtests_of_the_paper() {
        close("N = 45", minimum_backtest_years(45.0, 1.0), 4.998_087_004_443_404, 1e-11);
        close("N = 7", minimum_backtest_years(7.0, 1.0), 1.923_143_406_664_121, 1e-12);
        // The paper's bound 2·ln N/SR² lies above.
        assert!(minimum_backtest_years(45.0, 1.0) < 2.0 * libm::log(45.0));
    }
}
