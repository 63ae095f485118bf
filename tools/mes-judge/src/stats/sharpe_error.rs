//! The standard error of a Sharpe ratio, and how to annualise one when returns are correlated in time.

use super::moments::Track;

/// Returns √((1 + SR²/2)/T), the error for independent normal returns. Lo (2002), "The Statistics of Sharpe Ratios",
/// Financial Analysts Journal 58:4.
pub fn lo(sharpe: f64, periods: f64) -> f64 {
    ((1.0 + sharpe * sharpe / 2.0) / periods).sqrt()
}

/// Returns √((1 − γ₃SR + (γ₄ − 1)/4·SR²)/T), the error for independent returns of any shape. Mertens (2002); Opdyke
/// (2007), "Comparing Sharpe Ratios: So Where are the p-Values?". Absent where the root is not of a positive number.
pub fn mertens(track: &Track) -> Option<f64> {
    let error = (track.spread() / track.periods).sqrt();
    error.is_finite().then_some(error)
}

/// Returns η(q) = q/√(q + 2Σ_{k=1}^{q−1}(q − k)ρ_k): what a ratio per period is multiplied by to be one of q periods,
/// √q without correlation. `correlations[k − 1]` is ρ_k. Lo (2002).
pub fn eta(q: usize, correlations: impl Iterator<Item = f64>) -> f64 {
    let weighted: f64 = (1..q).zip(correlations).map(|(k, rho)| (q - k) as f64 * rho).sum();
    q as f64 / (q as f64 + 2.0 * weighted).sqrt()
}

/// Returns the autocorrelation of `values` at `lag`: Σ(xₜ − x̄)(xₜ₊ₗ − x̄)/Σ(xₜ − x̄)²; 0 without a spread.
pub fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let products: f64 =
        values.iter().zip(values.iter().skip(lag)).map(|(now, later)| (now - mean) * (later - mean)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    #[test]
    fn errors_of_lo() {
        for (sharpe, periods, want) in [
            (0.5, 12.0, 0.306_186_217_847_897_24),
            (1.0, 60.0, 0.158_113_883_008_418_97),
            (0.1, 250.0, 0.063_403_469_936_589_42),
        ] {
            close("Lo", lo(sharpe, periods), want, 1e-15);
            let normal = Track { sharpe, periods, skewness: 0.0, kurtosis: 3.0 };
            close("Mertens of a normal", mertens(&normal).expect("known"), want, 1e-15);
        }
        // A long tail to the left widens it: 1 + 0.5·2 + 7/4·0.25 = 2.4375.
        let crash = Track { sharpe: 0.5, periods: 100.0, skewness: -2.0, kurtosis: 8.0 };
        close("Mertens", mertens(&crash).expect("known"), 0.024_375_f64.sqrt(), 1e-15);
    }

    #[test]
    fn eta_of_first_order_correlation() {
        for (rho, q, want) in [
            (0.0, 12, 3.464_101_615_137_755),
            (0.0, 250, 15.811_388_300_841_896),
            (0.1, 12, 3.160_110_974_295_498),
            (0.1, 250, 14.307_720_904_349_123),
            (-0.1, 12, 3.797_873_228_479_709_4),
            (-0.1, 250, 17.473_089_061_191_526),
            (0.2, 12, 2.878_848_690_527_44),
            (0.2, 250, 12.920_716_240_994_556),
            (0.5, 12, 2.121_287_975_520_83),
            (0.5, 250, 9.153_150_324_227_656),
        ] {
            let powers = std::iter::successors(Some(rho), |last| Some(last * rho));
            close("eta", eta(q, powers), want, 1e-12);
        }
    }

    #[test]
    fn autocorrelation_by_hand() {
        // Deviations −1, 0, 1, 0: products at lag 1 are 0, 0, 0; at lag 2 −1, 0.
        let values = [1.0, 2.0, 3.0, 2.0];
        assert_eq!((autocorrelation(&values, 1), autocorrelation(&values, 2)), (0.0, -0.5));
        assert_eq!(autocorrelation(&[1.0, 1.0], 1), 0.0);
    }
}
