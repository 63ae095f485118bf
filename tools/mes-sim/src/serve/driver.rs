//! The thread that lets time pass: it feeds the market in, at its speed, and does what is due.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use mes_core::time::Ts;
use mes_pipe::{Error, Result, clock::Clock};

use super::Shared;
use crate::{feed::Feed, service::Service};

/// The longest sleep: a person who ends it is heard within this.
const LOOK: Duration = Duration::from_millis(100);
/// Ticks that are fed in one go: calls come between.
const AT_ONCE: usize = 256;

/// How time passes.
pub enum Time {
    /// As this clock says.
    Clock(Clock),
    /// From tick to tick, as fast as they can be read. Once they have ended it is as late as the last one.
    Max,
}

impl Time {
    /// Returns the instant of now.
    pub fn now(&self, service: &Service) -> Ts {
        match self {
            Time::Clock(clock) => clock.now().utc,
            Time::Max => service.now(),
        }
    }

    /// Returns how many times faster than on this machine it passes, where a clock says.
    pub fn times(&self) -> u32 {
        match self {
            Time::Clock(clock) => clock.times(),
            Time::Max => 1,
        }
    }

    /// Returns how long it is until an instant.
    fn until(&self, ts: Ts) -> Duration {
        match self {
            Time::Clock(clock) => {
                let now = clock.now();
                clock.until(now.steady.saturating_add(ts.saturating_sub(now.utc)))
            }
            Time::Max => Duration::ZERO,
        }
    }
}

/// What is known of the driver from outside.
#[derive(Clone, Default)]
pub struct Handle {
    ended: Arc<AtomicBool>,
    failed: Arc<Mutex<Option<Error>>>,
}

impl Handle {
    /// Says whether the market has no more rows.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Says whether its rows could not be read.
    pub fn has_failed(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns why they could not.
    pub fn failed(&self) -> Option<Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Starts it.
///
/// # Errors
///
/// `Failed` where the system gives no thread.
pub fn start(shared: Arc<Shared>, mut feed: Feed) -> Result<Handle> {
    let handle = Handle::default();
    let told = handle.clone();
    thread::Builder::new().name("market".into()).spawn(move || {
        if let Err(error) = drive(&shared, &mut feed, &told.ended) {
            *told.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    })?;
    Ok(handle)
}

fn drive(shared: &Shared, feed: &mut Feed, ended: &AtomicBool) -> Result<()> {
    while !mes_pipe::stop::asked() {
        // Read ahead, where it may wait, before anybody is held up.
        let next_tick = feed.peek()?.map(|tick| tick.ts);
        if feed.has_ended() && !ended.swap(true, Ordering::Relaxed) {
            mes_pipe::log::note("the market has ended; the exchange goes on, ^C ends it");
        }
        let mut service = shared.service();
        let now = match (&shared.time, next_tick) {
            (Time::Max, Some(tick)) => tick,
            (Time::Max, None) => service.next().map_or(service.now(), |next| next.max(service.now())),
            (Time::Clock(_), _) => shared.time.now(&service),
        };
        let mut fed = 0;
        while fed < AT_ONCE
            && let Some(tick) = feed.ready().filter(|tick| tick.ts <= now)
        {
            service.tick(feed.instrument(), &tick);
            feed.pass()?;
            fed += 1;
        }
        service.pass(now);
        let next = service.next().into_iter().chain(next_tick).min();
        shared.after(service, now);
        let wait = match next {
            _ if fed == AT_ONCE => continue,
            Some(next) => shared.time.until(next).min(LOOK),
            None => LOOK,
        };
        let wait = if matches!(shared.time, Time::Max) && next_tick.is_none() { LOOK } else { wait };
        if !wait.is_zero() {
            // A call in between may have made something due sooner; that wakes it.
            let guard = shared.service();
            drop(shared.wake.wait_timeout(guard, wait));
        }
    }
    Ok(())
}
