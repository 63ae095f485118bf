//! A journal that stops growing while the market is open, and word now and then that all is well.

use mes_core::{
    calendar::Calendar,
    session::{Part, Sessions},
    time::{Now, SECOND, Ts},
};
use mes_judge::words;

use super::Plan;

/// Watches whether a journal grows. Told by the clock alone, so that no pipeline has to live for it.
pub struct Watch {
    sessions: Sessions,
    silence: i64,
    again: i64,
    heartbeat: Option<i64>,
    /// On the steady clock: since when it might have grown.
    since: i64,
    /// On the steady clock, when its silence was told last.
    told: Option<i64>,
    beat: Option<Ts>,
    open: bool,
}

impl Watch {
    /// Begins to watch at `now`.
    pub fn new(plan: &Plan, calendar: Calendar, now: Now) -> Watch {
        Watch {
            sessions: Sessions::new(calendar),
            silence: plan.silence,
            again: plan.silence_again,
            heartbeat: plan.heartbeat,
            since: now.steady,
            told: None,
            beat: None,
            open: false,
        }
    }

    /// Takes in that it has grown; returns what to say if it was taken for dead.
    pub fn grown(&mut self, now: Now) -> Option<(&'static str, String)> {
        let quiet = now.steady - self.since;
        self.since = now.steady;
        let told = self.told.take()?;
        let lasted = words::lasted(quiet.max(now.steady - told) / SECOND);
        Some(("growing", format!("the journal grows again, after {lasted}")))
    }

    /// Returns what is to be said at `now`: kind and words. `runs` says that a run has begun and not ended, `stands` how it
    /// stands.
    pub fn tick(
        &mut self,
        now: Now,
        runs: bool,
        stands: impl Fn() -> String,
    ) -> Option<(&'static str, String)> {
        let open = matches!(self.sessions.of_instant(now.utc), Part::Overnight | Part::Rth | Part::Evening);
        if !(open && runs) {
            // Nothing was due while it was closed.
            (self.open, self.told, self.since) = (open, None, now.steady);
            return None;
        }
        if !std::mem::replace(&mut self.open, true) {
            self.since = now.steady;
        }
        let beats = self.beats(now.utc);
        let silent = now.steady - self.since;
        if silent >= self.silence {
            let due = self.told.is_none_or(|told| now.steady - told >= self.again);
            if due {
                self.told = Some(now.steady);
                let lasted = words::lasted(silent / SECOND);
                let text = format!(
                    "the journal has not grown for {lasted}, and the market is open; last known: {}. Look: mes-exec kill \
                     closes everything",
                    stands()
                );
                return Some(("silence", text));
            }
            return None;
        }
        beats.then(|| ("heartbeat", format!("still here, {}", stands())))
    }

    /// Says whether a heartbeat is due: at round times of the clock.
    fn beats(&mut self, utc: Ts) -> bool {
        let Some(every) = self.heartbeat else { return false };
        let beat = utc.div_euclid(every);
        self.beat.replace(beat).is_some_and(|before| before != beat)
    }
}
