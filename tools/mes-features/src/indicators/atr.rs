//! Average true range of 14 rows after Wilder, in ticks, as x/(x + 4). True range: the larger of h − l, |h − c₋₁|,
//! |l − c₋₁|; h − l in the first row of a segment. Seeded with the mean of the first 14.
//!
//! Feature: `f_atr_14`, in [0, 1). Warm-up: 14 rows.
//! Source: Wilder, New Concepts in Technical Trading Systems (1978).

use mes_core::{interval::Interval, minutes::Wilder};

use super::{Columns, Indicator, Kind, Place, level, placed};
use crate::row::Row;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "atr", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Atr::default(), places)
}

#[derive(Default)]
struct Atr(Wilder);

impl Indicator<1> for Atr {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            self.0 = Wilder::default();
        }
        // The close before lies at close − change; in the first row that is the close, within the range.
        let before = row.close - row.change;
        let range = row.high.max(before) - row.low.min(before);
        [self.0.push(range).map_or(f64::NAN, level)]
    }
}
