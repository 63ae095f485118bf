//! When a trade may begin, and how long the wish for it lasts.

use serde::{Deserialize, Serialize};

use crate::time::{HOUR, MILLI};

/// The hours in which a trade may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySession {
    Rth,
    All,
}

/// What a signal has to meet to become an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    pub session: EntrySession,
    pub confidence: f32,
    /// Seconds after an exit without a new entry.
    pub cooldown_s: i64,
    /// No entry when the last trade or quote is older than this.
    pub stale_rth_ms: i64,
    pub stale_eth_ms: i64,
    /// Milliseconds after its decision in which a row has to begin for an entry to be filled in it.
    #[serde(default = "entry_lifetime_ms")]
    pub entry_lifetime_ms: i64,
    /// No entry when the broker's view of the account is older than this.
    #[serde(default = "account_stale_ms")]
    pub account_stale_ms: i64,
}

fn entry_lifetime_ms() -> i64 {
    2000
}

fn account_stale_ms() -> i64 {
    5000
}

impl Entries {
    /// Returns how long an entry lives, in nanoseconds.
    pub fn lifetime(&self) -> i64 {
        self.entry_lifetime_ms * MILLI
    }

    /// Says what cannot mean anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(0.5..=1.0).contains(&self.confidence) {
            return Err(format!("entries.confidence = {} is not within 0.5 and 1", self.confidence));
        }
        let stale = self.account_stale_ms;
        if !(0..=HOUR / MILLI).contains(&stale) {
            return Err(format!("entries.account_stale_ms = {stale} is not within 0 and an hour"));
        }
        let not_negative = [
            ("cooldown_s", self.cooldown_s),
            ("stale_rth_ms", self.stale_rth_ms),
            ("stale_eth_ms", self.stale_eth_ms),
        ];
        if let Some((name, value)) = not_negative.iter().find(|(_, value)| *value < 0) {
            return Err(format!("entries.{name} = {value} is below 0"));
        }
        let lifetime = self.entry_lifetime_ms;
        if !(0..=24 * HOUR / MILLI).contains(&lifetime) {
            return Err(format!("entries.entry_lifetime_ms = {lifetime} is not within 0 and a day"));
        }
        Ok(())
    }
}
