//! Bollinger position: clip((c − mean)/(4·sd)) over 20 rows; sd of the population, from integer sums; 0 if it is 0.
//! The bands at 2 sd are at ±0.5.
//!
//! Feature: `f_bb_20`, in [-1, 1]. Warm-up: 20 rows.
//! Source: Bollinger on Bollinger Bands (2001).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed, window::Sum};
use crate::row::Row;

const LENGTH: usize = 20;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "bollinger", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Bollinger { sum: Sum::new(), squares: Sum::new() }, places)
}

struct Bollinger {
    sum: Sum<LENGTH>,
    squares: Sum<LENGTH>,
}

impl Indicator<1> for Bollinger {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            (self.sum, self.squares) = (Sum::new(), Sum::new());
        }
        [once(
            row.n >= LENGTH,
            clip(
                0.25 * z(
                    row.close,
                    self.sum.push(row.close),
                    self.squares.push(row.close * row.close),
                    LENGTH,
                ),
            ),
        )]
    }
}

/// Returns (x − mean)/sd of `n` whole numbers from their sum and their sum of squares; 0 if sd is 0.
/// n²·variance = n·Σx² − (Σx)² is exact.
#[inline]
pub(super) fn z(x: i64, sum: i64, squares: i64, n: usize) -> f64 {
    let n = n as i64;
    match n * squares - sum * sum {
        0 => 0.0,
        spread => (n * x - sum) as f64 / (spread as f64).sqrt(),
    }
}
