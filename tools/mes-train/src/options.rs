//! What a family can be told: flags that only some families have, each with the family's own default.

use clap::Args;
use mes_pipe::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value where a family knows the option, `None` where it does not. Before [`Options::settle`]: where it was given.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Options of some families (their defaults are in the family's description)")]
pub struct Options {
    /// Rows that one prediction sees, the last of them its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub window: Option<u32>,
    /// Passes over the training rows at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub epochs: Option<u32>,
    /// Stop after so many epochs or rounds without a better loss on the validation rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub patience: Option<u32>,
    /// Rows of one step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: Option<u32>,
    /// Size of a step
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub learning_rate: Option<f64>,
    /// Pull of the weights towards 0, as a share of the learning rate
    #[arg(long, value_name = "SHARE", value_parser = not_negative)]
    pub weight_decay: Option<f64>,
    /// Width of the network
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub hidden: Option<u32>,
    /// Rounds at most, each a tree for every class
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rounds: Option<u32>,
    /// Trees of a forest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub trees: Option<u32>,
    /// Branches from a tree's root to a leaf at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub depth: Option<u32>,
    /// Rows of a leaf at least
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min_leaf: Option<u32>,
    /// Rows that a tree is grown on at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..))]
    pub sample_rows: Option<u32>,
    /// Leaves of a tree at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1024))]
    pub leaves: Option<u32>,
    /// The least sum of hessians, about rows × p(1 − p), of a leaf
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative)]
    pub min_child_weight: Option<f64>,
    /// Pull of the leaves towards 0, in units of hessian
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative)]
    pub l2: Option<f64>,
    /// Share of the rows that a round sees
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub row_share: Option<f64>,
    /// Share of the features that a tree may use
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub feature_share: Option<f64>,
}

impl Options {
    /// The options of a family that has none.
    pub const NONE: Options = Options {
        window: None,
        epochs: None,
        patience: None,
        batch: None,
        learning_rate: None,
        weight_decay: None,
        hidden: None,
        rounds: None,
        trees: None,
        depth: None,
        min_leaf: None,
        sample_rows: None,
        leaves: None,
        min_child_weight: None,
        l2: None,
        row_share: None,
        feature_share: None,
    };

    /// Fills in a family's defaults where nothing was given; an error when something was given that it has not.
    pub fn settle(&self, family: &str, defaults: &Options) -> Result<Options> {
        let broken = |error: serde_json::Error| Error::failed(format!("options: {error}"));
        let mut settled = serde_json::to_value(defaults).map_err(broken)?;
        let given = serde_json::to_value(self).map_err(broken)?;
        let given = given.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        for (name, value) in given {
            if settled[name].is_null() {
                let flag = name.replace('_', "-");
                return Err(Error::usage(format!("--{flag}: {family} has no such option")));
            }
            settled[name] = value.clone();
        }
        serde_json::from_value(settled).map_err(broken)
    }

    /// Returns what was settled, for the lineage.
    pub fn to_json(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        value
    }

    /// Returns how many rows a sample is made of.
    pub fn rows(&self) -> usize {
        self.window.map_or(1, |rows| rows as usize)
    }
}

/// Takes an option out that the family's line gives a default.
pub fn set<T>(option: Option<T>) -> T {
    option.expect("every option that a family reads has a default in its file")
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value > 0.0).ok_or_else(|| "not a number above 0".into())
}

fn not_negative(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value >= 0.0).ok_or_else(|| "not a number from 0 up".into())
}

fn share(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value > 0.0 && value <= 1.0)
        .ok_or_else(|| "not a share above 0, of 1 at most".into())
}

/// Reads the share that sets may miss.
pub fn miss(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value > 0.0 && value < 1.0).ok_or_else(|| "not a share between 0 and 1".into())
}

fn number(text: &str, fits: fn(f64) -> bool) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && fits(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_its_defaults_and_refuses_what_it_lacks() {
        let defaults = Options { epochs: Some(30), learning_rate: Some(1e-3), ..Options::NONE };
        let given = Options { epochs: Some(5), ..Options::NONE };
        let settled = given.settle("mlp", &defaults).expect("settles");
        assert_eq!(settled, Options { epochs: Some(5), ..defaults.clone() });
        assert_eq!(settled.to_json(), serde_json::json!({ "epochs": 5, "learning_rate": 1e-3 }));
        let given = Options { learning_rate: Some(0.1), ..Options::NONE };
        let error = given.settle("logistic", &Options::NONE).expect_err("refused");
        assert_eq!((error.code(), error.to_string().contains("--learning-rate: logistic")), (2, true));
    }
}
