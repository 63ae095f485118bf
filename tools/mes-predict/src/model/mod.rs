//! A model: one ONNX file from named features to the logits of down, flat, up, and its card. Of an ensemble the graph
//! ends at the logits of each member; the mean is taken here, of calibrated probabilities.

pub mod calibration;
pub mod card;
mod graph;
pub mod head;
pub mod join;
pub mod plan;
mod sizes;
mod trees;

use std::path::Path;

use mes_pipe::{Error, Result, limits};
use prost::Message;
use tract_onnx::pb::{ModelProto, StringStringEntryProto, ValueInfoProto};

use card::{Calibration, Card, Output};
use plan::{CLASSES, Plan};

/// A model that can be run.
pub struct Model {
    pub card: Card,
    pub plan: Plan,
    /// Of an ensemble: the plans of the members after the first.
    more: Vec<Plan>,
    /// BLAKE3 of the file, in hex.
    pub hash: String,
}

impl Model {
    /// Reads and compiles a model file.
    ///
    /// # Errors
    ///
    /// As [`Model::parse`], `Usage` where the file cannot be read, `Data` where it is too large; with its path.
    pub fn load(path: &Path) -> Result<Model> {
        read(path).and_then(|bytes| Model::parse(&bytes)).map_err(|error| error.at(path.display()))
    }

    /// Compiles a model from the bytes of its file.
    ///
    /// # Errors
    ///
    /// `Usage` for what is no ONNX, has no card, or does not run on its features; `Data` for a newer version, or an ensemble
    /// that takes more memory than a model may.
    pub fn parse(bytes: &[u8]) -> Result<Model> {
        let proto = Plan::decode(bytes)?;
        let card = card_of(&proto)?;
        let hash = mes_pipe::hash(bytes);
        let compile = |proto| Plan::of_windows(proto, card.features.len(), card.window);
        if card.members.is_empty() {
            return Ok(Model { plan: compile(proto)?, more: Vec::new(), card, hash });
        }
        limits::model("an ensemble", (bytes.len() as u64).saturating_mul(card.members.len() as u64))?;
        let mut plans = split(&proto, card.members.len())?.into_iter().map(compile);
        let plan = plans.next().ok_or_else(|| Error::usage("an ensemble without members"))??;
        let more: Vec<Plan> = plans.collect::<Result<_>>()?;
        Ok(Model { card, plan, more, hash })
    }

    /// Puts a model together, for tests.
    #[cfg(test)]
    pub(crate) fn of(card: Card, plan: Plan, hash: &str) -> Model {
        Model { card, plan, more: Vec::new(), hash: hash.into() }
    }

    /// Returns how many values a sample has: the features of all rows that one prediction looks at.
    pub fn values(&self) -> usize {
        self.card.features.len() * self.card.window
    }

    /// Computes the calibrated probabilities of samples that lie one after the other, rows or whole windows.
    ///
    /// # Errors
    ///
    /// `Data` where the model gives no numbers, `Failed` where it does not run.
    pub fn probabilities(&self, samples: &[f32]) -> Result<Vec<[f64; CLASSES]>> {
        let Card { members, output, calibration, .. } = &self.card;
        let of = |plan: &Plan, output: Output, calibration: &Calibration| -> Result<Vec<[f64; CLASSES]>> {
            let p = |one: [f32; CLASSES]| calibration.probabilities(head::logits(one.map(f64::from), output));
            Ok(plan.logits(samples)?.into_iter().map(p).collect())
        };
        let Some((first, others)) = members.split_first() else {
            return of(&self.plan, *output, calibration);
        };
        let mut sums = of(&self.plan, first.output, &first.calibration)?;
        for (plan, member) in self.more.iter().zip(others) {
            for (sum, p) in sums.iter_mut().zip(of(plan, member.output, &member.calibration)?) {
                sum.iter_mut().zip(p).for_each(|(sum, p)| *sum += p);
            }
        }
        Ok(sums.into_iter().map(|sum| sum.map(|one| one / members.len() as f64)).collect())
    }
}

/// Makes a file of each output, so that every member runs as it would alone.
fn split(proto: &ModelProto, members: usize) -> Result<Vec<ModelProto>> {
    let outputs = proto.graph.as_ref().map_or(&[][..], |graph| &graph.output);
    if outputs.len() != members {
        let count = outputs.len();
        return Err(Error::usage(format!("an ensemble of {members} members with {count} outputs")));
    }
    let only = |output: &ValueInfoProto| {
        let mut one = proto.clone();
        one.graph.iter_mut().for_each(|graph| graph.output = vec![output.clone()]);
        one
    };
    Ok(outputs.iter().map(only).collect())
}

/// Reads the card of a model file without compiling its graph.
///
/// # Errors
///
/// `Usage` where it cannot be read or is no model of this house, `Data` where it is too large or newer; with its path.
pub fn read_card(path: &Path) -> Result<Card> {
    read(path).and_then(|bytes| card_of(&Plan::decode(&bytes)?)).map_err(|error| error.at(path.display()))
}

/// Writes a file of a graph and its card; a card that is there already is replaced.
///
/// # Errors
///
/// `Failed` where the card has no JSON.
pub(crate) fn encode(mut proto: ModelProto, card: &Card) -> Result<Vec<u8>> {
    proto.metadata_props.retain(|pair| !pair.key.starts_with(card::PREFIX));
    let pairs = card.to_properties()?.into_iter().map(|(key, value)| StringStringEntryProto { key, value });
    proto.metadata_props.extend(pairs);
    Ok(proto.encode_to_vec())
}

/// Reads a model's file, of the size that one may have.
///
/// # Errors
///
/// `Usage` where it cannot be read, `Data` where it is larger.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    limits::model_bytes(path)
}

fn card_of(proto: &ModelProto) -> Result<Card> {
    let properties = proto.metadata_props.iter().map(|pair| (pair.key.as_str(), pair.value.as_str()));
    Card::from_properties(properties)
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;

    use super::*;

    /// Breaks a file in seeded places, `MES_FUZZ` times (default 2000): an error or a model, never a panic.
    #[test]
    fn a_broken_file_is_an_error_and_no_panic() {
        let whole = include_bytes!("../../tests/data/tiny.onnx");
        let count = std::env::var("MES_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(2000_u64);
        let mut draw = Draw::of(1);
        let mut throw = |below: usize| draw.below(below);
        let mut loaded = 0;
        for _ in 0..count {
            let mut bytes = whole.to_vec();
            for _ in 0..=throw(3) {
                let at = throw(bytes.len());
                bytes[at] = throw(256) as u8;
            }
            bytes.truncate(if throw(4) == 0 { throw(whole.len()) } else { whole.len() });
            if let Ok(model) = Model::parse(&bytes) {
                loaded += 1;
                let _ = model.probabilities(&vec![0.5; model.values()]);
            }
        }
        assert!(loaded > 0);
    }
}
