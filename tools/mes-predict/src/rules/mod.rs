//! Strategies that need no model: for tests, and to compare models with. One rule, one file, one line in [`make`].

mod ema_cross;
mod random;
mod script;

use std::{path::PathBuf, str::FromStr};

use arrow_array::RecordBatch;
use mes_core::{bar::Bar, interval::Interval, prediction::Prediction, time::SECOND};
use mes_pipe::{Bars, Input, Result, suggest::meant};
use serde_json::Value;

use crate::{Predictor, served::Volatility};

/// The horizon over which `p_vol` is given: rules have none of their own, so that of the default labels.
const HORIZON_NANOS: i64 = 30 * SECOND;

/// A rule as named on the command line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Name {
    EmaCross,
    Random,
    Script(PathBuf),
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match (text, text.split_once(':')) {
            ("ema-cross", _) => Ok(Name::EmaCross),
            ("random", _) => Ok(Name::Random),
            (_, Some(("script", file))) if !file.is_empty() => Ok(Name::Script(file.into())),
            _ => {
                let meant = meant(text, ["ema-cross", "random"]);
                Err(format!("the rules are ema-cross, random and script:FILE{meant}"))
            }
        }
    }
}

pub use ema_cross::EmaCross;

/// Decides on one bar after the other.
pub trait Rule {
    /// Returns direction (−1, 0, 1) and confidence, or `None` while warming up.
    fn decide(&mut self, bar: &Bar<f64>) -> Option<(f32, f32)>;

    fn settings(&self) -> Value;

    /// Says at the end whether the rule was used up: a script whose rows never came is an error.
    ///
    /// # Errors
    ///
    /// `Data`, where it was not.
    fn end(&self) -> Result<()> {
        Ok(())
    }
}

/// Makes the rule for a stream.
///
/// # Errors
///
/// `Usage` for a rate out of range or a script that cannot be read, `Data` for a script that cannot be.
pub(crate) fn make(name: Name, seed: u64, rate: f64, input: &Input) -> Result<Box<dyn Predictor>> {
    let rule: Box<dyn Rule> = match name {
        Name::EmaCross => Box::new(ema_cross::EmaCross::default()),
        Name::Random => Box::new(random::Random::new(seed, rate)?),
        Name::Script(path) => Box::new(script::Script::load(&path)?),
    };
    let interval: Option<Interval> = input.meta().interval;
    Ok(Box::new(Judge { rule, vol: Volatility::of(input.schema(), interval, HORIZON_NANOS) }))
}

/// A rule as a predictor.
struct Judge {
    rule: Box<dyn Rule>,
    vol: Option<Volatility>,
}

impl Predictor for Judge {
    fn predict(&mut self, batch: &RecordBatch) -> Result<Vec<Prediction>> {
        let bars = Bars::of(batch)?;
        let predict = |row| {
            let Some((dir, conf)) = self.rule.decide(&bars.get(row)) else { return Prediction::default() };
            let vol = self.vol.as_ref().and_then(|vol| vol.ticks(batch, row));
            Prediction { dir: Some(dir), conf: Some(conf), vol, ..Prediction::default() }
        };
        Ok((0..bars.len()).map(predict).collect())
    }

    fn settings(&self) -> Value {
        self.rule.settings()
    }

    fn end(&self) -> Result<()> {
        self.rule.end()
    }
}
