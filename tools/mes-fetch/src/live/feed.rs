//! What a live feed sends and when, from ticks as they came: no stamp ever goes back, and while nothing trades a
//! heartbeat says that time passed, so that bars close.
//!
//! A heartbeat is stamped with a whole second and sent half a second after it, when nothing of that second can be on
//! its way any more. It is left out where a record has that stamp or a later one, and stops when nothing was heard for
//! [`QUIET`]: then nobody knows whether the market stands still or the line is dead. All of it follows from the stamps, so
//! a recording makes the same records at every speed.

use mes_core::{
    tick::Tick,
    time::{MILLI, SECOND, Ts},
};

/// How long after its stamp a heartbeat is sent.
const DELAY: i64 = 500 * MILLI;
/// How long heartbeats follow the last trade or quote: as long as mes-bars carries a price forward.
const QUIET: i64 = 300 * SECOND;

/// One record, and the recorded instant at which it is to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub due: Ts,
    pub tick: Tick,
    /// The tick's own time where `tick.ts` is not it.
    pub ts_event: Option<Ts>,
}

/// The state between ticks.
#[derive(Default)]
pub struct Feed {
    now: Option<Ts>,
    sent: Ts,
    heard: Option<Ts>,
}

impl Feed {
    /// Takes the next tick and hands what is to be sent to `send`, the tick last. `ts_event` is its own time where a
    /// recording kept it.
    ///
    /// # Errors
    ///
    /// What `send` says.
    pub fn take<E>(
        &mut self,
        tick: &Tick,
        ts_event: Option<Ts>,
        mut send: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let now = self.now.map_or(tick.ts, |now| now.max(tick.ts));
        while let Some(ts) = self.beat(now) {
            self.sent = ts;
            send(Record { due: ts + DELAY, tick: Tick { ts, ..Tick::default() }, ts_event: None })?;
        }
        let ts = if self.now.is_some() { tick.ts.max(self.sent) } else { tick.ts };
        (self.now, self.sent) = (Some(now), ts);
        if tick.price.is_some() || tick.bid.is_some() || tick.ask.is_some() {
            self.heard = Some(now);
        }
        let ts_event = ts_event.or((ts != tick.ts).then_some(tick.ts));
        send(Record { due: now, tick: Tick { ts, ..*tick }, ts_event })
    }

    /// Returns the stamp of the next heartbeat, if one is due by `now`.
    fn beat(&self, now: Ts) -> Option<Ts> {
        let ts = self.sent.div_euclid(SECOND).saturating_add(1).saturating_mul(SECOND);
        let quiet = ts > self.heard?.saturating_add(QUIET);
        (!quiet && ts > self.sent && ts.saturating_add(DELAY) <= now).then_some(ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds ticks at these milliseconds and returns the stamps, dues and own times of what is sent, in milliseconds.
    fn sent(ticks: &[i64]) -> Vec<(i64, i64, Option<i64>)> {
        let (mut feed, mut all) = (Feed::default(), Vec::new());
        for ms in ticks {
            let tick = Tick { ts: ms * MILLI, price: Some(1.0), ..Tick::default() };
            let keep = |record: Record| {
                all.push((record.tick.ts / MILLI, record.due / MILLI, record.ts_event.map(|ts| ts / MILLI)));
                Ok::<(), ()>(())
            };
            feed.take(&tick, None, keep).expect("nothing to fail");
        }
        all
    }

    #[test]
    fn heartbeats_fill_quiet_seconds() {
        // Nothing at 2000: a record has that stamp. Nothing at 4000: it would be due after the next tick.
        assert_eq!(
            sent(&[1200, 2000, 4400]),
            [(1200, 1200, None), (2000, 2000, None), (3000, 3500, None), (4400, 4400, None)]
        );
    }

    #[test]
    fn a_late_tick_is_lifted_and_keeps_its_time() {
        assert_eq!(
            sent(&[1200, 900, 2600, 1300]),
            [
                (1200, 1200, None),
                (1200, 1200, Some(900)),
                (2000, 2500, None),
                (2600, 2600, None),
                (2600, 2600, Some(1300))
            ]
        );
    }

    #[test]
    fn heartbeats_end_when_nothing_is_heard() {
        let all = sent(&[500, 3_600_000]);
        assert_eq!((all.len(), all[300]), (302, (300_000, 300_500, None)));
        assert_eq!(all[301], (3_600_000, 3_600_000, None));
    }

    #[test]
    fn absurd_times_do_no_harm() {
        let mut feed = Feed::default();
        for ts in [i64::MIN, 0, i64::MAX, i64::MIN, i64::MAX] {
            let tick = Tick { ts, price: Some(1.0), ..Tick::default() };
            feed.take(&tick, None, |_| Ok::<(), ()>(())).expect("nothing to fail");
        }
    }
}
