//! Reads a `TreeEnsembleClassifier` and lays its trees out for walking. What it does not know it refuses by name; what
//! would lead a walk astray (a missing child, branches that meet, a foreign class) is an error here, not later.

use std::collections::HashMap;

use mes_pipe::{Error, Result};
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::{Node, Transform, Tree, Trees};
use crate::model::plan::CLASSES;

/// More steps than this from root to leaf are not believed.
const DEEPEST: u32 = 512;

/// The lists of a file, one entry per node.
struct Lists<'a> {
    ids: HashMap<(i64, i64), usize>,
    features: &'a [i64],
    thresholds: &'a [f32],
    modes: &'a [Vec<u8>],
    true_ids: &'a [i64],
    false_ids: &'a [i64],
}

impl Trees {
    /// Reads an ensemble. Errors name the attribute that is unknown or broken.
    ///
    /// # Errors
    ///
    /// `Usage`: the attribute.
    pub fn parse(node: &NodeProto) -> Result<Trees> {
        for name in ["nodes_values_as_tensor", "class_weights_as_tensor", "base_values_as_tensor"] {
            if attribute(node, name).is_some() {
                return Err(refused(format!("{name}: thresholds and weights of 64 bits")));
            }
        }
        if ints(node, "classlabels_int64s") != [0, 1, 2] {
            return Err(refused("classlabels_int64s that are not 0, 1, 2 (down, flat, up)"));
        }
        let trees = ints(node, "nodes_treeids");
        let lists = Lists::of(node, trees)?;
        let weights = weights(node)?;
        let mut order = trees.to_vec();
        order.sort_unstable();
        order.dedup();
        let mut read = Trees {
            nodes: Vec::with_capacity(trees.len()),
            trees: Vec::with_capacity(order.len()),
            leaves: Vec::new(),
            base: base(node)?,
            transform: transform(node)?,
            width: 0,
        };
        let mut roots: HashMap<i64, i64> = HashMap::new();
        for &(tree, id) in lists.ids.keys() {
            roots.entry(tree).and_modify(|root| *root = id.min(*root)).or_insert(id);
        }
        for tree in order {
            read.add(tree, roots[&tree], &lists, &weights)?;
        }
        if read.trees.is_empty() {
            return Err(refused("no trees"));
        }
        Ok(read)
    }

    /// Lays a tree out level by level, the two children of a branch side by side.
    fn add(
        &mut self,
        tree: i64,
        root: i64,
        lists: &Lists,
        weights: &HashMap<(i64, i64), [f32; CLASSES]>,
    ) -> Result<()> {
        let first = self.nodes.len();
        let mut level = vec![root];
        let (mut depth, mut taken) = (0, 0);
        loop {
            let mut below = Vec::new();
            let after = self.nodes.len() - first + level.len();
            taken += level.len();
            if taken > lists.modes.len() || depth > DEEPEST {
                return Err(refused(format!("tree {tree}: branches that meet again")));
            }
            for id in level {
                let at = lists.find(tree, id)?;
                let node = match lists.children(at)? {
                    Some(children) => {
                        let next = after + below.len();
                        below.extend(children);
                        self.branch(lists, at, next)?
                    }
                    None => {
                        self.leaves.push(weights.get(&(tree, id)).copied().unwrap_or_default());
                        let (next, leaf) = (self.nodes.len() - first, self.leaves.len() - 1);
                        Node { threshold: f32::INFINITY, feature: 0, next: next as u32, leaf: leaf as u32 }
                    }
                };
                self.nodes.push(node);
            }
            if below.is_empty() {
                break;
            }
            depth += 1;
            level = below;
        }
        self.trees.push(Tree { nodes: first..self.nodes.len(), depth });
        Ok(())
    }

    fn branch(&mut self, lists: &Lists, at: usize, next: usize) -> Result<Node> {
        let threshold = lists.thresholds[at];
        let feature = u32::try_from(lists.features[at])
            .map_err(|_| refused(format!("nodes_featureids: {}", lists.features[at])))?;
        if threshold.is_nan() {
            return Err(refused("nodes_values: a threshold that is no number"));
        }
        self.width = self.width.max(feature as usize + 1);
        Ok(Node { threshold, feature, next: next as u32, leaf: 0 })
    }
}

impl<'a> Lists<'a> {
    fn of(node: &'a NodeProto, trees: &[i64]) -> Result<Lists<'a>> {
        let strings = |name| attribute(node, name).map_or(&[][..], |found| &found.strings);
        let ids = ints(node, "nodes_nodeids");
        let lists = Lists {
            ids: trees.iter().zip(ids).enumerate().map(|(at, (&tree, &id))| ((tree, id), at)).collect(),
            features: ints(node, "nodes_featureids"),
            thresholds: floats(node, "nodes_values"),
            modes: strings("nodes_modes"),
            true_ids: ints(node, "nodes_truenodeids"),
            false_ids: ints(node, "nodes_falsenodeids"),
        };
        let lengths = [
            ids.len(),
            lists.ids.len(),
            lists.features.len(),
            lists.thresholds.len(),
            lists.modes.len(),
            lists.true_ids.len(),
            lists.false_ids.len(),
        ];
        if lengths.iter().any(|length| *length != trees.len()) {
            return Err(refused("nodes_*: lists of different lengths, or a node twice"));
        }
        Ok(lists)
    }

    fn find(&self, tree: i64, id: i64) -> Result<usize> {
        self.ids.get(&(tree, id)).copied().ok_or_else(|| refused(format!("tree {tree}: no node {id}")))
    }

    /// Returns where a branch leads, `None` for a leaf.
    fn children(&self, at: usize) -> Result<Option<[i64; 2]>> {
        match self.modes[at].as_slice() {
            b"LEAF" => Ok(None),
            b"BRANCH_LEQ" => Ok(Some([self.true_ids[at], self.false_ids[at]])),
            mode => Err(refused(format!("{}: only BRANCH_LEQ is known", String::from_utf8_lossy(mode)))),
        }
    }
}

/// Returns what each leaf, by tree and node, adds to the classes.
fn weights(node: &NodeProto) -> Result<HashMap<(i64, i64), [f32; CLASSES]>> {
    let (trees, ids) = (ints(node, "class_treeids"), ints(node, "class_nodeids"));
    let (classes, weights) = (ints(node, "class_ids"), floats(node, "class_weights"));
    if [ids.len(), classes.len(), weights.len()].iter().any(|length| *length != trees.len()) {
        return Err(refused("class_*: lists of different lengths"));
    }
    let mut found: HashMap<_, [f32; CLASSES]> = HashMap::new();
    for (at, &weight) in weights.iter().enumerate() {
        let class = usize::try_from(classes[at]).ok().filter(|class| *class < CLASSES);
        let class = class.ok_or_else(|| refused(format!("class_ids: {}", classes[at])))?;
        if !weight.is_finite() {
            return Err(refused(format!("class_weights: {weight}")));
        }
        found.entry((trees[at], ids[at])).or_default()[class] += weight;
    }
    Ok(found)
}

fn base(node: &NodeProto) -> Result<[f32; CLASSES]> {
    match floats(node, "base_values") {
        [] => Ok([0.0; CLASSES]),
        values => values.try_into().map_err(|_| refused("base_values: not three")),
    }
}

fn transform(node: &NodeProto) -> Result<Transform> {
    match attribute(node, "post_transform").map(|found| found.s.as_slice()) {
        None | Some(b"NONE") => Ok(Transform::None),
        Some(b"SOFTMAX") => Ok(Transform::Softmax),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            Err(refused(format!("post_transform {other}: only NONE and SOFTMAX are known")))
        }
    }
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::usage(format!("a TreeEnsembleClassifier with {what}"))
}

fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |found| &found.ints)
}

fn floats<'a>(node: &'a NodeProto, name: &str) -> &'a [f32] {
    attribute(node, name).map_or(&[], |found| &found.floats)
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}
