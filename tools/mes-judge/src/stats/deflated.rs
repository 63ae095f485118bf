//! The deflated Sharpe ratio: what is left of the best of many trials once it is compared with what the best of as
//! many worthless ones would have shown. Bailey and López de Prado (2014), "The Deflated Sharpe Ratio", Journal of
//! Portfolio Management 40:5.

use std::f64::consts::E;

use super::{moments::Track, normal, probabilistic::psr};

/// The constant of Euler and Mascheroni.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// Returns the expected greatest of `trials` independent standard normals, (1 − γ)Φ⁻¹(1 − 1/N) + γΦ⁻¹(1 − 1/(Ne));
/// 0 for a single one.
pub fn expected_maximum(trials: f64) -> f64 {
    if trials <= 1.0 {
        return 0.0;
    }
    (1.0 - GAMMA) * normal::quantile(1.0 - 1.0 / trials) + GAMMA * normal::quantile(1.0 - 1.0 / (trials * E))
}

/// Returns SR₀ = √V[SRₙ]·E[max N]: the Sharpe ratio per period that the best of `trials` worthless trials is expected
/// to show; `variance` is that of the trials' Sharpe ratios per period.
pub fn benchmark(variance: f64, trials: f64) -> f64 {
    variance.max(0.0).sqrt() * expected_maximum(trials)
}

/// Returns DSR = PSR(SR₀).
pub fn dsr(track: &Track, variance: f64, trials: f64) -> Option<f64> {
    psr(track, benchmark(variance, trials))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    #[test]
    fn expected_maxima_are_those_published() {
        for (trials, want) in [
            (2.0, 0.519_755_344_280_593_9),
            (5.0, 1.192_594_001_014_789_3),
            (7.0, 1.386_774_461_354_160_2),
            (10.0, 1.574_598_301_345_75),
            (45.0, 2.235_640_177_766_405_2),
            (46.0, 2.244_170_830_841_041),
            (88.0, 2.485_294_787_590_927),
            (100.0, 2.530_602_893_201_684_6),
            (1000.0, 3.255_121_513_652_723),
        ] {
            close("maximum", expected_maximum(trials), want, 1e-12);
        }
        assert_eq!((expected_maximum(1.0), expected_maximum(0.0)), (0.0, 0.0));
    }

    /// The three statements of the paper: an annual ratio of 2.5 over 1,250 days of 250 a year, variance 0.5 a year.
    #[test]
    fn the_papers_example() {
        for (trials, skewness, kurtosis, sr0, want) in [
            (100.0, -3.0, 10.0, 0.113_172_001_865_132_14, 0.900_396_834_449_390_3),
            (46.0, -3.0, 10.0, 0.100_362_370_617_653_57, 0.950_501_706_875_578_7),
            (88.0, 0.0, 3.0, 0.111_145_761_783_584_26, 0.950_490_816_676_013_9),
        ] {
            let track = Track { sharpe: 2.5 / 250.0_f64.sqrt(), periods: 1250.0, skewness, kurtosis };
            close("SR0", benchmark(0.5 / 250.0, trials), sr0, 1e-14);
            close("DSR", dsr(&track, 0.5 / 250.0, trials).expect("known"), want, 1e-13);
        }
    }

    #[test]
    fn one_trial_is_not_deflated() {
        let track = Track { sharpe: 0.1, periods: 250.0, skewness: 0.0, kurtosis: 3.0 };
        assert_eq!(dsr(&track, 0.5, 1.0), psr(&track, 0.0));
    }
}
