//! The probabilistic Sharpe ratio: how likely the true ratio is above a benchmark.

use super::{moments::Track, normal};

/// Returns PSR(SR*) = Φ[(SR − SR*)·√(T − 1)/√(1 − γ₃SR + (γ₄ − 1)/4·SR²)]; absent where the root is not of a positive
/// number. Bailey and López de Prado (2012), "The Sharpe Ratio Efficient Frontier", Journal of Risk 15:2.
pub fn psr(track: &Track, benchmark: f64) -> Option<f64> {
    let spread = track.spread();
    let distance = (track.sharpe - benchmark) * (track.periods - 1.0).sqrt() / spread.sqrt();
    (spread > 0.0 && distance.is_finite()).then(|| normal::cdf(distance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    /// pypbo's test vector; T in place of T − 1 would give 0.91777.
    #[test]
    fn agrees_with_pypbo() {
        let track =
            Track { sharpe: 0.457_550_088_332_778_44, periods: 24.0, skewness: -2.448, kurtosis: 10.164 };
        close("psr", psr(&track, 0.0).expect("known"), 0.913_234_306_884_860_2, 1e-14);
    }

    /// quantstats corrects skewness and kurtosis for the size of the sample, as pandas does; the rest is the same.
    #[test]
    fn agrees_with_quantstats_given_its_moments() {
        let daily = [1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0].map(|percent| percent / 100.0);
        let plain = Track::of(&daily).expect("a track");
        let n = plain.periods;
        let skewness = plain.skewness * (n * (n - 1.0)).sqrt() / (n - 2.0);
        let excess = plain.kurtosis - 3.0;
        let excess = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0);
        let track = Track { skewness, kurtosis: excess + 3.0, ..plain };
        close("psr", psr(&track, 0.0).expect("known"), 0.609_890_310_247_954_9, 1e-13);
    }

    #[test]
    fn is_a_half_at_the_benchmark_and_absent_where_nothing_is_known() {
        let track = Track { sharpe: 0.1, periods: 250.0, skewness: 0.0, kurtosis: 3.0 };
        close("half", psr(&track, 0.1).expect("known"), 0.5, 0.0);
        assert_eq!(psr(&Track { skewness: 30.0, ..track }, 0.0), None);
        assert_eq!(psr(&Track { periods: 0.0, ..track }, 0.0), None);
    }
}
