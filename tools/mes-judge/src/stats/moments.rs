//! What a sample of returns looks like: its Sharpe ratio and its shape.

/// The Sharpe ratio of a track record and what decides how sure of it one can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Mean over sample standard deviation (n − 1), per period.
    pub sharpe: f64,
    pub periods: f64,
    /// m₃/m₂^1.5 of the central moments of the sample, not corrected for its size.
    pub skewness: f64,
    /// m₄/m₂², 3 for a normal; not corrected either.
    pub kurtosis: f64,
}

impl Track {
    /// Measures returns, one a period; absent with fewer than two or without a spread.
    pub fn of(returns: &[f64]) -> Option<Track> {
        let periods = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / periods;
        let moment =
            |power: i32| returns.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / periods;
        let (second, third, fourth) = (moment(2), moment(3), moment(4));
        let deviation = (second * periods / (periods - 1.0)).sqrt();
        let track = Track {
            sharpe: mean / deviation,
            periods,
            skewness: third / (second * second.sqrt()),
            kurtosis: fourth / (second * second),
        };
        let known = track.sharpe.is_finite() && track.skewness.is_finite() && track.kurtosis.is_finite();
        // Equal values may have a spread of rounding errors.
        let differ = returns.windows(2).any(|pair| pair[0] != pair[1]);
        (differ && known).then_some(track)
    }

    /// Returns 1 − γ₃·SR + (γ₄ − 1)/4·SR²: by how much the shape of returns widens the error of their Sharpe ratio.
    /// Of a normal it is 1 + SR²/2.
    pub fn spread(&self) -> f64 {
        1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe * self.sharpe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    /// pypbo's test data, of annual returns over 5 % a year.
    #[test]
    fn sharpe_agrees_with_pypbo() {
        let annual = [0.259, 0.198, 0.364, -0.081, 0.057, 0.055, 0.188, 0.317, 0.24, 0.184, -0.01, 0.526];
        let excess: Vec<f64> = annual.iter().map(|value| value - 0.05).collect();
        close("sharpe", Track::of(&excess).expect("a track").sharpe, 0.834_364, 5e-7);
    }

    #[test]
    fn shape_by_hand() {
        // Deviations from 2: −2, −1, 0, 3; m₂ = 3.5, m₃ = 4.5, m₄ = 24.5.
        let track = Track::of(&[0.0, 1.0, 2.0, 5.0]).expect("a track");
        close("skewness", track.skewness, 4.5 / 3.5_f64.powf(1.5), 1e-15);
        close("kurtosis", track.kurtosis, 2.0, 1e-15);
        close("sharpe", track.sharpe, 2.0 / (14.0_f64 / 3.0).sqrt(), 1e-15);
    }

    #[test]
    fn nothing_is_said_without_a_spread() {
        for returns in [&[][..], &[0.1], &[0.1, 0.1, 0.1], &[0.0; 20]] {
            assert_eq!(Track::of(returns), None);
        }
    }
}
