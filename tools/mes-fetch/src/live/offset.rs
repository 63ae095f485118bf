//! How far the service's clock is from ours, from the stamps alone. Pure.
//!
//! What a message took to get here and what the clocks differ by show only as a sum: receipt less stamp. The smallest of
//! these is the clocks' difference and the shortest way, so it tells when the service says so: an instant here less the
//! offset is the stamp that a message would bear that comes in right now by the shortest way.
//!
//! - A lone wild stamp moves nothing: what lies more than a second below the median of the last nine is not believed, and
//!   a clock that was set is followed after five messages.
//! - It grows by no more than clocks drift. What comes later and later is not a clock but a line that piles up, and to
//!   take that for an offset would make old prices look new. Only a new connection, on which nothing can have piled
//!   up, is measured afresh.

use std::collections::VecDeque;

use mes_core::time::SECOND;

/// Messages whose median is looked at.
const RECENT: usize = 9;
/// Of fewer none can be called wild, and one may be old: the last quote of a market that stood still.
const FEW: usize = 3;
/// What lies so far below their median is wild, in nanoseconds.
const WILD: i64 = SECOND;
/// What clocks drift, at most: parts in a million.
const DRIFT_PPM: i64 = 100;

/// Measures.
#[derive(Debug, Default)]
pub struct Offset {
    recent: VecDeque<i64>,
    least: Option<i64>,
    /// Of the connection before.
    before: i64,
    /// On the steady clock.
    measured_at: i64,
}

impl Offset {
    /// Takes in how much later than its stamp a message came, in nanoseconds, at `steady`.
    pub fn measure(&mut self, late: i64, steady: i64) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(late);
        let mut sorted: Vec<i64> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        let median = if sorted.len() < FEW { sorted[0] } else { sorted[sorted.len() / 2] };
        let believed = median.saturating_sub(WILD);
        if self.recent.len() < RECENT {
            self.least = sorted.into_iter().find(|late| *late >= believed);
        } else if late >= believed {
            let passed = steady.saturating_sub(self.measured_at).clamp(0, 1_000 * SECOND);
            let drifted =
                self.least.map_or(late, |least| least.saturating_add(passed / 1_000_000 * DRIFT_PPM));
            self.least = Some(late.min(drifted));
        }
        self.measured_at = steady;
    }

    /// Returns receipt less stamp of a message that takes the shortest way, in nanoseconds: negative where the service's
    /// clock is ahead. Before anything was measured that of the connection before, 0 on the first one.
    pub fn get(&self) -> i64 {
        self.least.unwrap_or(self.before)
    }

    /// Says whether it hangs on more than one or two stamps, any of which may be old.
    pub fn is_sure(&self) -> bool {
        self.recent.len() >= FEW
    }

    /// Begins to measure anew, on a new connection.
    pub fn reset(&mut self) {
        *self = Offset { before: self.get(), ..Offset::default() };
    }
}

#[cfg(test)]
mod tests {
    use mes_core::time::MILLI;

    use super::*;

    #[test]
    fn the_shortest_way_counts_and_a_lone_wild_stamp_does_not() {
        let mut offset = Offset::default();
        assert_eq!(offset.get(), 0);
        let mut steady = 0;
        let mut measure = |offset: &mut Offset, late: i64| {
            steady += MILLI;
            offset.measure(late * MILLI, steady);
            offset.get() / MILLI
        };
        assert_eq!(measure(&mut offset, -9_000_000), -9_000_000, "the first says what it says");
        for late in [40, 30, 35, 90, 33] {
            measure(&mut offset, late);
        }
        assert_eq!(measure(&mut offset, 50), 30, "the first was wild");
        for late in [31, 32, 80, 34] {
            measure(&mut offset, late);
        }
        assert_eq!(measure(&mut offset, -3_600_000), 30);
        assert_eq!(measure(&mut offset, 28), 28);
        // What comes later and later moves nothing.
        for late in 0..1000 {
            assert_eq!(measure(&mut offset, 100 + late), 28);
        }
        // A clock that is set ahead is followed.
        let seen: Vec<i64> = (0..6).map(|_| measure(&mut offset, -4_960)).collect();
        assert_eq!((seen[3], seen[4]), (28, -4_960));
        offset.reset();
        assert_eq!(offset.get() / MILLI, -4_960);
        // The last quote of a market that stood still, and a fresh one.
        assert_eq!((measure(&mut offset, 5_000), offset.is_sure()), (5_000, false));
        assert_eq!((measure(&mut offset, 45), offset.is_sure()), (45, false));
        assert_eq!((measure(&mut offset, 50), offset.is_sure()), (45, true));
    }

    #[test]
    fn it_follows_clocks_that_drift() {
        let mut offset = Offset::default();
        for second in 0..36_000 {
            // 50 parts in a million for ten hours.
            offset.measure(20 * MILLI + second * 50_000, second * SECOND);
        }
        assert!(offset.get() > 1_700 * MILLI, "{}", offset.get());
    }
}
