//! Rate of change of on-balance volume: Σ sign(Δc)·v / Σv over 30 rows; 0 if nothing traded.
//!
//! Feature: `f_obv_roc_30`, in [-1, 1]. Warm-up: 31 rows (30 changes).
//! Source: Granville, Granville's New Key to Stock Market Profits (1963).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, once, placed, window::Sum};
use crate::row::Row;

const LENGTH: usize = 30;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "obv", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Obv { signed: Sum::new(), volume: Sum::new() }, places)
}

struct Obv {
    signed: Sum<LENGTH>,
    volume: Sum<LENGTH>,
}

impl Indicator<1> for Obv {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            // The first row has no change, so it is in no window.
            (self.signed, self.volume) = (Sum::new(), Sum::new());
            return [f64::NAN];
        }
        let signed = self.signed.push(row.change.signum() * row.volume);
        let volume = self.volume.push(row.volume);
        let share = if volume == 0 { 0.0 } else { signed as f64 / volume as f64 };
        [once(row.n > LENGTH, share)]
    }
}
