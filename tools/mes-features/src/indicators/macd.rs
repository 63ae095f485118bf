//! Convergence and divergence of two averages: the histogram (EMA₁₂ − EMA₂₆) less its own EMA₉, as
//! clip(hist/(1.5σ)). Each average is seeded with its first value.
//!
//! Feature: `f_macd`, in [-1, 1]. Warm-up: 34 rows, and σ (61 rows).
//! Source: Appel, The Moving Average Convergence-Divergence Method (1979).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, ema::alpha, once, placed};
use crate::row::Row;

const FAST: usize = 12;
const SLOW: usize = 26;
const SIGNAL: usize = 9;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "macd", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Macd { fast: 0.0, slow: 0.0, signal: 0.0 }, places)
}

struct Macd {
    fast: f64,
    slow: f64,
    signal: f64,
}

impl Indicator<1> for Macd {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        let close = row.close as f64;
        if row.n == 1 {
            (self.fast, self.slow, self.signal) = (close, close, 0.0);
        }
        self.fast += alpha(FAST) * (close - self.fast);
        self.slow += alpha(SLOW) * (close - self.slow);
        let macd = self.fast - self.slow;
        self.signal += alpha(SIGNAL) * (macd - self.signal);
        [once(row.n >= SLOW + SIGNAL - 1, clip((macd - self.signal) * (row.per_sigma / 1.5)))]
    }
}
