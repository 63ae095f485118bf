//! Grows a regression tree on gradients and hessians, the leaf of the largest gain first (Friedman 2001; Chen and
//! Guestrin 2016 for gain and weight; leaf-wise growth as in LightGBM, Ke et al. 2017).

use std::{ops::Range, thread};

use super::{
    bins::{Binned, Bins, LANES},
    ensemble::Node,
    histogram::{EMPTY, Group, Scale, Sum, fill, subtract},
};

/// Rows below which one thread is faster than two.
const ROWS_PER_THREAD: usize = 4096;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Leaves at most.
    pub leaves: usize,
    /// The least sum of hessians of a leaf.
    pub min_hessian: f64,
    /// What is added to the hessians of a leaf: large ones pull leaves towards 0.
    pub l2: f64,
}

/// Rows to grow trees on.
pub struct Field<'a> {
    pub bins: &'a Bins,
    pub binned: &'a Binned,
    pub limits: Limits,
    pub threads: usize,
}

/// A tree without weights, and which rows each of its leaves holds.
pub struct Grown {
    /// The leaves are still 0.
    pub nodes: Vec<Node>,
    pub leaves: Vec<GrownLeaf>,
    /// The rows that it was grown on, leaf by leaf.
    pub rows: Vec<u32>,
}

/// A leaf, whose weight is still to be set.
pub struct GrownLeaf {
    pub node: usize,
    /// Its part of [`Grown::rows`].
    pub rows: Range<usize>,
    pub sum: Sum,
}

/// A leaf that may yet be split.
struct Open {
    leaf: GrownLeaf,
    groups: Vec<Group>,
    split: Option<Split>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    gain: f64,
    feature: usize,
    bin: u8,
    /// Of the rows that go below.
    below: Sum,
}

/// One tree being grown.
struct Growth<'a> {
    field: &'a Field<'a>,
    /// Of each row of the field.
    sums: &'a [Sum],
    scale: Scale,
    /// Whether a feature may be used.
    allowed: &'a [bool],
    rows: Vec<u32>,
}

impl Field<'_> {
    /// Grows a tree on `rows`, whose gradients and hessians `sums` holds, out of the `allowed` features.
    pub fn grow(&self, rows: Vec<u32>, sums: &[Sum], scale: Scale, allowed: &[bool]) -> Grown {
        let sum = rows.iter().fold(Sum::default(), |sum, &row| sum.plus(sums[row as usize]));
        let mut growth = Growth { field: self, sums, scale, allowed, rows };
        let all = 0..growth.rows.len();
        let root = GrownLeaf { node: 0, rows: all, sum };
        let mut groups = vec![EMPTY; self.binned.groups().len()];
        let [split, _] = growth.survey(&root, &mut groups, None);
        let mut open = vec![Open { leaf: root, groups, split }];
        let mut nodes = vec![Node::Leaf([0.0; 3])];
        while open.len() < self.limits.leaves {
            let Some(best) = best_of(&open) else { break };
            let chosen = open.swap_remove(best);
            let last = open.len() + 2 == self.limits.leaves;
            open.extend(growth.split(chosen, &mut nodes, last));
        }
        let leaves = open.into_iter().map(|open| open.leaf).collect();
        Grown { nodes, leaves, rows: growth.rows }
    }
}

/// Finds the leaf with the largest gain, the first made of equals.
fn best_of(open: &[Open]) -> Option<usize> {
    let gains = open.iter().enumerate().filter_map(|(at, open)| Some((at, open.split?.gain, open.leaf.node)));
    gains.max_by(|a, b| a.1.total_cmp(&b.1).then(b.2.cmp(&a.2))).map(|(at, ..)| at)
}

impl Growth<'_> {
    /// Makes two leaves of one. When they are the `last`, nobody will ask how they might be split.
    fn split(&mut self, parent: Open, nodes: &mut Vec<Node>, last: bool) -> [Open; 2] {
        let split = parent.split.expect("a leaf is chosen for its split");
        let Split { feature, bin, below, .. } = split;
        let Range { start, end } = parent.leaf.rows;
        let middle = start + self.partition(start..end, feature, bin);
        let first = nodes.len();
        nodes[parent.leaf.node] = Node::Branch {
            feature: feature as u32,
            threshold: self.field.bins.threshold(feature, bin),
            below: first as u32,
            above: first as u32 + 1,
        };
        nodes.extend([Node::Leaf([0.0; 3]), Node::Leaf([0.0; 3])]);
        let above = parent.leaf.sum.less(below);
        let leaves = [
            GrownLeaf { node: first, rows: start..middle, sum: below },
            GrownLeaf { node: first + 1, rows: middle..end, sum: above },
        ];
        if last {
            return leaves.map(|leaf| Open { leaf, groups: vec![], split: None });
        }
        let swap = middle - start > end - middle;
        let [small, large] = if swap { [1, 0] } else { [0, 1] };
        let mut large_groups = parent.groups;
        let mut small_groups = vec![EMPTY; large_groups.len()];
        let splits =
            self.survey(&leaves[small], &mut small_groups, Some((&leaves[large], &mut large_groups)));
        let [below, above] = leaves;
        let (below_split, above_split) = (splits[small], splits[large]);
        let (below_groups, above_groups) =
            if swap { (large_groups, small_groups) } else { (small_groups, large_groups) };
        [
            Open { leaf: below, groups: below_groups, split: below_split },
            Open { leaf: above, groups: above_groups, split: above_split },
        ]
    }

    /// Puts the rows that go below first, in their order, and returns how many they are.
    fn partition(&mut self, range: Range<usize>, feature: usize, bin: u8) -> usize {
        let bins = &self.field.binned.groups()[feature / LANES];
        let (mut kept, mut above) = (range.start, Vec::with_capacity(range.len()));
        for at in range.clone() {
            let row = self.rows[at];
            if bins[row as usize][feature % LANES] <= bin {
                self.rows[kept] = row;
                kept += 1;
            } else {
                above.push(row);
            }
        }
        self.rows[kept..range.end].copy_from_slice(&above);
        kept - range.start
    }

    /// Fills the histogram of a leaf, takes it off that of its parent, which becomes its sibling's, and finds the best
    /// splits of both.
    fn survey(
        &self,
        leaf: &GrownLeaf,
        groups: &mut [Group],
        sibling: Option<(&GrownLeaf, &mut Vec<Group>)>,
    ) -> [Option<Split>; 2] {
        let rows = &self.rows[leaf.rows.clone()];
        let sums: Vec<Sum> = rows.iter().map(|&row| self.sums[row as usize]).collect();
        let threads = (rows.len() / ROWS_PER_THREAD).clamp(1, self.field.threads);
        let size = groups.len().div_ceil(threads);
        let (other, parents) = match sibling {
            Some((leaf, parents)) => (Some(leaf), parents.chunks_mut(size).map(Some).collect()),
            None => (None, groups.chunks(size).map(|_| None).collect::<Vec<Option<&mut [Group]>>>()),
        };
        let work = |first: usize, groups: &mut [Group], parents: Option<&mut [Group]>| {
            for (at, group) in groups.iter_mut().enumerate() {
                fill(group, &self.field.binned.groups()[first + at], rows, &sums);
            }
            let one = self.best(groups, first, leaf.sum);
            let two = parents.zip(other).and_then(|(parents, other)| {
                parents.iter_mut().zip(&*groups).for_each(|(parent, group)| subtract(parent, group));
                self.best(parents, first, other.sum)
            });
            [one, two]
        };
        let parts = groups.chunks_mut(size).zip(parents).enumerate();
        let found: Vec<[Option<Split>; 2]> = if threads == 1 {
            parts.map(|(at, (groups, parents))| work(at * size, groups, parents)).collect()
        } else {
            thread::scope(|scope| {
                let work = &work;
                let parts: Vec<_> = parts
                    .map(|(at, (groups, parents))| scope.spawn(move || work(at * size, groups, parents)))
                    .collect();
                parts.into_iter().map(|part| part.join().expect("counting does not panic")).collect()
            })
        };
        [0, 1].map(|place| found.iter().filter_map(|pair| pair[place]).reduce(better))
    }

    /// Finds the best split of a leaf out of some groups of features, the first of which is `first`.
    fn best(&self, groups: &[Group], first: usize, total: Sum) -> Option<Split> {
        let bins = self.field.bins;
        let features = first * LANES..((first + groups.len()) * LANES).min(bins.width());
        let allowed = features.filter(|&feature| self.allowed[feature]);
        let found = allowed.filter_map(|feature| {
            let by_bin = &groups[feature / LANES - first][feature % LANES];
            self.best_of_feature(&by_bin[..bins.count(feature)], feature, total)
        });
        found.reduce(better)
    }

    fn best_of_feature(&self, by_bin: &[Sum], feature: usize, total: Sum) -> Option<Split> {
        let Limits { min_hessian, l2, .. } = self.field.limits;
        let worth = |sum: Sum, hessian: f64| {
            let gradient = self.scale.gradient(sum);
            gradient * gradient / (hessian + l2)
        };
        let before = worth(total, self.scale.hessian(total));
        let mut below = Sum::default();
        let mut best: Option<Split> = None;
        for (bin, sum) in by_bin[..by_bin.len() - 1].iter().enumerate() {
            below = below.plus(*sum);
            let above = total.less(below);
            let (low, high) = (self.scale.hessian(below), self.scale.hessian(above));
            if low < min_hessian || *sum == Sum::default() {
                continue;
            }
            if high < min_hessian {
                break;
            }
            let gain = worth(below, low) + worth(above, high) - before;
            if gain > best.map_or(0.0, |best| best.gain) {
                best = Some(Split { gain, feature, bin: bin as u8, below });
            }
        }
        best
    }
}

/// Returns the split of the larger gain, the first of equals.
fn better(one: Split, other: Split) -> Split {
    if other.gain > one.gain { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mes_core::throws::throw;

    use crate::{sample::tests::sample, trees::ensemble::leaf};

    const WIDTH: usize = 5;

    fn value(place: usize) -> f64 {
        (throw(9, place as u64) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What a split is worth, by the definition, over `(gradient, hessian)` of rows.
    fn worth(rows: &[usize], pairs: &[(f64, f64)], l2: f64) -> (f64, f64) {
        let gradient: f64 = rows.iter().map(|row| pairs[*row].0).sum();
        let hessian: f64 = rows.iter().map(|row| pairs[*row].1).sum();
        (gradient * gradient / (hessian + l2), hessian)
    }

    /// Grows by trying every threshold between two values of every leaf: the rows of each leaf, in order.
    fn naive(rows: &[f32], pairs: &[(f64, f64)], limits: Limits) -> Vec<Vec<usize>> {
        let mut leaves = vec![(0..pairs.len()).collect::<Vec<_>>()];
        while leaves.len() < limits.leaves {
            let mut best: Option<(f64, usize, Vec<usize>, Vec<usize>)> = None;
            for (at, leaf) in leaves.iter().enumerate() {
                for feature in 0..WIDTH {
                    for &last in leaf {
                        let cut = rows[last * WIDTH + feature];
                        let (low, high): (Vec<_>, Vec<_>) =
                            leaf.iter().partition(|row| rows[**row * WIDTH + feature] <= cut);
                        let ((a, low_h), (b, high_h)) =
                            (worth(&low, pairs, limits.l2), worth(&high, pairs, limits.l2));
                        let gain = a + b - worth(leaf, pairs, limits.l2).0;
                        let fits = low_h >= limits.min_hessian && high_h >= limits.min_hessian;
                        if fits && !high.is_empty() && gain > best.as_ref().map_or(0.0, |best| best.0) + 1e-6
                        {
                            best = Some((gain, at, low, high));
                        }
                    }
                }
            }
            let Some((_, at, low, high)) = best else { break };
            leaves[at] = low;
            leaves.push(high);
        }
        leaves.sort();
        leaves
    }

    #[test]
    fn equals_a_naive_search_of_every_threshold_with_any_threads() {
        for (count, limits) in [
            (200, Limits { leaves: 12, min_hessian: 1.0, l2: 0.5 }),
            (120, Limits { leaves: 31, min_hessian: 3.0, l2: 2.0 }),
            (30, Limits { leaves: 4, min_hessian: 0.1, l2: 0.0 }),
        ] {
            let rows: Vec<f32> =
                (0..count * WIDTH).map(|at| (value(at) * 60.0).round() as f32 / 7.0).collect();
            let pairs: Vec<(f64, f64)> = (0..count)
                .map(|row| (value(row + 70_000) * 1.8 - 0.9, value(row + 90_000) * 0.3 + 0.05))
                .collect();
            let sample = sample(WIDTH, &rows, &vec![0; count]);
            let slice = sample.slice(0..count);
            let bins = Bins::fit(&slice, 1);
            let binned = bins.apply(&slice, 1);
            let scale = Scale::of(count, count as f64, 0.375);
            let sums: Vec<Sum> = pairs.iter().map(|(g, h)| scale.sum(*g, *h)).collect();
            let wanted = naive(&rows, &pairs, limits);
            for threads in [1, 2, 5] {
                let field = Field { bins: &bins, binned: &binned, limits, threads };
                let grown = field.grow((0..count as u32).collect(), &sums, scale, &[true; WIDTH]);
                let mut found: Vec<Vec<usize>> = Vec::new();
                for GrownLeaf { node, rows: range, sum } in &grown.leaves {
                    let held: Vec<usize> =
                        grown.rows[range.clone()].iter().map(|row| *row as usize).collect();
                    for row in &held {
                        assert_eq!(leaf(&grown.nodes, &rows[row * WIDTH..(row + 1) * WIDTH]), *node);
                    }
                    let (gradient, _) = held.iter().fold((0.0, 0.0), |all, row| (all.0 + pairs[*row].0, 0.0));
                    assert!((scale.gradient(*sum) - gradient).abs() < 1e-4);
                    found.push(held);
                }
                found.sort();
                assert_eq!(found, wanted, "{count} rows");
            }
        }
    }

    #[test]
    fn many_rows_on_many_threads_grow_the_same_tree() {
        let count = 30_000;
        let rows: Vec<f32> = (0..count * WIDTH).map(|at| value(at) as f32).collect();
        let sample = sample(WIDTH, &rows, &vec![0; count]);
        let slice = sample.slice(0..count);
        let bins = Bins::fit(&slice, 2);
        let binned = bins.apply(&slice, 2);
        let limits = Limits { leaves: 31, min_hessian: 1.0, l2: 1.0 };
        let scale = Scale::of(count, count as f64, 0.375);
        let sums: Vec<Sum> = (0..count).map(|row| scale.sum(value(row * 3) - 0.5, 0.2)).collect();
        let grown = |threads| {
            let field = Field { bins: &bins, binned: &binned, limits, threads };
            field.grow((0..count as u32).collect(), &sums, scale, &[true, true, false, true, true])
        };
        let one = grown(1);
        assert_eq!(one.leaves.len(), 31);
        assert!(one.nodes.iter().all(|node| !matches!(node, Node::Branch { feature: 2, .. })));
        for threads in [2, 3, 8] {
            let other = grown(threads);
            assert!(one.nodes == other.nodes && one.rows == other.rows, "{threads} threads");
        }
    }
}
