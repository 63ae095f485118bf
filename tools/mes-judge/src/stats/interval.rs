//! A confidence interval from resamples: bias-corrected and accelerated. Efron (1987), "Better Bootstrap Confidence
//! Intervals", JASA 82:397.

use super::normal;

/// Returns the interval that holds the true value with probability `level`.
///
/// With z₀ = Φ⁻¹(share of resamples below the estimate) and a = Σd³/(6(Σd²)^1.5), d being how far the statistic without
/// one session lies below the mean of such, its ends are the resamples at Φ(z₀ + (z₀ ± z)/(1 − a(z₀ ± z))). Where all
/// resamples lie on one side it is the plain percentile interval. Absent without resamples.
pub fn bca(estimate: f64, mut resamples: Vec<f64>, without_one: &[f64], level: f64) -> Option<(f64, f64)> {
    resamples.retain(|value| value.is_finite());
    resamples.sort_by(f64::total_cmp);
    let count = resamples.len() as f64;
    // Half of what is equal counts as below: a statistic with few values, such as a share, is not biased by that.
    let below = resamples.partition_point(|value| *value < estimate);
    let up_to = resamples.partition_point(|value| *value <= estimate);
    let bias = normal::quantile((below + up_to) as f64 / (2.0 * count));
    let acceleration = acceleration(without_one);
    let at = |share: f64| {
        let z = normal::quantile(share);
        let shifted = bias + (bias + z) / (1.0 - acceleration * (bias + z));
        let share = if shifted.is_finite() { normal::cdf(shifted) } else { share };
        percentile(&resamples, share)
    };
    let tail = (1.0 - level) / 2.0;
    Some((at(tail)?, at(1.0 - tail)?))
}

/// Returns the acceleration; 0 when the statistic does not move.
fn acceleration(without_one: &[f64]) -> f64 {
    let mean = without_one.iter().sum::<f64>() / without_one.len() as f64;
    let sum = |power: i32| without_one.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let (squares, cubes) = (sum(2), sum(3));
    let found = cubes / (6.0 * squares * squares.sqrt());
    if found.is_finite() { found } else { 0.0 }
}

/// Returns the value at a share of sorted values, between its neighbours where it falls between them.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share.clamp(0.0, 1.0) * (sorted.len().checked_sub(1)? as f64);
    let (low, part) = (place.floor() as usize, place - place.floor());
    let high = (low + 1).min(sorted.len() - 1);
    Some(sorted[low] + part * (sorted[high] - sorted[low]))
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;

    use super::*;
    use crate::stats::{bootstrap::stationary, close};

    #[test]
    fn without_bias_and_skew_it_is_the_percentile() {
        let resamples: Vec<f64> = (0..=1000).map(f64::from).collect();
        let (low, high) = bca(500.0, resamples, &[1.0, 2.0, 3.0], 0.9).expect("known");
        close("low", low, 50.0, 1e-9);
        close("high", high, 950.0, 1e-9);
    }

    /// z₀ = Φ⁻¹(0.6) = 0.253347; a = 0; the ends lie at Φ(2·0.253347 ± 1.644854) = 0.127516, 0.984269.
    #[test]
    fn bias_by_hand() {
        let resamples: Vec<f64> = (0..=1000).map(f64::from).collect();
        let (low, high) = bca(600.0, resamples, &[], 0.9).expect("known");
        close("low", low, 127.5, 0.6);
        close("high", high, 984.3, 0.6);
    }

    #[test]
    fn one_sided_or_empty_resamples() {
        assert_eq!(bca(0.0, vec![], &[], 0.9), None);
        assert_eq!(bca(5.0, vec![1.0; 10], &[], 0.9), Some((1.0, 1.0)));
        assert_eq!(bca(f64::NAN, vec![f64::NAN, f64::INFINITY], &[], 0.9), None);
    }

    /// The mean of a skewed sample lies in its interval about as often as was said.
    #[test]
    fn covers_a_skewed_mean() {
        let mut draw = Draw::new(11, 0);
        let mut covered = 0;
        for _ in 0..300 {
            let sample: Vec<f64> = (0..60).map(|_| -libm::log(1.0 - draw.unit())).collect();
            let total: f64 = sample.iter().sum();
            let mean = |indices: Vec<usize>| indices.iter().map(|&index| sample[index]).sum::<f64>() / 60.0;
            let resamples = (0..400).map(|_| mean(stationary(60, 1.0, &mut draw))).collect();
            let without: Vec<f64> = sample.iter().map(|value| (total - value) / 59.0).collect();
            let (low, high) = bca(total / 60.0, resamples, &without, 0.9).expect("known");
            covered += i32::from(low <= 1.0 && 1.0 <= high);
        }
        assert!((249..=288).contains(&covered), "{covered} of 300");
    }
}
