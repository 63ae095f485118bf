//! `random`: entries by dice. With probability `rate` a row is UP or DOWN, evenly, with confidence 0.65, 0.75, 0.85
//! or 0.95, evenly; else FLAT with confidence 0. A row's dice are a hash of seed and `ts`, so nothing before it matters.

use mes_core::{bar::Bar, dice::splitmix64, time::Ts};
use mes_pipe::{Error, Result};
use serde_json::{Value, json};

use super::Rule;

const CONFIDENCES: [f32; 4] = [0.65, 0.75, 0.85, 0.95];

/// Calls a side by chance, at a rate.
pub struct Random {
    seed: u64,
    rate: f64,
}

impl Random {
    /// Makes the rule; a rate outside [0, 1] is an error.
    ///
    /// # Errors
    ///
    /// `Usage`, with the rate.
    pub fn new(seed: u64, rate: f64) -> Result<Random> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Random { seed, rate })
        } else {
            Err(Error::usage(format!("--rate {rate} is not between 0 and 1")))
        }
    }

    fn throw(&self, ts: Ts) -> (f32, f32) {
        let enter = splitmix64(splitmix64(self.seed) ^ ts as u64);
        // 53 bits: every value is exact in an f64.
        let unit = (enter >> 11) as f64 / (1_u64 << 53) as f64;
        if unit >= self.rate {
            return (0.0, 0.0);
        }
        let what = splitmix64(enter);
        let dir = if what & 1 == 0 { 1.0 } else { -1.0 };
        (dir, CONFIDENCES[(what >> 1 & 3) as usize])
    }
}

impl Rule for Random {
    fn decide(&mut self, bar: &Bar<f64>) -> Option<(f32, f32)> {
        Some(self.throw(bar.ts))
    }

    fn settings(&self) -> Value {
        json!({ "rule": "random", "seed": self.seed, "rate": self.rate })
    }
}

#[cfg(test)]
mod tests {
    use mes_core::time::SECOND;

    use super::*;

    #[test]
    fn throws_at_its_rate_evenly_and_the_same_again() {
        let rule = Random::new(7, 0.02).expect("a rate");
        let throws: Vec<_> = (0..200_000).map(|second| rule.throw(second * SECOND)).collect();
        let entries = || throws.iter().filter(|(dir, _)| *dir != 0.0);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        assert!((share(entries().count(), throws.len()) - 0.02).abs() < 0.0015);
        assert!(
            (share(entries().filter(|(dir, _)| *dir > 0.0).count(), entries().count()) - 0.5).abs() < 0.03
        );
        for confidence in CONFIDENCES {
            let there = entries().filter(|(_, conf)| *conf == confidence).count();
            assert!((share(there, entries().count()) - 0.25).abs() < 0.03);
        }
        assert_eq!(rule.throw(1_700_000_000 * SECOND), rule.throw(1_700_000_000 * SECOND));
        let other = Random::new(8, 0.02).expect("a rate");
        assert!((0..1000).any(|second| rule.throw(second * SECOND) != other.throw(second * SECOND)));
        assert!(Random::new(1, 1.5).is_err() && Random::new(1, f64::NAN).is_err());
    }
}
