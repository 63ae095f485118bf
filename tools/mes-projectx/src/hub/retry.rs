//! When to call a hub again: at once, then ever later, never not. Pure.

use mes_core::{
    dice::Draw,
    time::{MILLI, SECOND},
};

const FIRST: i64 = 250 * MILLI;
const LONGEST: i64 = 30 * SECOND;
/// A connection that stood so long is no reason to wait.
const GOOD: i64 = 60 * SECOND;

/// Counts what failed in a row.
#[derive(Debug)]
pub struct Retry {
    failures: u32,
    dice: Draw,
}

impl Retry {
    /// Makes one; the seed spreads the calls of several processes.
    pub fn new(seed: u64) -> Retry {
        Retry { failures: 0, dice: Draw::of(seed) }
    }

    /// Returns how long to wait after a connection that was ready for so long; 0 where it never was.
    pub fn after(&mut self, ready_for: i64) -> i64 {
        if ready_for >= GOOD {
            self.failures = 0;
        }
        let whole = if self.failures == 0 { 0 } else { (FIRST << self.failures.min(10)).min(LONGEST) };
        self.failures = self.failures.saturating_add(1);
        // Between half of it and all.
        whole / 2 + (whole as f64 / 2.0 * self.dice.unit()) as i64
    }
}
