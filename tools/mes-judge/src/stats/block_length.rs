//! How long blocks must be so that resampling them keeps the correlation of neighbours. Politis and White (2004),
//! "Automatic Block-Length Selection for the Dependent Bootstrap", with the correction of Patton, Politis and White
//! (2009), Econometric Reviews 28:4.

/// The best average length of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLength {
    /// For the stationary bootstrap.
    pub stationary: f64,
    /// For the circular block bootstrap.
    pub circular: f64,
}

/// Works on one series; absent below 10 values or without a spread.
///
/// m is twice the lag from which max(5, log₁₀ n) correlations in a row are below 2√(log₁₀ n/n), at most √n and that
/// many; with the flat-top weight λ(t) = min(1, 2(1 − t)): G = Σλ(k/m)|k|γₖ, g = Σλ(k/m)γₖ over |k| ≤ m, and the
/// length is (2G²/(c·g²))^⅓·n^⅓ with c = 2 (stationary) or 4/3 (circular), at most min(3√n, n/3).
pub fn best(values: &[f64]) -> Option<BlockLength> {
    let count = values.len();
    let n = count as f64;
    let mean = values.iter().sum::<f64>() / n;
    let apart: Vec<f64> = values.iter().map(|value| value - mean).collect();
    if count < 10 || apart.iter().all(|value| *value == 0.0) {
        return None;
    }
    let run = 5.max(libm::log10(n) as usize);
    let longest = (n.sqrt().ceil() as usize + run).min(count - 2);
    let product = |lag: usize| apart[lag..].iter().zip(&apart).map(|(a, b)| a * b).sum::<f64>();
    let covariances: Vec<f64> = (0..=longest).map(|lag| product(lag) / n).collect();
    let m = cut_off(&apart, &covariances, run).map_or(longest, |lag| (2 * lag.max(1)).min(longest));
    let (mut weighted, mut plain) = (0.0, covariances[0]);
    for (lag, covariance) in covariances.iter().enumerate().take(m + 1).skip(1) {
        let share = lag as f64 / m as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        weighted += 2.0 * weight * lag as f64 * covariance;
        plain += 2.0 * weight * covariance;
    }
    let most = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    let length = |c: f64| {
        let length = libm::cbrt(2.0 * weighted * weighted / (c * plain * plain) * n);
        if length.is_finite() { length.min(most) } else { most }
    };
    Some(BlockLength { stationary: length(2.0), circular: length(4.0 / 3.0) })
}

/// Returns the first lag from which `run` correlations in a row are insignificant.
fn cut_off(apart: &[f64], covariances: &[f64], run: usize) -> Option<usize> {
    let n = apart.len() as f64;
    let limit = 2.0 * (libm::log10(n) / n).sqrt();
    // Of the values that have a later one and of those that have an earlier one, as the published packages do.
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let small = |lag: usize| {
        let spread = (squares(&apart[lag + 1..]) * squares(&apart[..apart.len() - lag - 1])).sqrt();
        (covariances[lag] * n).abs() < limit * spread
    };
    let small: Vec<bool> = (0..covariances.len()).map(small).collect();
    (0..small.len().saturating_sub(run)).find(|&lag| small[lag..lag + run].iter().all(|small| *small))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{close, lcg::Lcg};

    /// xₜ = 0.3·xₜ₋₁ + eₜ.
    fn correlated(noise: impl Iterator<Item = f64>) -> Vec<f64> {
        let next = |last: &mut f64, noise: f64| {
            *last = 0.3 * *last + noise;
            Some(*last)
        };
        noise.scan(0.0, next).collect()
    }

    /// arch 8.0.0 on 2,000 values of the generator, seed 42.
    #[test]
    fn agrees_with_arch() {
        let found = best(&correlated(Lcg(42).take(2000).map(|u| u - 0.5))).expect("enough");
        close("stationary", found.stationary, 6.659_435_563_487_738_5, 1e-9);
        close("circular", found.circular, 7.623_150_736_890_589, 1e-9);
    }

    /// arch's own test: 10,100 normals of numpy's `RandomState(0)`, the first 100 dropped.
    #[test]
    fn agrees_with_arch_on_its_own_test() {
        let values = correlated(numpy_normals(10_100).into_iter());
        let found = best(&values[100..]).expect("enough");
        close("stationary", found.stationary, 13.635_665, 13.6e-4);
        close("circular", found.circular, 15.608_94, 15.6e-4);
    }

    #[test]
    fn too_little_is_nothing() {
        assert_eq!(best(&[1.0, 2.0]), None);
        assert_eq!(best(&[1.0; 100]), None);
        for count in 10..60 {
            let values: Vec<f64> = Lcg(count).take(count as usize).collect();
            let found = best(&values).expect("enough");
            assert!((0.0..=f64::from(count)).contains(&found.stationary), "{count}: {found:?}");
        }
    }

    /// The Mersenne Twister of Matsumoto and Nishimura (1998), seed 0, with numpy's doubles of 53 bits and Marsaglia's
    /// polar method, second value first.
    fn numpy_normals(count: usize) -> Vec<f64> {
        let mut state = vec![0_u32];
        for index in 1..624_u32 {
            let last = state[state.len() - 1];
            state.push(1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index));
        }
        let mut at = 624;
        let mut word = move || {
            if at == 624 {
                for index in 0..624 {
                    let y = (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7fff_ffff);
                    let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                    state[index] = state[(index + 397) % 624] ^ (y >> 1) ^ odd;
                }
                at = 0;
            }
            let mut y = state[at];
            at += 1;
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c_5680;
            y ^= (y << 15) & 0xefc6_0000;
            y ^ (y >> 18)
        };
        let mut double = move || {
            let (a, b) = (word() >> 5, word() >> 6);
            (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
        };
        let mut values = Vec::new();
        while values.len() < count {
            let (x, y) = (2.0 * double() - 1.0, 2.0 * double() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let scale = (-2.0 * libm::log(square) / square).sqrt();
                values.extend([y * scale, x * scale]);
            }
        }
        values.truncate(count);
        values
    }
}
