//! Seeded chance: SplitMix64 of Steele, Lea and Flood (2014). Each use of it has a key, so that none depends on how
//! often another throws.

pub struct Dice(u64);

impl Dice {
    /// Begins the stream of `key` under `seed`.
    pub fn new(seed: u64, key: u64) -> Dice {
        Dice(mix(seed.wrapping_add(GOLDEN)) ^ mix(key))
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Throws evenly from −1 up to 1, in steps that an f32 holds.
    pub fn even(&mut self) -> f32 {
        (self.throw() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    /// Throws a number below `count`, which is far below 2⁶⁴.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.throw()) * count as u128) >> 64) as usize
    }

    /// Puts numbers into an order of chance (Fisher and Yates).
    pub fn shuffle(&mut self, numbers: &mut [u32]) {
        for last in (1..numbers.len()).rev() {
            numbers.swap(last, self.below(last + 1));
        }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_evenly_and_the_same_again() {
        let mut counts = [0_usize; 7];
        let mut dice = Dice::new(1, 2);
        let throws: Vec<usize> = (0..7000).map(|_| dice.below(7)).collect();
        throws.iter().for_each(|&face| counts[face] += 1);
        assert!(counts.iter().all(|there| there.abs_diff(1000) < 120), "{counts:?}");
        let mut again = Dice::new(1, 2);
        assert!(throws.iter().all(|&face| again.below(7) == face));
        let mut other = Dice::new(1, 3);
        assert!(throws.iter().any(|&face| other.below(7) != face));

        let mean = (0..10_000).map(|_| dice.even()).sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        let mut order: Vec<u32> = (0..100).collect();
        dice.shuffle(&mut order);
        assert!(!order.is_sorted());
        order.sort_unstable();
        assert!(order.iter().copied().eq(0..100));
    }
}
