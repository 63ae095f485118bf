//! What happens to the account, one event after the other: lines of the input, a person's stop, the other end that reads
//! again or is gone, what the broker has to say, time that is over. One queue without a thread: `poll` waits for all of
//! them at once, and a row goes through no more hands than it has to.

use mes_core::{broker::Broker, time::SECOND};
use mes_pipe::{
    Result,
    clock::Clock,
    messages::{Awaited, Messages, Step},
    stop,
};
use rustix::event::PollFlags;

use crate::account::Peer;

/// How long mes-risk may take to end a journal that a person has stopped, or its last lines to come once it is gone.
const PATIENCE: i64 = 5 * SECOND;

/// What the loop hears next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message has come: [`Messages::line`].
    Line,
    /// A person has ended the day; once.
    Stop,
    /// What should have come by now has not.
    Late,
    /// The messages have ended.
    End,
    /// The time that the broker asked for is here.
    Timer,
    /// Something has happened at the broker.
    Broker,
}

/// The events of one run.
pub struct Events {
    clock: Clock,
    stopping: bool,
    /// On the steady clock.
    due: Option<i64>,
}

impl Events {
    /// Begins the events of a run that lives on `clock`.
    pub fn new(clock: Clock) -> Events {
        Events { clock, stopping: false, due: None }
    }

    /// Returns the next event; what the socket had no room for is sent on meanwhile. A time that
    /// the broker waits for comes before the next line, so that no flood of rows holds it back, and the next line before
    /// what else the broker has to say.
    ///
    /// # Errors
    ///
    /// Where the messages cannot be read, or the other end reads no more.
    pub fn next(&mut self, messages: &mut Messages, peer: &mut Peer, broker: &dyn Broker) -> Result<Event> {
        loop {
            if !self.stopping && stop::asked() {
                self.stopping = true;
                self.due = Some(self.after(PATIENCE));
                return Ok(Event::Stop);
            }
            let due = broker.due();
            if due.is_some_and(|due| self.is_over(due)) {
                return Ok(Event::Timer);
            }
            match messages.step()? {
                Step::Line => return Ok(Event::Line),
                Step::End => return Ok(Event::End),
                Step::Idle => {}
            }
            if self.due.is_some_and(|due| self.is_over(due)) {
                return Ok(Event::Late);
            }
            let until = self.due.into_iter().chain(due).min().map(|due| self.clock.until(due));
            let others = [self.stop(), peer.awaited(), broker.wake().map(|fd| (fd, PollFlags::IN))];
            let [_, _, woken, told] = messages.wait(others, until)?;
            if woken && !peer.send_on()? {
                // Its last lines may still be on their way through a tee.
                let late = self.after(PATIENCE);
                self.due.get_or_insert(late);
            }
            if told {
                return Ok(Event::Broker);
            }
        }
    }

    /// Goes on waiting for what was late.
    pub fn forgive(&mut self) {
        self.due = None;
    }

    fn after(&self, nanos: i64) -> i64 {
        self.clock.now().steady + nanos
    }

    fn is_over(&self, due: i64) -> bool {
        self.clock.now().steady >= due
    }

    /// Returns what a person's stop wakes, until it was noticed.
    fn stop(&self) -> Option<Awaited<'static>> {
        stop::descriptor().filter(|_| !self.stopping).map(|fd| (fd, PollFlags::IN))
    }
}
