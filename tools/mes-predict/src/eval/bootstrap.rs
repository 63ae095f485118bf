//! Intervals from whole sessions drawn anew.
//!
//! Rows of a session hang together: their labels overlap, their markets are the same. So what is drawn, with
//! replacement, is sessions, and two intervals of the same rows and seed are the same. Few sessions give percentiles
//! that lie too close together; they are moved apart by √(n/(n−1)) · t₀.₉₇₅(n−1) / z₀.₉₇₅, the width by which
//! Student's interval of a mean is wider (after Hesterberg 2015, "What Teachers Should Know About the Bootstrap",
//! section 3.2).

use serde::Serialize;

use mes_core::dice::splitmix64;

/// A figure, and where its 95 % interval lies; without two sessions or with an infinite draw there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    pub value: Option<f64>,
    pub interval: Option<[f64; 2]>,
}

impl Estimate {
    /// Says whether the whole interval lies above 0.
    pub fn is_above_zero(&self) -> bool {
        self.interval.is_some_and(|[low, _]| low > 0.0)
    }
}

/// How sessions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Draws {
    pub resamples: usize,
    pub seed: u64,
}

/// The upper 2.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Those of Student's t with 1 to 10 degrees of freedom.
const T: [f64; 10] = [
    12.706_204_736_432_095,
    4.302_652_729_911_275,
    3.182_446_305_284_263,
    2.776_445_105_197_799,
    2.570_581_835_636_314,
    2.446_911_851_144_969,
    2.364_624_251_592_784,
    2.306_004_135_033_371,
    2.262_157_162_798_204,
    2.228_138_851_964_939,
];

impl Draws {
    /// Estimates `figures` of the sessions together. A figure comes with the range it cannot leave.
    pub fn estimate<T, const N: usize>(
        &self,
        sessions: &[T],
        ranges: [[f64; 2]; N],
        figures: impl Fn(&[&T]) -> [Option<f64>; N],
    ) -> [Estimate; N] {
        let values = figures(&sessions.iter().collect::<Vec<_>>());
        if sessions.len() < 2 {
            return values.map(|value| Estimate { value, interval: None });
        }
        let mut drawn: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(self.resamples));
        for resample in 0..self.resamples {
            let found = figures(&self.draw(sessions, resample));
            drawn.iter_mut().zip(found).for_each(|(all, one)| all.extend(one));
        }
        std::array::from_fn(|figure| {
            let (value, all) = (values[figure], &mut drawn[figure]);
            let whole = all.len() == self.resamples && !all.is_empty();
            let interval =
                value.filter(|_| whole).map(|value| interval(value, all, sessions.len(), ranges[figure]));
            Estimate { value, interval }
        })
    }

    fn draw<'a, T>(&self, sessions: &'a [T], resample: usize) -> Vec<&'a T> {
        let stream = splitmix64(splitmix64(self.seed) ^ resample as u64);
        let pick = |place: usize| {
            let dice = splitmix64(stream.wrapping_add(place as u64));
            &sessions[((u128::from(dice) * sessions.len() as u128) >> 64) as usize]
        };
        (0..sessions.len()).map(pick).collect()
    }
}

fn interval(value: f64, drawn: &mut [f64], sessions: usize, [least, most]: [f64; 2]) -> [f64; 2] {
    drawn.sort_by(f64::total_cmp);
    let wider = widening(sessions);
    let ends = [0.025, 0.975].map(|share| value + wider * (quantile(drawn, share) - value));
    // A figure far from the middle of its draws must not fall out of its own interval.
    [ends[0].min(value).max(least), ends[1].max(value).min(most)]
}

/// Interpolates between the order statistics, as NumPy does by default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

fn widening(sessions: usize) -> f64 {
    let n = sessions as f64;
    (n / (n - 1.0)).sqrt() * student(sessions - 1) / Z
}

/// Returns the upper 2.5 % point of Student's t: a table, then Fisher's expansion, true to 1e-5 from 11 degrees on
/// (Abramowitz and Stegun 26.7.5).
fn student(freedom: usize) -> f64 {
    if let Some(t) = T.get(freedom - 1) {
        return *t;
    }
    let (n, z, z3) = (freedom as f64, Z, Z * Z * Z);
    let (z5, z7, z9) = (z3 * z * z, z3 * z3 * z, z3 * z3 * z3);
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n * n * n)
        + (79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92_160.0 * n * n * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

    fn mean(sessions: &[&f64]) -> [Option<f64>; 1] {
        [Some(sessions.iter().copied().sum::<f64>() / sessions.len() as f64)]
    }

    /// scipy.stats.t.ppf(0.975, df).
    #[test]
    fn students_points_equal_scipys() {
        for (freedom, wanted) in
            [(1, 12.7062047), (10, 2.2281389), (11, 2.2009852), (20, 2.0859634), (60, 2.0002978)]
        {
            assert!((student(freedom) - wanted).abs() < 2e-5, "{freedom}: {}", student(freedom));
        }
        assert!((widening(10_000) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn is_the_same_again_and_needs_two_sessions() {
        let draws = Draws { resamples: 500, seed: 3 };
        let sessions = [1.25, 4.0, 2.25, 8.75, 5.0, 3.0, 4.5, 3.25];
        let [found] = draws.estimate(&sessions, [ANY], mean);
        assert_eq!(found, draws.estimate(&sessions, [ANY], mean)[0]);
        let other = Draws { seed: 4, ..draws };
        assert_ne!(found, other.estimate(&sessions, [ANY], mean)[0]);
        assert_eq!(found.value, Some(4.0));
        assert_eq!(draws.estimate(&[1.0], [ANY], mean)[0], Estimate { value: Some(1.0), interval: None });
        let [bounded] = draws.estimate(&sessions, [[3.9, 4.1]], mean);
        assert_eq!(bounded.interval, Some([3.9, 4.1]));
        let never = |_: &[&f64]| [None];
        assert_eq!(draws.estimate(&sessions, [ANY], never)[0], Estimate::default());
    }

    /// The share of intervals that hold the true mean: 95 % is promised, and few sessions must not break it by much.
    #[test]
    fn covers_what_it_says_from_two_sessions_on() {
        for sessions in [2, 3, 5, 12, 40] {
            let mut held = 0;
            for trial in 0..400_u64 {
                // Sums of twelve even numbers: near enough to normal, mean 0.
                let normal = |place: usize| -> f64 {
                    let dice =
                        |k: u64| splitmix64(trial << 32 | (place as u64) << 8 | k) as f64 / 2_f64.powi(64);
                    (0..12).map(dice).sum::<f64>() - 6.0
                };
                let values: Vec<f64> = (0..sessions).map(normal).collect();
                let draws = Draws { resamples: 400, seed: trial };
                let [found] = draws.estimate(&values, [ANY], mean);
                held += u32::from(found.interval.is_some_and(|[low, high]| low <= 0.0 && 0.0 <= high));
            }
            let share = f64::from(held) / 400.0;
            assert!((0.90..=0.99).contains(&share), "{share} with {sessions} sessions");
        }
    }
}
