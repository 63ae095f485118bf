//! Random numbers whose stream is pinned: the same seed gives the same bytes on every machine, for good.
//!
//! The generator is xoshiro256++ 1.0 of Blackman and Vigna (public domain, <https://prng.di.unimi.it>), seeded by
//! SplitMix64. It is written out here because a crate may change its stream with a version.

use mes_core::dice::{Draw, splitmix64};

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
    /// The second normal of the last pair.
    spare: Option<f64>,
}

impl Rng {
    /// Starts the stream of `seed` and `key`: streams of other keys have nothing to do with it.
    pub fn new(seed: u64, key: u64) -> Self {
        // SplitMix64 spreads a seed of few set bits over all of them.
        let mut mix = Draw::of(splitmix64(seed) ^ key);
        Rng { state: [(); 4].map(|()| mix.bits()), spare: None }
    }

    /// Draws 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Draws from the open interval (0, 1), symmetric about a half.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
    }

    /// Says yes with probability `p`.
    pub fn coin(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Draws from the normal distribution with mean 0 and deviation 1, by Marsaglia's polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let r2 = x * x + y * y;
            if r2 > 0.0 && r2 < 1.0 {
                let scale = (-2.0 * libm::log(r2) / r2).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// Draws from the exponential distribution with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// Draws from the Poisson distribution, by Knuth's product of uniforms. `mean` is at most a few dozen here.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let floor = libm::exp(-mean);
        let (mut count, mut product) = (0, self.unit());
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_pinned() {
        // The published first outputs.
        let mut rng = Rng { state: [1, 2, 3, 4], spare: None };
        assert_eq!([rng.bits(), rng.bits(), rng.bits()], [41_943_041, 58_720_359, 3_588_806_011_781_223]);
    }

    #[test]
    fn draws_have_their_moments() {
        let mut rng = Rng::new(1, 2);
        let n = 200_000;
        let moments = |draw: &mut dyn FnMut() -> f64| {
            let (sum, squares) = (0..n).fold((0.0, 0.0), |(s, q), _| {
                let x = draw();
                (s + x, q + x * x)
            });
            let mean = sum / f64::from(n);
            (mean, squares / f64::from(n) - mean * mean)
        };
        let near = |(mean, variance): (f64, f64), m: f64, v: f64| {
            (mean - m).abs() < 0.02 && (variance - v).abs() < 0.05
        };
        assert!(near(moments(&mut || rng.unit()), 0.5, 1.0 / 12.0));
        assert!(near(moments(&mut || rng.normal()), 0.0, 1.0));
        assert!(near(moments(&mut || rng.exponential()), 1.0, 1.0));
        assert!(near(moments(&mut || f64::from(rng.poisson(2.5))), 2.5, 2.5));
    }

    #[test]
    fn other_keys_other_streams() {
        let first = |seed, key| Rng::new(seed, key).bits();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(2, 1));
        assert_ne!(first(1, 2), first(1, 3));
    }
}
