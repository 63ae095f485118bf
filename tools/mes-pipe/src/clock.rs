//! The one clock of the house. No record, verdict or fill depends on it: it stamps what people say, paces replays, and
//! tells how long to wait for the other end.
#![allow(clippy::disallowed_methods, reason = "here and nowhere else")]

use std::{
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mes_core::time::{SECOND, Ts};

/// Between two looks whether a wait still makes sense.
const LOOK: Duration = Duration::from_millis(100);

/// An instant that is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// Sets one so long from now.
    pub fn after(wait: Duration) -> Deadline {
        Deadline(Instant::now() + wait)
    }

    /// Returns how long it is until then; zero once it has come.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Returns the time now, to the second: a person speaks at a time that no record carries.
pub fn now() -> Ts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as Ts * SECOND
}

/// Plays recorded time at a speed.
pub struct Pace {
    begun: Instant,
    /// The recorded instant at which it began.
    first: Ts,
    speed: f64,
}

impl Pace {
    /// Starts at the recorded instant `first`; `speed` is above 0.
    pub fn start(first: Ts, speed: f64) -> Pace {
        Pace { begun: Instant::now(), first, speed }
    }

    /// Returns how long it is until the recorded instant `ts`; zero once it has come.
    pub fn until(&self, ts: Ts) -> Duration {
        let seconds = ts.saturating_sub(self.first) as f64 / SECOND as f64 / self.speed;
        let due = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        due.saturating_sub(self.begun.elapsed())
    }

    /// Waits until the recorded instant `ts`, or until `enough` says so, which is asked every 100 ms.
    pub fn wait(&self, ts: Ts, enough: impl Fn() -> bool) {
        loop {
            let left = self.until(ts);
            if left.is_zero() || enough() {
                return;
            }
            sleep(left.min(LOOK));
        }
    }
}
