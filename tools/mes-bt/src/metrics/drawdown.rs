//! How far equity fell and for how long, bar by bar: open trades count at what closing them would cost.

use mes_core::time::{SECOND, Ts};
use serde::Serialize;

use super::finite;
use crate::recorder::Results;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawdown {
    pub max_usd: f64,
    /// Greatest fall as a share of the peak before it.
    pub max_ratio: Option<f64>,
    /// The peak before the greatest fall in dollars, and its bottom.
    pub from: Option<String>,
    pub to: Option<String>,
    /// From that peak to that bottom.
    pub fall_s: Option<i64>,
    /// The longest wait for a new peak, nights and weekends included; it may not have come.
    pub longest_under_water_s: i64,
}

impl Drawdown {
    /// Reads what the recorder followed bar by bar.
    pub fn of(results: &Results) -> Drawdown {
        let text = |ts: Option<Ts>| ts.map(mes_core::time::format);
        let (from, to) = (results.drawdown_from, results.drawdown_to);
        Drawdown {
            max_usd: results.drawdown_cents.usd(),
            max_ratio: finite(results.drawdown_ratio),
            from: text(from),
            to: text(to),
            fall_s: from.zip(to).map(|(from, to)| (to - from) / SECOND),
            longest_under_water_s: results.longest_under_water / SECOND,
        }
    }
}
