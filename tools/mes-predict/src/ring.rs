//! The last rows of a stream, as a sequence model sees them: whole, of one segment, without a break.

use arrow_array::{Float32Array, Int64Array};
use mes_pipe::Result;

use crate::model::{Model, plan::CLASSES};

/// Rows since the last break, as many as a window has, in one piece.
pub(crate) struct Ring {
    window: usize,
    width: usize,
    seg: i64,
    /// Grows to two windows; then the last one moves to the front.
    rows: Vec<f32>,
}

impl Ring {
    /// Makes room for a window of rows, `width` features each.
    pub fn new(window: usize, width: usize) -> Ring {
        Ring { window, width, seg: 0, rows: Vec::with_capacity(2 * window * width) }
    }

    /// Computes the probabilities of the rows that are wanted and have a window, each with its place. Every whole row
    /// counts for those after it, wanted or not; one that is not forgets all.
    ///
    /// # Errors
    ///
    /// As [`Model::probabilities`].
    pub fn probabilities(
        &mut self,
        model: &Model,
        features: &[&Float32Array],
        segments: &Int64Array,
        (wanted, whole): (&[bool], &[bool]),
    ) -> Result<Vec<(usize, [f64; CLASSES])>> {
        let mut found = Vec::new();
        for row in 0..wanted.len() {
            if !whole[row] {
                self.clear();
                continue;
            }
            let window = self.push(segments.value(row), features.iter().map(|column| column.value(row)));
            if let (true, Some(window)) = (wanted[row], window) {
                found.extend(model.probabilities(window)?.into_iter().map(|p| (row, p)));
            }
        }
        Ok(found)
    }

    /// Forgets all: a row lacked something.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Adds a row; one of another segment begins anew. Returns the window that ends with it, once there are enough.
    pub fn push(&mut self, seg: i64, row: impl Iterator<Item = f32>) -> Option<&[f32]> {
        if seg != self.seg {
            self.clear();
            self.seg = seg;
        }
        let (row_ends, window) = (self.rows.len(), self.window * self.width);
        if row_ends == 2 * window {
            self.rows.copy_within(window + self.width.., 0);
            self.rows.truncate(window - self.width);
        }
        self.rows.extend(row);
        self.rows.len().checked_sub(window).map(|first| &self.rows[first..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_last_rows_of_an_unbroken_run() {
        for window in [1, 2, 3, 7] {
            let mut ring = Ring::new(window, 2);
            let mut run: Vec<f32> = Vec::new();
            for row in 0..100_i64 {
                if row % 23 == 5 {
                    ring.clear();
                    run.clear();
                }
                if row % 40 == 0 {
                    run.clear();
                }
                let values = [row as f32, -row as f32];
                run.extend(values);
                let wanted = run.len().checked_sub(2 * window).map(|first| &run[first..]);
                assert_eq!(ring.push(row / 40, values.into_iter()), wanted, "{window} at {row}");
            }
        }
    }
}
