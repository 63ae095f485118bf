//! Volume against its recent past: clip(z/4) of this row among the last 30 (0 if all are equal), and the mean of 5
//! rows against that of 60, m₅/(m₅ + m₆₀) (0.5 if both are 0).
//!
//! Features: `f_vol_z_30` in [-1, 1], `f_vol_ratio` in [0, 1]. Warm-up: 30 rows and 60 rows.
//! Source: none; a z-score and a share.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, bollinger::z, clip, once, placed, window::Sum};
use crate::row::Row;

const Z: usize = 30;
const SHORT: usize = 5;
const LONG: usize = 60;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "volume", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Volume::new(), places)
}

struct Volume {
    sum: Sum<Z>,
    squares: Sum<Z>,
    short: Sum<SHORT>,
    long: Sum<LONG>,
}

impl Volume {
    fn new() -> Self {
        Volume { sum: Sum::new(), squares: Sum::new(), short: Sum::new(), long: Sum::new() }
    }
}

impl Indicator<2> for Volume {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 2] {
        if row.n == 1 {
            *self = Volume::new();
        }
        let v = row.volume;
        let score = clip(0.25 * z(v, self.sum.push(v), self.squares.push(v * v), Z));
        // Both means times 60.
        let short = self.short.push(v) * (LONG / SHORT) as i64;
        let long = self.long.push(v);
        let ratio = if long == 0 { 0.5 } else { short as f64 / (short + long) as f64 };
        [once(row.n >= Z, score), once(row.n >= LONG, ratio)]
    }
}
