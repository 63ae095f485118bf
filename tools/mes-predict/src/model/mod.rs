//! A model: one ONNX file from named features to the logits of down, flat, up, and its card.

pub mod card;
mod graph;
pub mod head;
pub mod plan;

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
        let plan = Plan::compile(proto, card.features.len())?;
        Ok(Model { card, plan, hash: blake3::hash(bytes).to_hex().to_string() })
    }

    /// Computes the calibrated probabilities of rows that lie one after the other.
    pub fn probabilities(&self, rows: &[f32]) -> Result<Vec<[f64; CLASSES]>> {
        let logits = self.plan.logits(rows)?;
        Ok(logits.into_iter().map(|one| head::probabilities(one, self.card.calibration)).collect())
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
    let card = Card::from_properties(properties)?;
    if card.features.is_empty() {
        return Err(Error::usage("a model without features"));
    }
    Ok(card)
}
