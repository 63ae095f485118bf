//! The bar being filled, whatever it ends by.

use mes_core::{bar::Bar, time::Ts};
use mes_pipe::{Error, Result};

/// Prices are summed in this many parts of a point, so that VWAP is exact on every tick grid and bars of bars equal
/// bars of ticks.
pub const PARTS: i64 = 10_000;

/// A bar and what its columns are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub bar: Bar<f64>,
    /// Σ price × size in parts of a point.
    pub value: i64,
    /// The unbroken stretch of open session that it lies in.
    pub stretch: Option<(Ts, Ts)>,
}

impl Open {
    /// Begins a bar with what traded first.
    pub fn new(traded: &Bar<f64>, seg: i64, stretch: Option<(Ts, Ts)>) -> Open {
        Open { bar: Bar { seg, ..*traded }, value: value(traded), stretch }
    }

    /// Adds what traded next.
    ///
    /// # Errors
    ///
    /// `Data` where another contract trades within the bar.
    pub fn add(&mut self, traded: &Bar<f64>) -> Result<()> {
        let bar = &mut self.bar;
        if bar.symbol != traded.symbol {
            let text =
                format!("{} and {} within one bar: one instrument a stream", bar.symbol, traded.symbol);
            return Err(Error::data(text));
        }
        bar.high = bar.high.max(traded.high);
        bar.low = bar.low.min(traded.low);
        bar.close = traded.close;
        bar.volume = bar.volume.saturating_add(traded.volume);
        bar.buy_volume = sum(bar.buy_volume, traded.buy_volume);
        bar.sell_volume = sum(bar.sell_volume, traded.sell_volume);
        bar.trades = sum(bar.trades, traded.trades);
        self.value = self.value.saturating_add(value(traded));
        Ok(())
    }

    /// Returns the bar with its VWAP.
    pub fn close(self) -> Bar<f64> {
        let Open { bar, value, .. } = self;
        Bar { vwap: bar.vwap.map(|_| quotient(value, bar.volume)), ..bar }
    }
}

/// Returns what [`Open::close`] makes of the VWAP of the only bar in it; `None` where nothing traded.
pub fn rounded(vwap: f64, volume: i64) -> Option<f64> {
    (volume > 0).then(|| quotient(parts(vwap, volume), volume))
}

fn quotient(value: i64, volume: i64) -> f64 {
    value as f64 / (volume as f64 * PARTS as f64)
}

fn parts(vwap: f64, volume: i64) -> i64 {
    (vwap * volume as f64 * PARTS as f64).round() as i64
}

/// Returns VWAP × volume in parts: a whole number again, however it was divided.
fn value(traded: &Bar<f64>) -> i64 {
    parts(traded.vwap.unwrap_or(0.0), traded.volume)
}

/// Adds counts, of which one may be unknown.
fn sum(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}
