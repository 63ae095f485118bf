//! Volume-weighted average price since the segment began, and anew from 09:30 New York:
//! V = Σ(h + l + c)v / 3Σv.
//!
//! Features: gap `f_vwap_gap` = clip((c − V)/(4σ√(n/3))), slope `f_vwap_slope` = clip((V − V₋₆₀)√(3n)/(240σ)), with
//! n the rows since V began; in [-1, 1]. Both are in units of what a random walk does to its own average.
//! Warm-up: σ (61 rows), volume; the slope also 60 rows since V began.
//! Source: Berkowitz, Logue and Noser, Journal of Finance 43 (1988), with the typical price of each row.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed, window::Lag};
use crate::row::Row;

/// Rows over which the slope is taken.
const SLOPE_ROWS: usize = 60;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "vwap", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Vwap { past: Lag::new(SLOPE_ROWS), weighted: 0, volume: 0, rows: 0, rth: false }, places)
}

struct Vwap {
    past: Lag<f64>,
    weighted: i64,
    volume: i64,
    rows: usize,
    rth: bool,
}

impl Indicator<2> for Vwap {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 2] {
        if row.n == 1 || (row.rth && !self.rth) {
            (self.weighted, self.volume, self.rows) = (0, 0, 0);
        }
        self.rth = row.rth;
        self.rows += 1;
        self.volume += row.volume;
        // A day of the largest rows that can be would not fit; no market comes near.
        let weighted = (row.high + row.low + row.close) * row.volume;
        self.weighted = self.weighted.saturating_add(weighted);
        // 0/0 while there is no volume is NaN: not known.
        let average = self.weighted as f64 / (3 * self.volume) as f64;
        self.past.push(average);
        let root = ((3 * self.rows) as f64).sqrt();
        let gap = clip((row.close as f64 - average) * row.per_sigma * 0.75 / root);
        let rise = average - self.past.back(SLOPE_ROWS);
        let slope = clip(rise * root * row.per_sigma * (1.0 / (4.0 * SLOPE_ROWS as f64)));
        [gap, once(self.rows > SLOPE_ROWS, slope)]
    }
}
