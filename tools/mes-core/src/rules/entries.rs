//! When and how a trade may begin, and how long the wish for it lasts.
//!
//! An entry at a limit is measured from the near side of the quote (the bid to buy, the ask to sell) where the row has a
//! quote that is one, else from the close. `limit_offset_ticks` says how much better than that it has to be: at 0 it joins
//! the near side, and below 0 it reaches for the other one, never beyond its limit: a market order with a collar.

use serde::{Deserialize, Serialize};

use crate::{
    order::Side,
    price::Price,
    quote::Quote,
    time::{HOUR, MILLI, MINUTE},
};

/// The longest that an entry may wait at its limit.
const LONGEST_MS: i64 = 15 * MINUTE / MILLI;

/// The hours in which a trade may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySession {
    Rth,
    All,
}

/// What an entry is sent as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryBy {
    #[default]
    Market,
    Limit,
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
    /// What an entry is sent as. Rules that say nothing of it, or what holds anyway, are written as they were before it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub entry: EntryBy,
    /// Ticks by which the limit is better than the near side of the quote, or than the close; below 0 worse.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limit_offset_ticks: i64,
    /// Milliseconds after its decision for which an entry waits at its limit.
    #[serde(default = "limit_lifetime_ms", skip_serializing_if = "is_limit_lifetime")]
    pub limit_lifetime_ms: i64,
}

fn entry_lifetime_ms() -> i64 {
    2000
}

fn account_stale_ms() -> i64 {
    5000
}

fn limit_lifetime_ms() -> i64 {
    5000
}

fn is_limit_lifetime(value: &i64) -> bool {
    *value == limit_lifetime_ms()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Entries {
    /// Returns the limit of an entry on a row with this close and quote.
    pub fn limit(&self, side: Side, close: Price, quote: Option<Quote>) -> Price {
        let near = quote.map_or(close, |quote| if side == Side::Buy { quote.bid } else { quote.ask });
        near - side.sign() * self.limit_offset_ticks
    }

    /// Returns how long an entry at market lives, in nanoseconds.
    pub fn lifetime(&self) -> i64 {
        self.entry_lifetime_ms * MILLI
    }

    /// Says what cannot mean anything, or what the guard would refuse at every entry.
    pub(super) fn check(&self, max_stop_ticks: i64) -> Result<(), String> {
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
        let waits = self.limit_lifetime_ms;
        if !(0..=LONGEST_MS).contains(&waits) {
            return Err(format!(
                "entries.limit_lifetime_ms = {waits} is not within 0 and a quarter of an hour"
            ));
        }
        let offset = self.limit_offset_ticks;
        if offset.abs() > max_stop_ticks.max(0) {
            return Err(format!(
                "entries.limit_offset_ticks = {offset} is more than guard.max_stop_ticks = {max_stop_ticks}: the guard refuses such a limit"
            ));
        }
        Ok(())
    }
}
