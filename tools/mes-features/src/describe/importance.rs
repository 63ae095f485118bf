//! What features say about the label: each by itself (mutual information) and all together (a linear model). Both are
//! baselines, measured on the very rows that they are fitted to.

/// Bins over [-1, 1] into which a feature's values fall.
pub const BINS: usize = 32;
/// What is added to the diagonal of the correlations, so that columns that say the same can be solved for.
const RIDGE: f64 = 1e-3;

/// Returns the bin of a value.
pub fn bin(value: f64) -> usize {
    (((value + 1.0) * (BINS as f64 / 2.0)) as usize).min(BINS - 1)
}

/// Returns the mutual information of bin and class in bits, less what chance alone gives on average
/// (Miller and Madow, 1955), at least 0; `None` without values.
pub fn mutual_information(counts: &[[u64; 3]]) -> Option<f64> {
    let total: u64 = counts.iter().flatten().sum();
    if total == 0 {
        return None;
    }
    let n = total as f64;
    let classes = [0, 1, 2].map(|class| counts.iter().map(|bin| bin[class]).sum::<u64>());
    let mut nats = 0.0;
    for bin in counts {
        let of_bin = bin.iter().sum::<u64>() as f64;
        for (count, of_class) in bin.iter().zip(classes).filter(|(count, _)| **count > 0) {
            let both = *count as f64;
            nats += both / n * libm::log(both * n / (of_bin * of_class as f64));
        }
    }
    let used = |counts: &mut dyn Iterator<Item = u64>| counts.filter(|count| *count > 0).count() as f64;
    let bins = used(&mut counts.iter().map(|bin| bin.iter().sum()));
    let chance = (bins - 1.0) * (used(&mut classes.into_iter()) - 1.0) / (2.0 * n);
    Some(((nats - chance) / std::f64::consts::LN_2).max(0.0))
}

/// A linear model of the target, everything in standard deviations.
pub struct Linear {
    /// One weight a feature; `None` where it does not vary.
    pub weights: Vec<Option<f64>>,
    /// The share of the target's variance that it explains.
    pub r_squared: f64,
}

/// Solves for the weights by ridge regression on correlations: `between` those of features, `with` those with the
/// target; features that do not vary are left out. `None` when nothing varies.
pub fn linear(between: impl Fn(usize, usize) -> Option<f64>, with: &[Option<f64>]) -> Option<Linear> {
    let kept: Vec<usize> = (0..with.len()).filter(|feature| with[*feature].is_some()).collect();
    let n = kept.len();
    let mut lower = vec![0.0; n * n];
    // Cholesky: L L' = R + ridge.
    for row in 0..n {
        for column in 0..=row {
            let ridge = if row == column { RIDGE } else { 0.0 };
            let mut sum = between(kept[row], kept[column]).unwrap_or(0.0) + ridge;
            for k in 0..column {
                sum -= lower[row * n + k] * lower[column * n + k];
            }
            lower[row * n + column] =
                if row == column { sum.max(RIDGE * RIDGE).sqrt() } else { sum / lower[column * n + column] };
        }
    }
    let mut solved: Vec<f64> = kept.iter().map(|feature| with[*feature].unwrap_or(0.0)).collect();
    for row in 0..n {
        for k in 0..row {
            solved[row] -= lower[row * n + k] * solved[k];
        }
        solved[row] /= lower[row * n + row];
    }
    for row in (0..n).rev() {
        for k in row + 1..n {
            solved[row] -= lower[k * n + row] * solved[k];
        }
        solved[row] /= lower[row * n + row];
    }
    let mut weights = vec![None; with.len()];
    let mut r_squared = 0.0;
    for (feature, weight) in kept.iter().zip(solved) {
        weights[*feature] = Some(weight);
        r_squared += weight * with[*feature].unwrap_or(0.0);
    }
    (n > 0).then_some(Linear { weights, r_squared: r_squared.clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_is_what_a_table_of_counts_gives() {
        // Bin and class are one and the same: H = 1 bit, and chance takes (2 - 1)(2 - 1)/(2 · 200 ln 2) of it.
        let told = mutual_information(&[[100, 0, 0], [0, 0, 100]]).expect("a value");
        assert!((told - (1.0 - 1.0 / (400.0 * 2.0_f64.ln()))).abs() < 1e-12, "{told}");
        assert_eq!(mutual_information(&[[50, 0, 50], [50, 0, 50]]), Some(0.0));
        assert_eq!(mutual_information(&[[0; 3]; 4]), None);
        assert_eq!([-1.0, -0.001, 0.0, 1.0].map(bin), [0, 15, 16, 31]);
    }

    #[test]
    fn weights_are_those_of_two_equations_in_two_unknowns() {
        // R = [[1, 0.5], [0.5, 1]], r = [0.6, 0.3]: weights 0.6 and 0, R² = 0.36; a third does not vary.
        let between = |a: usize, b: usize| Some(if a == b { 1.0 } else { 0.5 });
        let model = linear(between, &[Some(0.6), Some(0.3), None]).expect("a model");
        let weight = |feature: usize| model.weights[feature].expect("a weight");
        assert!((weight(0) - 0.6).abs() < 2e-3 && weight(1).abs() < 2e-3 && model.weights[2].is_none());
        assert!((model.r_squared - 0.36).abs() < 2e-3);
    }
}
