//! Returns over k seconds in units of what a random walk of the same σ would do: clip((c − c₋ₖ)/(4σ√k)).
//!
//! Features: `f_ret_1 f_ret_5 f_ret_10 f_ret_30 f_ret_60`, in [-1, 1]. Warm-up: σ (61 rows), and k seconds.
//! A k that the rows' interval does not divide is absent.
//! Source: none; a z-score of a return under a random walk, cut at four standard deviations.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed, window::Lag};
use crate::row::Row;

/// The seconds looked back.
pub const SECONDS: [i64; 5] = [1, 5, 10, 30, 60];

/// How the set makes it.
pub const KIND: Kind = Kind { name: "returns", make };

fn make(interval: Interval, places: &[Place]) -> Box<dyn Columns> {
    let rows = SECONDS.map(|seconds| interval.rows_in(seconds).unwrap_or(0));
    let longest = rows.into_iter().max().unwrap_or(0);
    let looks = rows.map(|rows| (rows, 1.0 / (4.0 * (rows as f64).sqrt())));
    placed(Returns { closes: Lag::new(longest), looks }, places)
}

struct Returns {
    closes: Lag<i64>,
    /// Rows to look back, and the factor beside 1/σ.
    looks: [(usize, f64); 5],
}

impl Indicator<5> for Returns {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 5] {
        self.closes.push(row.close);
        self.looks.map(|(rows, factor)| {
            let change = row.close - self.closes.back(rows);
            once(row.n > rows, clip(change as f64 * (row.per_sigma * factor)))
        })
    }
}
