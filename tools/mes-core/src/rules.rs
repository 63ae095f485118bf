//! The rules an account is traded by, from `pipelines/rules/*.toml`. Unknown keys are errors.

mod base;
mod breakers;
mod entries;
mod exits;
mod guard;
mod name;
mod prop;
mod shipped;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::{Error, contract::Contract, money::Cents, session, within};

pub use base::whole;
pub use breakers::Breakers;
pub use entries::{Entries, EntryBy, EntrySession};
pub use exits::{Exits, Reversals, StopBy};
pub use guard::GuardRules;
pub use prop::{News, Prop, Rung};
pub use shipped::{MES_1K, SHIPPED};

/// The most that confidence may multiply a size by.
const MOST_TIMES: f64 = 10.0;

/// A rules file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// As the file has it; with a star where the file calls itself as a shipped one does and says something else.
    pub name: String,
    /// When these rules were those of whom, and where that is written.
    #[serde(default)]
    pub as_of: Option<NaiveDate>,
    #[serde(default)]
    pub source: Option<String>,
    /// What is traded; a file without it means MES.
    #[serde(default)]
    pub contract: Contract,
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
    /// Whoever wrote the file wants limits that do not rise from the day's loss to the kill switch.
    #[serde(default, rename = "unsafe")]
    pub any_limits: bool,
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

/// When positions are closed for the day, and what that does to the size of late ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayEndRules {
    /// New York, `HH:MM`.
    #[serde(with = "hour_minute")]
    pub flat_by: NaiveTime,
    /// What half an hour before flat-by does to the size.
    pub size_multiplier: f64,
}

/// How many contracts and how much risk an account may take from this equity on, in dollars and percent of equity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub from_usd: f64,
    pub contracts: i64,
    pub risk_percent: f64,
    /// One more contract for each further amount of this; absent: none.
    pub step_usd: Option<f64>,
}

/// What to multiply the size by, from this confidence on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    pub from: f32,
    pub multiplier: f64,
}

impl Rules {
    /// Reads a rules file that is [`whole`] and checks that its numbers can mean something, each and together.
    ///
    /// # Errors
    ///
    /// [`Error::Rules`] names the key that is unknown, missing, or says what cannot be.
    pub fn parse(text: &str) -> Result<Rules, Error> {
        let mut rules: Rules =
            toml::from_str(text).map_err(|error| Error::Rules(error.to_string().trim_end().to_owned()))?;
        rules.check().map_err(Error::Rules)?;
        rules.name = name::shown(&rules);
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
        self.guard.check()?;
        if self.reversals.enabled && !self.exits.on_opposite_signal {
            return Err("reversals.enabled needs exits.on_opposite_signal: they begin with that exit".into());
        }
        self.exits.check(self.guard.max_stop_ticks)?;
        self.breakers.check()?;
        self.prop.as_ref().map_or(Ok(()), Prop::check)?;
        self.news.as_ref().map_or(Ok(()), News::check)?;
        self.entries.check(self.guard.max_stop_ticks)?;
        self.reversals.check()?;
        self.day_end.check()?;
        limits.check(self.any_limits)?;
        self.check_sizes()
    }

    fn check_sizes(&self) -> Result<(), String> {
        if self.tiers.is_empty() || !self.tiers.is_sorted_by(|a, b| a.from_usd < b.from_usd) {
            return Err("[[tier]]: at least one, by rising from_usd".into());
        }
        if self.multipliers.is_empty() || !self.multipliers.is_sorted_by(|a, b| a.from < b.from) {
            return Err("[[confidence_multiplier]]: at least one, by rising from".into());
        }
        self.tiers.iter().try_for_each(Tier::check)?;
        self.multipliers.iter().try_for_each(Multiplier::check)
    }

    /// Returns what the account begins with.
    pub fn capital(&self) -> Cents {
        Cents::from_usd(self.capital_usd)
    }
}

impl Tier {
    fn check(&self) -> Result<(), String> {
        let Tier { from_usd, contracts, risk_percent, step_usd } = *self;
        if from_usd < 0.0 {
            return Err(format!("tier.from_usd = {from_usd} is below 0"));
        }
        if !(1..=within::CONTRACTS).contains(&contracts) {
            return Err(format!("tier.contracts = {contracts} is not within 1 and {}", within::CONTRACTS));
        }
        if !(risk_percent > 0.0 && risk_percent <= 100.0) {
            return Err(format!("tier.risk_percent = {risk_percent} is not above 0 and at most 100"));
        }
        match step_usd {
            Some(step) if step <= 0.0 => Err(format!("tier.step_usd = {step} is not above 0")),
            _ => Ok(()),
        }
    }
}

impl Multiplier {
    fn check(&self) -> Result<(), String> {
        let Multiplier { from, multiplier } = *self;
        if !(0.0..=1.0).contains(&from) {
            return Err(format!("confidence_multiplier.from = {from} is not within 0 and 1"));
        }
        if !(0.0..=MOST_TIMES).contains(&multiplier) {
            return Err(format!(
                "confidence_multiplier.multiplier = {multiplier} is not within 0 and {MOST_TIMES}"
            ));
        }
        Ok(())
    }
}

impl Limits {
    fn check(&self, any_order: bool) -> Result<(), String> {
        let (least, trade, kill) = (self.minimum_balance_usd, self.per_trade_usd, self.kill_loss_usd);
        if least < 0.0 {
            return Err(format!("limits.minimum_balance_usd = {least} is below 0"));
        }
        if trade > kill {
            return Err(format!(
                "limits.per_trade_usd = {trade} lies above kill_loss_usd = {kill}: one trade may not lose more than all"
            ));
        }
        if any_order { Ok(()) } else { self.check_order() }
    }

    /// Says which limit can never be reached, because a later one is.
    fn check_order(&self) -> Result<(), String> {
        let rising = [
            ("daily_loss_usd", self.daily_loss_usd),
            ("daily_drawdown_usd", self.daily_drawdown_usd),
            ("account_drawdown_usd", self.account_drawdown_usd),
            ("kill_loss_usd", self.kill_loss_usd),
        ];
        match rising.array_windows().find(|[(_, first), (_, second)]| first > second) {
            None => Ok(()),
            Some([(first, low), (second, high)]) => Err(format!(
                "limits.{first} = {low} lies above {second} = {high}, so the milder limit comes after the harder one: \
                 let them rise, or write unsafe = true above the first [section] if that is meant"
            )),
        }
    }
}

impl DayEndRules {
    /// Says whether the size means something, and whether the day would be over before the account is flat. Days that close early move flat-by by themselves.
    fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.size_multiplier) {
            return Err(format!("day_end.size_multiplier = {} is not within 0 and 1", self.size_multiplier));
        }
        let (flat_by, close) = (self.flat_by, session::close());
        if flat_by <= close {
            return Ok(());
        }
        let (flat_by, close) = (flat_by.format("%H:%M"), close.format("%H:%M"));
        Err(format!("day_end.flat_by = \"{flat_by}\" lies after the day's close at {close} New York"))
    }
}

/// A New York time as `HH:MM`.
mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes the time.
    ///
    /// # Errors
    ///
    /// What the serializer fails of.
    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    /// Reads the time.
    ///
    /// # Errors
    ///
    /// What the deserializer fails of, and a text that is not `HH:MM`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .map_err(|_| D::Error::custom(format!("{text:?} is not HH:MM")))
    }
}

#[cfg(test)]
mod tests;
