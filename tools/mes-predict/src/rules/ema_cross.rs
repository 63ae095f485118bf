//! `ema-cross`: the oldest rule there is. UP on the row where EMA 9 of the close comes to lie above EMA 21, DOWN
//! where it comes to lie below, both with confidence 0.75; FLAT with confidence 0 on every other row.
//!
//! The averages are of closes in ticks, α = 2/(n + 1), seeded with a segment's first close. The first 21 rows of a
//! segment have no prediction; the side on which EMA 9 lies then is no crossing. Where both are equal the last side
//! stays.

use mes_core::{bar::Bar, price::TICK};
use serde_json::{Value, json};

use super::Rule;

const FAST: f64 = 9.0;
const SLOW: f64 = 21.0;
const CONFIDENCE: f32 = 0.75;

/// Calls the side to which the fast average crosses the slow one, on the row where it does.
#[derive(Default)]
pub struct EmaCross {
    seg: Option<i64>,
    rows: u32,
    fast: f64,
    slow: f64,
    /// Where the fast average lay last: −1 below, 1 above, 0 not known yet.
    side: f32,
}

impl Rule for EmaCross {
    fn decide(&mut self, bar: &Bar<f64>) -> Option<(f32, f32)> {
        let close = (bar.close / TICK).round();
        if self.seg != Some(bar.seg) {
            *self = EmaCross { seg: Some(bar.seg), rows: 0, fast: close, slow: close, side: 0.0 };
        }
        self.rows = self.rows.saturating_add(1);
        self.fast += (close - self.fast) * (2.0 / (FAST + 1.0));
        self.slow += (close - self.slow) * (2.0 / (SLOW + 1.0));
        if self.rows <= SLOW as u32 {
            return None;
        }
        let side = match self.fast - self.slow {
            gap if gap > 0.0 => 1.0,
            gap if gap < 0.0 => -1.0,
            _ => self.side,
        };
        let crossed = self.side != 0.0 && side != self.side;
        self.side = side;
        Some(if crossed { (side, CONFIDENCE) } else { (0.0, 0.0) })
    }

    fn settings(&self) -> Value {
        json!({ "rule": "ema-cross" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rule: &mut EmaCross, seg: i64, closes: impl IntoIterator<Item = i32>) -> Vec<Option<(f32, f32)>> {
        let bar = |ticks: i32| Bar { close: f64::from(ticks) * 0.25, seg, ..Bar::default() };
        closes.into_iter().map(|ticks| rule.decide(&bar(ticks))).collect()
    }

    #[test]
    fn speaks_only_where_the_averages_cross_and_forgets_at_a_break() {
        let mut rule = EmaCross::default();
        let found = run(&mut rule, 1, (0..40).chain((0..40).rev()));
        assert!(found[..21].iter().all(Option::is_none) && found[21].is_some());
        let crossings: Vec<_> = found.iter().flatten().filter(|one| **one != (0.0, 0.0)).collect();
        assert_eq!(crossings, [&(-1.0, 0.75)]);
        // A new segment begins anew: 21 rows of silence, and no crossing against the old side.
        let found = run(&mut rule, 2, 0..40);
        assert!(found[..21].iter().all(Option::is_none));
        assert!(found[21..].iter().all(|one| *one == Some((0.0, 0.0))));
    }
}
