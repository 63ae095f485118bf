//! Stochastic oscillator: where the close lies between the lowest low and the highest high of 14 rows; 0.5 if
//! they are equal. %D is the mean of three %K.
//!
//! Features: `f_stoch_k`, `f_stoch_d`, in [0, 1]. Warm-up: 14 rows and 16 rows.
//! Source: Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities (1984).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, once, placed, window::Fold};
use crate::row::Row;

const LENGTH: usize = 14;
const SMOOTH: usize = 3;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "stochastic", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Stochastic::new(), places)
}

struct Stochastic {
    high: Fold<i64, LENGTH>,
    low: Fold<i64, LENGTH>,
    /// %K of the last two rows.
    past: [f64; SMOOTH - 1],
}

impl Stochastic {
    fn new() -> Self {
        Stochastic { high: Fold::new(i64::MIN), low: Fold::new(i64::MAX), past: [f64::NAN; 2] }
    }
}

impl Indicator<2> for Stochastic {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 2] {
        if row.n == 1 {
            *self = Stochastic::new();
        }
        let high = self.high.push(row.high, i64::max);
        let low = self.low.push(row.low, i64::min);
        let place = if high == low { 0.5 } else { (row.close - low) as f64 / (high - low) as f64 };
        let k = once(row.n >= LENGTH, place);
        let d = (k + self.past[0] + self.past[1]) / SMOOTH as f64;
        self.past = [k, self.past[0]];
        [k, d]
    }
}
