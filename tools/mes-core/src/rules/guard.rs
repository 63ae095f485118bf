//! What the broker's side checks by itself, whatever risk says.

use serde::{Deserialize, Serialize};

use crate::within;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardRules {
    pub max_contracts: i64,
    pub max_orders_per_minute: usize,
    pub max_stop_ticks: i64,
    /// At a live broker, seconds in session without a row after which everything is closed.
    #[serde(default = "dead_man_s")]
    pub dead_man_s: u32,
}

fn dead_man_s() -> u32 {
    60
}

impl GuardRules {
    /// Says what cannot mean anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.max_contracts > within::CONTRACTS {
            return Err(format!("guard.max_contracts is more than {}", within::CONTRACTS));
        }
        if self.max_orders_per_minute == 0 {
            return Err("guard.max_orders_per_minute = 0 lets no order pass".into());
        }
        if !(5..=3_600).contains(&self.dead_man_s) {
            return Err(format!("guard.dead_man_s = {} is not within 5 and an hour", self.dead_man_s));
        }
        Ok(())
    }
}
