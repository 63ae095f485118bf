//! Relative strength, centred: (G − L)/(G + L) of Wilder's averages of gains and losses over 14 rows; 0 if both
//! are 0. It is RSI/50 − 1.
//!
//! Feature: `f_rsi_14`, in [-1, 1]. Warm-up: 15 rows (14 changes, whose mean is the seed).
//! Source: Wilder, New Concepts in Technical Trading Systems (1978).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, once, placed};
use crate::row::Row;

const LENGTH: usize = 14;
const KEEP: f64 = (LENGTH - 1) as f64 / LENGTH as f64;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "rsi", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Rsi { gains: 0.0, losses: 0.0 }, places)
}

/// Both averages times 14, which leaves their ratio as it is.
struct Rsi {
    gains: f64,
    losses: f64,
}

impl Indicator<1> for Rsi {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            (self.gains, self.losses) = (0.0, 0.0);
        }
        let keep = if row.n <= LENGTH + 1 { 1.0 } else { KEEP };
        self.gains = self.gains * keep + row.change.max(0) as f64;
        self.losses = self.losses * keep - row.change.min(0) as f64;
        let both = self.gains + self.losses;
        let strength = if both == 0.0 { 0.0 } else { (self.gains - self.losses) / both };
        [once(row.n > LENGTH, strength)]
    }
}
