//! From samples to a finished model: split, fit, calibrate, score, write down, and compare with what tract says.

use std::{ops::Range, path::Path};

use mes_core::time::Ts;
use mes_pipe::{Error, Meta, Result, log::note};
use mes_predict::{
    model::{
        Model,
        card::{self, Card, Hashes, Label, Rows, Span},
        head,
    },
    scores::Report,
};

use crate::{
    calibrate::Method,
    conformal,
    estimate::{Memory, announce},
    family::{Checkpoint, Fitted, Shape, Task, Trainer, balance, count},
    onnx::Graph,
    progress::Progress,
    sample::Sample,
    splits::Splits,
    uniqueness,
};

/// How far tract's answers may lie from the trainer's, as a share of the larger of 1 and the answer.
const TOLERANCE: f64 = 1e-5;
/// Samples that are compared at once, and how many such runs of a sequence model, which is slow to run.
const COMPARED: usize = 1024;
const RUNS: usize = 64;
const RUN: usize = 32;

/// The hash of the sources of this crate and of those it rests on.
const CODE: &str = env!("MES_CODE");

/// What is to be made of a sample.
pub struct Order<'a> {
    /// The family's name.
    pub family: &'a str,
    pub trainer: &'a dyn Trainer,
    pub label: Label,
    /// Of the rows, with the trainer's own link.
    pub meta: &'a Meta,
    pub seed: u64,
    pub balanced: bool,
    pub calibrate: Method,
    /// The share that conformal sets may miss, where they are wanted.
    pub conformal: Option<f64>,
    /// Nanoseconds between slices, beside the label's horizon.
    pub embargo: i64,
    pub threads: usize,
    pub max_memory: Memory,
    pub progress: &'a Progress,
    /// Where a long fit keeps what it has, and whether it goes on from there.
    pub checkpoint: &'a Path,
    pub resume: bool,
}

/// A model in memory.
pub struct Trained {
    pub card: Card,
    /// The file's bytes.
    pub onnx: Vec<u8>,
    fitted: Box<dyn Fitted>,
}

impl Trained {
    /// Trains on a sample.
    ///
    /// # Errors
    ///
    /// `Usage` for more memory than allowed or a horizon that is none, `Data` for too few rows, a class that does not occur or moves that cannot be
    /// measured; whatever the fit fails of.
    pub fn new(sample: &Sample, order: Order) -> Result<Trained> {
        let horizon = order.label.horizon_nanos()?;
        let splits = Splits::of(&sample.times, horizon + order.embargo, order.trainer.validates())?;
        let train = &sample.labels[splits.train.clone()];
        let counts = count(train);
        if counts.contains(&0) {
            return Err(Error::data(format!(
                "of {} training rows {counts:?} are down, flat, up: each must occur; more rows, or a smaller threshold",
                train.len()
            )));
        }
        let mean_move_ticks = mean_moves(&sample.moves[splits.train.clone()], train)?;
        let lineage = order.meta.lineage.to_json();
        let (data, config) = (sample.hash(), config_hash(&lineage));
        let fitted = fit(sample, &splits, &order, &format!("{data} {config} {CODE}"))?;
        let codes: Vec<_> = [Some(CODE), fitted.code()].into_iter().flatten().collect();
        let hashes = Hashes { data, config, code: card::code_hash(&codes) };

        let output = fitted.output();
        let logits = |range: Range<usize>| -> Result<Vec<[f64; 3]>> {
            let values = fitted.values(&sample.slice(range))?;
            Ok(values.into_iter().map(|one| head::logits(one, output)).collect())
        };
        let gap = horizon + order.embargo;
        let (fits, sets) = match order.conformal {
            Some(_) => conformal::halves(&sample.times, splits.calibration.clone(), gap),
            None => (splits.calibration.clone(), 0..0),
        };
        let calibration = order.calibrate.fit(&logits(fits.clone())?, &sample.labels[fits]);
        let p = |range: Range<usize>| -> Result<Vec<[f64; 3]>> {
            Ok(logits(range)?.into_iter().map(|one| calibration.probabilities(one)).collect())
        };
        let (test, test_labels) = (p(splits.test.clone())?, &sample.labels[splits.test.clone()]);
        let sets_p = p(sets.clone())?;
        let conformal = order.conformal.map(|alpha| {
            conformal::tested(conformal::fit(&sets_p, &sample.labels[sets], alpha), &test, test_labels)
        });
        let prior = counts.map(|there| there as f64 / train.len() as f64);
        let card = Card {
            v: card::VERSION,
            family: order.family.into(),
            features: sample.features.clone(),
            features_hash: Some(card::features_hash(&sample.features)),
            window: sample.window,
            output,
            label: order.label,
            interval: order.meta.interval.map(|interval| interval.to_string()),
            span: span(sample, &splits, horizon),
            rows: Rows {
                train: splits.train.len(),
                validation: splits.validation.len(),
                calibration: splits.calibration.len(),
                test: splits.test.len(),
            },
            seed: order.seed,
            calibration,
            conformal,
            members: Vec::new(),
            mean_move_ticks,
            prior: Some(prior),
            scores: Report::of(
                &test,
                test_labels,
                prior,
                overlap(&sample.times[splits.test.clone()], horizon),
            ),
            hashes,
            lineage,
        };
        let onnx = encode(&card, fitted.as_ref())?;
        Ok(Trained { card, onnx, fitted })
    }

    /// Reads the written file as mes-predict does and compares its answers; an error where they differ. Of a sequence
    /// model, samples spread over all are compared, of others all.
    ///
    /// # Errors
    ///
    /// `Usage` where the file is no model, `Data` where it gives no numbers, `Failed` where an answer or the card differs: when, and both answers.
    pub fn check(&self, sample: &Sample, file: &[u8]) -> Result<()> {
        let model = Model::parse(file)?;
        if model.card != self.card {
            return Err(Error::failed("the model's card does not read back as it was written"));
        }
        for range in compared(sample.len(), sample.window) {
            let slice = sample.slice(range.clone());
            let found = model.plan.logits(&slice.iter().flatten().copied().collect::<Vec<_>>())?;
            let wanted = self.fitted.values(&slice)?;
            for ((found, wanted), ts) in found.into_iter().zip(wanted).zip(&sample.times[range]) {
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
        }
        Ok(())
    }
}

/// Says what it will take, then fits; `made_of` is what a checkpoint has to be of.
fn fit(sample: &Sample, splits: &Splits, order: &Order, made_of: &str) -> Result<Box<dyn Fitted>> {
    let Order { family, trainer, threads, seed, progress, .. } = *order;
    let train = sample.slice(splits.train.clone());
    let shape = Shape { samples: train.len(), width: sample.width(), rows_bytes: sample.bytes(), threads };
    note(format!("{family}: fitting {} rows", train.len()));
    announce(family, sample.bytes(), trainer.cost(&shape), order.max_memory)?;
    trainer.fit(&Task {
        all: sample.slice(0..sample.len()),
        train,
        validation: sample.slice(splits.validation.clone()),
        class_weights: if order.balanced { balance(train.labels) } else { [1.0; 3] },
        seed,
        threads,
        progress,
        checkpoint: Checkpoint {
            path: order.checkpoint,
            resume: order.resume,
            hash: &mes_pipe::hash(made_of.as_bytes()),
        },
    })
}

/// Returns which samples to compare with tract.
fn compared(samples: usize, window: usize) -> impl Iterator<Item = Range<usize>> {
    let (every, run) = if window == 1 { (COMPARED, COMPARED) } else { ((samples / RUNS).max(RUN), RUN) };
    (0..samples).step_by(every).map(move |from| from..samples.min(from + run))
}

fn encode(card: &Card, fitted: &dyn Fitted) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let output = fitted.write(&mut graph, "x");
    let rows = (card.window > 1).then_some(card.window);
    let dims: Vec<_> = rows.into_iter().chain([card.features.len()]).collect();
    Ok(graph.into_model(("x", &dims), &output, &card.to_properties()?))
}

/// Returns how many labels are alive at a time: horizon over stride where rows are regular, 1 where none overlap.
fn overlap(times: &[Ts], horizon: i64) -> f64 {
    uniqueness::average(times, horizon).map_or(1.0, |unique| 1.0 / unique)
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
    use mes_core::session::Filter;
    use mes_pipe::{Kind, write::atomically};
    use mes_predict::model::card::Output;
    use serde_json::json;

    use super::*;
    use crate::{
        family::Cost,
        logistic,
        sample::{self, Slice},
    };

    fn sample(rows: usize, shift: usize) -> Sample {
        let value = |row: usize| ((row + shift) * 7919 % 1009) as f32 / 1009.0;
        let labels: Vec<_> = (0..rows).map(|row| (value(row * 13) * 3.0) as u8).collect();
        sample::tests::sample(2, &(0..2 * rows).map(value).collect::<Vec<_>>(), &labels)
    }

    fn train(sample: &Sample, max_memory: Memory) -> Result<Trained> {
        train_as(&logistic::Options {}, sample, max_memory)
    }

    fn train_as(trainer: &dyn Trainer, sample: &Sample, max_memory: Memory) -> Result<Trained> {
        let meta = Meta::source("mes-train", Kind::Feature, None, Filter::All, json!({}));
        let label = Label { kind: "horizon".into(), horizon: "1s".into(), threshold_ticks: 3.0 };
        let order = Order {
            family: "one",
            trainer,
            label,
            meta: &meta,
            seed: 1,
            balanced: false,
            calibrate: Method::Temperature,
            conformal: None,
            embargo: 0,
            threads: 1,
            max_memory,
            progress: &Progress::new(true),
            checkpoint: Path::new(""),
            resume: false,
        };
        Trained::new(sample, order)
    }

    #[test]
    fn a_file_that_says_something_else_than_the_trainer_is_not_written() {
        let rows = sample(400, 0);
        let mut trained = train(&rows, Memory(1 << 30)).expect("trains");
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("m.onnx");
        atomically(&path, &trained.onnx, |written| trained.check(&rows, written)).expect("agrees");
        assert_eq!(std::fs::read(&path).expect("model"), trained.onnx);

        trained.fitted = train(&sample(400, 77), Memory(1 << 30)).expect("trains").fitted;
        let other = folder.path().join("other.onnx");
        let error =
            atomically(&other, &trained.onnx, |written| trained.check(&rows, written)).expect_err("differs");
        assert!(error.code() == 1 && error.to_string().contains("not written: at 1970"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    /// Gives three in four votes to down, one to flat, whatever it sees.
    struct Votes;

    const VOTES: [f32; 3] = [0.75, 0.25, 0.0];

    impl Fitted for Votes {
        fn output(&self) -> Output {
            Output::Probabilities
        }

        fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
            Ok(vec![VOTES.map(f64::from); samples.len()])
        }

        fn write(&self, graph: &mut Graph, input: &str) -> String {
            let weights = graph.tensor("w", &[2, 3], &[0.0; 6]);
            let bias = graph.tensor("b", &[3], &VOTES);
            graph.node("Gemm", &[input, &weights, &bias], "votes")
        }
    }

    /// What gives [`Votes`].
    struct Poll;

    impl Trainer for Poll {
        fn validates(&self) -> bool {
            true
        }

        fn cost(&self, _: &Shape) -> Cost {
            Cost { bytes: 0.0, seconds: 0.0 }
        }

        fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>> {
            assert!(task.validation.len() > 30);
            Ok(Box::new(Votes))
        }
    }

    #[test]
    fn a_family_may_end_in_shares_of_votes() {
        let rows = sample(400, 0);
        let trained = train_as(&Poll, &rows, Memory(1 << 30)).expect("trains");
        assert_eq!(trained.card.output, Output::Probabilities);
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("m.onnx");
        atomically(&path, &trained.onnx, |written| trained.check(&rows, written)).expect("agrees");
        let p = Model::load(&path).expect("loads").probabilities(&[0.5, 0.5]).expect("runs")[0];
        assert!(p[0] > p[1] && p[1] > p[2] && p[2] > 0.0, "{p:?}");
    }

    #[test]
    fn what_does_not_fit_into_memory_is_not_begun() {
        let error = train(&sample(400, 0), Memory(1000)).err().expect("too much");
        assert!(error.code() == 2 && error.to_string().contains("1000 allowed"), "{error}");
    }

    #[test]
    fn all_rows_are_compared_and_of_sequences_a_spread() {
        let ranges: Vec<_> = compared(2500, 1).collect();
        assert_eq!(ranges, [0..1024, 1024..2048, 2048..2500]);
        let ranges: Vec<_> = compared(6400, 8).collect();
        assert_eq!((ranges.len(), &ranges[63]), (64, &(6300..6332)));
        assert_eq!(compared(40, 8).map(|range| range.len()).sum::<usize>(), 40);
    }
}
