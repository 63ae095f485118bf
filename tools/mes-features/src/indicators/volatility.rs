//! Volatility of 60 rows in ticks, three ways, each as x/(x + 4): realised √(Σd²/60); Parkinson
//! √(Σ(h − l)²/(4 ln 2·60)); Garman–Klass √max(0, Σ(0.5(h − l)² − (2 ln 2 − 1)(c − o)²)/60).
//!
//! Features: `f_rv_60`, `f_parkinson_60`, `f_gk_60`, in [0, 1). Warm-up: 61 rows (60 changes), 60, 60.
//! Sources: Parkinson (1980), Garman and Klass (1980), Journal of Business 53.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, level, once, placed, window::Sum};
use crate::row::Row;

const LENGTH: usize = 60;
/// 2 ln 2 − 1 as the feature set has it.
const GARMAN_KLASS: f64 = 0.386_294;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "volatility", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Volatility::new(), places)
}

struct Volatility {
    changes: Sum<LENGTH>,
    ranges: Sum<LENGTH>,
    bodies: Sum<LENGTH>,
}

impl Volatility {
    fn new() -> Self {
        Volatility { changes: Sum::new(), ranges: Sum::new(), bodies: Sum::new() }
    }
}

impl Indicator<3> for Volatility {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 3] {
        if row.n == 1 {
            *self = Volatility::new();
        }
        let square = |x: i64| x * x;
        // The first row's change is 0, as if it were not there.
        let changes = self.changes.push(square(row.change)) as f64;
        let ranges = self.ranges.push(square(row.high - row.low)) as f64;
        let bodies = self.bodies.push(square(row.close - row.open)) as f64;
        const PER_ROW: f64 = 1.0 / LENGTH as f64;
        const PARKINSON: f64 = PER_ROW / (4.0 * std::f64::consts::LN_2);
        let realised = level((changes * PER_ROW).sqrt());
        let parkinson = level((ranges * PARKINSON).sqrt());
        let garman_klass = level(((0.5 * ranges - GARMAN_KLASS * bodies).max(0.0) * PER_ROW).sqrt());
        let warm = row.n >= LENGTH;
        [once(row.n > LENGTH, realised), once(warm, parkinson), once(warm, garman_klass)]
    }
}
