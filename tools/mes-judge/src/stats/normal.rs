//! The standard normal distribution, on `libm`'s pinned `erfc`.

use std::f64::consts::{PI, SQRT_2};

/// Returns the probability of a value up to `z`.
pub fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// Returns the value that is not exceeded with probability `p`; infinite at 0 and 1, NaN outside.
///
/// The start is formula 26.2.23 of Abramowitz and Stegun (1964), good to 4.5e-4; each step of Halley's method triples
/// the digits.
pub fn quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    if tail <= 0.0 || tail.is_nan() {
        return match p {
            0.0 => f64::NEG_INFINITY,
            1.0 => f64::INFINITY,
            _ => f64::NAN,
        };
    }
    let t = (-2.0 * libm::log(tail)).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut z = t - above / below;
    for _ in 0..3 {
        let density = libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt();
        let step = (cdf(-z) - tail) / density;
        z += step / (1.0 - 0.5 * step * z);
    }
    if p < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    #[test]
    fn known_values() {
        close("median", cdf(0.0), 0.5, 0.0);
        close("two sides", cdf(1.959_963_984_540_054), 0.975, 1e-15);
        close("far out", cdf(-8.0), 6.220_960_574_271_786e-16, 1e-29);
        close("5 %", quantile(0.05), -1.644_853_626_951_472_2, 1e-14);
        close("1 in a million", quantile(1e-6), -4.753_424_308_822_899, 1e-13);
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(-0.1).is_nan() && quantile(1.1).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn one_undoes_the_other() {
        for step in 1..1000 {
            let p = f64::from(step) / 1000.0;
            close("p", cdf(quantile(p)), p, 1e-14);
        }
    }
}
