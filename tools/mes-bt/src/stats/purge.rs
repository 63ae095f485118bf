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

/// Returns the rows that may train while the rows of `tests` test. `labels` are the spans `[known from, known at]` of
/// all rows, in order. A row is left out when its span meets that of a test's labels, or when it begins within
/// `embargo` after the last of them ends.
pub fn train(labels: &[(i64, i64)], tests: &[Range<usize>], embargo: i64) -> Vec<usize> {
    let spans: Vec<(i64, i64)> = tests
        .iter()
        .filter_map(|test| {
            let labels = &labels[test.clone()];
            Some((labels.first()?.0, labels.iter().map(|(_, to)| *to).max()?))
        })
        .collect();
    let free = |&row: &usize| {
        let (from, to) = labels[row];
        let tested = tests.iter().any(|test| test.contains(&row));
        !tested && spans.iter().all(|&(first, last)| to < first || from > last + embargo)
    };
    (0..labels.len()).filter(free).collect()
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
        let splits = |horizon: i64, embargo: i64| -> Vec<Vec<usize>> {
            let labels: Vec<(i64, i64)> = (0..12).map(|row| (row, row + horizon)).collect();
            let tests =
                |choice: Vec<usize>| choice.into_iter().map(|fold| parts[fold].clone()).collect::<Vec<_>>();
            combinations(3, 2).into_iter().map(|choice| train(&labels, &tests(choice), embargo)).collect()
        };
        assert_eq!(splits(1, 0), [vec![9, 10, 11], vec![5, 6], vec![0, 1, 2]]);
        assert_eq!(splits(0, 1), [vec![9, 10, 11], vec![5, 6, 7], vec![0, 1, 2, 3]]);
    }

    proptest! {
        /// Nothing that trains meets a test, and nothing is left out that need not be.
        #[test]
        fn leak_nothing_and_waste_nothing(
            steps in prop::collection::vec(1_i64..4, 1..80), horizon in 0_i64..20, embargo in 0_i64..10,
            count in 1_usize..7, picked in 0_usize..7,
        ) {
            let mut now = 0;
            let labels: Vec<(i64, i64)> =
                steps.iter().map(|step| { now += step; (now, now + horizon) }).collect();
            let parts = folds(labels.len(), count);
            prop_assert_eq!(parts.iter().map(Range::len).sum::<usize>(), labels.len());
            let test = parts[picked % count].clone();
            let kept = train(&labels, std::slice::from_ref(&test), embargo);
            for row in 0..labels.len() {
                let meets = test.clone().any(|other| {
                    let (a, b) = (labels[row], labels[other]);
                    a.0 <= b.1 && b.0 <= a.1
                });
                let late = test.end > 0 && !test.is_empty() && row >= test.end
                    && labels[row].0 <= labels[test.end - 1].1 + embargo;
                prop_assert_eq!(kept.contains(&row), !meets && !late && !test.contains(&row));
            }
        }
    }
}
