//! Cuts samples in the order of time: training, validation where a family stops by it, calibration, test. Before each
//! cut, samples whose labels look past it are purged, and an embargo more.

use std::ops::Range;

use mes_core::time::Ts;
use mes_pipe::{Error, Result};

/// Shares of the samples before validation (where there is one), calibration and test.
const CUTS: [f64; 3] = [0.60, 0.70, 0.85];

#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    pub train: Range<usize>,
    /// Empty unless asked for.
    pub validation: Range<usize>,
    pub calibration: Range<usize>,
    pub test: Range<usize>,
}

impl Splits {
    /// Cuts samples at `times`, such that none is nearer to the next slice than `gap` nanoseconds: the labels'
    /// horizon and the embargo.
    ///
    /// # Errors
    ///
    /// `Data` where a slice would be empty.
    pub fn of(times: &[Ts], gap: i64, validates: bool) -> Result<Splits> {
        let [validation, calibration, test] = CUTS.map(|share| (times.len() as f64 * share) as usize);
        let purged = |from: usize, cut: usize| {
            let kept = times[from..cut].partition_point(|ts| ts + gap <= times[cut]);
            from..from + kept
        };
        let trained = if validates { validation } else { calibration };
        let slices = [
            (purged(0, trained), true, "train"),
            (purged(trained, calibration), validates, "validate"),
            (purged(calibration, test), true, "calibrate"),
            (test..times.len(), true, "test"),
        ];
        if let Some((.., what)) = slices.iter().find(|(slice, needed, _)| *needed && slice.is_empty()) {
            return Err(Error::data(format!(
                "{} usable rows are too few: none is left to {what}",
                times.len()
            )));
        }
        let [train, validation, calibration, test] = slices.map(|(slice, ..)| slice);
        Ok(Splits { train, validation, calibration, test })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_of_one_slice_reaches_into_the_next() {
        for (step, horizon) in [(10, 30), (30, 30), (1, 7), (50, 30)] {
            let times: Vec<Ts> = (0..200).map(|row| row * step).collect();
            // Not a row more is lost than that takes.
            let gap = (horizon - 1) as usize / step as usize;
            let Splits { train, validation, calibration, test } =
                Splits::of(&times, horizon, false).expect("enough");
            assert!(times[train.end - 1] + horizon <= times[calibration.start]);
            assert!(times[calibration.end - 1] + horizon <= times[test.start]);
            assert_eq!((train.start, train.end, validation.len()), (0, 140 - gap, 0));
            assert_eq!((calibration, test), (140..170 - gap, 170..200));

            let splits = Splits::of(&times, horizon, true).expect("enough");
            assert_eq!((splits.train, splits.validation), (0..120 - gap, 120..140 - gap));
            assert_eq!((splits.calibration, splits.test), (140..170 - gap, 170..200));
        }
        assert!(Splits::of(&[], 30, false).is_err() && Splits::of(&[1, 2, 3], 30, false).is_err());
    }
}
