//! Chance whose numbers are pinned: the same seed gives the same bytes on every machine, for good.
//!
//! SplitMix64 of Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators". It is written out here
//! because a crate may change its stream with a version.

/// The step from one state to the next.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Does one step of SplitMix64. As dice without a state, where a throw is a hash of what it is for, nothing before it
/// matters and a rerun throws the same.
pub fn splitmix64(state: u64) -> u64 {
    let mut z = state.wrapping_add(GAMMA);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Returns the number at a place, from 0, of the published stream of the seed 0.
pub fn nth(place: u64) -> u64 {
    splitmix64(place.wrapping_mul(GAMMA))
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// Starts the stream of `seed` and `key`; streams of other keys have nothing to do with it.
    pub fn new(seed: u64, key: u64) -> Draw {
        Draw(splitmix64(seed) ^ key.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// Starts the published stream of `seed`.
    pub fn of(seed: u64) -> Draw {
        Draw(seed)
    }

    /// Draws 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let bits = splitmix64(self.0);
        self.0 = self.0.wrapping_add(GAMMA);
        bits
    }

    /// Draws from [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws a whole number below `count`, which is above 0: the upper half of a product, biased by less than 2⁻³².
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the published generator for the seeds 0 and 1234567.
    #[test]
    fn is_the_published_generator() {
        assert_eq!([0, GAMMA].map(splitmix64), [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        assert_eq!([0, 1].map(nth), [0, GAMMA].map(splitmix64));
        let mut draw = Draw::of(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draw.bits()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn is_even_and_its_streams_differ() {
        let mut counts = [0; 7];
        let mut draw = Draw::new(1, 2);
        (0..70_000).for_each(|_| counts[draw.below(7)] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_ne!(Draw::new(1, 2).bits(), Draw::new(1, 3).bits());
        assert_ne!(Draw::new(1, 2).bits(), Draw::new(2, 2).bits());
        assert!((0..1000).all(|_| (0.0..1.0).contains(&draw.unit())));
    }
}
