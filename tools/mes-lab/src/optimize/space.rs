//! What is varied: keys of the rules and costs files and the values they may take.

use std::str::FromStr;

use mes_core::{costs::Costs, dice::Draw, rules::Rules, run::Named};
use mes_pipe::{Error, Result, Settings, hash};
use serde::Serialize;
use toml::Value;

/// A key such as `exits.stop_ticks` or `costs.slippage.rth_ticks`, and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    pub key: String,
    pub values: Values,
}

/// The values that a key may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One of these.
    Listed(Vec<Value>),
    /// Anything between.
    Between(f64, f64),
}

/// The most values that a range with a step may have.
const MOST_VALUES: usize = 10_000;

/// A place of every varied key: the index of a listed value, or the value itself.
pub type Point = Vec<f64>;

impl FromStr for Vary {
    type Err = String;

    /// Reads `KEY=4,6,8`, `KEY=4..16`, `KEY=0.6..0.8/0.05` or `KEY=0.6..0.8`.
    fn from_str(text: &str) -> std::result::Result<Vary, String> {
        let refused = |why: &str| {
            format!("{text:?}: {why}: such as exits.stop_ticks=4,6,8 or =4..16 or =0.6..0.8/0.05")
        };
        let (key, values) = text.split_once('=').ok_or_else(|| refused("no ="))?;
        let values = match values.split_once("..") {
            None => Values::Listed(values.split(',').map(scalar).collect()),
            Some((low, rest)) => {
                let (high, step) =
                    rest.split_once('/').map_or((rest, None), |(high, step)| (high, Some(step)));
                range(low, high, step).ok_or_else(|| refused("not a range"))?
            }
        };
        let empty = match &values {
            Values::Listed(list) => list.iter().any(|value| value.as_str() == Some("")),
            Values::Between(..) => false,
        };
        if key.is_empty() || empty {
            return Err(refused("a key or a value is missing"));
        }
        Ok(Vary { key: key.to_owned(), values })
    }
}

/// Reads a value as a whole number, a number, a truth or a text.
fn scalar(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        Value::Integer(whole)
    } else if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
        Value::Float(number)
    } else if let Ok(truth) = text.parse::<bool>() {
        Value::Boolean(truth)
    } else {
        Value::String(text.to_owned())
    }
}

fn range(low: &str, high: &str, step: Option<&str>) -> Option<Values> {
    if let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>())
        && let Ok(step) = step.unwrap_or("1").parse::<usize>()
    {
        let few = low < high && step > 0 && high.checked_sub(low)? / step as i64 <= MOST_VALUES as i64;
        return few.then(|| Values::Listed((low..=high).step_by(step).map(Value::Integer).collect()));
    }
    let (low, high): (f64, f64) = (low.parse().ok()?, high.parse().ok()?);
    if !(low < high && (high - low).is_finite()) {
        return None;
    }
    let Some(step) = step else { return Some(Values::Between(low, high)) };
    let step: f64 = step.parse().ok().filter(|step| *step > 0.0)?;
    let count = ((high - low) / step + 1e-9).floor();
    let value = |index: usize| Value::Float(rounded(low + index as f64 * step));
    (count <= MOST_VALUES as f64).then(|| Values::Listed((0..=count as usize).map(value).collect()))
}

/// Rounds to nine decimals, so that 0.1 + 0.2 is written 0.3.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

impl Vary {
    /// Returns how many values are listed; absent for a range without a step.
    pub fn count(&self) -> Option<usize> {
        match &self.values {
            Values::Listed(list) => Some(list.len()),
            Values::Between(..) => None,
        }
    }

    /// Draws any value.
    pub fn draw(&self, draw: &mut Draw) -> f64 {
        match &self.values {
            Values::Listed(list) => draw.below(list.len()) as f64,
            Values::Between(low, high) => low + draw.unit() * (high - low),
        }
    }

    /// Draws a value no further from `around` than `share` of the range. A listed value always may move by one.
    pub fn draw_near(&self, around: f64, share: f64, draw: &mut Draw) -> f64 {
        let (low, high) = match &self.values {
            Values::Listed(list) => (0.0, (list.len() - 1) as f64),
            Values::Between(low, high) => (*low, *high),
        };
        let far = (high - low) * share;
        let moved = around + (2.0 * draw.unit() - 1.0) * far;
        match &self.values {
            Values::Between(..) => moved.clamp(low, high),
            Values::Listed(_) => {
                let far = far.round().max(1.0) as i64;
                let step = draw.below(2 * far as usize + 1) as i64 - far;
                (around + step as f64).clamp(low, high)
            }
        }
    }

    /// Returns the value at a place.
    pub fn value(&self, place: f64) -> Value {
        match &self.values {
            Values::Listed(list) => list[(place as usize).min(list.len() - 1)].clone(),
            Values::Between(..) => Value::Float((place * 1e6).round() / 1e6),
        }
    }

    /// Says whether neighbours in the list are alike: numbers are, words are not.
    pub fn is_ordered(&self) -> bool {
        match &self.values {
            Values::Listed(list) => list.iter().all(|value| value.is_integer() || value.is_float()),
            Values::Between(..) => true,
        }
    }
}

/// The rules and costs that are varied, as documents.
pub struct Base {
    rules: Value,
    costs: Value,
    settings: Settings,
}

impl Base {
    /// Takes the settings that every point is a change of.
    ///
    /// # Errors
    ///
    /// `Failed` where they cannot be written as TOML.
    pub fn new(settings: &Settings) -> Result<Base> {
        let document = |value: std::result::Result<Value, toml::ser::Error>| value.map_err(Error::failed);
        Ok(Base {
            rules: document(Value::try_from(&settings.rules.value))?,
            costs: document(Value::try_from(&settings.costs.value))?,
            settings: settings.clone(),
        })
    }

    /// Returns the settings with these values; an error names what they break.
    ///
    /// # Errors
    ///
    /// `Usage` where a key is none of theirs or they mean nothing with it, `Failed` where they cannot be written as
    /// TOML.
    pub fn with(&self, vary: &[Vary], point: &[f64]) -> Result<Settings> {
        let (mut rules, mut costs) = (self.rules.clone(), self.costs.clone());
        for (vary, place) in vary.iter().zip(point) {
            let (document, key) = match vary.key.strip_prefix("costs.") {
                Some(key) => (&mut costs, key),
                None => (&mut rules, vary.key.as_str()),
            };
            set(document, key, vary.value(*place))
                .map_err(|why| Error::usage(why).at(format!("--vary {}", vary.key)))?;
        }
        let text = |document: &Value| toml::to_string(document).map_err(Error::failed);
        let (rules, costs) = (text(&rules)?, text(&costs)?);
        Ok(Settings {
            rules: Named { blake3: hash(rules.as_bytes()), value: Rules::parse(&rules)? },
            costs: Named { blake3: hash(costs.as_bytes()), value: Costs::parse(&costs)? },
            ..self.settings.clone()
        })
    }
}

/// Writes the rules or costs of a trial as a file that `--rules` and `--costs` read.
///
/// # Errors
///
/// `Failed` where it cannot be written as TOML.
pub fn document<T: Serialize>(value: &T) -> Result<String> {
    toml::to_string(value).map_err(Error::failed)
}

/// Sets a key; `*` stands for all of a list. The tables above it must be there; whether the key means something is
/// found out when the document is read.
fn set(document: &mut Value, key: &str, value: Value) -> std::result::Result<(), String> {
    let missing = || format!("no such key as {key:?}");
    let (head, rest) = key.split_once('.').map_or((key, None), |(head, rest)| (head, Some(rest)));
    if let Value::Array(items) = document {
        let chosen: Vec<&mut Value> = match head {
            "*" => items.iter_mut().collect(),
            _ => items.get_mut(head.parse::<usize>().map_err(|_| missing())?).into_iter().collect(),
        };
        let rest = rest.ok_or_else(missing)?;
        if chosen.is_empty() {
            return Err(missing());
        }
        return chosen.into_iter().try_for_each(|item| set(item, rest, value.clone()));
    }
    let table = document.as_table_mut().ok_or_else(missing)?;
    match rest {
        Some(rest) => set(table.get_mut(head).ok_or_else(missing)?, rest, value),
        None => {
            table.insert(head.to_owned(), value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use mes_core::rules::EntryBy;
    use mes_pipe::SettingsArgs;

    use super::*;

    fn vary(text: &str) -> Vary {
        text.parse().expect("reads")
    }

    fn base() -> Base {
        let args = SettingsArgs::default();
        Base::new(&args.read().expect("settings")).expect("documents")
    }

    #[test]
    fn reads_lists_and_ranges() {
        assert_eq!(vary("a.b=4,6,8").count(), Some(3));
        assert_eq!(vary("a=4..16").count(), Some(13));
        assert_eq!(vary("a=4..16/4").count(), Some(4));
        assert_eq!(vary("a=0.6..0.8/0.05").count(), Some(5));
        assert_eq!(vary("a=0.6..0.8/0.05").value(3.0), Value::Float(0.75));
        assert_eq!(vary("a=0.6..0.8").values, Values::Between(0.6, 0.8));
        assert_eq!(vary("a=true,false").value(1.0), Value::Boolean(false));
        assert!(vary("a=1,2.5").is_ordered() && !vary("a=ticks,atr").is_ordered());
        for bad in [
            "a",
            "=1",
            "a=",
            "a=1,,2",
            "a=8..4",
            "a=1..2/0",
            "a=1..2/-1",
            "a=0..1e300/1e-9",
            "a=nan..1",
            "a=x..y",
        ] {
            assert!(bad.parse::<Vary>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sets_rules_and_costs_and_refuses_what_means_nothing() {
        let axes = [
            "exits.stop_ticks=6",
            "entries.confidence=0.7",
            "tier.*.risk_percent=1.5",
            "costs.slippage.rth_ticks=3",
        ]
        .map(vary);
        let settings = base().with(&axes, &[0.0; 4]).expect("settings");
        let (rules, costs) = (&settings.rules.value, &settings.costs.value);
        assert_eq!((rules.exits.stop_ticks, rules.entries.confidence, costs.slippage.rth_ticks), (6, 0.7, 3));
        assert!(rules.tiers.iter().all(|tier| tier.risk_percent == 1.5));
        // Keys that the file leaves out.
        let axes =
            ["entries.entry=limit", "entries.limit_offset_ticks=-1..3", "entries.limit_lifetime_ms=9000"];
        let entries = base().with(&axes.map(vary), &[0.0; 3]).expect("settings").rules.value.entries;
        assert_eq!((entries.entry, entries.limit_offset_ticks), (EntryBy::Limit, -1));
        assert_eq!(entries.limit_lifetime_ms, 9000);
        let unchanged = base().with(&[], &[]).expect("settings");
        assert_eq!(unchanged.rules.value, base().settings.rules.value);
        assert_ne!(unchanged.rules.blake3, settings.rules.blake3);
        for bad in [
            "exits.stop_tick=6",
            "exit.stop_ticks=6",
            "exits.stop_ticks=2",
            "exits.stop_ticks=6.5",
            "entries.entry=stop",
            "entries.limit_offset_ticks=19",
            "tier.9.contracts=1",
        ] {
            let error = base().with(&[vary(bad)], &[0.0]).expect_err(bad);
            assert_eq!(error.code(), 2, "{bad}: {error}");
        }
    }

    #[test]
    fn draws_stay_within() {
        let mut draw = Draw::new(1, 1);
        for axis in ["a=4..16", "a=0.6..0.8", "a=1,2"].map(vary) {
            for _ in 0..500 {
                let any = axis.draw(&mut draw);
                let near = axis.draw_near(any, 0.1, &mut draw);
                let far: f64 = if axis.count().is_some() { 1.2 + 1e-9 } else { 0.02 + 1e-12 };
                assert!((any - near).abs() <= far, "{any} {near}");
                for place in [any, near] {
                    let number = axis.value(place);
                    let number =
                        number.as_float().or(number.as_integer().map(|n| n as f64)).expect("a number");
                    assert!((0.6..=16.0).contains(&number), "{number}");
                }
            }
        }
    }
}
