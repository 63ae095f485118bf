//! A limit that was reached, as summaries and ledgers of trials have it.

use mes_core::{time, vocabulary::short};
use serde::{Deserialize, Serialize};

use crate::{facts::Alert, words};

/// A limit that was reached, in the unit that ends its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    pub rule: String,
    pub ts: String,
    /// Number of the trading day, from 1.
    pub day: usize,
    pub value: f64,
    pub limit: f64,
}

impl Reached {
    /// Writes down an alert.
    pub fn of(alert: &Alert) -> Reached {
        let (rule, ts) = (alert.rule.clone(), time::format(alert.ts));
        Reached { rule, ts, day: alert.day, value: alert.value, limit: alert.limit }
    }

    /// Says what was reached: `daily loss $51.20, limit $50.00`.
    pub fn sentence(&self) -> String {
        let amount = |value| words::amount(&self.rule, value);
        let tight = if self.value < self.limit { ", and no trade fits under the rest" } else { "" };
        format!("{} {}, limit {}{tight}", short(&self.rule), amount(self.value), amount(self.limit))
    }
}
