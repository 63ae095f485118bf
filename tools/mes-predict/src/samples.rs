//! Made-up samples, to try a model with.

use mes_core::dice::splitmix64;

/// Makes up samples of so many values, evenly between −1 and 1: what features look like.
pub fn samples(count: usize, values: usize) -> Vec<f32> {
    let value = |index: usize| (splitmix64(index as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    (0..count * values).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_what_features_are() {
        let samples = samples(100, 7);
        assert!(samples.iter().all(|value| value.abs() <= 1.0));
        assert!(samples.iter().any(|value| *value < -0.9) && samples.iter().any(|value| *value > 0.9));
    }
}
