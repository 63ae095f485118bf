//! Conformal sets (split, least ambiguous: Vovk et al. 2005, Sadinle et al. 2019): the classes that must be named so
//! that the true one is among them as often as was asked for, as long as times to come are like those past.

use std::ops::Range;

use mes_core::time::Ts;
use mes_predict::model::card::Conformal;

/// Parts the calibration samples into those that calibrate and those, a `gap` later, that the sets are made from.
pub fn halves(times: &[Ts], slice: Range<usize>, gap: i64) -> (Range<usize>, Range<usize>) {
    let middle = slice.start + slice.len().div_ceil(2);
    let reached = times[middle - 1] + gap;
    let second = middle + times[middle..slice.end].partition_point(|ts| *ts < reached);
    (slice.start..middle, second..slice.end)
}

/// Finds the quantile for sets that miss in a share `alpha`: the ⌈(n+1)(1−α)⌉-th smallest of 1 − p of what happened.
/// Too few rows for that give sets of all classes.
pub fn fit(p: &[[f64; 3]], labels: &[u8], alpha: f64) -> Conformal {
    let mut missed: Vec<f64> = p.iter().zip(labels).map(|(p, &label)| 1.0 - p[usize::from(label)]).collect();
    missed.sort_by(f64::total_cmp);
    // A millionth of a millionth less, since 10 × 0.9 may come out above 9.
    let rank = ((missed.len() + 1) as f64 * (1.0 - alpha) - 1e-12).ceil() as usize;
    let quantile = missed.get(rank.max(1) - 1).copied().unwrap_or(1.0);
    Conformal { alpha, quantile, covered: None, single: None }
}

/// Adds how the sets did on rows that they have never seen.
pub fn tested(conformal: Conformal, p: &[[f64; 3]], labels: &[u8]) -> Conformal {
    let share = |count: usize| (!p.is_empty()).then(|| count as f64 / p.len() as f64);
    let sets = || p.iter().map(|p| conformal.set(*p));
    let covered = sets().zip(labels).filter(|(set, label)| set[usize::from(**label)]).count();
    let single = sets().filter(|set| set.iter().filter(|there| **there).count() == 1).count();
    Conformal { covered: share(covered), single: share(single), ..conformal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_ranks_worked_out_by_hand() {
        let p = [0.9, 0.8, 0.75, 0.6, 0.55, 0.5, 0.45, 0.4, 0.3].map(|p| [p, 1.0 - p, 0.0]);
        for (alpha, wanted) in [(0.1, 0.70), (0.2, 0.60), (0.3, 0.55), (0.05, 1.0)] {
            let found = fit(&p, &[0; 9], alpha).quantile;
            assert!((found - wanted).abs() < 1e-12, "{alpha}: {found}");
        }
        let sets = tested(fit(&p, &[0; 9], 0.3), &p, &[0; 9]);
        assert_eq!((sets.covered, sets.single), (Some(7.0 / 9.0), Some(6.0 / 9.0)));
    }

    #[test]
    fn the_halves_do_not_overlap() {
        let times: Vec<Ts> = (0..20).collect();
        assert_eq!(halves(&times, 4..14, 3), (4..9, 11..14));
        assert_eq!(halves(&times, 4..14, 1), (4..9, 9..14));
        assert_eq!(halves(&times, 4..6, 100), (4..5, 6..6));
    }
}
