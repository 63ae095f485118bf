//! Features as numbers of one byte: a value's bin among at most 255, by quantiles of the training rows.

use std::thread;

use crate::sample::Slice;

/// Features that lie side by side in memory: eight bytes are read at once.
pub const LANES: usize = 8;

const MOST: usize = 255;
/// Rows that the cuts are made from; of more, every n-th.
const SEEN: usize = 200_000;

/// The cuts of each feature, ascending. A value's bin is the number of cuts below it.
pub struct Bins {
    cuts: Vec<Vec<f32>>,
}

/// The bins of rows, in groups of [`LANES`] features.
pub struct Binned {
    groups: Vec<Vec<[u8; LANES]>>,
}

impl Bins {
    /// Cuts every feature so that the bins hold about as many rows each.
    pub fn fit(rows: &Slice, threads: usize) -> Bins {
        let step = rows.len().div_ceil(SEEN).max(1);
        let features: Vec<usize> = (0..rows.width).collect();
        let cut = |features: &[usize]| -> Vec<Vec<f32>> {
            let column = |&feature: &usize| rows.iter().step_by(step).map(|row| row[feature]).collect();
            features.iter().map(|feature| cuts(column(feature))).collect()
        };
        Bins { cuts: spread(&features, threads, cut) }
    }

    /// Returns how many features there are.
    pub fn width(&self) -> usize {
        self.cuts.len()
    }

    /// Returns how many bins a feature has.
    pub fn count(&self, feature: usize) -> usize {
        self.cuts[feature].len() + 1
    }

    /// Returns the value that all of a bin and those below it reach at most, and all above it exceed.
    pub fn threshold(&self, feature: usize, bin: u8) -> f32 {
        self.cuts[feature][usize::from(bin)]
    }

    /// Finds the bins of rows.
    pub fn apply(&self, rows: &Slice, threads: usize) -> Binned {
        let firsts: Vec<usize> = (0..self.width()).step_by(LANES).collect();
        let lanes = |row: &[f32], first: usize| {
            let mut lanes = [0; LANES];
            for (lane, feature) in lanes.iter_mut().zip(first..self.width()) {
                *lane = self.cuts[feature].partition_point(|cut| *cut < row[feature]) as u8;
            }
            lanes
        };
        let group = |&first: &usize| rows.iter().map(|row| lanes(row, first)).collect();
        Binned { groups: spread(&firsts, threads, |firsts| firsts.iter().map(group).collect()) }
    }
}

impl Binned {
    /// Returns the bins of all rows, [`LANES`] features at a time.
    pub fn groups(&self) -> &[Vec<[u8; LANES]>] {
        &self.groups
    }
}

/// Maps items on threads, in their order.
fn spread<T: Sync, U: Send>(items: &[T], threads: usize, map: impl Fn(&[T]) -> Vec<U> + Sync) -> Vec<U> {
    let size = items.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let map = &map;
        let parts: Vec<_> = items.chunks(size).map(|part| scope.spawn(move || map(part))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("mapping does not panic")).collect()
    })
}

/// Cuts midway between neighbouring values, closing a bin when it has its share of what is left.
fn cuts(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let distinct: Vec<&[f32]> = values.chunk_by(|a, b| a == b).collect();
    let (mut cuts, mut held, mut left) = (Vec::new(), 0, values.len());
    for (place, pair) in distinct.windows(2).enumerate() {
        held += pair[0].len();
        let bins_left = MOST - cuts.len();
        let room = distinct.len() - place <= bins_left;
        if room || held * bins_left >= left {
            cuts.push(between(pair[0][0], pair[1][0]));
            left -= held;
            held = 0;
        }
        if cuts.len() == MOST - 1 {
            break;
        }
    }
    cuts
}

/// Returns a value from `low` up and below `high`, near their middle.
fn between(low: f32, high: f32) -> f32 {
    let middle = (f64::from(low) + f64::from(high)) / 2.0;
    let rounded = middle as f32;
    if rounded < high { rounded.max(low) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::sample;

    #[test]
    fn cuts_part_values_and_hold_about_as_many_rows_each() {
        assert_eq!(cuts(vec![3.0, 1.0, 2.0, 2.0]), [1.5, 2.5]);
        assert!(cuts(vec![7.0; 9]).is_empty());
        assert_eq!(between(1.0, 1.0_f32.next_up()), 1.0);
        assert!(between(f32::MIN, f32::MAX).is_finite());
        // 1000 values and one that is half of all rows.
        let values: Vec<f32> =
            (0..2000_u16).map(|row| if row < 1000 { f32::from(row) } else { 500.5 }).collect();
        let found = cuts(values.clone());
        assert!(found.len() <= 254 && found.is_sorted_by(|a, b| a < b), "{}", found.len());
        let bin = |value: f32| found.partition_point(|cut| *cut < value);
        let mut held = vec![0; found.len() + 1];
        values.iter().for_each(|value| held[bin(*value)] += 1);
        assert!(held.iter().all(|held| (1..=10).contains(held) || *held > 1000), "{held:?}");
        assert!(held.len() > 150);
    }

    #[test]
    fn a_row_is_at_most_the_threshold_exactly_when_its_bin_is_not_above() {
        let values: Vec<f32> = (0..3000_u32).map(|at| ((at * 7919 % 1009) as f32 - 504.0) / 77.0).collect();
        let sample = sample(10, &values, &[0; 300]);
        let slice = sample.slice(0..300);
        let bins = Bins::fit(&slice, 2);
        let binned = bins.apply(&slice, 3);
        assert_eq!(binned.groups().len(), 2);
        for (row, values) in slice.iter().enumerate() {
            for (feature, value) in values.iter().enumerate() {
                let found = binned.groups()[feature / LANES][row][feature % LANES];
                for bin in 0..bins.count(feature) - 1 {
                    let below = *value <= bins.threshold(feature, bin as u8);
                    assert_eq!(below, usize::from(found) <= bin);
                }
            }
        }
    }
}
