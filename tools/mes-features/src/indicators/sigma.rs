//! σ, the size of a typical change from row to row, in ticks: S ← λS + d², W ← λW + 1, σ = max(0.1, √(S/W)).
//!
//! d is the change of the close, λ halves a change's weight in 60 rows. Other indicators are measured in σ.
//! Feature: `f_sigma` = σ/(σ + 4), in [0, 1). Warm-up: 61 rows (60 changes).
//! Source: exponentially weighted variance as in RiskMetrics (1996), bias-free by its own weight.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, level, placed};
use crate::row::Row;

/// 2^(-1/60).
pub const LAMBDA: f64 = 0.988_514_020_352_896;
/// Row of a segment from which σ is known.
pub const WARM: usize = 61;

/// The state of σ; the engine keeps one and hands σ to all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sigma {
    squares: f64,
    weight: f64,
}

impl Sigma {
    /// Takes the `n`th row of a segment with its change and returns σ, NaN until warm.
    #[inline]
    pub fn step(&mut self, n: usize, change: i64) -> f64 {
        if n == 1 {
            *self = Sigma::default();
            return f64::NAN;
        }
        self.squares = LAMBDA * self.squares + (change * change) as f64;
        self.weight = LAMBDA * self.weight + 1.0;
        if n < WARM { f64::NAN } else { (self.squares / self.weight).sqrt().max(0.1) }
    }
}

/// How the set makes it.
pub const KIND: Kind = Kind { name: "sigma", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Level, places)
}

struct Level;

impl Indicator<1> for Level {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        [level(row.sigma)]
    }
}
