//! Closed forms for the chance to reach a target before a limit, of a Brownian motion: what simulations of an account
//! have to be near to.

/// Returns the chance to gain `target` before `limit` is lost: (1 − e^{−γ·limit})/(1 − e^{−γ(limit + target)}) with
/// γ = 2·drift/variance, limit/(limit + target) without drift. A walk of unit steps, up with probability p, has it
/// exactly, with e^{−γ} = (1 − p)/p: Feller (1968), "An Introduction to Probability Theory", volume 1, chapter XIV.
pub fn fixed(target: f64, limit: f64, drift: f64, variance: f64) -> f64 {
    let rate = -2.0 * drift / variance;
    if rate == 0.0 {
        return limit / (limit + target);
    }
    if rate > 0.0 {
        // Against the drift: of large numbers only their ratio counts.
        return libm::exp(-rate * target) * libm::expm1(-rate * limit)
            / libm::expm1(-rate * (limit + target));
    }
    libm::expm1(rate * limit) / libm::expm1(rate * (limit + target))
}

/// Returns the chance to gain `target` before a fall by `drawdown` below the peak:
/// exp(−target·γ/(e^{γ·drawdown} − 1)) with γ = 2·drift/variance, exp(−target/drawdown) without drift. The peak at the
/// first such fall is exponential: Taylor (1975), "A Stopped Brownian Motion Formula", and Lehoczky (1977).
pub fn trailing(target: f64, drawdown: f64, drift: f64, variance: f64) -> f64 {
    let gamma = 2.0 * drift / variance;
    let mean_peak = if gamma == 0.0 { drawdown } else { libm::expm1(gamma * drawdown) / gamma };
    libm::exp(-target / mean_peak)
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;

    use super::*;
    use crate::stats::close;

    #[test]
    fn walks_as_published() {
        let walk = |up: f64, target, limit| fixed(target, limit, libm::log(up / (1.0 - up)), 2.0);
        close("fair", walk(0.5, 3000.0, 2000.0), 0.4, 1e-15);
        close("p = 0.52", walk(0.52, 30.0, 20.0), 0.813_137_218_030_140_7, 1e-13);
        close("p = 0.48", walk(0.48, 30.0, 20.0), 0.073_671_693_270_640_76, 1e-13);
        close("nearly fair", walk(0.5 + 1e-12, 30.0, 20.0), 0.4, 1e-9);
        assert_eq!([fixed(3e6, 2e6, -1.0, 1e-3), fixed(3e6, 2e6, 1.0, 1e-3)], [0.0, 1.0]);
    }

    #[test]
    fn a_trailing_drawdown_as_published() {
        close("driftless", trailing(3000.0, 2000.0, 0.0, 1.0), 0.223_130_160_148_429_82, 1e-15);
        close("nearly driftless", trailing(3.0, 2.0, 1e-12, 1.0), 0.223_130_160_148_429_82, 1e-10);
    }

    /// Steps of ±1 against a drawdown of 20: a walk overshoots nothing and its peak moves by whole steps, so that it
    /// is nearly the motion with drift up − down.
    #[test]
    fn a_walk_with_drift_agrees() {
        let (up, target, drawdown, walks) = (0.53, 40, 20, 20_000);
        let mut draw = Draw::new(7, 7);
        let mut passed = 0;
        for _ in 0..walks {
            let (mut now, mut peak) = (0_i32, 0_i32);
            while now < target && peak - now < drawdown {
                now += if draw.unit() < up { 1 } else { -1 };
                peak = peak.max(now);
            }
            passed += i32::from(now >= target);
        }
        let drift = 2.0 * up - 1.0;
        let want = trailing(f64::from(target), f64::from(drawdown), drift, 1.0 - drift * drift);
        close("share", f64::from(passed) / f64::from(walks), want, 0.02);
    }
}
