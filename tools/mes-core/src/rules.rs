//! The rules an account is traded by, from `pipelines/rules/*.toml`. Unknown keys are errors.

mod breakers;
mod exits;
mod prop;
mod shipped;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::{Error, money::Cents, within};

pub use breakers::Breakers;
pub use exits::{Exits, Reversals, StopBy};
pub use prop::{News, Prop, Rung};
pub use shipped::{MES_1K, SHIPPED};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub name: String,
    /// When these rules were those of whom, and where that is written.
    #[serde(default)]
    pub as_of: Option<NaiveDate>,
    #[serde(default)]
    pub source: Option<String>,
    pub capital_usd: f64,
    #[serde(default)]
    pub sizing_from: SizingFrom,
    /// The costs of the broker that these rules are for: a name or a file, as in `--costs`.
    #[serde(default = "owner")]
    pub costs: String,
    pub limits: Limits,
    pub entries: Entries,
    #[serde(default)]
    pub reversals: Reversals,
    #[serde(default)]
    pub breakers: Breakers,
    pub day_end: DayEndRules,
    pub exits: Exits,
    #[serde(default)]
    pub prop: Option<Prop>,
    #[serde(default)]
    pub news: Option<News>,
    pub guard: GuardRules,
    /// By rising balance.
    #[serde(rename = "tier")]
    pub tiers: Vec<Tier>,
    /// By rising confidence.
    #[serde(rename = "confidence_multiplier")]
    pub multipliers: Vec<Multiplier>,
}

/// What sizes, tiers and the minimum balance are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SizingFrom {
    /// The balance of the account.
    #[default]
    Balance,
    /// `capital_usd` and what equity has gained since the first start, however large the account is.
    Capital,
}

fn owner() -> String {
    "owner".into()
}

/// Dollars at which trading stops. All fire at the amount itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub daily_loss_usd: f64,
    pub daily_drawdown_usd: f64,
    pub account_drawdown_usd: f64,
    pub kill_loss_usd: f64,
    pub minimum_balance_usd: f64,
    pub per_trade_usd: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySession {
    Rth,
    All,
}

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
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayEndRules {
    /// New York, `HH:MM`.
    #[serde(with = "hour_minute")]
    pub flat_by: NaiveTime,
    /// What half an hour before flat-by does to the size.
    pub size_multiplier: f64,
}

/// What the broker's side checks by itself, whatever risk says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardRules {
    pub max_contracts: i64,
    pub max_orders_per_minute: usize,
    pub max_stop_ticks: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub from_usd: f64,
    pub contracts: i64,
    pub risk_percent: f64,
    /// One more contract for each further amount of this; absent: none.
    pub step_usd: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    pub from: f32,
    pub multiplier: f64,
}

impl Rules {
    /// Reads a rules file and checks that its numbers can mean something.
    pub fn parse(text: &str) -> Result<Rules, Error> {
        let rules: Rules =
            toml::from_str(text).map_err(|error| Error::Rules(error.to_string().trim_end().to_owned()))?;
        rules.check().map_err(Error::Rules)?;
        Ok(rules)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        within::settings(self)?;
        let limits = &self.limits;
        let positive = [
            ("capital_usd", self.capital_usd),
            ("limits.daily_loss_usd", limits.daily_loss_usd),
            ("limits.daily_drawdown_usd", limits.daily_drawdown_usd),
            ("limits.account_drawdown_usd", limits.account_drawdown_usd),
            ("limits.kill_loss_usd", limits.kill_loss_usd),
            ("limits.per_trade_usd", limits.per_trade_usd),
            ("exits.target_ticks", self.exits.target_ticks as f64),
            ("guard.max_contracts", self.guard.max_contracts as f64),
        ];
        if let Some((name, value)) = positive.iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            return Err(format!("{name} = {value} is not above 0"));
        }
        if self.guard.max_contracts > within::CONTRACTS {
            return Err(format!("guard.max_contracts is more than {}", within::CONTRACTS));
        }
        if self.reversals.enabled && !self.exits.on_opposite_signal {
            return Err("reversals.enabled needs exits.on_opposite_signal: they begin with that exit".into());
        }
        self.exits.check(self.guard.max_stop_ticks)?;
        self.breakers.check()?;
        self.prop.as_ref().map_or(Ok(()), Prop::check)?;
        self.news.as_ref().map_or(Ok(()), News::check)?;
        if self.entries.cooldown_s < 0 || self.reversals.cooldown_s < 0 {
            return Err("a cooldown_s below 0".into());
        }
        if !(0.5..=1.0).contains(&self.entries.confidence) {
            return Err(format!("entries.confidence = {} is not within 0.5 and 1", self.entries.confidence));
        }
        if self.tiers.is_empty() || !self.tiers.is_sorted_by(|a, b| a.from_usd < b.from_usd) {
            return Err("[[tier]]: at least one, by rising from_usd".into());
        }
        if self.multipliers.is_empty() || !self.multipliers.is_sorted_by(|a, b| a.from < b.from) {
            return Err("[[confidence_multiplier]]: at least one, by rising from".into());
        }
        Ok(())
    }

    pub fn capital(&self) -> Cents {
        Cents::from_usd(self.capital_usd)
    }
}

/// A New York time as `HH:MM`.
mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .map_err(|_| D::Error::custom(format!("{text:?} is not HH:MM")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_read() {
        for (name, text) in SHIPPED {
            let rules = Rules::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(rules.name, name);
        }
        let rules = Rules::parse(MES_1K).expect("the shipped rules");
        assert_eq!(rules.capital(), Cents(100_000));
        assert_eq!(rules.limits.daily_loss_usd, 50.0);
        assert_eq!(rules.tiers.len(), 5);
    }

    #[test]
    fn a_reversal_needs_the_exit_that_it_begins_with() {
        let text = MES_1K.replacen("enabled = false", "enabled = true", 1);
        assert!(Rules::parse(&text).is_ok());
        let error =
            Rules::parse(&text.replacen("on_opposite_signal = true", "on_opposite_signal = false", 1));
        assert!(error.expect_err("refused").to_string().contains("on_opposite_signal"));
    }

    #[test]
    fn unknown_keys_and_nonsense_are_refused_by_name() {
        for (from, to, name) in [
            ("daily_loss_usd", "daily_los_usd", "daily_los_usd"),
            ("daily_loss_usd = 50.0", "daily_loss_usd = -50.0", "limits.daily_loss_usd"),
            ("daily_loss_usd = 50.0", "daily_loss_usd = nan", "limits.daily_loss_usd"),
            ("stop_ticks = 8", "stop_ticks = 2", "exits.stop_ticks"),
            ("flat_by = \"16:30\"", "flat_by = \"25:30\"", "flat_by"),
            ("stop = \"ticks\"", "stop = \"feeling\"", "feeling"),
            ("max_stop_ticks = 18", "max_stop_ticks = 30", "exits.min_stop_ticks"),
            ("losses_pause_s = 900", "losses_pause_s = -900", "breakers.losses_pause_s"),
            ("volume_ratio = 0.1", "volume_ratio = 10", "breakers.volume_ratio"),
            ("opposite_confidence", "oposite_confidence", "oposite_confidence"),
            ("max_in_range", "max_range", "max_range"),
        ] {
            let error = Rules::parse(&MES_1K.replacen(from, to, 1)).expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
