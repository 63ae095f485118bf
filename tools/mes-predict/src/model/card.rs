//! What a model file says of itself: the `metadata_props` of the ONNX file, one per field, `mes.<field>` = JSON.

use std::fmt::Write as _;

use mes_core::{
    interval::Interval,
    time::{self, Ts},
};
use mes_pipe::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::scores::Report;

/// The version of the contract between trainers and this tool. A new field leaves it, a changed meaning raises it.
pub const VERSION: u64 = 1;

const PREFIX: &str = "mes.";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub v: u64,
    /// How it was trained: `logistic`, `forest`, …
    pub family: String,
    /// Names of the features, in the order of the graph's input.
    pub features: Vec<String>,
    /// Rows that one prediction sees, the last of them its own.
    #[serde(default = "one")]
    pub window: usize,
    /// What the graph ends at.
    #[serde(default)]
    pub output: Output,
    pub label: Label,
    /// The length of a row it was trained on, such as `1s`.
    pub interval: Option<String>,
    pub span: Span,
    pub rows: Rows,
    pub seed: u64,
    pub calibration: Calibration,
    /// The mean move in ticks of the rows labelled down, flat, up.
    pub mean_move_ticks: [f64; 3],
    /// How it did on rows it has never seen.
    pub scores: Report,
    /// BLAKE3 of the rows used and of the settings.
    pub hashes: Hashes,
    /// How the training rows came to be, and the trainer's own settings last.
    pub lineage: Value,
}

fn one() -> usize {
    1
}

/// What the three numbers of a graph are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    #[default]
    Logits,
    /// Shares of votes, which sum to 1; 0 is possible.
    Probabilities,
}

/// What the classes mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// `horizon` or `barrier`.
    pub kind: String,
    /// How far a label looks ahead, such as `30s`.
    pub horizon: String,
    /// A move of more ticks than this is up or down.
    pub threshold_ticks: f64,
}

/// The first and the last instant that the fit has seen, the horizons of its labels included. Scores are of rows
/// after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    #[serde(with = "time::text")]
    pub first: Ts,
    #[serde(with = "time::text")]
    pub last: Ts,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    pub train: usize,
    /// Rows that the fit was stopped by.
    #[serde(default)]
    pub validation: usize,
    pub calibration: usize,
    pub test: usize,
}

/// What makes probabilities of logits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Calibration {
    /// softmax(logits / t).
    Temperature { t: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hashes {
    pub data: String,
    pub config: String,
}

impl Label {
    /// Returns the horizon in nanoseconds.
    pub fn horizon_nanos(&self) -> Result<i64> {
        Ok(self.horizon.parse::<Interval>()?.nanos())
    }
}

impl Span {
    pub fn contains(&self, ts: Ts) -> bool {
        (self.first..=self.last).contains(&ts)
    }
}

impl Card {
    /// Returns the pairs that go into the file's `metadata_props`.
    pub fn to_properties(&self) -> Result<Vec<(String, String)>> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => Ok(fields
                .into_iter()
                .map(|(name, value)| (format!("{PREFIX}{name}"), value.to_string()))
                .collect()),
            Ok(_) => Err(Error::failed("a card that is no object")),
            Err(error) => Err(Error::failed(format!("the model's card: {error}"))),
        }
    }

    /// Reads the card back from a file's `metadata_props`; those of others are passed over.
    pub fn from_properties<'a>(properties: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Card> {
        let mut fields = Map::new();
        for (key, text) in properties {
            let Some(name) = key.strip_prefix(PREFIX) else { continue };
            let value = serde_json::from_str(text)
                .map_err(|error| Error::usage(format!("metadata {key} is not JSON ({error})")))?;
            fields.insert(name.to_owned(), value);
        }
        let version = fields.get("v").and_then(Value::as_u64).ok_or_else(|| {
            Error::usage("no mes.v in its metadata: not a model of this house (mes-train writes them)")
        })?;
        if version > VERSION {
            let known = format!("contract version {version} is newer than this tool reads ({VERSION})");
            return Err(Error::data(known));
        }
        serde_json::from_value(Value::Object(fields))
            .map_err(|error| Error::usage(format!("metadata: {error}")))
    }

    /// Writes the card for people, in Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let Label { kind, horizon, threshold_ticks } = &self.label;
        let Rows { train, validation, calibration, test } = self.rows;
        let Calibration::Temperature { t } = self.calibration;
        let [down, flat, up] = self.mean_move_ticks;
        let (first, last) = (time::format(self.span.first), time::format(self.span.last));
        let interval = self.interval.as_deref().unwrap_or("unknown");
        let features = self.features.len();
        let window =
            if self.window > 1 { format!(", {} of them seen at once", self.window) } else { String::new() };
        let _ = write!(
            text,
            "# A {family} model, contract v{v}\n\n\
             | | |\n|---|---|\n\
             | label | {kind}: {horizon} ahead, up or down when it moves more than {threshold_ticks} ticks |\n\
             | row | {interval}{window} |\n\
             | fitted on | {first} to {last} |\n\
             | rows | {train} training, {validation} validation, {calibration} calibration, {test} test |\n\
             | calibration | softmax(logits / {t:.4}) |\n\
             | mean move, ticks | down {down:.2}, flat {flat:.2}, up {up:.2} |\n\
             | seed | {seed} |\n\
             | data | {data} |\n\
             | settings | {config} |\n\n\
             ## Rows it has never seen\n\n{scores}\n\
             ## {features} features\n\n{names}\n",
            family = self.family,
            v = self.v,
            seed = self.seed,
            data = self.hashes.data,
            config = self.hashes.config,
            scores = self.scores.to_markdown(),
            names = self.features.join(" "),
        );
        text
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn card(features: &[&str]) -> Card {
        Card {
            v: VERSION,
            family: "logistic".into(),
            features: features.iter().map(|&name| name.to_owned()).collect(),
            window: 1,
            output: Output::Logits,
            label: Label { kind: "horizon".into(), horizon: "30s".into(), threshold_ticks: 3.0 },
            interval: Some("1s".into()),
            span: Span { first: 1_000_000_000, last: 2_000_000_000 },
            rows: Rows { train: 70, validation: 0, calibration: 15, test: 15 },
            seed: 1,
            calibration: Calibration::Temperature { t: 1.25 },
            mean_move_ticks: [-5.0, 0.1, 5.0],
            scores: Report::default(),
            hashes: Hashes { data: "d".into(), config: "c".into() },
            lineage: Value::Array(vec![]),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let card = card(&["f_a", "f_b"]);
        let properties = card.to_properties().expect("writes");
        let pairs = || properties.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(Card::from_properties(pairs()).expect("reads"), card);
        assert_eq!(Card::from_properties(pairs().chain([("other", "not json")])).expect("reads"), card);
        assert!(card.to_markdown().contains("1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z"));
    }

    #[test]
    fn refuses_a_newer_contract_and_a_foreign_file() {
        let newer = Card::from_properties([("mes.v", "2")].into_iter()).expect_err("newer");
        assert_eq!(newer.code(), 3);
        let foreign = Card::from_properties([("author", "x")].into_iter()).expect_err("foreign");
        assert_eq!(foreign.code(), 2);
    }
}
