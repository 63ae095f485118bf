//! Tree ensembles (`TreeEnsembleClassifier` of ai.onnx.ml), walked 32 rows at a time.
//!
//! tract's own operator scans half of its leaf table for every tree of every row and trusts the indices in the file.
//! This one checks a file when it is read ([`parse`]), and walks one tree with all rows of a block before it takes up
//! the next: the tree then stays in the nearest cache, and the rows' steps do not wait for each other. A row's sum
//! takes the trees in their order whatever the block, so its bits depend on nothing but the row.

mod op;
mod parse;

use mes_core::prediction::softmax;
use mes_pipe::{Error, Result};

use super::plan::{BLOCK, CLASSES};
pub(super) use op::register;

/// An ensemble whose scores are the sum of one leaf of every tree.
#[derive(Clone, Debug)]
pub struct Trees {
    nodes: Vec<Node>,
    trees: Vec<Tree>,
    /// What a leaf adds to the scores of down, flat, up.
    leaves: Vec<[f32; CLASSES]>,
    base: [f32; CLASSES],
    transform: Transform,
    /// Features that the branches ask for: the largest index and one.
    width: usize,
}

/// What becomes of the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    None,
    Softmax,
}

/// A branch goes to `next` where the feature is at most the threshold, else to the node behind it. A leaf goes to
/// itself, whatever the feature.
#[derive(Clone, Copy, Debug)]
struct Node {
    threshold: f32,
    feature: u32,
    /// Counted from the tree's first node.
    next: u32,
    leaf: u32,
}

/// Where a tree lies in the list of nodes, its root first.
#[derive(Clone, Debug)]
struct Tree {
    nodes: std::ops::Range<usize>,
    /// Steps from the root to the farthest leaf.
    depth: u32,
}

impl Trees {
    /// Computes the scores of rows that lie one after the other, `width` values each.
    ///
    /// # Errors
    ///
    /// `Usage` where the trees ask for more features than `width`.
    pub fn scores(&self, rows: &[f32], width: usize) -> Result<Vec<[f32; CLASSES]>> {
        if width < self.width {
            let asked = self.width;
            return Err(Error::usage(format!("the trees ask for {asked} features, the rows have {width}")));
        }
        let mut scores = Vec::with_capacity(rows.len() / width);
        for block in rows.chunks(BLOCK * width) {
            self.block(block, width, &mut scores);
        }
        Ok(scores)
    }

    fn block(&self, rows: &[f32], width: usize, scores: &mut Vec<[f32; CLASSES]>) {
        let count = rows.len() / width;
        let mut sums = [[0.0_f32; CLASSES]; BLOCK];
        for tree in &self.trees {
            let nodes = &self.nodes[tree.nodes.clone()];
            let at = walk(nodes, tree.depth, rows, width);
            for (sum, at) in sums[..count].iter_mut().zip(at) {
                let leaf = self.leaves[nodes[at as usize].leaf as usize];
                sum.iter_mut().zip(leaf).for_each(|(sum, weight)| *sum += weight);
            }
        }
        scores.extend(sums[..count].iter().map(|sum| self.finish(*sum)));
    }

    fn finish(&self, sum: [f32; CLASSES]) -> [f32; CLASSES] {
        let raw = std::array::from_fn(|class| sum[class] + self.base[class]);
        match self.transform {
            Transform::None => raw,
            Transform::Softmax => softmax(raw.map(f64::from)).map(|p| p as f32),
        }
    }
}

/// Takes every row of a block from the root to its leaf, all of them one step at a time, and returns the leaves' places.
fn walk(nodes: &[Node], depth: u32, rows: &[f32], width: usize) -> [u32; BLOCK] {
    let mut at = [0_u32; BLOCK];
    for _ in 0..depth {
        let mut moved = 0;
        for (at, row) in at.iter_mut().zip(rows.chunks_exact(width)) {
            let node = nodes[*at as usize];
            // `>` is false for NaN as well, so a leaf never leads on.
            let next = node.next + u32::from(row[node.feature as usize] > node.threshold);
            moved |= next ^ *at;
            *at = next;
        }
        if moved == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests;
