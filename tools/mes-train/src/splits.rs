//! Cuts rows in the order of time: training, then calibration, then test. Before each cut, rows whose labels look
//! past it are purged.

use std::ops::Range;

use mes_core::time::Ts;
use mes_pipe::{Error, Result};

/// Shares of the rows before the first and the second cut.
const CUTS: [f64; 2] = [0.70, 0.85];

#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    pub train: Range<usize>,
    pub calibration: Range<usize>,
    pub test: Range<usize>,
}

impl Splits {
    /// Cuts rows at `times`, whose labels look `horizon` nanoseconds ahead.
    pub fn of(times: &[Ts], horizon: i64) -> Result<Splits> {
        let [first, second] = CUTS.map(|share| (times.len() as f64 * share) as usize);
        let purged = |from: usize, cut: usize| {
            let kept = times[from..cut].partition_point(|ts| ts + horizon <= times[cut]);
            from..from + kept
        };
        let splits =
            Splits { train: purged(0, first), calibration: purged(first, second), test: second..times.len() };
        let Splits { train, calibration, test } = &splits;
        if train.is_empty() || calibration.is_empty() || test.is_empty() {
            return Err(Error::data(format!(
                "{} usable rows are too few to train, calibrate and test",
                times.len()
            )));
        }
        Ok(splits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_of_one_slice_reaches_into_the_next() {
        for (step, horizon) in [(10, 30), (30, 30), (1, 7), (50, 30)] {
            let times: Vec<Ts> = (0..200).map(|row| row * step).collect();
            let Splits { train, calibration, test } = Splits::of(&times, horizon).expect("enough");
            assert!(times[train.end - 1] + horizon <= times[calibration.start]);
            assert!(times[calibration.end - 1] + horizon <= times[test.start]);
            // Not a row more is lost than that takes.
            let gap = (horizon - 1) as usize / step as usize;
            assert_eq!((train.start, train.end, test.end), (0, 140 - gap, 200));
            assert_eq!((calibration.start, calibration.end, test.start), (140, 170 - gap, 170));
        }
        assert!(Splits::of(&[], 30).is_err() && Splits::of(&[1, 2, 3], 30).is_err());
    }
}
