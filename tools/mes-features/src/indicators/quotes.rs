//! The quote at the close: spread s/(s + 2) in ticks; queue imbalance (b − a)/(b + a); gap of the microprice to the
//! mid in half spreads. The microprice weighs each side's price by the other side's size.
//!
//! Features: `f_spread` in [0, 1), `f_queue` and `f_micro` in [-1, 1]; only where bars carry quotes and sizes.
//! Warm-up: none. Null without a quote, if it is crossed, without any size; `f_micro` also if bid = ask.
//! Sources: Gould and Bonart (2016); Stoikov (2018).

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, clip, once, placed};
use crate::row::Row;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "quotes", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Quotes, places)
}

/// Returns the spread in ticks, or `None` without a quote or if it is crossed.
pub(super) fn spread(row: &Row) -> Option<i64> {
    Some(row.ask? - row.bid?).filter(|spread| *spread >= 0)
}

struct Quotes;

impl Indicator<3> for Quotes {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 3] {
        let Some(ticks) = spread(row) else { return [f64::NAN; 3] };
        let width = ticks as f64;
        let wide = width / (width + 2.0);
        let (Some(bid), Some(ask), Some(bid_size), Some(ask_size)) =
            (row.bid, row.ask, row.bid_size, row.ask_size)
        else {
            return [wide, f64::NAN, f64::NAN];
        };
        let sizes = (bid_size + ask_size) as f64;
        // 0/0 with empty queues is NaN: not known.
        let queue = (bid_size - ask_size) as f64 / sizes;
        let micro = (bid * ask_size + ask * bid_size) as f64 / sizes;
        let mid = (bid + ask) as f64 * 0.5;
        [wide, queue, once(ticks > 0, clip((micro - mid) / (width * 0.5)))]
    }
}
