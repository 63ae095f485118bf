//! The walk against a row-by-row walk of the file's own lists, and against tract's operator.

use mes_core::dice::Draw;
use tract_onnx::{
    pb::{AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto},
    prelude::*,
};

use super::*;
use crate::model::{
    card::Output,
    head::logits,
    plan::{
        Plan,
        tests::{Others, floats, holds_for_every_place_and_split, rows},
    },
};

const WIDTH: usize = 7;

/// On a coarse grid, so that rows meet thresholds exactly.
fn value(draw: &mut Draw) -> f32 {
    (draw.below(41) as f32 - 20.0) / 20.0
}

/// A file's lists, grown at random: ragged trees of up to `depth` steps, leaves of `classes` entries each.
#[derive(Default)]
struct Lists {
    ints: [Vec<i64>; 8],
    floats: [Vec<f32>; 2],
    modes: Vec<Vec<u8>>,
}

const INTS: [&str; 8] = [
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "class_treeids",
    "class_nodeids",
    "class_ids",
];

impl Lists {
    fn random(trees: usize, depth: usize, classes: usize, draw: &mut Draw) -> Lists {
        let mut lists = Lists::default();
        for tree in 0..trees {
            lists.grow(tree as i64, &mut 0, depth, classes, draw);
        }
        lists
    }

    /// Adds a subtree, root first, and returns its root's id.
    fn grow(&mut self, tree: i64, ids: &mut i64, depth: usize, classes: usize, draw: &mut Draw) -> i64 {
        let (id, at) = (*ids, self.modes.len());
        *ids += 1;
        let leaf = depth == 0 || draw.below(4) == 0;
        for (list, value) in [tree, id, draw.below(WIDTH) as i64, 0, 0].into_iter().enumerate() {
            self.ints[list].push(value);
        }
        self.floats[0].push(value(draw));
        self.modes.push(if leaf { b"LEAF".to_vec() } else { b"BRANCH_LEQ".to_vec() });
        if leaf {
            let first = draw.below(3);
            for class in 0..classes {
                for (list, value) in [tree, id, ((first + class) % 3) as i64].into_iter().enumerate() {
                    self.ints[5 + list].push(value);
                }
                self.floats[1].push(draw.below(2001) as f32 / 1000.0 - 1.0);
            }
        } else {
            for list in [3, 4] {
                self.ints[list][at] = self.grow(tree, ids, depth - 1, classes, draw);
            }
        }
        id
    }

    fn node(&self, base: &[f32], transform: &str) -> NodeProto {
        let attribute = |name: &str| AttributeProto { name: name.into(), ..AttributeProto::default() };
        let mut attributes = vec![
            AttributeProto { ints: vec![0, 1, 2], r#type: 7, ..attribute("classlabels_int64s") },
            AttributeProto { strings: self.modes.clone(), r#type: 8, ..attribute("nodes_modes") },
            AttributeProto { floats: self.floats[0].clone(), r#type: 6, ..attribute("nodes_values") },
            AttributeProto { floats: self.floats[1].clone(), r#type: 6, ..attribute("class_weights") },
            AttributeProto { s: transform.into(), r#type: 3, ..attribute("post_transform") },
        ];
        for (name, list) in INTS.iter().zip(&self.ints) {
            attributes.push(AttributeProto { ints: list.clone(), r#type: 7, ..attribute(name) });
        }
        if !base.is_empty() {
            attributes.push(AttributeProto { floats: base.to_vec(), r#type: 6, ..attribute("base_values") });
        }
        NodeProto {
            op_type: "TreeEnsembleClassifier".into(),
            domain: "ai.onnx.ml".into(),
            input: vec!["x".into()],
            output: vec!["label".into(), "scores".into()],
            attribute: attributes,
            ..NodeProto::default()
        }
    }

    /// Walks one row from node to node as the lists say, sums in `f32` tree by tree.
    fn naive(&self, row: &[f32]) -> [f32; 3] {
        let mut sums = [0.0; 3];
        let place = |tree, id| {
            (0..self.modes.len())
                .find(|&at| (self.ints[0][at], self.ints[1][at]) == (tree, id))
                .expect("a node")
        };
        for tree in 0..=*self.ints[0].last().expect("a tree") {
            let mut at = place(tree, 0);
            while self.modes[at] == b"BRANCH_LEQ" {
                let down = row[self.ints[2][at] as usize] <= self.floats[0][at];
                at = place(tree, self.ints[if down { 3 } else { 4 }][at]);
            }
            for entry in 0..self.floats[1].len() {
                if (self.ints[5][entry], self.ints[6][entry]) == (tree, self.ints[1][at]) {
                    sums[self.ints[7][entry] as usize] += self.floats[1][entry];
                }
            }
        }
        sums
    }
}

fn model(node: NodeProto) -> ModelProto {
    let graph = GraphProto {
        input: vec![floats("x", WIDTH)],
        output: vec![ValueInfoProto { name: "label".into(), ..floats("x", 3) }, floats("scores", 3)],
        node: vec![node],
        ..GraphProto::default()
    };
    ModelProto { ir_version: 8, graph: Some(graph), ..ModelProto::default() }
}

fn grid(count: usize, draw: &mut Draw) -> Vec<f32> {
    (0..count * WIDTH).map(|_| value(draw)).collect()
}

fn bits(scores: &[[f32; 3]]) -> Vec<[u32; 3]> {
    scores.iter().map(|one| one.map(f32::to_bits)).collect()
}

/// Runs tract's own operator.
fn stock(proto: &ModelProto, rows: &[f32]) -> Vec<[f32; 3]> {
    let count = rows.len() / WIDTH;
    let onnx = tract_onnx::onnx().with_ignore_output_shapes(true);
    let mut model = onnx.model_for_proto_model(proto).expect("reads");
    model.set_input_fact(0, f32::fact([count, WIDTH]).into()).expect("a fact");
    let model = model.into_optimized().expect("optimizes").into_runnable().expect("compiles");
    let input = Tensor::from_shape(&[count, WIDTH], rows).expect("a tensor");
    let answer = model.run(tvec!(input.into())).expect("runs");
    answer[1].try_as_plain_ram().expect("plain").as_slice::<f32>().expect("floats").as_chunks().0.to_vec()
}

#[test]
fn equals_the_naive_walk_and_tracts_own_to_the_bit() {
    let mut draw = Draw::of(1);
    for (trees, depth, classes) in [(1, 0, 1), (1, 1, 3), (9, 3, 1), (30, 6, 1), (25, 9, 3), (3, 14, 2)] {
        let lists = Lists::random(trees, depth, classes, &mut draw);
        let grid = grid(77, &mut draw);
        let read = Trees::parse(&lists.node(&[], "NONE")).expect("parses");
        let scores = bits(&read.scores(&grid, WIDTH).expect("walks"));
        let naive: Vec<_> = grid.chunks(WIDTH).map(|row| lists.naive(row)).collect();
        assert_eq!(scores, bits(&naive), "{trees} trees of {depth}");
        assert_eq!(scores, bits(&stock(&model(lists.node(&[], "NONE")), &grid)), "{trees} trees of {depth}");
        let base = [0.25, -1.5, 0.125];
        let based = Trees::parse(&lists.node(&base, "NONE")).expect("parses");
        let based = bits(&based.scores(&grid, WIDTH).expect("walks"));
        assert_eq!(based, bits(&stock(&model(lists.node(&base, "NONE")), &grid)));
    }
}

#[test]
fn a_softmax_is_cut_at_the_end_and_ours_in_between() {
    let mut draw = Draw::of(2);
    let (lists, base) = (Lists::random(12, 5, 1, &mut draw), [0.5, 0.0, -0.5]);
    let grid = grid(70, &mut draw);
    let proto = model(lists.node(&base, "SOFTMAX"));
    let plan = Plan::compile(proto.clone(), WIDTH).expect("compiles");
    let logits = plan.logits(&grid).expect("runs");
    let raw = Trees::parse(&lists.node(&base, "NONE")).expect("parses");
    assert_eq!(bits(&logits), bits(&raw.scores(&grid, WIDTH).expect("walks")));
    let soft =
        Trees::parse(&lists.node(&base, "SOFTMAX")).expect("parses").scores(&grid, WIDTH).expect("walks");
    for ((soft, logits), theirs) in soft.iter().zip(&logits).zip(stock(&proto, &grid)) {
        assert_eq!(*soft, softmax(logits.map(f64::from)).map(|p| p as f32));
        assert!(soft.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6));
    }
    holds_for_every_place_and_split(&plan, &grid);
}

/// The same ensemble alone, walked without tract, and behind a node that changes nothing, as tract's operator.
#[test]
fn with_and_without_tract_the_bits_are_the_same() {
    let mut draw = Draw::of(3);
    for classes in [1, 3] {
        let lists = Lists::random(16, 5, classes, &mut draw);
        let alone = model(lists.node(&[], "NONE"));
        let mut behind = alone.clone();
        let graph = behind.graph.as_mut().expect("graph");
        graph.node[0].input = vec!["y".into()];
        let identity = NodeProto {
            op_type: "Abs".into(),
            input: vec!["x".into()],
            output: vec!["y".into()],
            ..NodeProto::default()
        };
        graph.node.insert(0, identity);
        let grid: Vec<f32> = grid(80, &mut draw).iter().map(|x| x.abs()).collect();
        let [alone, behind] = [alone, behind].map(|proto| Plan::compile(proto, WIDTH).expect("compiles"));
        let logits = alone.logits(&grid).expect("runs");
        assert_eq!(bits(&logits), bits(&behind.logits(&grid).expect("runs")));
        holds_for_every_place_and_split(&behind, &grid);
    }
}

#[test]
fn what_it_does_not_know_is_refused_by_name() {
    let lists = Lists::random(3, 3, 1, &mut Draw::of(4));
    let refuse = |change: &dyn Fn(&mut NodeProto), what: &str| {
        let mut node = lists.node(&[], "NONE");
        change(&mut node);
        let error = Plan::compile(model(node), WIDTH).err().expect(what);
        assert!(error.code() == 2 && error.to_string().contains(what), "{error}");
    };
    fn at<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
        node.attribute.iter_mut().find(|found| found.name == name).expect("there")
    }
    refuse(
        &|node| at(node, "nodes_modes").strings[0] = b"BRANCH_GTE".to_vec(),
        "BRANCH_GTE: only BRANCH_LEQ",
    );
    refuse(&|node| at(node, "post_transform").s = b"LOGISTIC".to_vec(), "post_transform LOGISTIC");
    refuse(&|node| at(node, "nodes_truenodeids").ints[0] = 999, "tree 0: no node 999");
    refuse(&|node| at(node, "nodes_truenodeids").ints[0] = 0, "branches that meet");
    refuse(&|node| at(node, "class_ids").ints[0] = 3, "class_ids: 3");
    refuse(&|node| at(node, "classlabels_int64s").ints = vec![-1, 0, 1], "classlabels_int64s");
    refuse(&|node| at(node, "nodes_values").floats.truncate(1), "different lengths");
    refuse(&|node| at(node, "nodes_featureids").ints[0] = 50, "ask for 51 features");
    refuse(&|node| at(node, "nodes_values").name = "nodes_values_as_tensor".into(), "64 bits");
    let one = Trees::parse(&lists.node(&[], "NONE")).expect("parses");
    assert_eq!(one.scores(&rows(1, 3), 3).expect_err("too narrow").code(), 2);
}

/// Breaks lists in seeded places, `MES_FUZZ` times (default 2000): an error or trees that can be walked, never a panic.
#[test]
fn broken_lists_are_an_error_and_no_panic() {
    let mut draw = Draw::of(5);
    let lists = Lists::random(4, 4, 2, &mut draw);
    let count = std::env::var("MES_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(2000_u64);
    let (grid, mut read) = (grid(33, &mut draw), 0);
    for _ in 0..count {
        let mut node = lists.node(&[], "NONE");
        for _ in 0..=draw.below(2) {
            let place = draw.below(node.attribute.len());
            let found = &mut node.attribute[place];
            let (ints, floats) = (found.ints.len().max(1), found.floats.len().max(1));
            let value = [-1, 0, 1, 5, 1 << 33][draw.below(5)];
            match draw.below(3) {
                0 => found.ints.iter_mut().skip(draw.below(ints)).take(1).for_each(|one| *one = value),
                1 => found.floats.iter_mut().skip(draw.below(floats)).take(1).for_each(|one| *one = f32::NAN),
                _ => found.ints.truncate(draw.below(ints)),
            }
        }
        if let Ok(trees) = Trees::parse(&node) {
            read += 1;
            let _ = trees.scores(&grid, WIDTH);
        }
    }
    assert!(read > 0);
}

/// Files of scikit-learn and LightGBM with onnxruntime's answers.
#[test]
fn equals_onnxruntime_on_forests_of_others() {
    let Some(others) = Others::there() else { return };
    for (name, output) in [("rf_small", Output::Probabilities), ("lgbm_small", Output::Logits)] {
        let plan = Plan::compile(others.graph(name), 40).expect("compiles");
        let [rows, wanted] = others.recorded(name);
        let found = plan.logits(&rows).expect("runs");
        assert_eq!((found.len(), wanted.len()), (16, 48));
        for (found, wanted) in found.iter().zip(wanted.as_chunks::<3>().0) {
            let found = softmax(logits(found.map(f64::from), output));
            let near =
                found.iter().zip(wanted).all(|(found, wanted)| (found - f64::from(*wanted)).abs() < 1e-6);
            let top = |p: [f64; 3]| (0..3).max_by(|a, b| p[*a].total_cmp(&p[*b]));
            assert!(near && top(found) == top(wanted.map(f64::from)), "{name}: {found:?} is not {wanted:?}");
        }
        let many: Vec<f32> = (0..5).flat_map(|_| rows.clone()).collect();
        holds_for_every_place_and_split(&plan, &many);
    }
}
