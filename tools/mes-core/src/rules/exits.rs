//! How a trade ends: where its stop and target lie, how the stop moves, when risk leaves by itself.

use serde::{Deserialize, Serialize};

use crate::within;

/// How far a new stop lies from its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopBy {
    /// Always `stop_ticks`.
    #[default]
    Ticks,
    /// `atr_multiple` times the ATR of 1-minute bars.
    Atr,
    /// A tick beyond the low or high of the last `swing_minutes`.
    Structure,
}

/// Stops, targets and timeouts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exits {
    #[serde(default)]
    pub stop: StopBy,
    /// The stop by `ticks`; by `atr` and `structure` while the market is not known long enough.
    pub stop_ticks: i64,
    #[serde(default = "atr_multiple")]
    pub atr_multiple: f64,
    #[serde(default = "swing_minutes")]
    pub swing_minutes: usize,
    /// Between these lies every stop by `atr` and `structure`.
    #[serde(default = "min_stop_ticks")]
    pub min_stop_ticks: i64,
    #[serde(default = "max_stop_ticks")]
    pub max_stop_ticks: i64,
    pub target_ticks: i64,
    /// The target as a multiple of the stop's distance; 0: it lies at `target_ticks`.
    #[serde(default)]
    pub reward_risk: f64,
    /// Ticks of profit at which the stop moves to `break_even_ticks` beyond the entry; 0 never.
    #[serde(default)]
    pub break_even_after_ticks: i64,
    #[serde(default)]
    pub break_even_ticks: i64,
    /// Ticks of profit at which the stop begins to trail; 0 never.
    pub trail_after_ticks: i64,
    /// Ticks by which the trailing stop stays behind the best close.
    pub trail_ticks: i64,
    /// Ticks by which the stop stays behind the close from 30 minutes before flat-by; 0: as it was.
    #[serde(default)]
    pub tighten_ticks: i64,
    /// Longest time in a trade; 0 without end.
    pub max_hold_s: i64,
    /// Leave when the model says the opposite with `opposite_confidence`.
    pub on_opposite_signal: bool,
    #[serde(default = "opposite_confidence")]
    pub opposite_confidence: f32,
}

fn atr_multiple() -> f64 {
    1.5
}

fn swing_minutes() -> usize {
    5
}

fn min_stop_ticks() -> i64 {
    4
}

fn max_stop_ticks() -> i64 {
    18
}

fn opposite_confidence() -> f32 {
    0.60
}

/// Closing a trade to enter the other way, where the model says the opposite with entry confidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reversals {
    pub enabled: bool,
    /// Seconds from one reversal to the next.
    pub cooldown_s: i64,
    /// The most while the close stays within the 1-minute bar before the last one.
    pub max_in_range: u32,
}

impl Default for Reversals {
    fn default() -> Self {
        Reversals { enabled: false, cooldown_s: 30, max_in_range: 2 }
    }
}

impl Reversals {
    /// Says what cannot mean anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.cooldown_s < 0 { Err("reversals.cooldown_s is below 0".into()) } else { Ok(()) }
    }
}

impl Exits {
    /// Says what cannot mean anything; `guard_ticks` is the widest stop that the broker's side lets pass.
    pub(super) fn check(&self, guard_ticks: i64) -> Result<(), String> {
        let (least, most) = (self.min_stop_ticks, self.max_stop_ticks);
        if !(4..=guard_ticks).contains(&self.stop_ticks) {
            let stop = self.stop_ticks;
            return Err(format!(
                "exits.stop_ticks = {stop} is not within 4 and guard.max_stop_ticks = {guard_ticks}"
            ));
        }
        if !(4 <= least && least <= most && most <= guard_ticks) {
            return Err(format!(
                "exits.min_stop_ticks = {least} and max_stop_ticks = {most} do not rise within 4 and \
                 guard.max_stop_ticks = {guard_ticks}"
            ));
        }
        if !(1..=crate::minutes::MINUTES).contains(&self.swing_minutes) {
            let (minutes, most) = (self.swing_minutes, crate::minutes::MINUTES);
            return Err(format!("exits.swing_minutes = {minutes} is not within 1 and {most}"));
        }
        if !(self.atr_multiple > 0.0 && self.atr_multiple.is_finite()) {
            return Err(format!("exits.atr_multiple = {} is not above 0", self.atr_multiple));
        }
        // What an order may carry; risk and exec have to agree on it.
        let most_ticks = within::TICKS;
        let target = self.target_ticks as f64;
        let target = target.max(self.reward_risk * guard_ticks as f64);
        if guard_ticks > most_ticks || target > most_ticks as f64 {
            return Err(format!(
                "exits.target_ticks, or reward_risk times guard.max_stop_ticks = {guard_ticks}, is more than {most_ticks}"
            ));
        }
        let not_negative = [
            ("reward_risk", self.reward_risk),
            ("break_even_after_ticks", self.break_even_after_ticks as f64),
            ("trail_after_ticks", self.trail_after_ticks as f64),
            ("trail_ticks", self.trail_ticks as f64),
            ("tighten_ticks", self.tighten_ticks as f64),
            ("max_hold_s", self.max_hold_s as f64),
        ];
        if let Some((name, value)) = not_negative.iter().find(|(_, v)| !(*v >= 0.0 && v.is_finite())) {
            return Err(format!("exits.{name} = {value} is below 0"));
        }
        if self.break_even_after_ticks > 0 && self.break_even_ticks >= self.break_even_after_ticks {
            return Err("exits.break_even_ticks has to lie below break_even_after_ticks".into());
        }
        Ok(())
    }
}
