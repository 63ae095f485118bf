//! How large steps are: rising evenly over the first twentieth, then falling along half a cosine to nothing
//! (Loshchilov and Hutter 2017).

use std::f64::consts::PI;

use libm::cos;

/// The share of the steps over which the rate rises.
const WARM_UP: f64 = 0.05;

/// Returns the share of the full rate at `step` of `total`, both from 1.
pub fn share(step: u64, total: u64) -> f64 {
    let (step, total) = (step as f64, total as f64);
    let warm = (total * WARM_UP).ceil();
    if step <= warm {
        return step / warm;
    }
    0.5 * (1.0 + cos(PI * (step - warm) / (total - warm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_all_and_falls_to_nothing() {
        assert_eq!((share(1, 100), share(5, 100)), (0.2, 1.0));
        assert!((share(52, 100) - 0.5).abs() < 0.02 && share(100, 100) < 1e-15);
        assert!((1..100).map(|step| share(step, 100)).all(|share| (0.0..=1.0).contains(&share)));
        assert_eq!(share(1, 1), 1.0);
    }
}
