//! How busy the market is from second to second: the curve of the day times volatility that comes in clusters.
//!
//! ```text
//! log v  = D + S + F + N − ½ var(D + S + F)     D: the day, S: half-hours, F: minutes (AR(1)), N: news
//! sweeps = SWEEPS · curve · e^v                 orders that move the quote; their rate is the variance
//! orders = curve · e^(v + O − ½ var O)          orders that do not; O: flurries of some seconds (AR(1))
//! ```
//!
//! News is a jump of N that fades in two minutes, at 08:30, 10:00 or 14:00 on some days and at any time on others.

use super::rng::Rng;

const SWEEPS: f64 = 0.12;
const DAY_DEVIATION: f64 = 0.20;
const SLOW: Ar1 = Ar1 { seconds: 1800.0, deviation: 0.35 };
const FAST: Ar1 = Ar1 { seconds: 90.0, deviation: 0.45 };
const FLURRY: Ar1 = Ar1 { seconds: 15.0, deviation: 0.60 };
/// Second of the day, from 18:00, and how often news comes out at it.
const NEWS: [(usize, f64); 3] = [(52_200, 0.4), (57_600, 0.3), (72_000, 0.15)];
const NEWS_PER_SECOND: f64 = 1.0 / 12_000.0;
const NEWS_SECONDS: f64 = 120.0;
const NEWS_MOST: f64 = 2.5;

/// Expected orders in one second.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Those that leave the quote where it is.
    pub orders: f64,
    /// Those that take a whole level and move the quote.
    pub sweeps: f64,
}

/// Walks through the seconds of one day.
pub struct Intensity {
    rng: Rng,
    day: f64,
    slow: State,
    fast: State,
    flurry: State,
    news: f64,
    fade: f64,
}

impl Intensity {
    /// Draws the state of the first day.
    pub fn new(mut rng: Rng) -> Self {
        let square = |x: f64| x * x;
        let variance = square(DAY_DEVIATION) + square(SLOW.deviation) + square(FAST.deviation);
        Intensity {
            day: DAY_DEVIATION * rng.normal() - 0.5 * variance,
            slow: State::new(&SLOW, &mut rng),
            fast: State::new(&FAST, &mut rng),
            flurry: State::new(&FLURRY, &mut rng),
            news: 0.0,
            fade: libm::exp(-1.0 / NEWS_SECONDS),
            rng,
        }
    }

    /// Returns the rates of the next second, which is `second` of the day and has `curve` orders on average.
    pub fn step(&mut self, second: usize, curve: f64) -> Rates {
        self.news *= self.fade;
        if let Some((_, chance)) = NEWS.iter().find(|(at, _)| *at == second)
            && self.rng.coin(*chance)
        {
            self.news += 1.0 + 0.5 * self.rng.exponential();
        }
        if self.rng.coin(NEWS_PER_SECOND) {
            self.news += 0.6 * self.rng.exponential();
        }
        self.news = self.news.min(NEWS_MOST);
        let rng = &mut self.rng;
        let volatility = self.day + self.slow.step(rng) + self.fast.step(rng) + self.news;
        let flurry = self.flurry.step(rng) - 0.5 * FLURRY.deviation * FLURRY.deviation;
        let base = curve * libm::exp(volatility);
        Rates { orders: base * libm::exp(flurry), sweeps: SWEEPS * base }
    }
}

/// A stationary process of mean 0 that forgets with `seconds`: x ← φx + √(1 − φ²)·deviation·ε, φ = e^(−1/seconds).
pub struct Ar1 {
    pub seconds: f64,
    pub deviation: f64,
}

/// Where such a process stands.
pub struct State {
    value: f64,
    keep: f64,
    shock: f64,
}

impl State {
    /// Draws the first value from where the process spends its life.
    pub fn new(process: &Ar1, rng: &mut Rng) -> Self {
        let keep = libm::exp(-1.0 / process.seconds);
        let shock = process.deviation * (1.0 - keep * keep).sqrt();
        State { value: process.deviation * rng.normal(), keep, shock }
    }

    /// Moves on by a second and returns the value.
    pub fn step(&mut self, rng: &mut Rng) -> f64 {
        self.value = self.keep * self.value + self.shock * rng.normal();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volatility_clusters_about_the_curve() {
        let days = 40;
        let (mut sum, mut product, mut square, mut count) = (0.0, 0.0, 0.0, 0.0);
        for day in 0..days {
            let mut intensity = Intensity::new(Rng::new(3, day));
            let mut last = None;
            for second in 0..20_000 {
                let log = libm::log(intensity.step(second, 1.0).sweeps / SWEEPS);
                sum += libm::exp(log);
                square += log * log;
                product += last.unwrap_or(0.0) * log;
                last = Some(log);
                count += 1.0;
            }
        }
        let mean: f64 = sum / count;
        // News only adds, so the mean lies somewhat above the curve.
        assert!((0.9..1.3).contains(&mean), "{mean}");
        assert!(product / square > 0.9);
    }
}
