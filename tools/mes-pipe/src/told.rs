//! How long a row is, told from the times of the first rows, where they came through text that does not say it.
//!
//! One gap says nothing: a hole is one too. The shortest has to be there twice among the first rows, and all others have
//! to be whole multiples of it; the times have to lie on its grid. Rows that turn out to be shorter are off that grid, and an
//! error where they come. How many rows are looked at never depends on how many there are to be had.

use arrow_array::RecordBatch;
use mes_core::{
    interval::Interval,
    time::{MILLI, Ts},
};

use crate::{Error, Lineage, columns};

/// How many rows are looked at.
pub(crate) const ROWS: usize = 5;

/// Says whether rows of this chain have a length at all: those of so many trades have none.
pub(crate) fn may_be(lineage: &Lineage) -> bool {
    lineage.settings("mes-bars").is_none_or(|settings| settings["by"].is_null())
}

/// Tells it, or that it cannot be told.
pub(crate) fn interval(batch: &RecordBatch) -> Option<Interval> {
    let times = columns::times(batch).ok()?;
    of(&times[..times.len().min(ROWS)])
}

/// Says what to do where it cannot be told.
pub(crate) fn unknown() -> Error {
    Error::usage(
        "the length of a row is not known, nor told by the times of the first rows: give --interval 1s here, or \
         --header to the tool before the stage that writes text, which has to pass that line on",
    )
}

fn of(times: &[Ts]) -> Option<Interval> {
    let gaps = || times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|gap| *gap != 0);
    let step = gaps().min().filter(|step| *step > 0)?;
    let twice = gaps().filter(|gap| *gap == step).nth(1).is_some();
    let on_grid = gaps().chain([times[0]]).all(|time| time % step == 0);
    // A length that no flag could name is none.
    let named =
        || format!("{}ms", step / MILLI).parse().ok().filter(|found: &Interval| found.nanos() == step);
    (twice && on_grid).then(named).flatten()
}

#[cfg(test)]
mod tests {
    use mes_core::time::{HOUR, SECOND};

    use super::*;

    #[test]
    fn two_like_gaps_on_one_grid_tell_it_and_nothing_less() {
        let told = |seconds: &[i64]| {
            let times: Vec<Ts> = seconds.iter().map(|second| 400_000 * HOUR + second * SECOND).collect();
            of(&times).map(|interval| interval.to_string())
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(told(&[1, 2, 3, 4, 5]), is("1s"));
        assert_eq!(told(&[300, 600, 900]), is("5m"));
        assert_eq!(told(&[0, 60, 4000 * 60, 4001 * 60]), is("1m"));
        assert_eq!(told(&[1, 2, 9, 12, 13]), is("1s"));
        // Two contracts at once.
        assert_eq!(told(&[1, 1, 2, 2, 3]), is("1s"));
        for unknown in
            [&[][..], &[1], &[1, 2], &[1, 2, 4], &[0, 2, 4, 7], &[1, 3, 5], &[0, 7, 14], &[3, 2, 1]]
        {
            assert_eq!(told(unknown), None, "{unknown:?}");
        }
    }
}
