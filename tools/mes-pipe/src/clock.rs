//! The one clock of the house. No record, verdict or fill of paper depends on it: it stamps what people say, paces replays,
//! tells how long to wait for the other end, and is what a live account lives on.
#![allow(clippy::disallowed_methods, reason = "here and nowhere else")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mes_core::time::{self, Now, SECOND, Ts};
use rustix::time::{ClockId, clock_gettime};

/// The most that a clock may be faster than this machine's.
pub const FASTEST: u32 = 100_000;
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

/// What time it is, for whoever acts on it: injected, so that tests move it by hand and exercises let it run faster.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// This machine's, from an instant on so many times faster; at its own speed it may follow when somebody sets it.
    Machine {
        from: Now,
        /// On the clock of the boot.
        begun: i64,
        times: u32,
        follows: bool,
    },
    Hand(Arc<Mutex<Now>>),
}

impl Clock {
    /// Returns this machine's clock.
    pub fn machine() -> Clock {
        Clock::faster(1)
    }

    /// Returns this machine's clock, `times` faster from now on; at once its steady time begins.
    pub fn faster(times: u32) -> Clock {
        let from = Now { utc: utc(), steady: 0 };
        Clock(Source::Machine { from, begun: booted(), times, follows: times == 1 })
    }

    /// Returns one that begins at `utc`, now, and is `times` faster than this machine's: of a market that was recorded.
    pub fn beginning(utc: Ts, times: u32) -> Clock {
        let from = Now { utc, steady: 0 };
        Clock(Source::Machine { from, begun: booted(), times, follows: false })
    }

    /// Reads a clock as [`Clock::to_text`] writes it: the instant it shows, that at which it does so on this machine, and how
    /// many times faster it is. So all processes of a practice have one time.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Clock, String> {
        let bad = || format!("{text:?} is no clock, such as 2026-11-20T14:30:00Z,2026-11-29T09:00:00Z,10");
        let mut parts = text.split(',');
        let mut next = || parts.next().ok_or_else(bad);
        let (shown, machine, times) = (next()?, next()?, next()?);
        let instant = |text: &str| time::parse(text).map_err(|error| error.to_string());
        let (shown, machine) = (instant(shown)?, instant(machine)?);
        let times = times.parse().ok().filter(|times| (1..=FASTEST).contains(times)).ok_or_else(bad)?;
        let since = utc().saturating_sub(machine).saturating_mul(i64::from(times));
        Ok(Clock::beginning(shown.saturating_add(since), times))
    }

    /// Writes the clock that shows `shown` while this machine's shows `machine`, and is `times` faster.
    pub fn to_text(shown: Ts, machine: Ts, times: u32) -> String {
        format!("{},{},{times}", time::format(shown), time::format(machine))
    }

    /// Returns how many times faster than this machine's it is.
    pub fn times(&self) -> u32 {
        match &self.0 {
            Source::Machine { times, .. } => *times,
            Source::Hand(_) => 1,
        }
    }

    /// Returns one that stands at `utc` until it is moved. It moves by itself to whatever is waited for.
    pub fn by_hand(utc: Ts) -> Clock {
        Clock(Source::Hand(Arc::new(Mutex::new(Now { utc, steady: 0 }))))
    }

    /// Returns the time.
    pub fn now(&self) -> Now {
        match &self.0 {
            Source::Machine { from, begun, times, follows } => {
                let steady = (booted() - begun).saturating_mul(i64::from(*times));
                let utc = if *follows { utc() } else { from.utc.saturating_add(steady) };
                Now { utc, steady }
            }
            Source::Hand(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a clock that is moved by hand: both times by `nanos`, UTC by `jump` more.
    pub fn pass(&self, nanos: i64, jump: i64) {
        if let Source::Hand(now) = &self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            (now.utc, now.steady) = (now.utc + nanos + jump, now.steady + nanos);
        }
    }

    /// Returns how long one waits, on this machine, until the clock's steady time is `due`.
    pub fn until(&self, due: i64) -> Duration {
        let left = due.saturating_sub(self.now().steady).max(0);
        match &self.0 {
            Source::Machine { times, .. } => Duration::from_nanos(left as u64 / u64::from((*times).max(1))),
            Source::Hand(_) => {
                self.pass(left, 0);
                Duration::ZERO
            }
        }
    }
}

/// Returns the nanoseconds since the machine was started, those that it slept through included: a dead-man's timer that stood
/// still while the lid was shut would be none.
fn booted() -> i64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.saturating_mul(SECOND).saturating_add(now.tv_nsec)
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn utc() -> Ts {
    nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
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
