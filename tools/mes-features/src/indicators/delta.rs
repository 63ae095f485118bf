//! Volume delta: Σ(buy − sell)/Σv over 30 rows; 0 if nothing traded.
//!
//! Feature: `f_delta_30`, in [-1, 1]; only where bars carry `buy_volume` and `sell_volume`. Warm-up: 30 rows; a row
//! without sides makes the window null while it is within.
//! Source: signed volume as in Hasbrouck, Journal of Finance 46 (1991), by the sides that the exchange reports.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed, window::Sum};
use crate::row::Row;

const LENGTH: usize = 30;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "delta", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Delta::new(), places)
}

struct Delta {
    delta: Sum<LENGTH>,
    volume: Sum<LENGTH>,
    unknown: Sum<LENGTH>,
}

impl Delta {
    fn new() -> Self {
        Delta { delta: Sum::new(), volume: Sum::new(), unknown: Sum::new() }
    }
}

impl Indicator<1> for Delta {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            *self = Delta::new();
        }
        let delta = self.delta.push(row.delta.unwrap_or(0));
        let volume = self.volume.push(row.volume);
        let unknown = self.unknown.push(i64::from(row.delta.is_none()));
        let share = if volume == 0 { 0.0 } else { clip(delta as f64 / volume as f64) };
        [once(row.n >= LENGTH && unknown == 0, share)]
    }
}
