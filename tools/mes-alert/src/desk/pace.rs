//! How fast something may go out.

use mes_core::time::{MINUTE, Ts};

/// So many a minute, and at once as many as a minute has.
pub(super) struct Bucket {
    per_minute: u32,
    /// In nanoseconds of what one costs.
    filled: i64,
    at: Option<Ts>,
}

impl Bucket {
    /// Begins full.
    pub fn new(per_minute: u32) -> Bucket {
        Bucket { per_minute: per_minute.max(1), filled: MINUTE, at: None }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Ts) -> bool {
        // A clock that was set back fills nothing.
        let passed = self.at.map_or(0, |at| now.saturating_sub(at).max(0));
        self.at = Some(now);
        self.filled = self.filled.saturating_add(passed).min(MINUTE);
        let cost = MINUTE / i64::from(self.per_minute);
        let there = self.filled >= cost;
        if there {
            self.filled -= cost;
        }
        there
    }
}
