//! A random forest: smartcore grows the trees, we ask the rows that a tree has not seen what its leaves mean.
//!
//! smartcore knows hard labels only, and a vote of hard labels says FLAT nearly everywhere where most rows are flat. So
//! each tree is grown on one half of the rows (a sample of it, of which smartcore takes a bootstrap), and its leaves
//! hold the shares of the classes among the other half: an honest tree (Wager and Athey 2018), whose average is a
//! probability. Class weights shape the sample that a tree is grown on and not the shares.

use std::thread;

use clap::Args;
use mes_core::throws;
use mes_pipe::{Error, Result};
use mes_predict::model::card::Output;
use serde::{Deserialize, Serialize};
use smartcore::{
    ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters},
    linalg::basic::matrix::DenseMatrix,
};

use crate::{
    family::{Cost, Fitted, Shape, Task, Trainer, count},
    onnx::Graph,
    progress::Steps,
    sample::Slice,
    trees::ensemble::{Ensemble, Node, Tree, leaf},
};

/// Rows of the training frequencies that every leaf begins with, so that no leaf says never.
const PRIOR_ROWS: f64 = 5.0;
/// What mixes the seeds of halves and of samples.
const HALF: u64 = 1;
const SAMPLE: u64 = 2;

/// The options of a forest.
#[derive(Args, Clone, Serialize)]
pub struct Options {
    /// Trees of the forest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trees: u32,
    /// Branches from a tree's root to a leaf at most
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=30))]
    depth: u32,
    /// Rows of a leaf at least
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    min_leaf: u32,
    /// Rows that a tree is grown on at most
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(10..))]
    sample_rows: u32,
}

impl Trainer for Options {
    /// The rows of a tree as matrix, order and mask; 9 µs at most a tree and row of it, and what asking the rest takes,
    /// measured.
    fn cost(&self, shape: &Shape) -> Cost {
        let (rows, trees) = (shape.samples as f64, f64::from(self.trees));
        let grown = (rows / 2.0).min(f64::from(self.sample_rows));
        Cost {
            bytes: shape.threads as f64 * grown * (shape.width as f64 * 16.0 + 64.0),
            seconds: trees * (grown * 9e-6 + rows * 2e-7),
        }
    }

    fn fit(&self, task: &Task) -> Result<Box<dyn Fitted>> {
        Ok(Box::new(fit(self, task)?))
    }
}

type Grown = RandomForestClassifier<f32, u32, DenseMatrix<f32>, Vec<u32>>;

/// Grows all trees, on as many threads as the task has.
///
/// # Errors
///
/// [`Error::Failed`] when smartcore refuses a sample, or writes its trees in another way.
fn fit(options: &Options, task: &Task) -> Result<Forest> {
    let trees = options.trees as usize;
    let steps = task.progress.begin(trees, 0);
    let numbers: Vec<u64> = (0..trees as u64).collect();
    let size = trees.div_ceil(task.threads).max(1);
    let grown: Result<Vec<Tree>> = thread::scope(|scope| {
        let steps = &steps;
        let parts: Vec<_> = numbers
            .chunks(size)
            .map(|part| {
                scope.spawn(move || part.iter().map(|&number| tree(options, task, number, steps)).collect())
            })
            .collect();
        let parts: Vec<Result<Vec<Tree>>> =
            parts.into_iter().map(|part| part.join().expect("growing does not panic")).collect();
        Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
    });
    Ok(Forest(Ensemble { trees: grown?, base: [0.0; 3] }))
}

struct Forest(Ensemble);

impl Fitted for Forest {
    fn output(&self) -> Output {
        Output::Probabilities
    }

    fn values(&self, samples: &Slice) -> Result<Vec<[f64; 3]>> {
        Ok(samples.iter().map(|row| self.0.scores(row)).collect())
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        self.0.write(graph, input)
    }
}

/// Grows a tree on one half and fills its leaves from the other.
fn tree(options: &Options, task: &Task, number: u64, steps: &Steps) -> Result<Tree> {
    let seed = throws::seed(task.seed, number);
    let (grows, fills) = halves(task.train.len(), throws::seed(seed, HALF));
    let sample = sample(options, task, &grows, throws::seed(seed, SAMPLE));
    let mut nodes = nodes(&grow(options, task, &sample, seed)?)?;
    let prior = count(task.train.labels).map(|there| there as f64 / task.train.len() as f64);
    let mut held = vec![prior.map(|share| share * PRIOR_ROWS); nodes.len()];
    for row in fills {
        let leaf = leaf(&nodes, task.train.values(row));
        held[leaf][usize::from(task.train.labels[row])] += 1.0;
    }
    let trees = f64::from(options.trees);
    for (node, held) in nodes.iter_mut().zip(held) {
        if let Node::Leaf(shares) = node {
            let rows: f64 = held.iter().sum();
            *shares = held.map(|class| (class / rows / trees) as f32);
        }
    }
    steps.step(format!("{} leaves", nodes.len().div_ceil(2)));
    Ok(nodes)
}

/// Parts rows into two halves by chance.
fn halves(rows: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    (0..rows).partition(|&row| throws::throw(seed, row as u64) >> 63 == 0)
}

/// Takes as many rows as a tree is grown on, a class by its weight.
fn sample(options: &Options, task: &Task, rows: &[usize], seed: u64) -> Vec<usize> {
    let share = f64::from(options.sample_rows) / rows.len().max(1) as f64;
    // 53 bits: every value is exact in an f64.
    let dice = |row: usize| (throws::throw(seed, row as u64) >> 11) as f64 / (1_u64 << 53) as f64;
    let weights = task.class_weights.map(|weight| weight * share.min(1.0));
    let kept = |row: &usize| dice(*row) < weights[usize::from(task.train.labels[*row])];
    rows.iter().copied().filter(kept).collect()
}

/// Lets smartcore grow one tree on a bootstrap of `rows`, which tries the root of the features' number at each branch.
fn grow(options: &Options, task: &Task, rows: &[usize], seed: u64) -> Result<Grown> {
    let failed = |error| Error::failed(format!("smartcore cannot grow a tree: {error}"));
    let mut values = Vec::with_capacity(rows.len() * task.train.width);
    for feature in 0..task.train.width {
        values.extend(rows.iter().map(|&row| task.train.values(row)[feature]));
    }
    let x = DenseMatrix::new(rows.len(), task.train.width, values, true).map_err(failed)?;
    let y: Vec<u32> = rows.iter().map(|&row| u32::from(task.train.labels[row])).collect();
    let parameters = RandomForestClassifierParameters::default()
        .with_n_trees(1)
        .with_max_depth(options.depth as u16)
        .with_min_samples_leaf(options.min_leaf as usize)
        .with_min_samples_split(2 * options.min_leaf as usize)
        .with_seed(seed);
    RandomForestClassifier::fit(&x, &y, parameters).map_err(failed)
}

/// What smartcore writes of a node; a leaf has no children.
#[derive(Deserialize)]
struct Saved {
    split_feature: u32,
    split_value: Option<f64>,
    true_child: Option<u32>,
    false_child: Option<u32>,
}

/// Reads the nodes of a forest's only tree; leaves are still empty.
fn nodes(grown: &Grown) -> Result<Tree> {
    let failed =
        |error: serde_json::Error| Error::failed(format!("what smartcore writes of a tree: {error}"));
    let mut written = serde_json::to_value(grown).map_err(failed)?;
    let saved: Vec<Saved> = serde_json::from_value(written["trees"][0]["nodes"].take()).map_err(failed)?;
    let node = |saved: Saved| match (saved.split_value, saved.true_child, saved.false_child) {
        (Some(value), Some(below), Some(above)) => {
            Node::Branch { feature: saved.split_feature, threshold: rounded_down(value), below, above }
        }
        _ => Node::Leaf([0.0; 3]),
    };
    Ok(saved.into_iter().map(node).collect())
}

/// Rounds a threshold such that an `f32` is at most it exactly when it was before.
fn rounded_down(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold { nearest.next_down() } else { nearest }
}

#[cfg(test)]
mod tests {
    use libm::log;

    use super::*;
    use crate::{
        family::{balance, tests::task},
        sample::{Sample, tests},
    };

    const WIDTH: usize = 6;

    fn value(place: usize) -> f32 {
        (throws::throw(5, place as u64) >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Rows of which 80 % are flat; up is likelier where the first feature is large.
    fn rows(count: usize, edge: f32) -> Sample {
        let rows: Vec<f32> = (0..count * WIDTH).map(value).collect();
        let label = |row: usize| match value(row + 10_000_000) {
            dice if dice < 0.1 + edge * 0.09 * (2.0 * rows[row * WIDTH] - 1.0) => 2,
            dice if dice < 0.2 => 0,
            _ => 1,
        };
        let labels: Vec<u8> = (0..count).map(label).collect();
        tests::sample(WIDTH, &rows, &labels)
    }

    fn options() -> Options {
        Options { trees: 12, depth: 5, min_leaf: 20, sample_rows: 3000 }
    }

    #[test]
    fn walks_the_same_way_as_smartcore() {
        let (sample, options) = (rows(3000, 1.0), options());
        let task = task(sample.slice(0..3000), sample.slice(0..0));
        let all: Vec<usize> = (0..3000).collect();
        for seed in 0..5 {
            let grown = grow(&options, &task, &all, seed).expect("grows");
            let tree = nodes(&grown).expect("reads");
            assert!(tree.len() > 20);
            let written = serde_json::to_value(&grown).expect("writes");
            let values: Vec<f32> = sample.rows.clone();
            let x = DenseMatrix::new(3000, WIDTH, values, false).expect("a matrix");
            let labels = grown.predict(&x).expect("predicts");
            for (row, label) in labels.into_iter().enumerate() {
                let at = leaf(&tree, &sample.rows[row * WIDTH..(row + 1) * WIDTH]);
                assert_eq!(written["trees"][0]["nodes"][at]["output"], label, "row {row}");
            }
        }
    }

    #[test]
    fn shares_sum_to_1_and_are_those_of_rows_that_the_tree_has_not_seen() {
        let sample = rows(20_000, 1.0);
        let (train, test) = (sample.slice(0..14_000), sample.slice(14_000..20_000));
        let options = options();
        for class_weights in [[1.0; 3], balance(train.labels)] {
            let task = Task { class_weights, ..task(train, sample.slice(0..0)) };
            let fitted = options.fit(&task).expect("fits");
            let shares = fitted.values(&test).expect("runs");
            assert!(shares.iter().all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-5 && p[1] > 0.6));
            let loss = |p: &dyn Fn(usize) -> [f64; 3]| -> f64 {
                let rows = test.labels.iter().enumerate();
                rows.map(|(row, label)| -log(p(row)[usize::from(*label)])).sum::<f64>() / 6000.0
            };
            let prior = count(train.labels).map(|there| there as f64 / 14_000.0);
            let (ours, theirs) = (loss(&|row| shares[row]), loss(&|_| prior));
            // The best possible is 0.022 better than the prior.
            assert!(ours < theirs - 0.01, "{ours} {theirs}");
        }
    }

    #[test]
    fn the_same_at_any_number_of_threads_and_another_with_another_seed() {
        let (sample, options) = (rows(2000, 1.0), options());
        let fitted = |threads, seed| {
            let task = task(sample.slice(0..2000), sample.slice(0..0));
            let fitted = options.fit(&Task { threads, seed, ..task }).expect("fits");
            fitted.values(&sample.slice(0..500)).expect("runs")
        };
        let one = fitted(1, 1);
        assert_eq!(one, fitted(2, 1));
        assert_eq!(one, fitted(5, 1));
        assert_ne!(one, fitted(2, 2));
    }

    #[test]
    fn thresholds_keep_their_meaning() {
        for at in 0..10_000 {
            let (a, b) = (f64::from(value(at)), f64::from(value(at + 1)));
            let (threshold, x) = ((a + b) / 2.0, value(at + 2));
            for x in [x, a as f32, b as f32, threshold as f32, (threshold as f32).next_up()] {
                assert_eq!(x <= rounded_down(threshold), f64::from(x) <= threshold);
            }
        }
    }
}
