//! What is asked of the account: entries, exits, stops to move. Each is on its way for as long as the latency says;
//! the cancel of an entry at market is not, since one that it could miss waits only while nothing trades. An entry lives
//! as long as the rules, or its limit, say, counted from its decision: what moved the market meanwhile is not what it was
//! decided on.

use mes_core::{
    order::{Action, ExitReason, Order},
    statement::Refusal,
    time::{MILLI, Ts},
};

use super::{Entry, Exit, Move, Paper};

impl Paper {
    /// Takes an order in.
    pub(super) fn take(&mut self, order: &Order) {
        let due = order.ts + self.fills.latency.of(order.id, order.ts);
        match order.action {
            Action::Enter { side, contracts, stop_ticks, target_ticks, limit, .. } => {
                let lifetime = limit.map_or(self.lifetime, |limit| i64::from(limit.lifetime_ms) * MILLI);
                let expires = order.ts.saturating_add(lifetime);
                let limit = limit.map(|limit| limit.price);
                self.enter(Entry {
                    order: order.id,
                    side,
                    contracts,
                    stop_ticks,
                    target_ticks,
                    due,
                    expires,
                    limit,
                    rests: false,
                    cancelled: None,
                });
            }
            Action::Exit { reason } => {
                self.cancel(order.ts, due);
                if self.position.is_some() || self.entry.is_some() {
                    // An exit that is asked for again does not begin its way anew.
                    let due = self.exit.map_or(due, |exit| exit.due.min(due));
                    self.exit = Some(Exit { order: order.id, reason, due });
                }
            }
            Action::MoveStop { stop } => {
                // Of nothing: it would arrive at the stop of whatever is opened meanwhile.
                if self.position.is_none() {
                    self.refuse(order.id, "flat");
                    return;
                }
                // One on its way arrives first: risk asks again for as long as the stop is not where it should be.
                self.moving.get_or_insert(Move { order: order.id, stop, due });
                if due == order.ts {
                    self.arrive(due);
                }
            }
        }
    }

    pub(super) fn refuse(&mut self, order: u64, reason: &str) {
        self.refusals.push(Refusal { order, reason: reason.into() });
    }

    /// Cancels the entry: one at market at once, one at a limit when the cancel has arrived, for it may fill until then.
    fn cancel(&mut self, now: Ts, due: Ts) {
        if let Some(entry) = self.entry.take_if(|entry| entry.limit.is_none() || due == now) {
            self.refuse(entry.order, "cancelled");
        }
        if let Some(entry) = &mut self.entry {
            entry.cancelled = Some(entry.cancelled.map_or(due, |before| before.min(due)));
        }
    }

    fn enter(&mut self, entry: Entry) {
        if self.position.is_some() || self.entry.is_some() {
            self.refuse(entry.order, "position_open");
        } else if entry.contracts <= 0 || entry.stop_ticks <= 0 || entry.target_ticks <= 0 {
            self.refuse(entry.order, "not_positive");
        } else {
            self.entry = Some(entry);
        }
    }

    /// Puts a new stop in place once it has arrived. One that lies at or beyond the last price is a market exit.
    pub(super) fn arrive(&mut self, now: Ts) {
        let Some(Move { order, stop, due }) = self.moving.take_if(|moving| moving.due <= now) else { return };
        let close = self.before.map(|before| before.close);
        // What closes a position forgets the move of its stop.
        let Some(position) = &mut self.position else { return };
        position.stop = stop;
        position.stop_moved = true;
        if close.is_some_and(|close| position.side.sign() * (stop - close) >= 0) {
            self.exit = Some(Exit { order, reason: ExitReason::Trail, due });
        }
    }
}
