//! Exponential moving averages of the close: the gap of the close to each, clip((c − EMA)/(2σ√n)), and of a fast
//! one to a slow one, clip((EMAₐ − EMA_b)/(σ√b)). α = 2/(n + 1), seeded with the first close.
//!
//! Features: `f_ema_9 f_ema_21 f_ema_50 f_ema_200`, `f_ema_9_21 f_ema_21_50 f_ema_50_200`, in [-1, 1].
//! Warm-up: n rows, and σ (61 rows).
//! Source: Roberts, Technometrics 1 (1959); in units of σ so that it means the same on calm and on wild days.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed};
use crate::row::Row;

const LENGTHS: [usize; 4] = [9, 21, 50, 200];

/// How the set makes it.
pub const KIND: Kind = Kind { name: "ema", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    let roots = LENGTHS.map(|n| 1.0 / (n as f64).sqrt());
    placed(Emas { averages: [0.0; 4], alphas: LENGTHS.map(alpha), roots }, places)
}

/// Returns the weight of the newest value in an average over `n` rows.
pub fn alpha(n: usize) -> f64 {
    2.0 / (n as f64 + 1.0)
}

struct Emas {
    averages: [f64; 4],
    alphas: [f64; 4],
    /// 1/√n.
    roots: [f64; 4],
}

impl Indicator<7> for Emas {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 7] {
        let close = row.close as f64;
        if row.n == 1 {
            self.averages = [close; 4];
        }
        for (average, alpha) in self.averages.iter_mut().zip(self.alphas) {
            *average += alpha * (close - *average);
        }
        let gap = |k: usize| clip((close - self.averages[k]) * (row.per_sigma * 0.5 * self.roots[k]));
        let cross =
            |k: usize| clip((self.averages[k] - self.averages[k + 1]) * (row.per_sigma * self.roots[k + 1]));
        // σ warms up after all but the longest.
        let long = row.n >= LENGTHS[3];
        [gap(0), gap(1), gap(2), once(long, gap(3)), cross(0), cross(1), once(long, cross(2))]
    }
}
