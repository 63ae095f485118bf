//! Volume delta where the sides are not known: every row's volume counts by its price change, Σ v·clip(Δc/2σ) / Σv
//! over 30 rows, each with the σ of its own row; 0 if nothing traded.
//!
//! Feature: `f_delta_bulk_30`, in [-1, 1]. Warm-up: 90 rows (30 with a σ).
//! Source: bulk volume classification, Easley, López de Prado and O'Hara (2012), with a clamp for the normal CDF.

use mes_core::interval::Interval;

use super::{
    Columns, Indicator, Kind, Place, clip, once, placed,
    sigma::WARM,
    window::{Fold, Sum},
};
use crate::row::Row;

const LENGTH: usize = 30;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "bulk", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Bulk::new(), places)
}

struct Bulk {
    signed: Fold<f64, LENGTH>,
    volume: Sum<LENGTH>,
}

impl Bulk {
    fn new() -> Self {
        Bulk { signed: Fold::new(0.0), volume: Sum::new() }
    }
}

impl Indicator<1> for Bulk {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            *self = Bulk::new();
        }
        if row.n < WARM {
            return [f64::NAN];
        }
        let signed = row.volume as f64 * clip(row.change as f64 * (0.5 * row.per_sigma));
        let signed = self.signed.push(signed, |a, b| a + b);
        let volume = self.volume.push(row.volume);
        let share = if volume == 0 { 0.0 } else { clip(signed / volume as f64) };
        [once(row.n >= WARM + LENGTH - 1, share)]
    }
}
