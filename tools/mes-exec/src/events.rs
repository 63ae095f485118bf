//! What happens to the account, one event after the other: lines of the input, a person's stop, the other end that reads
//! again or is gone, time that is over. One queue without a thread: `poll` waits for all of them at once, and a row goes
//! through no more hands than it has to.

use std::time::Duration;

use mes_pipe::{
    Result,
    clock::Deadline,
    messages::{Awaited, Messages, Step},
    stop,
};
use rustix::event::PollFlags;

use crate::account::Peer;

/// How long mes-risk may take to end a journal that a person has stopped, or its last lines to come once it is gone.
const PATIENCE: Duration = Duration::from_secs(5);

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
}

/// The events of one run.
#[derive(Default)]
pub struct Events {
    stopping: bool,
    due: Option<Deadline>,
}

impl Events {
    /// Returns the next event; what the socket had no room for is sent on meanwhile.
    pub fn next(&mut self, messages: &mut Messages, peer: &mut Peer) -> Result<Event> {
        loop {
            if !self.stopping && stop::asked() {
                self.stopping = true;
                self.due = Some(Deadline::after(PATIENCE));
                return Ok(Event::Stop);
            }
            match messages.step()? {
                Step::Line => return Ok(Event::Line),
                Step::End => return Ok(Event::End),
                Step::Idle => {}
            }
            let left = self.due.map(|due| due.left());
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Event::Late);
            }
            let [_, _, woken] = messages.wait([self.stop(), peer.awaited()], left)?;
            if woken && !peer.send_on()? {
                // Its last lines may still be on their way through a tee.
                self.due.get_or_insert_with(|| Deadline::after(PATIENCE));
            }
        }
    }

    /// Goes on waiting for what was late.
    pub fn forgive(&mut self) {
        self.due = None;
    }

    /// Returns what a person's stop wakes, until it was noticed.
    fn stop(&self) -> Option<Awaited<'static>> {
        stop::descriptor().filter(|_| !self.stopping).map(|fd| (fd, PollFlags::IN))
    }
}
