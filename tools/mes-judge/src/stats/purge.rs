//! Which rows may train a model that is tested on others: purged K-fold and combinatorial purged cross-validation.
//! López de Prado (2018), "Advances in Financial Machine Learning", chapters 7 and 12.
//!
//! Times are durations, not counts of rows: a label of 30 s and a feature of 60 s say what to purge and embargo.

use std::ops::Range;

/// Cuts `rows` into `count` folds of neighbours, the first ones longer by a row where it does not come out even.
pub fn folds(rows: usize, count: usize) -> Vec<Range<usize>> {
    let (size, longer) = (rows / count, rows % count);
    let start = |fold: usize| fold * size + fold.min(longer);
    (0..count).map(|fold| start(fold)..start(fold + 1)).collect()
}

/// Returns every choice of `chosen` of `count` things, in order: (0, 1), (0, 2), …
pub fn combinations(count: usize, chosen: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut now: Vec<usize> = (0..chosen).collect();
    if chosen > count {
        return all;
    }
    loop {
        all.push(now.clone());
        // The last place that can still move on; what follows it starts right behind.
        let Some(place) = (0..chosen).rev().find(|&place| now[place] < count - chosen + place) else {
            return all;
        };
        now[place] += 1;
        for later in place + 1..chosen {
            now[later] = now[later - 1] + 1;
        }
    }
}

/// Returns how many whole paths through time the tests of C(folds, tested) splits make: tested/folds·C(folds, tested).
pub fn paths(folds: usize, tested: usize) -> usize {
    combinations(folds, tested).len() * tested / folds
}

/// Returns the spans of `whole` that may train while those of `tests`, none empty and in order, test; each is `(from, to)`
/// of the rows `from < ts <= to`. A row is left out when its label, known `horizon` after it, meets that of a test's
/// row, or when it comes within `embargo` after the last of them is known.
pub fn train(whole: (i64, i64), tests: &[(i64, i64)], horizon: i64, embargo: i64) -> Vec<(i64, i64)> {
    let mut spans = Vec::new();
    let mut from = whole.0;
    for &(first, last) in tests {
        spans.push((from, first - horizon));
        from = from.max(last + horizon + embargo);
    }
    spans.push((from, whole.1));
    spans.retain(|(from, to)| from < to);
    spans
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_of_splits_and_paths() {
        for (count, tested, splits, whole) in
            [(6, 2, 15, 5), (10, 2, 45, 9), (10, 8, 45, 36), (12, 3, 220, 55)]
        {
            assert_eq!(combinations(count, tested).len(), splits);
            assert_eq!(paths(count, tested), whole);
        }
        assert_eq!(combinations(3, 2), [vec![0, 1], vec![0, 2], vec![1, 2]]);
        assert_eq!((combinations(2, 3).len(), combinations(3, 0).len()), (0, 1));
    }

    /// skfolio 1.12.2, `CombinatorialPurgedCV(n_folds=3, n_test_folds=2)` on 12 rows, with `purged_size=1` (a label
    /// of one row) and with `embargo_size=1`.
    #[test]
    fn agrees_with_skfolio() {
        let parts = folds(12, 3);
        // Row k is stamped k.
        let splits = |horizon: i64, embargo: i64| -> Vec<Vec<usize>> {
            let test = |fold: &usize| (parts[*fold].start as i64 - 1, parts[*fold].end as i64 - 1);
            let rows = |choice: Vec<usize>| {
                let tests: Vec<_> = choice.iter().map(test).collect();
                let spans = train((-1, 11), &tests, horizon, embargo).into_iter();
                spans.flat_map(|(from, to)| (from + 1..to + 1).map(|row| row as usize)).collect()
            };
            combinations(3, 2).into_iter().map(rows).collect()
        };
        assert_eq!(splits(1, 0), [vec![9, 10, 11], vec![5, 6], vec![0, 1, 2]]);
        assert_eq!(splits(0, 1), [vec![9, 10, 11], vec![5, 6, 7], vec![0, 1, 2, 3]]);
    }

    proptest! {
        /// Nothing that trains meets a test, and nothing is left out that need not be.
        #[test]
        fn leak_nothing_and_waste_nothing(
            rows in 1_usize..80, horizon in 0_i64..20, embargo in 0_i64..10, count in 1_usize..7, chosen in 0_usize..7,
        ) {
            // A group has a row at the least.
            let count = count.min(rows);
            let parts = folds(rows, count);
            prop_assert_eq!(parts.iter().map(Range::len).sum::<usize>(), rows);
            for choice in combinations(count, chosen.min(count)) {
                let of = |fold: &usize| (parts[*fold].start as i64 - 1, parts[*fold].end as i64 - 1);
                let tests: Vec<_> = choice.iter().map(of).collect();
                let spans = train((-1, rows as i64 - 1), &tests, horizon, embargo);
                for row in 0..rows as i64 {
                    let tested = tests.iter().any(|(from, to)| (from + 1..=*to).contains(&row));
                    let near = tests.iter().any(|&(from, to)| {
                        (from + 1..=to).any(|other| row <= other + horizon && other <= row + horizon)
                            || (row > to && row <= to + horizon + embargo)
                    });
                    let kept = spans.iter().any(|(from, to)| (from + 1..=*to).contains(&row));
                    prop_assert_eq!(kept, !tested && !near);
                }
            }
        }
    }
}
