//! How many independent facts overlapping labels hold.

/// Returns the average uniqueness of labels that span the rows `[from, to)`, in order of their beginning: each label
/// weighs 1 over the number of labels alive at every row of its span, averaged over the span, then over the labels.
/// López de Prado (2018), "Advances in Financial Machine Learning", chapter 4. Absent without labels or with an empty
/// one. Labels × this is the number of independent ones.
pub fn average(labels: &[(usize, usize)]) -> Option<f64> {
    let end = labels.iter().map(|(_, to)| *to).max()?;
    let mut changes = vec![0_i64; end + 1];
    for &(from, to) in labels {
        changes[from] += 1;
        changes[to] -= 1;
    }
    let mut alive = 0;
    // Sums of 1/alive up to each row, so that a label's share is a difference.
    let mut sums = vec![0.0];
    for change in &changes[..end] {
        alive += change;
        let share = if alive > 0 { 1.0 / alive as f64 } else { 0.0 };
        sums.push(sums[sums.len() - 1] + share);
    }
    let of = |&(from, to): &(usize, usize)| (sums[to] - sums[from]) / (to - from) as f64;
    let average = labels.iter().map(of).sum::<f64>() / labels.len() as f64;
    average.is_finite().then_some(average)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    #[test]
    fn a_label_every_second_that_looks_30_ahead_is_a_thirtieth() {
        let labels: Vec<_> = (0..200_000).map(|row| (row, row + 30)).collect();
        close("1/h", average(&labels).expect("known"), 1.0 / 30.0, 1e-5);
        // In the interior exactly.
        let inner = labels[1000..2000].to_vec();
        let all: f64 = inner.len() as f64 / 30.0;
        close("independent", average(&inner).expect("known") * 1000.0, all, 3.0);
        let apart: Vec<_> = (0..100).map(|row| (row * 30, row * 30 + 30)).collect();
        close("apart", average(&apart).expect("known"), 1.0, 1e-12);
    }

    /// Three labels by hand: alive 1, 2, 2, 1 in rows 0 to 3.
    #[test]
    fn by_hand() {
        let found = average(&[(0, 3), (1, 3), (3, 4)]).expect("known");
        close("average", found, (2.0 / 3.0 + 0.5 + 1.0) / 3.0, 1e-15);
        assert_eq!((average(&[]), average(&[(1, 1)])), (None, None));
    }
}
