//! Order-flow imbalance: the bars' `ofi` summed over 30 rows, against the sum of the sizes at both quotes, clipped.
//!
//! Feature: `f_ofi_30`, in [-1, 1]; only where bars carry `ofi` and quotes with sizes. Warm-up: 30 rows. Null while a
//! row of the window lacks them, without any size, and where the quote of this row is crossed.
//! Source: Cont, Kukanov and Stoikov (2014), Journal of Financial Econometrics 12.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed, quotes::spread, window::Sum};
use crate::row::Row;

const LENGTH: usize = 30;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "ofi", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Ofi::new(), places)
}

struct Ofi {
    flow: Sum<LENGTH>,
    depth: Sum<LENGTH>,
    unknown: Sum<LENGTH>,
}

impl Ofi {
    fn new() -> Self {
        Ofi { flow: Sum::new(), depth: Sum::new(), unknown: Sum::new() }
    }
}

impl Indicator<1> for Ofi {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 1] {
        if row.n == 1 {
            *self = Ofi::new();
        }
        let known = match (row.ofi, row.bid_size, row.ask_size) {
            (Some(flow), Some(bid), Some(ask)) => Some((flow, bid + ask)),
            _ => None,
        };
        let (flow, depth) = known.unwrap_or((0, 0));
        let (flow, depth) = (self.flow.push(flow), self.depth.push(depth));
        let unknown = self.unknown.push(i64::from(known.is_none()));
        let warm = row.n >= LENGTH && unknown == 0 && depth > 0 && spread(row).is_some();
        [once(warm, clip(flow as f64 / depth as f64))]
    }
}
