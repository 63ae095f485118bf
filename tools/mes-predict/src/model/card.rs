//! What a model file says of itself: the `metadata_props` of the ONNX file, one per field, `mes.<field>` = JSON.

use std::fmt::Write as _;

use mes_core::{
    interval::Interval,
    time::{self, Ts},
};
use mes_pipe::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::calibration::{Calibration, Conformal, Curve};
use crate::scores::Report;

/// The version of the contract between trainers and this tool. A new field leaves it, a changed meaning raises it.
pub const VERSION: u64 = 1;

/// What the keys in a file begin with.
pub const PREFIX: &str = "mes.";

/// What a model file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub v: u64,
    /// How it was trained: `logistic`, `forest`, …
    pub family: String,
    /// Names of the features, in the order of the graph's input.
    pub features: Vec<String>,
    /// BLAKE3 of the names, each on a line: two models with one of them eat the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features_hash: Option<String>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// Of an ensemble: its members, in the order of the graph's outputs. Its probabilities are the mean of theirs, each
    /// calibrated by itself; the ensemble's own calibration says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// The mean move in ticks of the rows labelled down, flat, up.
    pub mean_move_ticks: [f64; 3],
    /// The shares of down, flat, up among the training rows: the guess that the scores are measured by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<[f64; 3]>,
    /// How it did on rows it has never seen.
    pub scores: Report,
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

/// How many rows each slice of time had.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    pub train: usize,
    /// Rows that the fit was stopped by.
    #[serde(default)]
    pub validation: usize,
    pub calibration: usize,
    pub test: usize,
}

/// One model of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub family: String,
    /// Of the member's file.
    pub blake3: String,
    pub output: Output,
    pub calibration: Calibration,
}

/// BLAKE3, in hex; empty where nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hashes {
    /// Of the rows used: names, times, labels, values.
    pub data: String,
    /// Of the trainer's settings.
    pub config: String,
    /// Of the sources of the programs that trained it.
    pub code: String,
}

/// Returns the hash of a list of features, order included.
pub fn features_hash(features: &[String]) -> String {
    mes_pipe::hash(features.iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes())
}

/// Returns the hash of the code that made a model from the hashes of the sources of the programs that did: whoever has
/// the same one gets the same model from the same rows.
pub fn code_hash(sources: &[&str]) -> String {
    mes_pipe::hash(sources.join(" ").as_bytes())
}

/// Reads the ticks that a move must exceed; 0 makes every tick a move.
///
/// # Errors
///
/// What is wrong with the text.
pub fn ticks(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|ticks| ticks.is_finite() && *ticks >= 0.0);
    number.ok_or_else(|| format!("{text:?} is no number of ticks from 0 up"))
}

impl Label {
    /// Returns what a move of so many ticks is called: 0 down, 1 flat, 2 up.
    pub fn class(&self, ticks: f64) -> u8 {
        if ticks > self.threshold_ticks { 2 } else { u8::from(ticks >= -self.threshold_ticks) }
    }

    /// Says it in words, such as `horizon 30s over 3 ticks`.
    pub fn words(&self) -> String {
        format!("{} {} over {} ticks", self.kind, self.horizon, self.threshold_ticks)
    }

    /// Returns the horizon in nanoseconds.
    ///
    /// # Errors
    ///
    /// `Usage` where the card's horizon is no interval.
    pub fn horizon_nanos(&self) -> Result<i64> {
        Ok(self.horizon.parse::<Interval>()?.nanos())
    }
}

impl Span {
    /// Says whether the fit has seen the instant.
    pub fn contains(&self, ts: Ts) -> bool {
        (self.first..=self.last).contains(&ts)
    }
}

impl Card {
    /// Returns the pairs that go into the file's `metadata_props`.
    ///
    /// # Errors
    ///
    /// `Failed` where the card has no JSON.
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
    ///
    /// # Errors
    ///
    /// `Usage` where there is no card or one that cannot be understood, `Data` for a newer version.
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
        let card: Card = serde_json::from_value(Value::Object(fields))
            .map_err(|error| Error::usage(format!("metadata: {error}")))?;
        card.checked()
    }

    /// Passes a card that holds together.
    fn checked(self) -> Result<Card> {
        if self.features_hash.as_ref().is_some_and(|hash| *hash != features_hash(&self.features)) {
            return Err(Error::usage(
                "metadata: the features are not those that mes.features_hash was made of",
            ));
        }
        if self.features.is_empty() {
            return Err(Error::usage("a model without features"));
        }
        if let Some(flaw) = self.calibration.flaw() {
            return Err(Error::usage(format!("metadata: {flaw}")));
        }
        if self.window == 0 {
            return Err(Error::usage("metadata: a window of no rows"));
        }
        Ok(self)
    }

    /// Names what computed the fit, where it was not the processor: its model is another than that one's.
    fn device(&self) -> Option<&str> {
        self.lineage.as_array()?.last()?["settings"]["options"]["device"].as_str()
    }

    /// Writes the card for people, in Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let Label { kind, horizon, threshold_ticks } = &self.label;
        let Rows { train, validation, calibration, test } = self.rows;
        let [down, flat, up] = self.mean_move_ticks;
        let (first, last) = (time::format(self.span.first), time::format(self.span.last));
        let interval = self.interval.as_deref().unwrap_or("unknown");
        let features = self.features.len();
        let hash = |hash: &str| if hash.is_empty() { "unknown".to_owned() } else { hash.to_owned() };
        let prior = self.prior.map_or("unknown".into(), |prior| {
            let [down, flat, up] = prior.map(|share| format!("{:.2} %", share * 100.0));
            format!("down {down}, flat {flat}, up {up}")
        });
        let conformal = self.conformal.map(|sets| format!("| sets | {} |\n", sets.describe()));
        let members: String = self
            .members
            .iter()
            .map(|member| format!("| member | {} {} |\n", member.family, member.blake3))
            .collect();
        let _ = write!(
            text,
            "# {article} {family} model, contract v{v}\n\n\
             | | |\n|---|---|\n\
             | label | {kind}: {horizon} ahead, up or down when it moves more than {threshold_ticks} ticks |\n\
             | row | {interval} |\n\
             | window | {window} |\n\
             | fitted on | {first} to {last} |\n\
             | rows | {rows} |\n\
             | calibration | {calibrated} |\n{conformal}\
             | prior | {prior} |\n\
             | mean move, ticks | down {down:.2}, flat {flat:.2}, up {up:.2} |\n\
             | seed | {seed} |\n{device}\
             | features | {features}, hash {names_hash} |\n\
             | data | {data} |\n\
             | settings | {config} |\n\
             | code | {code} |\n{members}\n\
             ## Rows it has never seen\n\n{scores}\n\
             ## {features} features\n\n{names}\n",
            rows = match self.rows.train {
                0 => "unknown".into(),
                _ => format!(
                    "{train} training, {validation} validation, {calibration} calibration, {test} test"
                ),
            },
            calibrated = match self.members.len() {
                0 => self.calibration.describe(),
                members => format!("the mean of {members} members, each calibrated by itself"),
            },
            article = if self.family.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" },
            family = self.family,
            v = self.v,
            conformal = conformal.unwrap_or_default(),
            seed = self.seed,
            device = self.device().map_or(String::new(), |device| format!("| fitted by | {device} |\n")),
            window = if self.window == 1 { "one row".into() } else { format!("{} rows", self.window) },
            names_hash = features_hash(&self.features),
            data = hash(&self.hashes.data),
            config = hash(&self.hashes.config),
            code = hash(&self.hashes.code),
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
            features_hash: None,
            window: 1,
            output: Output::Logits,
            label: Label { kind: "horizon".into(), horizon: "30s".into(), threshold_ticks: 3.0 },
            interval: Some("1s".into()),
            span: Span { first: 1_000_000_000, last: 2_000_000_000 },
            rows: Rows { train: 70, validation: 0, calibration: 15, test: 15 },
            seed: 1,
            calibration: Calibration::Temperature { t: 1.25 },
            conformal: None,
            members: Vec::new(),
            mean_move_ticks: [-5.0, 0.1, 5.0],
            prior: Some([0.1, 0.8, 0.1]),
            scores: Report::default(),
            hashes: Hashes { data: "d".into(), config: "c".into(), code: "e".into() },
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
        let text = card.to_markdown();
        assert!(text.contains("1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z"), "{text}");
        assert!(
            text.contains("15 calibration, 15 test") && text.contains("softmax(logits / 1.2500)"),
            "{text}"
        );
    }

    #[test]
    fn a_device_that_is_not_the_usual_one_is_named() {
        let on = |options: Value| {
            let lineage = serde_json::json!([{ "tool": "mes-train", "settings": { "options": options } }]);
            Card { lineage, ..card(&["f_a"]) }.to_markdown()
        };
        assert!(on(serde_json::json!({ "device": "cuda" })).contains("| fitted by | cuda |"));
        assert!(!on(serde_json::json!({ "epochs": 3 })).contains("fitted by"));
    }

    #[test]
    fn features_that_are_not_those_of_the_hash_are_refused() {
        let mut card = card(&["f_a", "f_b"]);
        card.features_hash = Some(features_hash(&card.features));
        assert!(card.clone().checked().is_ok());
        card.features.swap(0, 1);
        assert_eq!(card.clone().checked().expect_err("another order").code(), 2);
        card.features.clear();
        assert!(Card { features_hash: None, ..card.clone() }.checked().is_err());
        card.features.push("f_a".into());
        assert!(Card { features_hash: None, window: 0, ..card }.checked().is_err());
    }

    #[test]
    fn refuses_a_newer_contract_and_a_foreign_file() {
        let newer = Card::from_properties([("mes.v", "2")].into_iter()).expect_err("newer");
        assert_eq!(newer.code(), 3);
        let foreign = Card::from_properties([("author", "x")].into_iter()).expect_err("foreign");
        assert_eq!(foreign.code(), 2);
    }
}
