//! Which prices are believed, found out in another way than risk does.

use mes_core::{
    bar::Bar,
    price::Price,
    time::{SECOND, Ts},
};

/// What a price is believed to be, by looking at all rows again that were not believed.
#[derive(Default)]
pub struct Belief {
    pub last: Option<f64>,
    row: Option<(i64, Ts)>,
    broke: bool,
    doubts: Vec<(f64, f64)>,
    pub implausible: bool,
}

impl Belief {
    /// Takes a row in and says whether it confirms a jump.
    pub fn push(&mut self, bar: &Bar) -> bool {
        self.broke |= self.row.is_some_and(|(seg, ts)| seg != bar.seg || bar.ts - ts > 300 * SECOND);
        self.row = Some((bar.seg, bar.ts));
        let band = if self.broke { 0.2 } else { 0.05 };
        let [low, high, close] = [bar.low, bar.high, bar.close].map(Price::points);
        let near = |last: f64| [high, low].iter().all(|price| (price - last).abs() <= band * last);
        self.implausible = self.last.is_some_and(|last| !near(last));
        let mut confirmed = false;
        if self.implausible && bar.volume > 0 {
            self.doubts.push((low, high));
            let ten = self.doubts.iter().rev().take(10);
            let low = ten.clone().map(|row| row.0).fold(f64::MAX, f64::min);
            let high = ten.map(|row| row.1).fold(f64::MIN, f64::max);
            confirmed = self.doubts.len() >= 10 && low > 0.0 && high <= 1.05 * low;
        }
        if !self.implausible || confirmed {
            *self = Belief { last: Some(close), row: self.row, ..Belief::default() };
        }
        confirmed
    }
}
