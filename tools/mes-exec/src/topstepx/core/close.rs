//! Closing: the position first, its legs after, and both until the exchange shows neither.

use mes_core::{
    order::{ExitReason, Side},
    time::{MILLI, SECOND},
};
use mes_projectx::{Purpose, wire::OrderKind};

use super::{AGAIN, Answer, Core, NEWS, Request, Why};
use crate::topstepx::{
    orders::{Known, Owner},
    tag::Part,
};

/// How long the exchange may take to cancel what it attached itself.
const SIBLING: i64 = 150 * MILLI;
/// For so long after an answer the fill of a close may be on its way.
const FILL: i64 = SECOND;
/// For so long an order that closes is believed to work without being looked for.
const SEEN: i64 = 5 * SECOND;

/// A close that goes on until the exchange shows flat.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    /// The order that asked for it; 0 is our own.
    pub order: u64,
    pub reason: ExitReason,
    since: i64,
    /// When the last close was sent, and when it was answered.
    sent: Option<i64>,
    answered: Option<i64>,
    /// What was open when it was sent, by its sign.
    of: i64,
    /// Not before, as the service asked.
    not_before: i64,
    calls: u32,
}

impl Core {
    /// Wants everything closed. One that goes on already keeps its order and reason: it is repeated by itself.
    pub(super) fn close(&mut self, order: u64, reason: ExitReason) {
        let now = self.now.steady;
        // Whoever wants to be flat wants to hear it from the exchange, also where nothing seems to be open.
        self.looks.want(false);
        let nothing = self.entry.is_none()
            && !self.starting
            && self.orders.exposure() == 0
            && self.told.position == 0
            && self.is_sure()
            && self.ours_alive().next().is_none();
        if nothing || self.closing.is_some() {
            return;
        }
        self.closing = Some(Closing {
            order,
            reason,
            since: now,
            sent: None,
            answered: None,
            of: 0,
            not_before: now,
            calls: 0,
        });
    }

    pub(super) fn work_closing(&mut self) {
        let Some(closing) = &self.closing else { return };
        let now = self.now.steady;
        let open =
            self.orders.exposure() != 0 || self.looks.shows_open() && self.looks.asked_since(closing.since);
        if open {
            let pending = self.is_pending(|request| matches!(request, Request::Close { .. }));
            // A second apart, and after some tries three: the budget has to last.
            let apart = if closing.calls < 5 { AGAIN } else { 3 * AGAIN };
            // One that works still will fill: another would turn the position around.
            let works = self.orders.alive().any(|known| self.closes(known));
            let waits = closing.sent.is_some_and(|sent| now - sent < apart)
                || closing.answered.is_some_and(|answered| now - answered < FILL);
            let early = waits && !self.is_surplus(closing.of) || now < closing.not_before;
            if closing.answered.is_some_and(|answered| now - answered > NEWS) {
                self.looks.want_now();
            }
            if works {
                self.looks.want(false);
            } else if !pending && !early {
                self.send_close();
            }
            return;
        }
        let quiet = self.entry.is_none()
            && self.told.position == 0
            && self.ours_alive().next().is_none()
            && !self.calls.values().any(|pending| !pending.request.is_question());
        let since = self.changed.max(closing.since).max(closing.answered.unwrap_or(0));
        if !quiet {
            if now - since > NEWS {
                self.looks.want_now();
            }
        } else if self.looks.agreed_since(since) {
            self.closing = None;
        } else {
            self.looks.want_now();
        }
    }

    /// Says whether a leg was filled beside the close of what was open, on the side `of`: what that opened waits for no fill of that
    /// close. Legs are few, and what others open again and again is closed at the pace of the budget.
    fn is_surplus(&self, of: i64) -> bool {
        let mover = self.orders.mover().and_then(|id| self.orders.get(id));
        let by_leg = mover.is_some_and(|known| known.is(Part::Stop) || known.is(Part::Target));
        let open = self.orders.exposure().signum();
        by_leg && open != 0 && open == -of
    }

    /// Recognises the order by which the exchange closes: at market, by nobody's tag, against what is open. Of one that is
    /// older than some seconds a look has to have seen it lately, and it has to be for all of the position.
    fn closes(&self, known: &Known) -> bool {
        let (now, id) = (self.now.steady, known.order.id);
        let rest = known.order.size - self.orders.filled_of(id).abs();
        let is_seen = self.looks.asked_since(now - SEEN) && rest >= self.orders.exposure().abs();
        if rest <= 0 || now - known.first() > SEEN && !is_seen {
            return false;
        }
        let against =
            self.orders.exposure() != 0 && known.side() == Side::of(self.orders.exposure()).opposite();
        known.owner == Owner::Untagged && known.order.kind == OrderKind::Market && against
    }

    fn send_close(&mut self) {
        let request = self.close_request();
        self.call(Purpose::Exit, request);
        let now = self.now.steady;
        if let Some(closing) = &mut self.closing {
            (closing.sent, closing.answered, closing.of) = (Some(now), None, self.orders.exposure().signum());
            closing.calls += 1;
            let (calls, reason) = (closing.calls, closing.reason.name());
            if calls > 1 {
                self.alert(format!("not flat yet ({reason}): close sent again, the {calls}. time"));
            }
        }
    }

    pub(super) fn close_answered(&mut self, answer: &Answer) {
        let now = self.now.steady;
        let Some(closing) = &mut self.closing else { return };
        match answer {
            Answer::Done => closing.answered = Some(now),
            Answer::Refused { why: Why::Later { ms }, .. } => {
                // The reserve is there for exits: nothing of it holds one back for longer than this.
                closing.not_before = now + i64::try_from(*ms).unwrap_or(0).min(1_000) * MILLI;
            }
            Answer::Refused { why: Why::Gone, .. } => self.looks.want_now(),
            Answer::Refused { text, .. } => {
                let text = format!("the close was refused: {text}");
                self.looks.want_now();
                self.alert(text);
            }
            _ => self.looks.want_now(),
        }
    }

    /// Cancels what belongs to nothing: legs of what is closed, entries that were given up.
    pub(super) fn sweep(&mut self) {
        let now = self.now.steady;
        let exposure = self.orders.exposure();
        let entry = self.entry.as_ref().and_then(super::entry::Entry::id);
        let waits = self.entry.is_some() || self.lacks_news();
        let stray = |known: &&Known| {
            let Owner::Ours { part, .. } = known.owner else { return false };
            if part == Part::Entry {
                return Some(known.order.id) != entry && self.entry.is_none();
            }
            // Legs that close nothing wait for an entry that may still fill, and after one of them until the exchange has cancelled
            // the other itself. A close has no legs: those of what it closed would open a position of their own.
            let idle = exposure == 0 || known.side() == Side::of(exposure);
            idle && !waits && (self.closing.is_some() || now - self.changed > SIBLING)
        };
        let strays: Vec<i64> = self.orders.alive().filter(stray).map(|known| known.order.id).collect();
        for id in strays {
            if self.may_try(id) && !self.is_pending(|request| is_cancel_of(request, id)) {
                self.cancel(id);
                self.looks.want(false);
            }
        }
    }
}

fn is_cancel_of(request: &Request, id: i64) -> bool {
    matches!(request, Request::Cancel { cancel } if cancel.order_id == id)
}
