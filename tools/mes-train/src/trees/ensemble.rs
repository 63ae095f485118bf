//! Trees that are grown, their own forward pass, and the same as a `TreeEnsembleClassifier` (ai.onnx.ml 3).

use crate::onnx::{Attribute, Graph, ML, Node as Operation};

/// Root first. A row goes `below` where its feature is at most the threshold.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Branch {
        feature: u32,
        threshold: f32,
        below: u32,
        above: u32,
    },
    /// What is added to the scores of down, flat, up.
    Leaf([f32; 3]),
}

/// The nodes of a tree, the root first.
pub type Tree = Vec<Node>;

/// Scores are the sum of one leaf of every tree, and the base.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ensemble {
    pub trees: Vec<Tree>,
    pub base: [f32; 3],
}

/// Finds the leaf of a row.
pub fn leaf(tree: &[Node], row: &[f32]) -> usize {
    let mut at = 0;
    while let Node::Branch { feature, threshold, below, above } = tree[at] {
        at = if row[feature as usize] <= threshold { below } else { above } as usize;
    }
    at
}

impl Ensemble {
    /// Adds up a row's scores, tree by tree in `f32`, as those do that run the file.
    pub fn scores(&self, row: &[f32]) -> [f64; 3] {
        let mut sums = [0.0_f32; 3];
        for tree in &self.trees {
            if let Node::Leaf(leaf) = &tree[leaf(tree, row)] {
                sums.iter_mut().zip(leaf).for_each(|(sum, weight)| *sum += weight);
            }
        }
        std::array::from_fn(|class| f64::from(sums[class] + self.base[class]))
    }

    /// Adds itself to a graph and returns the name of the scores.
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let mut lists = Lists::default();
        for (id, tree) in self.trees.iter().enumerate() {
            lists.add(id as i64, tree);
        }
        let attributes = [
            ("base_values", Attribute::Floats(&self.base)),
            ("class_ids", Attribute::Ints(&lists.class_ids)),
            ("class_nodeids", Attribute::Ints(&lists.class_nodes)),
            ("class_treeids", Attribute::Ints(&lists.class_trees)),
            ("class_weights", Attribute::Floats(&lists.weights)),
            ("classlabels_int64s", Attribute::Ints(&[0, 1, 2])),
            ("nodes_falsenodeids", Attribute::Ints(&lists.above)),
            ("nodes_featureids", Attribute::Ints(&lists.features)),
            ("nodes_modes", Attribute::Texts(&lists.modes)),
            ("nodes_nodeids", Attribute::Ints(&lists.ids)),
            ("nodes_treeids", Attribute::Ints(&lists.trees)),
            ("nodes_truenodeids", Attribute::Ints(&lists.below)),
            ("nodes_values", Attribute::Floats(&lists.thresholds)),
            ("post_transform", Attribute::Text("NONE")),
        ];
        graph.add(Operation {
            op: "TreeEnsembleClassifier",
            domain: ML,
            inputs: &[input],
            outputs: &["label", "scores"],
            // A base of 0 goes without saying, and a reader sees then that the leaves alone are the scores.
            attributes: if self.base == [0.0; 3] { &attributes[1..] } else { &attributes },
        });
        "scores".into()
    }
}

/// The attributes of the operator, one entry per node or per weight of a leaf.
#[derive(Default)]
struct Lists {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f32>,
    modes: Vec<&'static str>,
    below: Vec<i64>,
    above: Vec<i64>,
    class_trees: Vec<i64>,
    class_nodes: Vec<i64>,
    class_ids: Vec<i64>,
    weights: Vec<f32>,
}

impl Lists {
    fn add(&mut self, id: i64, tree: &Tree) {
        for (at, node) in tree.iter().enumerate() {
            let (mode, feature, threshold, below, above) = match *node {
                Node::Branch { feature, threshold, below, above } => {
                    ("BRANCH_LEQ", feature, threshold, below, above)
                }
                Node::Leaf(_) => ("LEAF", 0, 0.0, 0, 0),
            };
            self.trees.push(id);
            self.ids.push(at as i64);
            self.features.push(i64::from(feature));
            self.thresholds.push(threshold);
            self.modes.push(mode);
            self.below.push(i64::from(below));
            self.above.push(i64::from(above));
            if let Node::Leaf(leaf) = node {
                self.add_leaf(id, at as i64, leaf);
            }
        }
    }

    /// Adds the weights that do something, but one at least.
    fn add_leaf(&mut self, tree: i64, node: i64, leaf: &[f32; 3]) {
        let empty = leaf.iter().all(|weight| *weight == 0.0);
        for (class, &weight) in leaf.iter().enumerate() {
            if weight != 0.0 || empty && class == 0 {
                self.class_trees.push(tree);
                self.class_nodes.push(node);
                self.class_ids.push(class as i64);
                self.weights.push(weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mes_predict::model::plan::Plan;

    use super::*;

    #[test]
    fn the_file_gives_the_same_bits_as_the_forward_pass() {
        let tree = |shift: f32, weight: f32| -> Tree {
            vec![
                Node::Branch { feature: 1, threshold: shift, below: 1, above: 2 },
                Node::Leaf([weight, 0.0, -weight]),
                Node::Branch { feature: 0, threshold: -shift, below: 3, above: 4 },
                Node::Leaf([0.0; 3]),
                Node::Leaf([0.0, weight, 0.1]),
            ]
        };
        let trees: Vec<_> =
            (0..40_u8).map(|at| tree(f32::from(at) / 40.0 - 0.5, 0.3 / f32::from(at + 1))).collect();
        for base in [[0.0; 3], [0.7, -0.1, 0.3]] {
            let ensemble = Ensemble { trees: trees.clone(), base };
            let mut graph = Graph::default();
            let scores = ensemble.write(&mut graph, "x");
            let proto = Plan::decode(&graph.into_model(("x", &[2]), &scores, &[])).expect("decodes");
            let plan = Plan::compile(proto, 2).expect("compiles");
            let rows: Vec<f32> = (0..200_u32).map(|at| ((at * 77 % 41) as f32 - 20.0) / 40.0).collect();
            for (row, found) in rows.chunks(2).zip(plan.logits(&rows).expect("runs")) {
                assert_eq!(found.map(f64::from), ensemble.scores(row));
            }
        }
    }
}
