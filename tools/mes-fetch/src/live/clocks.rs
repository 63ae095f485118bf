//! Two times: stamps and bars are in the service's, what is sent is in ours. Pure.
//!
//! Ours is the service's plus a whole number of seconds, so that its seconds stay seconds, and the bars of its history those
//! of its trades. What is left of the difference, under a second, is taken out of the clock that heartbeats follow. So a
//! heartbeat never overtakes a trade because of what two clocks differ by, and rows are as old as they say, to less than a
//! second.

use mes_core::time::{MILLI, Now, SECOND, Ts};

use super::offset::Offset;

/// A difference is taken out anew once what is left of it is larger.
const LEFT: i64 = 750 * MILLI;

/// Both clocks.
#[derive(Debug, Default)]
pub struct Clocks {
    offset: Offset,
    /// Added to the service's time, whole seconds.
    shift: i64,
    /// What this connection measures was taken out once.
    followed: bool,
}

impl Clocks {
    /// Returns the service's time of what would come in now by the shortest way.
    pub fn there(&self, now: Now) -> Ts {
        now.utc.saturating_sub(self.offset.get())
    }

    /// Returns the same in our time.
    pub fn here(&self, now: Now) -> Ts {
        self.ours(self.there(now))
    }

    /// Turns the service's time into ours.
    pub fn ours(&self, there: Ts) -> Ts {
        there.saturating_add(self.shift)
    }

    /// Turns our time into the service's.
    pub fn theirs(&self, here: Ts) -> Ts {
        here.saturating_sub(self.shift)
    }

    /// Begins to measure anew, on a new connection.
    pub fn reset(&mut self) {
        self.offset.reset();
        self.followed = false;
    }

    /// Measures by a stamp that was heard `now`; returns by how much later it came than by the shortest way, in nanoseconds.
    pub fn measure(&mut self, stamp: Ts, now: Now) -> i64 {
        let late = now.utc.saturating_sub(stamp);
        self.offset.measure(late, now.steady);
        late.saturating_sub(self.offset.get())
    }

    /// Follows the service's clock where it has gone ahead: what comes is not of the future. Where it may have gone back,
    /// what comes may as well be late, and is; but for a connection that told too little as it began. Returns what to say
    /// where something has changed.
    pub fn follow_ahead(&mut self) -> Option<String> {
        if !self.followed {
            return self.follow();
        }
        (self.shift - self.offset.get() > LEFT).then(|| self.follow())?
    }

    /// Takes the difference out in whole seconds, if it is another one and sure. Returns what to say where it is.
    pub fn follow(&mut self) -> Option<String> {
        if !self.offset.is_sure() {
            return None;
        }
        self.followed = true;
        let offset = self.offset.get();
        let seconds = offset.saturating_add(SECOND / 2).div_euclid(SECOND);
        if (offset - self.shift).abs() <= LEFT || seconds * SECOND == self.shift {
            return None;
        }
        self.shift = seconds * SECOND;
        let way = if seconds < 0 { "ahead of" } else { "behind" };
        Some(match seconds.abs() {
            0 => "the service's clock and this machine's agree again".to_owned(),
            by => format!("the service's clock is {by} s {way} this machine's: taken out of all stamps"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_taken_out_and_the_rest_is_in_the_clock() {
        let mut clocks = Clocks::default();
        let now = |millis: i64| Now { utc: 100 * SECOND + millis * MILLI, steady: millis * MILLI };
        // The service is 4.7 s ahead, and 40 ms away.
        for nth in 0..20 {
            clocks.measure(now(nth).utc + 4_700 * MILLI - 40 * MILLI, now(nth));
        }
        assert!(clocks.follow_ahead().is_some_and(|words| words.contains("5 s ahead")));
        assert_eq!((clocks.follow_ahead(), clocks.follow()), (None, None));
        assert_eq!(clocks.there(now(20)), now(20).utc + 4_660 * MILLI);
        assert_eq!(clocks.here(now(20)), now(20).utc - 340 * MILLI);
        assert_eq!(clocks.theirs(clocks.ours(7)), 7);
        // It is set back: what comes then is late, until a new connection shows that it is the clock.
        for nth in 20..2_000 {
            assert!(clocks.measure(now(nth).utc - 40 * MILLI, now(nth)) > 4 * SECOND);
        }
        assert_eq!(clocks.follow_ahead(), None);
        clocks.reset();
        // One stamp may be old, and moves nothing.
        clocks.measure(now(2_000).utc - 40 * MILLI, now(2_000));
        assert_eq!(clocks.follow(), None);
        for nth in 2_001..2_003 {
            clocks.measure(now(nth).utc - 40 * MILLI, now(nth));
        }
        assert!(clocks.follow().is_some_and(|words| words.contains("agree again")));
    }
}
