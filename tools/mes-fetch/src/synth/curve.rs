//! The shape of a Globex day: how busy each of its seconds is on average.
//!
//! Quiet overnight, a bump when Europe opens, a burst at 09:30, a lull at noon, a rise into 16:00. The heights
//! follow what ES and MES do by the half hour; they are rounded by hand, no recorded data is in here.

/// Seconds in a whole Globex day.
pub const DAY_SECONDS: usize = 23 * 3600;

/// New York hour, counted on past midnight from 18.0, and orders per second. Linear between the knots; a jump is
/// two knots at one hour.
const KNOTS: [(f64, f64); 33] = [
    (18.00, 0.60),
    (18.10, 0.30),
    (19.00, 0.22),
    (20.00, 0.22),
    (21.25, 0.26),
    (22.00, 0.15),
    (23.00, 0.09),
    (24.50, 0.11),
    (25.00, 0.20),
    (26.90, 0.20),
    (27.00, 0.55),
    (27.50, 0.36),
    (28.50, 0.20),
    (29.50, 0.15),
    (30.50, 0.18),
    (31.50, 0.32),
    (32.50, 0.50),
    (33.48, 0.65),
    (33.50, 3.40),
    (33.75, 2.40),
    (34.25, 1.70),
    (35.00, 1.20),
    (36.00, 0.85),
    (36.75, 0.65),
    (37.50, 0.65),
    (38.50, 0.80),
    (39.25, 1.00),
    (39.75, 1.60),
    (40.00, 2.60),
    (40.01, 1.10),
    (40.25, 0.50),
    (40.50, 0.30),
    (41.00, 0.25),
];

/// Returns the average orders per second for each second of the day, from 18:00 New York on.
pub fn orders_per_second() -> Vec<f64> {
    let mut knots = KNOTS.windows(2);
    let mut span = knots.next();
    (0..DAY_SECONDS)
        .map(|second| {
            let hour = 18.0 + (second as f64 + 0.5) / 3600.0;
            while span.is_some_and(|span| span[1].0 < hour) {
                span = knots.next();
            }
            span.map_or(0.0, |span| {
                let (from, to) = (span[0], span[1]);
                from.1 + (to.1 - from.1) * (hour - from.0) / (to.0 - from.0)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_a_u() {
        let curve = orders_per_second();
        let mean = |from: f64, to: f64| {
            let span = &curve[((from - 18.0) * 3600.0) as usize..((to - 18.0) * 3600.0) as usize];
            span.iter().sum::<f64>() / span.len() as f64
        };
        let (night, open, noon, close) =
            (mean(18.0, 33.5), mean(33.5, 34.0), mean(36.0, 37.0), mean(39.5, 40.0));
        assert!(night < noon && noon * 1.5 < close && close < open);
        assert!(curve.iter().all(|rate| *rate > 0.05));
    }
}
