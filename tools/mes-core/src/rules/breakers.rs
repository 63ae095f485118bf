//! When trading pauses or shrinks by itself: after losses in a row, and in a market that is not its usual self.

use serde::{Deserialize, Serialize};

/// An amount of 0 turns a breaker off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breakers {
    /// Losing trades in a row that pause, and for how long.
    pub losses: u32,
    pub losses_pause_s: i64,
    /// Losing trades in a row from which each one pauses for longer.
    pub more_losses: u32,
    pub more_losses_pause_s: i64,
    /// Times its normal at which the ATR of 1-minute bars shrinks a trade.
    pub atr_times_normal: f64,
    /// A wider spread pauses, until it is no wider than `spread_resume_ticks`.
    pub spread_ticks: f64,
    pub spread_resume_ticks: f64,
    /// Share of the last trade's price within which both sides of a quote lie; of one that is missing, crossed, locked
    /// or further away the spread is unknown, and nothing is entered.
    pub quote_band: f64,
    /// Share of the usual volume of a minute below which a trade shrinks.
    pub volume_ratio: f64,
    /// What a shrunk trade is multiplied by; 0 pauses. Half of one contract is none.
    pub size_multiplier: f64,
}

impl Default for Breakers {
    fn default() -> Self {
        Breakers {
            losses: 3,
            losses_pause_s: 900,
            more_losses: 5,
            more_losses_pause_s: 1800,
            atr_times_normal: 3.0,
            spread_ticks: 2.0,
            spread_resume_ticks: 1.0,
            quote_band: 0.02,
            volume_ratio: 0.1,
            size_multiplier: 0.5,
        }
    }
}

impl Breakers {
    /// Returns breakers that never trip.
    pub fn off() -> Self {
        Breakers {
            losses: 0,
            more_losses: 0,
            atr_times_normal: 0.0,
            spread_ticks: 0.0,
            quote_band: 0.0,
            volume_ratio: 0.0,
            ..Breakers::default()
        }
    }

    /// Returns the seconds that trading pauses for after a loss that is the n-th in a row.
    pub fn pause_s(&self, losses: u32) -> Option<i64> {
        if self.more_losses > 0 && losses >= self.more_losses {
            Some(self.more_losses_pause_s)
        } else {
            (self.losses > 0 && losses == self.losses).then_some(self.losses_pause_s)
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let not_negative = [
            ("losses_pause_s", self.losses_pause_s as f64),
            ("more_losses_pause_s", self.more_losses_pause_s as f64),
            ("atr_times_normal", self.atr_times_normal),
            ("spread_ticks", self.spread_ticks),
            ("spread_resume_ticks", self.spread_resume_ticks),
        ];
        if let Some((name, value)) = not_negative.iter().find(|(_, v)| !(*v >= 0.0 && v.is_finite())) {
            return Err(format!("breakers.{name} = {value} is below 0"));
        }
        let shares = [
            ("volume_ratio", self.volume_ratio),
            ("size_multiplier", self.size_multiplier),
            ("quote_band", self.quote_band),
        ];
        if let Some((name, value)) = shares.iter().find(|(_, v)| !(0.0..=1.0).contains(v)) {
            return Err(format!("breakers.{name} = {value} is not within 0 and 1"));
        }
        if self.spread_ticks > 0.0 && self.spread_resume_ticks > self.spread_ticks {
            return Err("breakers.spread_resume_ticks lies above spread_ticks".into());
        }
        Ok(())
    }
}
