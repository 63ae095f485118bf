//! What can be trained. A model family is one file with its trainer and one line in [`FAMILIES`].

use mes_pipe::Result;

use crate::{logistic, onnx::Graph};

pub struct Family {
    pub name: &'static str,
    pub about: &'static str,
    pub fit: fn(&Task) -> Result<Box<dyn Fitted>>,
}

pub const FAMILIES: &[Family] =
    &[Family { name: "logistic", about: "multinomial logistic regression", fit: logistic::fit }];

/// What a trainer gets: scaled training rows, one after the other.
pub struct Task<'a> {
    pub width: usize,
    pub rows: &'a [f32],
    /// 0 down, 1 flat, 2 up; all three occur.
    pub labels: &'a [u8],
    /// Whether each class is to weigh the same.
    pub balanced: bool,
}

/// What a trainer gives: its own forward pass, and the same as a graph.
pub trait Fitted {
    /// Computes the logits of one scaled row.
    fn logits(&self, row: &[f32]) -> [f64; 3];

    /// Adds itself to a graph that holds the scaled rows `input`, and returns the name of the logits.
    fn write(&self, graph: &mut Graph, input: &str) -> String;
}

/// Counts the rows of each class.
pub fn count(labels: &[u8]) -> [usize; 3] {
    let mut counts = [0; 3];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}
