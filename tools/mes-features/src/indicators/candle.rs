//! The shape of one bar: body (c − o)/(h − l), upper and lower wick as shares of h − l, direction sign(c − o). All are
//! 0 if h = l.
//!
//! Features: `f_dir`, `f_body` in [-1, 1]; `f_wick_up`, `f_wick_down` in [0, 1]. Warm-up: none.
//! Source: Nison, Japanese Candlestick Charting Techniques (1991), as shares in place of names.

use mes_core::interval::Interval;

use super::{Columns, Indicator, Kind, Place, placed};
use crate::row::Row;

/// How the set makes it.
pub const KIND: Kind = Kind { name: "candle", make };

fn make(_: Interval, places: &[Place]) -> Box<dyn Columns> {
    placed(Candle, places)
}

struct Candle;

impl Indicator<4> for Candle {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 4] {
        if row.high == row.low {
            return [0.0; 4];
        }
        let range = (row.high - row.low) as f64;
        let body = row.close - row.open;
        let up = row.high - row.open.max(row.close);
        let down = row.open.min(row.close) - row.low;
        [body.signum() as f64, body as f64 / range, up as f64 / range, down as f64 / range]
    }
}
