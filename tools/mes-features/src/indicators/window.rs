//! Windows over the last N rows in constant time. Integer sums are exact; sums of fractions and extremes are put
//! together from blocks, so that nothing is ever subtracted and nothing drifts.

/// Sum of the last N whole numbers.
#[derive(Clone, Debug)]
pub struct Sum<const N: usize> {
    values: [i64; N],
    at: usize,
    sum: i64,
}

impl<const N: usize> Sum<N> {
    pub fn new() -> Self {
        Sum { values: [0; N], at: 0, sum: 0 }
    }

    /// Adds a value and returns the sum; values before the first count 0.
    #[inline]
    pub fn push(&mut self, value: i64) -> i64 {
        self.sum += value - self.values[self.at];
        self.values[self.at] = value;
        self.at = if self.at + 1 == N { 0 } else { self.at + 1 };
        self.sum
    }
}

/// A value put together from the last N by an associative operation, such as a sum or a maximum.
///
/// The window is the end of one block of N and the beginning of the next. `tail[k]` folds the old block from k on,
/// `head` the new block so far (van Herk, Gil and Werman).
#[derive(Clone, Debug)]
pub struct Fold<T, const N: usize> {
    tail: [T; N],
    block: [T; N],
    head: T,
    at: usize,
    none: T,
}

impl<T: Copy, const N: usize> Fold<T, N> {
    /// Begins a window; `none` changes nothing when folded in.
    pub fn new(none: T) -> Self {
        Fold { tail: [none; N], block: [none; N], head: none, at: 0, none }
    }

    /// Adds a value and returns the fold of the last N, or of all so far while they are fewer.
    #[inline]
    pub fn push(&mut self, value: T, fold: impl Fn(T, T) -> T) -> T {
        self.block[self.at] = value;
        self.head = fold(self.head, value);
        self.at += 1;
        if self.at < N {
            return fold(self.tail[self.at], self.head);
        }
        let whole = self.head;
        let mut folded = self.none;
        for k in (0..N).rev() {
            folded = fold(self.block[k], folded);
            self.tail[k] = folded;
        }
        (self.head, self.at) = (self.none, 0);
        whole
    }
}

/// The last values, to look back at. As long as its longest look needs.
#[derive(Clone, Debug)]
pub struct Lag<T> {
    values: Vec<T>,
    at: usize,
}

impl<T: Copy + Default> Lag<T> {
    /// Makes room to look back by `rows`.
    pub fn new(rows: usize) -> Self {
        Lag { values: vec![T::default(); (rows + 1).next_power_of_two()], at: 0 }
    }

    /// Adds the value of the next row.
    #[inline]
    pub fn push(&mut self, value: T) {
        self.at = (self.at + 1) & (self.values.len() - 1);
        self.values[self.at] = value;
    }

    /// Returns the value `rows` before the last one.
    #[inline]
    pub fn back(&self, rows: usize) -> T {
        self.values[self.at.wrapping_sub(rows) & (self.values.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_what_a_loop_over_the_last_rows_gives() {
        let values: Vec<i64> = (0..200).map(|k: i64| (k * 7919 + k * k * 31) % 101 - 50).collect();
        let (mut sum, mut high) = (Sum::<7>::new(), Fold::<i64, 7>::new(i64::MIN));
        let (mut fractions, mut lag) = (Fold::<f64, 7>::new(0.0), Lag::new(9));
        for (k, &value) in values.iter().enumerate() {
            let last = &values[(k + 1).saturating_sub(7)..=k];
            assert_eq!(sum.push(value), last.iter().sum::<i64>(), "row {k}");
            assert_eq!(Some(high.push(value, i64::max)), last.iter().copied().max(), "row {k}");
            assert_eq!(
                fractions.push(value as f64 / 8.0, |a, b| a + b),
                last.iter().sum::<i64>() as f64 / 8.0
            );
            lag.push(value);
            if k >= 9 {
                assert_eq!((lag.back(0), lag.back(9)), (value, values[k - 9]));
            }
        }
    }
}
