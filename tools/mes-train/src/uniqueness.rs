//! How many independent facts overlapping labels hold.

use mes_core::time::Ts;

/// Returns the average uniqueness of labels that begin at `times`, in order, and are known `horizon` later: each weighs
/// 1 over the number of labels alive at every instant of its span, averaged over the span, then over the labels.
/// López de Prado (2018), "Advances in Financial Machine Learning", chapter 4. Absent without labels or with empty
/// ones. Labels × this is the number of independent ones.
pub fn average(times: &[Ts], horizon: i64) -> Option<f64> {
    let count = times.len();
    let mut now = *times.first()?;
    // The integral of 1/alive so far, and what it was as each label began; labels end in the order they begin.
    let (mut sum, mut begun, mut total) = (0.0, Vec::with_capacity(count), 0.0);
    for ended in 0..count {
        let end = times[ended] + horizon;
        loop {
            let alive = begun.len() - ended;
            let next = times.get(begun.len()).copied().filter(|next| *next < end);
            let until = next.unwrap_or(end);
            if alive > 0 {
                sum += (until - now) as f64 / alive as f64;
            }
            now = until;
            if next.is_none() {
                break;
            }
            begun.push(sum);
        }
        total += sum - begun.get(ended)?;
    }
    let average = total / horizon as f64 / count as f64;
    average.is_finite().then_some(average)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, want: f64, within: f64) {
        assert!(found.is_some_and(|found| (found - want).abs() <= within), "{found:?}, not {want}");
    }

    /// As many labels alive at the place of each as a count of all says.
    fn naive(times: &[Ts], horizon: i64) -> f64 {
        let alive = |at: i64| times.iter().filter(|from| (**from..**from + horizon).contains(&at)).count();
        let of = |from: &Ts| (*from..from + horizon).map(|at| 1.0 / alive(at) as f64).sum::<f64>();
        times.iter().map(of).sum::<f64>() / horizon as f64 / times.len() as f64
    }

    #[test]
    fn a_label_every_second_that_looks_30_ahead_is_a_thirtieth() {
        near(average(&(0..200_000).collect::<Vec<_>>(), 30), 1.0 / 30.0, 1e-5);
        near(average(&(0..100).map(|row| row * 30).collect::<Vec<_>>(), 30), 1.0, 1e-12);
        near(average(&(0..100).map(|row| row * 99).collect::<Vec<_>>(), 30), 1.0, 1e-12);
    }

    /// Three labels of 3 rows: alive 1, 2, 2, 2, 1, 1 from row 0 on.
    #[test]
    fn by_hand_and_by_counting() {
        near(average(&[0, 1, 3], 3), (2.0 / 3.0 + 0.5 + (0.5 + 2.0) / 3.0) / 3.0, 1e-15);
        assert_eq!((average(&[], 30), average(&[1], 0)), (None, None));
        for step in 1..9 {
            let times: Vec<Ts> = (0..300).map(|row| row * row * step % 1000).collect();
            let mut sorted = times.clone();
            sorted.sort_unstable();
            sorted.dedup();
            near(average(&sorted, 17), naive(&sorted, 17), 1e-12);
        }
    }
}
