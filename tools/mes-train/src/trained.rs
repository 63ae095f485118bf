//! From rows to a finished model: split, scale, fit, calibrate, score, write down, and compare with what tract says.

use std::path::Path;

use mes_pipe::{Error, Meta, Result, log::note};
use mes_predict::{
    model::{
        Model,
        card::{self, Calibration, Card, Hashes, Label, Rows, Span},
        head::softmax,
    },
    scores::Report,
};

use crate::{
    calibrate,
    family::{Family, Fitted, Task, count},
    onnx::Graph,
    sample::Sample,
    scaler::Scaler,
    splits::Splits,
};

/// How far tract's logits may lie from the trainer's, as a share of the larger of 1 and the logit.
const TOLERANCE: f64 = 1e-5;

/// What is to be made of a sample.
pub struct Order<'a> {
    pub family: &'a Family,
    pub label: Label,
    /// Of the rows, with the trainer's own link.
    pub meta: &'a Meta,
    pub seed: u64,
    pub balanced: bool,
}

/// A model in memory.
pub struct Trained {
    pub card: Card,
    /// The file's bytes.
    pub onnx: Vec<u8>,
    scaler: Scaler,
    fitted: Box<dyn Fitted>,
}

impl Trained {
    /// Trains on a sample.
    pub fn new(sample: &Sample, order: Order) -> Result<Trained> {
        let horizon = order.label.horizon_nanos()?;
        let splits = Splits::of(&sample.times, horizon)?;
        let (width, labels) = (sample.width(), &sample.labels);
        let train = &labels[splits.train.clone()];
        let counts = count(train);
        if counts.contains(&0) {
            return Err(Error::data(format!(
                "of {} training rows {counts:?} are down, flat, up: each must occur; more rows, or a smaller threshold",
                train.len()
            )));
        }
        let mean_move_ticks = mean_moves(&sample.moves[splits.train.clone()], train)?;
        let scaler = Scaler::fit(&sample.rows[splits.train.start * width..splits.train.end * width], width);
        let scaled = scaler.apply(&sample.rows);
        note(format!("{}: fitting {} rows", order.family.name, train.len()));
        let rows = &scaled[splits.train.start * width..splits.train.end * width];
        let fitted = (order.family.fit)(&Task { width, rows, labels: train, balanced: order.balanced })?;

        let logits: Vec<_> = scaled.chunks(width).map(|row| fitted.logits(row)).collect();
        let slice = splits.calibration.clone();
        let calibration = calibrate::temperature(&logits[slice.clone()], &labels[slice]);
        let Calibration::Temperature { t } = calibration;
        let calibrated = |z: &[f64; 3]| softmax(z.map(|one| one / t));
        let p: Vec<_> = logits[splits.test.clone()].iter().map(calibrated).collect();
        let prior = counts.map(|there| there as f64 / train.len() as f64);
        let lineage = order.meta.lineage.to_json();
        let card = Card {
            v: card::VERSION,
            family: order.family.name.into(),
            features: sample.features.clone(),
            features_hash: Some(card::features_hash(&sample.features)),
            window: 1,
            label: order.label,
            interval: order.meta.interval.map(|interval| interval.to_string()),
            span: span(sample, &splits, horizon),
            rows: Rows {
                train: splits.train.len(),
                calibration: splits.calibration.len(),
                test: splits.test.len(),
            },
            seed: order.seed,
            calibration,
            mean_move_ticks,
            prior: Some(prior),
            scores: Report::of(&p, &labels[splits.test], prior),
            hashes: Hashes { data: sample.hash(), config: config_hash(&lineage), code: card::code_hash()? },
            lineage,
        };
        let onnx = encode(&card, &scaler, fitted.as_ref())?;
        Ok(Trained { card, onnx, scaler, fitted })
    }

    /// Loads the written file as mes-predict does and compares every row's logits; an error where they differ.
    pub fn check(&self, sample: &Sample, file: &Path) -> Result<()> {
        let model = Model::load(file)?;
        if model.card != self.card {
            return Err(Error::failed("the model's card does not read back as it was written"));
        }
        let found = model.plan.logits(&sample.rows)?;
        let scaled = self.scaler.apply(&sample.rows);
        for ((row, found), ts) in scaled.chunks(sample.width()).zip(found).zip(&sample.times) {
            let wanted = self.fitted.logits(row);
            let far = |(found, wanted): (f32, f64)| {
                (f64::from(found) - wanted).abs() > TOLERANCE * wanted.abs().max(1.0)
            };
            if found.into_iter().zip(wanted).any(far) {
                let ts = mes_core::time::format(*ts);
                return Err(Error::failed(format!(
                    "not written: at {ts} tract gives {found:?}, the trainer {wanted:?}"
                )));
            }
        }
        Ok(())
    }
}

fn encode(card: &Card, scaler: &Scaler, fitted: &dyn Fitted) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let scaled = scaler.write(&mut graph, "x");
    let logits = fitted.write(&mut graph, &scaled);
    Ok(graph.into_model(("x", card.features.len()), &logits, &card.to_properties()?))
}

/// Returns what the fit has seen, labels' horizons included.
fn span(sample: &Sample, splits: &Splits, horizon: i64) -> Span {
    Span { first: sample.times[splits.train.start], last: sample.times[splits.calibration.end - 1] + horizon }
}

/// Returns the mean move in ticks of each class.
fn mean_moves(moves: &[Option<f32>], labels: &[u8]) -> Result<[f64; 3]> {
    let mut sums = [(0.0_f64, 0_usize); 3];
    for (ticks, &label) in moves.iter().zip(labels) {
        if let Some(ticks) = ticks {
            let (sum, rows) = &mut sums[usize::from(label)];
            *sum += f64::from(*ticks);
            *rows += 1;
        }
    }
    if sums.iter().any(|(_, rows)| *rows == 0) {
        return Err(Error::data(
            "the rows do not reach one horizon past their labels, so no move can be measured",
        ));
    }
    Ok(sums.map(|(sum, rows)| sum / rows as f64))
}

/// Returns the BLAKE3 of the trainer's settings, the last link of the chain.
fn config_hash(lineage: &serde_json::Value) -> String {
    let settings = lineage.as_array().and_then(|links| links.last()).map(|link| link["settings"].to_string());
    mes_pipe::hash(settings.unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use mes_core::{session::Filter, time::SECOND};
    use mes_pipe::Kind;
    use serde_json::json;

    use super::*;
    use crate::{family::FAMILIES, write::atomically};

    fn sample(rows: usize) -> Sample {
        let value = |row: usize| (row * 7919 % 1009) as f32 / 1009.0;
        Sample {
            features: vec!["f_a".into(), "f_b".into()],
            rows: (0..2 * rows).map(value).collect(),
            times: (0..rows).map(|row| row as i64 * SECOND).collect(),
            labels: (0..rows).map(|row| (value(row * 13) * 3.0) as u8).collect(),
            moves: (0..rows).map(|row| Some(value(row) * 9.0 - 4.0)).collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn a_file_that_says_something_else_than_the_trainer_is_not_written() {
        let sample = sample(400);
        let meta = Meta::source("mes-train", Kind::Feature, None, Filter::All, json!({}));
        let label = Label { kind: "horizon".into(), horizon: "1s".into(), threshold_ticks: 3.0 };
        let order = Order { family: &FAMILIES[0], label, meta: &meta, seed: 1, balanced: false };
        let mut trained = Trained::new(&sample, order).expect("trains");
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("m.onnx");
        atomically(&path, &trained.onnx, |part| trained.check(&sample, part)).expect("agrees");
        assert_eq!(std::fs::read(&path).expect("model"), trained.onnx);

        trained.scaler = Scaler::fit(&sample.rows[..100], 2);
        let other = folder.path().join("other.onnx");
        let error =
            atomically(&other, &trained.onnx, |part| trained.check(&sample, part)).expect_err("differs");
        assert!(error.code() == 1 && error.to_string().contains("not written: at 1970"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
