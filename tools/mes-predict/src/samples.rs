//! Made-up samples: what a model is tried and timed on.

use mes_core::dice::splitmix64;

/// Makes up samples of so many values, evenly between −1 and 1, as features are; always the same.
pub fn samples(count: usize, values: usize) -> Vec<f32> {
    let value = |index: usize| (splitmix64(index as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    (0..count * values).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lie_evenly_between_their_ends() {
        let found = samples(1000, 7);
        assert!(found.len() == 7000 && found.iter().all(|value| (-1.0..1.0).contains(value)));
        assert!(found.iter().sum::<f32>().abs() < 150.0);
    }
}
