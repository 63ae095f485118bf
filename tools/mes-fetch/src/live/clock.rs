//! The one clock of this tool: how long a replay has run, and waiting for the next record's turn.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use mes_core::time::{SECOND, Ts};

/// Plays recorded time at a speed.
pub struct Clock {
    begun: Instant,
    /// The recorded instant at which it began.
    first: Ts,
    speed: f64,
}

impl Clock {
    /// Starts at the recorded instant `first`; `speed` is above 0.
    #[allow(
        clippy::disallowed_methods,
        reason = "a replay is paced by the clock; its records do not depend on it"
    )]
    pub fn start(first: Ts, speed: f64) -> Clock {
        Clock { begun: Instant::now(), first, speed }
    }

    /// Returns how long it is until the recorded instant `ts`; zero once it has come.
    pub fn until(&self, ts: Ts) -> Duration {
        let seconds = ts.saturating_sub(self.first) as f64 / SECOND as f64 / self.speed;
        let due = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        due.saturating_sub(self.begun.elapsed())
    }

    /// Waits until the recorded instant `ts`.
    pub fn wait(&self, ts: Ts) {
        sleep(self.until(ts));
    }
}
