//! Average true range of 14 rows after Wilder, in ticks, as x/(x + 4). True range: the larger of h − l, |h − c₋₁|,
//! |l − c₋₁|; h − l in the first row of a segment. Seeded with the mean of the first 14.
//!
//! Feature: `f_atr_14`, in [0, 1). Warm-up: 14 rows.
//! Source: Wilder, New Concepts in Technical Trading Systems (1978).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, level, once, placed};
use crate::row::Row;

const LENGTH: usize = 14;

pub const KIND: Kind = Kind { name: "atr", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Atr { sum: 0.0 }, places)
}

/// Fourteen times the average, and while it warms up the plain sum.
struct Atr {
    sum: f64,
}

impl Indicator<1> for Atr {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        // The close before lies at close − change; in the first row that is the close, within the range.
        let before = row.close - row.change;
        let range = row.high.max(before) - row.low.min(before);
        if row.n == 1 {
            self.sum = 0.0;
        } else if row.n > LENGTH {
            self.sum *= (LENGTH - 1) as f64 / LENGTH as f64;
        }
        self.sum += range as f64;
        [once(row.n >= LENGTH, level(self.sum * (1.0 / LENGTH as f64)))]
    }
}
