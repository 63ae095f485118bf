//! What a live feed sends and when: no stamp ever goes back, and while nothing trades a heartbeat says that time passed,
//! so that bars close.
//!
//! A heartbeat is stamped with a whole second and sent half a second after it, when nothing of that second can be on
//! its way any more. It is left out where a record has that stamp or a later one, and stops when nothing was heard for a
//! while: then nobody knows whether the market stands still or the line is dead. Of a recording all of it follows from the
//! stamps ([`Feed::take`]), so it makes the same records at every speed; a line that is listened to says itself what time
//! it is and what it heard ([`Feed::pass`], [`Feed::put`], [`Feed::hear`]).

use mes_core::{
    tick::Tick,
    time::{MILLI, SECOND, Ts},
};

/// How long after its stamp a heartbeat is sent.
const DELAY: i64 = 500 * MILLI;
/// How long heartbeats follow the last trade or quote of a recording: as long as mes-bars carries a price forward.
const QUIET: i64 = 300 * SECOND;
/// How long they follow the last quote of a line, which says a quote's age far more often.
const QUIET_LINE: i64 = 5 * SECOND;

/// One record, and the recorded instant at which it is to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub due: Ts,
    pub tick: Tick,
    /// The tick's own time where `tick.ts` is not it.
    pub ts_event: Option<Ts>,
}

/// The state between ticks.
pub struct Feed {
    quiet: i64,
    now: Option<Ts>,
    sent: Option<Ts>,
    heard: Option<Ts>,
}

impl Feed {
    /// Begins with a recording.
    pub fn of_recording() -> Feed {
        Feed { quiet: QUIET, now: None, sent: None, heard: None }
    }

    /// Begins with a line.
    pub fn of_line() -> Feed {
        Feed { quiet: QUIET_LINE, ..Feed::of_recording() }
    }

    /// Takes the next tick of a recording and hands what is to be sent to `send`, the tick last. `ts_event` is its own
    /// time where the recording kept it.
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
        self.pass(tick.ts, &mut send)?;
        if tick.price.is_some() || tick.bid.is_some() || tick.ask.is_some() {
            self.hear();
        }
        self.put(tick, ts_event, &mut send)
    }

    /// Takes in that it is `now`, and hands the heartbeats that are due to `send`. An instant that has passed changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// What `send` says.
    pub fn pass<E>(&mut self, now: Ts, mut send: impl FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        let now = self.now.map_or(now, |before| before.max(now));
        self.now = Some(now);
        while let Some(ts) = self.beat().filter(|ts| ts.saturating_add(DELAY) <= now) {
            self.sent = Some(ts);
            send(Record { due: ts + DELAY, tick: Tick { ts, ..Tick::default() }, ts_event: None })?;
        }
        Ok(())
    }

    /// Hands a tick to `send`, lifted where it is too late for its place. `ts_event` is its own time where its stamp is
    /// not.
    ///
    /// # Errors
    ///
    /// What `send` says.
    pub fn put<E>(
        &mut self,
        tick: &Tick,
        ts_event: Option<Ts>,
        mut send: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let ts = self.sent.map_or(tick.ts, |sent| sent.max(tick.ts));
        let due = self.now.unwrap_or(ts);
        self.sent = Some(ts);
        let ts_event = ts_event.or((ts != tick.ts).then_some(tick.ts));
        send(Record { due, tick: Tick { ts, ..*tick }, ts_event })
    }

    /// Takes in that the market was heard of just now: heartbeats go on.
    pub fn hear(&mut self) {
        self.heard = self.now;
    }

    /// Takes in that nothing can be heard: no heartbeats until something is.
    pub fn fall_silent(&mut self) {
        self.heard = None;
    }

    /// Takes in that nothing is known of the time before `ts` that was not sent already: no heartbeats for it.
    pub fn skip(&mut self, ts: Ts) {
        self.sent = Some(self.sent.map_or(ts, |sent| sent.max(ts)));
    }

    /// Returns the stamp of the record sent last.
    pub fn sent(&self) -> Option<Ts> {
        self.sent
    }

    /// Returns when the next heartbeat is due, if nothing comes before.
    pub fn due(&self) -> Option<Ts> {
        self.beat().map(|ts| ts.saturating_add(DELAY))
    }

    /// Returns the stamp of the next heartbeat, unless it is too quiet for one.
    fn beat(&self) -> Option<Ts> {
        let sent = self.sent?;
        let ts = sent.div_euclid(SECOND).saturating_add(1).saturating_mul(SECOND);
        let quiet = ts > self.heard?.saturating_add(self.quiet);
        (!quiet && ts > sent).then_some(ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds ticks at these milliseconds and returns the stamps, dues and own times of what is sent, in milliseconds.
    fn sent(ticks: &[i64]) -> Vec<(i64, i64, Option<i64>)> {
        let (mut feed, mut all) = (Feed::of_recording(), Vec::new());
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
        let mut feed = Feed::of_recording();
        for ts in [i64::MIN, 0, i64::MAX, i64::MIN, i64::MAX] {
            let tick = Tick { ts, price: Some(1.0), ..Tick::default() };
            feed.take(&tick, None, |_| Ok::<(), ()>(())).expect("nothing to fail");
        }
    }

    /// Sends of a line: heartbeats by its clock, as long as quotes are heard.
    #[test]
    fn heartbeats_of_a_line_follow_the_clock_and_end_with_its_quotes() {
        let (mut feed, mut all) = (Feed::of_line(), Vec::new());
        let mut keep = |record: Record| {
            all.push(record.tick.ts / MILLI);
            Ok::<(), ()>(())
        };
        feed.pass(1_000 * MILLI, &mut keep).expect("nothing to fail");
        assert_eq!(feed.due(), None, "nothing was sent and nothing heard");
        feed.hear();
        feed.put(&Tick { ts: 900 * MILLI, ..Tick::default() }, None, &mut keep).expect("nothing to fail");
        assert_eq!(feed.due(), Some(1_500 * MILLI));
        for ms in [1_499, 1_500, 1_700, 3_600, 60_000] {
            feed.pass(ms * MILLI, &mut keep).expect("nothing to fail");
        }
        feed.hear();
        feed.pass(60_600 * MILLI, &mut keep).expect("nothing to fail");
        feed.fall_silent();
        feed.pass(70_000 * MILLI, &mut keep).expect("nothing to fail");
        let silent = 7..=60;
        let wanted: Vec<i64> =
            [900, 1000, 2000, 3000, 4000, 5000, 6000].into_iter().chain(silent.map(|s| s * 1000)).collect();
        assert_eq!(all, wanted, "what was silent is made good once quotes are heard again");
    }
}
