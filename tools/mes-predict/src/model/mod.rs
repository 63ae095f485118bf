//! A model: one ONNX file from named features to the logits of down, flat, up, and its card.

pub mod card;
mod graph;
pub mod head;
pub mod plan;
mod trees;

use std::{fs, path::Path};

use mes_pipe::{Error, Result};
use tract_onnx::pb::ModelProto;

use card::Card;
use plan::{CLASSES, Plan};

pub struct Model {
    pub card: Card,
    pub plan: Plan,
    /// BLAKE3 of the file, in hex.
    pub hash: String,
}

impl Model {
    /// Reads and compiles a model file.
    pub fn load(path: &Path) -> Result<Model> {
        read(path).and_then(|bytes| Model::parse(&bytes)).map_err(|error| error.at(path.display()))
    }

    /// Compiles a model from the bytes of its file.
    pub fn parse(bytes: &[u8]) -> Result<Model> {
        let proto = Plan::decode(bytes)?;
        let card = card_of(&proto)?;
        let plan = Plan::of_windows(proto, card.features.len(), card.window)?;
        Ok(Model { card, plan, hash: blake3::hash(bytes).to_hex().to_string() })
    }

    /// Computes the calibrated probabilities of samples that lie one after the other: rows, or whole windows.
    pub fn probabilities(&self, rows: &[f32]) -> Result<Vec<[f64; CLASSES]>> {
        let logits = self.plan.logits(rows)?;
        let card = &self.card;
        let p = |one: [f32; CLASSES]| {
            head::probabilities(head::logits(one.map(f64::from), card.output), card.calibration)
        };
        Ok(logits.into_iter().map(p).collect())
    }
}

/// Reads the card of a model file without compiling its graph.
pub fn read_card(path: &Path) -> Result<Card> {
    read(path).and_then(|bytes| card_of(&Plan::decode(&bytes)?)).map_err(|error| error.at(path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::usage(format!("cannot read the model: {error}")))
}

fn card_of(proto: &ModelProto) -> Result<Card> {
    let properties = proto.metadata_props.iter().map(|pair| (pair.key.as_str(), pair.value.as_str()));
    Card::from_properties(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks a file in seeded places, `MES_FUZZ` times (default 2000): an error or a model, never a panic.
    #[test]
    fn a_broken_file_is_an_error_and_no_panic() {
        let whole = include_bytes!("../../tests/data/tiny.onnx");
        let count = std::env::var("MES_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(2000_u64);
        let mut state = 1_u64;
        let mut throw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
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
                let _ = model.probabilities(&vec![0.5; model.plan.values()]);
            }
        }
        assert!(loaded > 0);
    }
}
