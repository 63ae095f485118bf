//! When to call a hub again: at once, then ever later, never not. Pure.

use mes_core::{
    dice::Draw,
    time::{MILLI, MINUTE, SECOND},
};

const FIRST: i64 = 250 * MILLI;
const LONGEST: i64 = 30 * SECOND;
/// Failures that are counted at most once a connection was ready: up to a second's wait.
const SOON: u32 = 2;
/// A connection that stood so long is no reason to wait.
const GOOD: i64 = 60 * SECOND;
/// After being thrown out by another session, at first and at most: two that throw each other out would do so for ever.
const FIRST_OUT: i64 = 2 * SECOND;
const LONGEST_OUT: i64 = 5 * MINUTE;
/// A connection that stood so long was not thrown out by a rival.
const PEACE: i64 = 10 * MINUTE;

/// Counts what failed in a row.
#[derive(Debug)]
pub struct Retry {
    failures: u32,
    /// How often it was thrown out in a row, and whether that is why the connection ended.
    thrown_out: u32,
    is_out: bool,
    dice: Draw,
}

impl Retry {
    /// Makes one; the seed spreads the calls of several processes.
    pub fn new(seed: u64) -> Retry {
        Retry { failures: 0, thrown_out: 0, is_out: false, dice: Draw::of(seed) }
    }

    /// Takes in that another session has thrown this one out.
    pub fn thrown_out(&mut self) {
        self.is_out = true;
    }

    /// Returns how long to wait after a connection that was ready for so long; 0 where it never was.
    pub fn after(&mut self, ready_for: i64) -> i64 {
        match ready_for {
            GOOD.. => self.failures = 0,
            // The server lets us in: what cut us off again is no reason to stay away for long.
            1.. => self.failures = self.failures.min(SOON),
            _ => {}
        }
        if ready_for >= PEACE {
            self.thrown_out = 0;
        }
        let mut whole = if self.failures == 0 { 0 } else { (FIRST << self.failures.min(10)).min(LONGEST) };
        if std::mem::take(&mut self.is_out) {
            whole = whole.max((FIRST_OUT << self.thrown_out.min(10)).min(LONGEST_OUT));
            self.thrown_out = self.thrown_out.saturating_add(1);
        }
        self.failures = self.failures.saturating_add(1);
        // Between half of it and all.
        whole / 2 + (whole as f64 / 2.0 * self.dice.unit()) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_is_at_once_the_later_ones_ever_later_and_never_more_than_half_a_minute() {
        let mut retry = Retry::new(1);
        assert_eq!(retry.after(0), 0);
        let waits: Vec<i64> = (0..12).map(|_| retry.after(0)).collect();
        for (nth, wait) in waits.iter().enumerate() {
            let whole = (FIRST << (nth + 1)).min(LONGEST);
            assert!((whole / 2..=whole).contains(wait), "{nth}: {wait}");
        }
        assert!(retry.after(1) <= SECOND);
        assert_eq!(retry.after(GOOD), 0);
    }

    #[test]
    fn two_that_throw_each_other_out_do_so_ever_more_rarely() {
        let mut retry = Retry::new(1);
        let mut out = |ready_for| {
            retry.thrown_out();
            retry.after(ready_for)
        };
        let waits: Vec<i64> = (0..10).map(|_| out(GOOD)).collect();
        assert!(waits[0] >= SECOND && waits[0] <= 2 * SECOND, "{waits:?}");
        assert!(
            waits[4] >= 16 * SECOND && waits[9] >= LONGEST_OUT / 2 && waits[9] <= LONGEST_OUT,
            "{waits:?}"
        );
        assert!(out(PEACE) <= 2 * SECOND);
        assert_eq!(retry.after(GOOD), 0);
    }
}
