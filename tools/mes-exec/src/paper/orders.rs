//! What is asked of the account: entries, exits, stops to move. Each is on its way for as long as the latency says;
//! a cancel is not, since an entry that it could miss waits only while nothing trades. An entry lives as long as the rules
//! say, counted from its decision: what moved the market meanwhile is not what it was decided on.

use mes_core::{
    order::{Action, ExitReason, Order},
    statement::Refusal,
    time::Ts,
};

use super::{Entry, Exit, Move, Paper};

impl Paper {
    /// Takes an order in.
    pub(super) fn take(&mut self, order: &Order) {
        let due = order.ts + self.fills.latency.of(order.id, order.ts);
        match order.action {
            // A limit would have to rest and be filled as one; as a market order it would not be what was asked for.
            Action::Enter { limit: Some(_), .. } => self.refuse(order.id, "limit_entry"),
            Action::Enter { side, contracts, stop_ticks, target_ticks, .. } => {
                let expires = order.ts.saturating_add(self.lifetime);
                self.enter(Entry {
                    order: order.id,
                    side,
                    contracts,
                    stop_ticks,
                    target_ticks,
                    due,
                    expires,
                });
            }
            Action::Exit { reason } => {
                if let Some(entry) = self.entry.take() {
                    self.refuse(entry.order, "cancelled");
                }
                if self.position.is_some() {
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
