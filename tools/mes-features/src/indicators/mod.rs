//! One indicator, one file. Each is a pure step from row to row, costs the same for every row, and restarts with
//! a segment. A value that is not known yet is NaN here and null outside.

pub mod atr;
pub mod bollinger;
pub mod bulk;
pub mod candle;
pub mod delta;
pub mod ema;
pub mod frames;
pub mod macd;
pub mod obv;
pub mod ofi;
pub mod quotes;
pub mod returns;
pub mod rsi;
pub mod sigma;
pub mod stochastic;
pub mod time;
pub mod volatility;
pub mod volume;
pub mod vwap;
mod window;

use mes_core::interval::Interval;

use crate::row::Row;

/// Rows worked on at a time: their columns stay in the first-level cache.
pub const TILE: usize = 64;

/// N values a row.
pub trait Indicator<const N: usize> {
    /// Takes the next row. The row with `n` = 1 begins a segment: what came before it is forgotten.
    fn step(&mut self, row: &Row) -> [f64; N];
}

/// An indicator of any width over a tile of rows.
pub trait Columns: Send {
    /// Appends the values of up to [`TILE`] rows to the columns that were asked for.
    fn run(&mut self, rows: &[Row], columns: &mut [Vec<f32>]);
}

/// How an indicator is made; `name` is also the name of its group of features.
pub struct Kind {
    pub name: &'static str,
    pub make: fn(Interval, &[Place]) -> Box<dyn Columns>,
}

/// Where the value in `slot` goes.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub slot: usize,
    pub column: usize,
}

/// Boxes an indicator with the places of its values.
pub fn placed<const N: usize>(
    indicator: impl Indicator<N> + Send + 'static,
    places: &[Place],
) -> Box<dyn Columns> {
    Box::new(Placed { indicator, places: places.to_vec(), tile: [[0.0; TILE]; N] })
}

struct Placed<I, const N: usize> {
    indicator: I,
    places: Vec<Place>,
    /// Where values are gathered before they are appended to their columns.
    tile: [[f32; TILE]; N],
}

impl<I: Indicator<N> + Send, const N: usize> Columns for Placed<I, N> {
    fn run(&mut self, rows: &[Row], columns: &mut [Vec<f32>]) {
        for rows in rows.chunks(TILE) {
            let tile = &mut self.tile;
            for (at, row) in rows.iter().enumerate() {
                let values = self.indicator.step(row);
                for (slot, value) in values.into_iter().enumerate() {
                    // Adding 0 turns -0 into 0, so that equal values are equal text.
                    tile[slot][at] = value as f32 + 0.0;
                }
            }
            for place in &self.places {
                columns[place.column].extend_from_slice(&tile[place.slot][..rows.len()]);
            }
        }
    }
}

/// Clamps to [-1, 1]; NaN stays NaN.
#[inline]
pub(crate) fn clip(x: f64) -> f64 {
    x.clamp(-1.0, 1.0)
}

/// Maps [0, ∞) to [0, 1): 0.5 at 4 ticks.
#[inline]
pub(crate) fn level(x: f64) -> f64 {
    x / (x + 4.0)
}

/// Returns `value` once `warm`, else NaN.
#[inline]
pub(crate) fn once(warm: bool, value: f64) -> f64 {
    if warm { value } else { f64::NAN }
}
