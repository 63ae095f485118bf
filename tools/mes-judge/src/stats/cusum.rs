//! Whether results have become worse than they were: a cumulative sum of how far they fall short. Page (1954),
//! "Continuous Inspection Schemes", Biometrika 41:1/2.
//!
//! With x = (μ − result)/σ, μ and σ being what is expected: S ← max(0, S + x − k), from 0; it signals at S ≥ h. k is half the
//! shift, in σ, that is to be found soonest; h is chosen for how long the chart runs on average between false alarms.

/// Returns the mean number of results until the first signal, of results whose mean has fallen by `shift` standard
/// deviations; 0 is nothing has changed. Siegmund (1985), "Sequential Analysis", with b = h + 1.166 and Δ = shift − k:
/// (e^(−2Δb) + 2Δb − 1)/(2Δ²), and b² where Δ is 0. Of results that are about normal.
pub fn run_length(k: f64, h: f64, shift: f64) -> f64 {
    let (b, drift) = (h + 1.166, shift - k);
    match drift.abs() < 1e-9 {
        true => b * b,
        false => (libm::exp(-2.0 * drift * b) + 2.0 * drift * b - 1.0) / (2.0 * drift * drift),
    }
}

/// Returns the h at which false alarms are so many results apart on average.
pub fn threshold(k: f64, apart: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1000.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if run_length(k, middle, 0.0) < apart { low = middle } else { high = middle }
    }
    high
}

/// Returns S after each result.
pub fn sums(results: &[f64], mean: f64, deviation: f64, k: f64) -> Vec<f64> {
    let mut sum = 0.0_f64;
    let step = |result: &f64| {
        sum = (sum + (mean - result) / deviation - k).max(0.0);
        sum
    };
    results.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;

    use super::*;
    use crate::stats::{close, normal};

    /// Montgomery, "Introduction to Statistical Quality Control", gives for k = 0.5, h = 5 of one side 938 without a shift
    /// and 10.4 at one of 1 σ, by the same approximation 938.2 and 10.3.
    #[test]
    fn run_lengths_of_the_textbook() {
        close("no shift", run_length(0.5, 5.0, 0.0), 938.2, 0.1);
        close("1 σ", run_length(0.5, 5.0, 1.0), 10.34, 0.01);
        close("h", threshold(0.5, 938.2), 5.0, 1e-3);
        close("at k", run_length(0.5, 5.0, 0.5), 6.166 * 6.166, 1e-9);
    }

    /// What is promised comes true: of normal results, and of trades that win or lose by their bracket.
    #[test]
    fn false_alarms_are_as_far_apart_as_was_said() {
        let (k, apart) = (0.25, 200.0);
        let h = threshold(k, apart);
        let mut draw = Draw::new(3, 3);
        let mut mean_run = |mut next: Box<dyn FnMut(&mut Draw) -> f64>| {
            let runs = 1500;
            let mut steps = 0;
            for _ in 0..runs {
                let mut sum = 0.0_f64;
                while sum < h {
                    sum = (sum - next(&mut draw) - k).max(0.0);
                    steps += 1;
                }
            }
            f64::from(steps) / f64::from(runs)
        };
        let normal = mean_run(Box::new(|draw| normal::quantile(draw.unit().clamp(1e-12, 1.0 - 1e-12))));
        assert!((normal / apart - 1.0).abs() < 0.12, "normal: {normal}");
        // 40 % win 1.5, 60 % lose 1: mean 0, deviation √1.5.
        let bracket = mean_run(Box::new(|draw| if draw.unit() < 0.4 { 1.5 } else { -1.0 } / 1.5_f64.sqrt()));
        assert!((0.75..1.6).contains(&(bracket / apart)), "brackets: {bracket}");
    }

    #[test]
    fn a_sum_by_hand() {
        // Expected 1 ± 2: x = 0.5, 1, −1, then k = 0.25 off each.
        assert_eq!(sums(&[0.0, -1.0, 3.0, 9.0], 1.0, 2.0, 0.25), [0.25, 1.0, 0.0, 0.0]);
    }
}
