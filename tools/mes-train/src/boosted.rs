//! Gradient-boosted trees: multiclass softmax, one tree a class and round, on histograms of our own
//! ([`crate::trees`]). Same bytes at any number of threads: gradients are a row's own, their sums are whole numbers.
//!
//! As in LightGBM hessians carry the factor K/(K − 1) (Friedman's), so that learning rates mean the same.

use std::thread;

use clap::Args;
use libm::log;
use mes_core::{prediction::softmax, throws};
use mes_pipe::{Result, log::note};
use serde::Serialize;

use crate::{
    family::{Cost, Fitted, Shape, Task, Trainer, count},
    onnx::Graph,
    ranges::{not_negative, positive, share},
    sample::Slice,
    trees::{
        bins::{Bins, LANES},
        ensemble::{Ensemble, Node, Tree, leaf},
        grow::{Field, Grown, Limits},
        histogram::{Scale, Sum},
    },
};

/// K/(K − 1) for three classes.
const FACTOR: f64 = 1.5;
/// The largest FACTOR · p(1 − p).
const LARGEST_HESSIAN: f64 = FACTOR / 4.0;
/// What a leaf weighs at least, so that nothing is divided by 0.
const LEAST_HESSIAN: f64 = 1e-3;
/// What mixes the seeds of rows and of features.
const ROWS: u64 = 1;
const FEATURES: u64 = 2;

/// The options of boosted trees.
#[derive(Args, Clone, Serialize)]
pub struct Options {
    /// Stop after so many rounds without a better loss on the validation rows
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    patience: u32,
    /// Size of a step
    #[arg(long, value_name = "RATE", default_value_t = 0.05, value_parser = positive)]
    learning_rate: f64,
    /// Rounds at most, each a tree for every class
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Leaves of a tree at most
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u32).range(2..=1024))]
    leaves: u32,
    /// The least sum of hessians, about rows × p(1 − p), of a leaf
    #[arg(long, value_name = "WEIGHT", default_value_t = 20.0, value_parser = not_negative)]
    min_child_weight: f64,
    /// Pull of the leaves towards 0, in units of hessian
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0, value_parser = not_negative)]
    l2: f64,
    /// Share of the rows that a round sees
    #[arg(long, value_name = "SHARE", default_value_t = 0.7, value_parser = share)]
    row_share: f64,
    /// Share of the features that a tree may use
    #[arg(long, value_name = "SHARE", default_value_t = 0.7, value_parser = share)]
    feature_share: f64,
}

impl Trainer for Options {
    fn validates(&self) -> bool {
        true
    }

    /// Bins, sums, scores and places of rows; 1.5 ns a value, tree and doubling of leaves at most, measured.
    fn cost(&self, shape: &Shape) -> Cost {
        let (rows, groups) = (shape.samples as f64, shape.width.div_ceil(LANES) as f64);
        let leaves = f64::from(self.leaves);
        let trees = 3.0 * f64::from(self.rounds);
        Cost {
            bytes: rows * (groups * 8.0 + 90.0) + leaves * groups * 16384.0,
            seconds: rows * groups * 8.0 * trees * 1.5e-9 * log(leaves).max(1.0),
        }
    }

    /// Grows trees until the validation rows have not been told better for `--patience` rounds.
    fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(Boosted(Boosting::new(self, task).run())))
    }
}

struct Boosted(Ensemble);

impl Fitted for Boosted {
    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        Ok(samples.iter().map(|row| self.0.scores(row)).collect())
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        self.0.write(graph, input)
    }
}

/// A fit under way.
struct Boosting<'a> {
    options: &'a Options,
    task: &'a Task<'a>,
    /// Scores of the training rows by class, class weights in them, and of the validation rows without.
    scores: [Vec<f64>; 3],
    validation: Vec<[f64; 3]>,
    base: [f64; 3],
}

impl<'a> Boosting<'a> {
    fn new(options: &'a Options, task: &'a Task) -> Boosting<'a> {
        let rows = task.train.len();
        // The file's numbers, so that scores are those of the file.
        let prior = count(task.train.labels).map(|there| f64::from(log(there as f64 / rows as f64) as f32));
        Boosting {
            options,
            task,
            scores: std::array::from_fn(|class| vec![prior[class] + log(task.class_weights[class]); rows]),
            validation: vec![prior; task.validation.len()],
            base: prior,
        }
    }

    /// Adds rounds until the validation rows have not been told better for a while, and keeps the best number.
    fn run(mut self) -> Ensemble {
        let options = self.options;
        let bins = Bins::fit(&self.task.train, self.task.threads);
        let binned = bins.apply(&self.task.train, self.task.threads);
        let limits = Limits {
            leaves: options.leaves as usize,
            min_hessian: options.min_child_weight.max(LEAST_HESSIAN),
            l2: options.l2,
        };
        let field = Field { bins: &bins, binned: &binned, limits, threads: self.task.threads };
        let (rounds, patience) = (options.rounds as usize, options.patience as usize);
        let steps = self.task.progress.begin(rounds, 0);
        let (mut trees, mut best) = (Vec::new(), (0, self.loss()));
        for round in 1..=rounds {
            trees.extend(self.round(round as u64, &field));
            let loss = self.loss();
            steps.step(format!("log-loss {loss:.5} on validation rows, best {:.5}", best.1));
            if loss < best.1 {
                best = (round, loss);
            } else if round - best.0 >= patience {
                break;
            }
        }
        let done = trees.len() / 3;
        note(format!(
            "{done} rounds of at most {rounds}; validation loss {:.5} after round {}",
            best.1, best.0
        ));
        trees.truncate(3 * best.0);
        if trees.is_empty() {
            // No round told more than the prior: so does a tree of one empty leaf.
            trees.push(vec![Node::Leaf([0.0; 3])]);
        }
        Ensemble { trees, base: self.base.map(|base| base as f32) }
    }

    /// Grows one tree for each class on the gradients of one moment.
    fn round(&mut self, round: u64, field: &Field) -> [Tree; 3] {
        let options = self.options;
        let weight: f64 =
            self.task.train.labels.iter().map(|&label| self.task.class_weights[usize::from(label)]).sum();
        let rows = self.task.train.len();
        let scale = Scale::of(rows, weight, LARGEST_HESSIAN);
        let sums = self.gradients(scale);
        let seed = |what| throws::seed(throws::seed(self.task.seed, what), round);
        let chosen = throws::sample(seed(ROWS), rows, options.row_share);
        let features = (field.bins.width() as f64 * options.feature_share).ceil() as usize;
        [0, 1, 2].map(|class| {
            let allowed =
                throws::choose(throws::seed(seed(FEATURES), class), field.bins.width(), features.max(1));
            let class = class as usize;
            let grown = field.grow(chosen.clone(), &sums[class], scale, &allowed);
            self.add(grown, class, scale)
        })
    }

    /// Computes each row's gradient and hessian for each class.
    fn gradients(&self, scale: Scale) -> [Vec<Sum>; 3] {
        let rows = self.task.train.len();
        let size = rows.div_ceil(self.task.threads).max(1);
        let [down, flat, up] = &self.scores;
        let of_row = |row: usize| {
            let label = usize::from(self.task.train.labels[row]);
            let weight = self.task.class_weights[label];
            let p = softmax([down[row], flat[row], up[row]]);
            std::array::from_fn(|class| {
                let hit = f64::from(u8::from(class == label));
                scale.sum(weight * (p[class] - hit), weight * FACTOR * p[class] * (1.0 - p[class]))
            })
        };
        let mut sums: [Vec<Sum>; 3] = std::array::from_fn(|_| vec![Sum::default(); rows]);
        thread::scope(|scope| {
            let of_row = &of_row;
            let [down, flat, up] = &mut sums;
            let parts = down.chunks_mut(size).zip(flat.chunks_mut(size)).zip(up.chunks_mut(size));
            for (part, ((down, flat), up)) in parts.enumerate() {
                scope.spawn(move || {
                    for (at, cells) in down.iter_mut().zip(flat).zip(up).enumerate() {
                        let ((down, flat), up) = cells;
                        [*down, *flat, *up] = of_row(part * size + at);
                    }
                });
            }
        });
        sums
    }

    /// Gives a tree its weights and adds it to the scores of all rows.
    fn add(&mut self, grown: Grown, class: usize, scale: Scale) -> Tree {
        let (rate, l2) = (self.options.learning_rate, self.options.l2);
        let Grown { mut nodes, leaves, rows } = grown;
        let scores = &mut self.scores[class];
        let mut seen = vec![false; scores.len()];
        for leaf in leaves {
            let weight = -rate * scale.gradient(leaf.sum) / (scale.hessian(leaf.sum) + l2);
            let weight = if weight.is_finite() { weight as f32 } else { 0.0 };
            let mut weights = [0.0; 3];
            weights[class] = weight;
            nodes[leaf.node] = Node::Leaf(weights);
            for &row in &rows[leaf.rows] {
                scores[row as usize] += f64::from(weight);
                seen[row as usize] = true;
            }
        }
        let weight = |row: &[f32]| match nodes[leaf(&nodes, row)] {
            Node::Leaf(weights) => f64::from(weights[class]),
            Node::Branch { .. } => 0.0,
        };
        for (row, _) in seen.iter().enumerate().filter(|(_, seen)| !**seen) {
            scores[row] += weight(self.task.train.values(row));
        }
        for (scores, row) in self.validation.iter_mut().zip(self.task.validation.iter()) {
            scores[class] += weight(row);
        }
        nodes
    }

    /// Returns the log-loss on the validation rows.
    fn loss(&self) -> f64 {
        let rows = self.validation.iter().zip(self.task.validation.labels);
        let losses = rows.map(|(scores, &label)| -log(softmax(*scores)[usize::from(label)].max(1e-300)));
        losses.sum::<f64>() / self.validation.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        family::{balance, tests::task},
        sample::{Sample, tests::sample},
    };

    const WIDTH: usize = 10;

    fn value(place: usize) -> f32 {
        (throws::throw(3, place as u64) >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Rows whose label is up where two features agree, down where they do not, else (80 %) flat.
    fn rows(count: usize, edge: f32) -> Sample {
        let rows: Vec<f32> = (0..count * WIDTH).map(value).collect();
        let label = |row: usize| {
            let (a, b, dice) = (rows[row * WIDTH], rows[row * WIDTH + 8], value(row + 10_000_000));
            let up = edge * if (a > 0.5) == (b > 0.5) { 0.09 } else { -0.09 };
            if dice < 0.1 + up {
                2
            } else if dice < 0.2 {
                0
            } else {
                1
            }
        };
        let labels: Vec<u8> = (0..count).map(label).collect();
        sample(WIDTH, &rows, &labels)
    }

    fn options() -> Options {
        Options {
            rounds: 40,
            patience: 5,
            learning_rate: 0.2,
            leaves: 31,
            min_child_weight: 20.0,
            l2: 1.0,
            row_share: 0.7,
            feature_share: 1.0,
        }
    }

    fn loss(values: &[[f64; 3]], labels: &[u8]) -> f64 {
        let losses = values.iter().zip(labels).map(|(z, label)| -log(softmax(*z)[usize::from(*label)]));
        losses.sum::<f64>() / labels.len() as f64
    }

    #[test]
    fn learns_what_no_single_feature_tells_and_stops_where_there_is_nothing() {
        let prior = [0.1, 0.8, 0.1_f64];
        for (edge, better) in [(1.0, true), (0.0, false)] {
            let sample = rows(30_000, edge);
            let (train, validation) = (sample.slice(0..20_000), sample.slice(20_000..25_000));
            let test = sample.slice(25_000..30_000);
            let options = options();
            for class_weights in [[1.0; 3], balance(train.labels)] {
                let task = Task { threads: 2, class_weights, ..task(train, validation) };
                let fitted = options.fit(&task).expect("fits");
                let values = fitted.values(&test).expect("runs");
                let found = loss(&values, test.labels);
                if better {
                    // The best possible is 0.5·H(0.19, 0.8, 0.01) + 0.5·H(0.01, 0.8, 0.19) = 0.540, and knowing nothing 0.639.
                    assert!(found < 0.60, "{found}");
                } else {
                    let nothing = loss(&vec![prior.map(log); test.len()], test.labels);
                    assert!((found - nothing).abs() < 0.005, "{found} {nothing}");
                }
            }
        }
    }

    #[test]
    fn the_same_at_any_number_of_threads_and_another_with_another_seed() {
        let sample = rows(12_000, 1.0);
        let options = Options { rounds: 4, ..options() };
        let fitted = |threads, seed| {
            let task = task(sample.slice(0..10_000), sample.slice(10_000..12_000));
            Boosting::new(&options, &Task { threads, seed, ..task }).run()
        };
        let one = fitted(1, 1);
        assert!(one.trees.len() == 12 && one.trees.iter().all(|tree| tree.len() > 1));
        for threads in [2, 3, 7] {
            assert_eq!(one, fitted(threads, 1), "{threads} threads");
        }
        assert_ne!(one, fitted(2, 2));
    }

    /// One round by the formulas, in `f64`, of one split: the weights of the leaves.
    #[test]
    fn the_first_leaves_are_those_of_the_formula() {
        let rows: Vec<f32> = (0..300_u16).map(|row| f32::from(row % 2)).collect();
        let labels: Vec<u8> = (0..300_u16).map(|row| [0, 1, 2, 1, 1, 2][usize::from(row % 6)]).collect();
        let sample = sample(1, &rows, &labels);
        let options = Options { rounds: 1, leaves: 2, row_share: 1.0, ..options() };
        let task = task(sample.slice(0..300), sample.slice(0..300));
        let ensemble = Boosting::new(&options, &task).run();
        let prior = count(&labels).map(|there| there as f64 / 300.0);
        for (class, tree) in ensemble.trees.iter().enumerate() {
            for odd in [0_u16, 1] {
                let rows = (0..300_u16).filter(|row| row % 2 == odd);
                let (mut gradient, mut hessian) = (0.0, 0.0);
                for row in rows {
                    let hit = f64::from(u8::from(usize::from(labels[usize::from(row)]) == class));
                    gradient += prior[class] - hit;
                    hessian += FACTOR * prior[class] * (1.0 - prior[class]);
                }
                let wanted = -0.2 * gradient / (hessian + 1.0);
                let Node::Leaf(found) = tree[leaf(tree, &[f32::from(odd)])] else { unreachable!("a leaf") };
                assert!((f64::from(found[class]) - wanted).abs() < 1e-6, "{found:?} {wanted}");
            }
        }
    }
}
