//! Chance that is a function of seed and place alone, so that neither threads nor the order of work have a say.

use crate::dice::splitmix64;

/// Throws for the `place`-th time under a seed.
pub fn throw(seed: u64, place: u64) -> u64 {
    splitmix64(splitmix64(seed) ^ place)
}

/// Mixes two numbers into a seed of its own.
pub fn seed(seed: u64, number: u64) -> u64 {
    throw(throw(seed, 0x7265_6573), number)
}

/// Throws evenly from −1 up to 1, in steps that an f32 holds.
pub fn even(seed: u64, place: u64) -> f32 {
    (throw(seed, place) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
}

/// Returns `count` places in an order of chance.
pub fn order(seed: u64, count: usize) -> Vec<u32> {
    let mut places: Vec<u32> = (0..count as u32).collect();
    places.sort_by_cached_key(|&place| (throw(seed, u64::from(place)), place));
    places
}

/// Returns those of `count` places that fall within `share`.
pub fn sample(seed: u64, count: usize, share: f64) -> Vec<u32> {
    // 53 bits: every value is exact in an f64.
    let kept = |place: &u32| (throw(seed, u64::from(*place)) >> 11) as f64 / (1_u64 << 53) as f64 <= share;
    (0..count as u32).filter(kept).collect()
}

/// Says of `count` places whether they are among the `chosen` ones.
pub fn choose(seed: u64, count: usize, chosen: usize) -> Vec<bool> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by_key(|&place| (throw(seed, place as u64), place));
    let mut kept = vec![false; count];
    places.into_iter().take(chosen).for_each(|place| kept[place] = true);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_hold_every_place_once_and_even_throws_lie_evenly() {
        let mut places = order(7, 1000);
        assert!(!places.is_sorted() && places != order(8, 1000) && places == order(7, 1000));
        places.sort_unstable();
        assert!(places.into_iter().eq(0..1000));
        let throws: Vec<f32> = (0..10_000).map(|place| even(7, place)).collect();
        assert!(throws.iter().all(|throw| (-1.0..1.0).contains(throw)));
        assert!(throws.iter().sum::<f32>().abs() < 300.0);
        assert!((throws.iter().map(|throw| throw * throw).sum::<f32>() / 10_000.0 - 1.0 / 3.0).abs() < 0.02);
    }

    #[test]
    fn samples_are_of_their_share_and_differ_by_seed() {
        let rows = sample(1, 100_000, 0.3);
        assert!((29_500..30_500).contains(&rows.len()), "{}", rows.len());
        assert_eq!(rows, sample(1, 100_000, 0.3));
        assert_ne!(rows, sample(2, 100_000, 0.3));
        assert_eq!(sample(1, 1000, 1.0).len(), 1000);
        assert_eq!(choose(1, 45, 30).iter().filter(|chosen| **chosen).count(), 30);
        assert_ne!(choose(1, 45, 30), choose(2, 45, 30));
    }
}
