//! What is heard: from the user hub, and as answers. It changes what is known, and nothing else.

use mes_core::order::{ExitReason, Side};
use mes_projectx::{
    hub::UserEvent,
    wire::{self, OrderKind, Stamp},
};

use super::{Answer, Core, Pending, Request, Why};
use crate::topstepx::{
    orders::{Known, Owner},
    tag::Part,
};

impl Core {
    /// Takes in what the user hub tells.
    pub(super) fn user(&mut self, user: UserEvent) {
        match user {
            UserEvent::Account(account) if account.id == self.setup.account => {
                self.account(account.can_trade)
            }
            UserEvent::Order(order) if order.account_id == self.setup.account => self.hear(*order, None),
            UserEvent::Trade(trade) if trade.account_id == self.setup.account => self.hear_trade(trade),
            UserEvent::Position(position)
                if position.account_id == self.setup.account
                    && position.contract_id == self.setup.contract =>
            {
                self.shown = position.contracts();
            }
            _ => {}
        }
    }

    pub(super) fn account(&mut self, can_trade: bool) {
        if self.can_trade && !can_trade {
            self.alert("the firm has locked the account".into());
            self.close(0, ExitReason::Broker);
        }
        self.can_trade = can_trade;
    }

    pub(super) fn hear(&mut self, order: wire::Order, asked: Option<i64>) {
        if order.contract_id != self.setup.contract {
            return;
        }
        let id = order.id;
        // Of a close the exchange makes one without a tag, and of an entry its legs may be heard of before their parent.
        let close = self.closing.is_some() && order.kind == OrderKind::Market;
        let strange = asked.is_none() && !self.starting && !close && order.parent_order_id.is_none();
        let odd = asked.is_none() && self.orders.lies_elsewhere(&order);
        let news = self.orders.hear(order, asked, self.now.steady);
        let is_strange = |known: &Known| known.owner == Owner::Untagged && known.is_alive();
        if strange && news && self.orders.get(id).is_some_and(is_strange) {
            // Nothing is entered before it was looked at.
            self.looks.want(true);
        }
        // Somebody may have moved it; what we move ourselves is heard of before it is answered.
        let ours = |request: &Request| matches!(request, Request::Modify { modify } if modify.order_id == id);
        if odd && !self.is_pending(ours) {
            self.looks.want(false);
        }
    }

    /// Takes in a fill, from the hub or by a question: each is booked once.
    pub(super) fn hear_trade(&mut self, trade: wire::Trade) {
        if trade.contract_id != self.setup.contract || !self.orders.hear_trade(trade.clone()) {
            return;
        }
        if self.starting {
            return;
        }
        let (order, exit) = self.meaning(&trade);
        self.told.book(&trade, order, exit, self.setup.side_cost);
    }

    /// Says which order asked for a fill, and why it closed what it closed.
    fn meaning(&mut self, trade: &wire::Trade) -> (Option<u64>, Option<ExitReason>) {
        let sign = trade.side.known().map_or(0, Side::sign);
        let closes = self.told.position.signum() == -sign && self.told.position != 0;
        match self.orders.owner(trade.order_id) {
            Some(Owner::Ours { order, part }) if closes => {
                let moved = self.trade.as_ref().is_some_and(|trade| trade.order == order && trade.moved);
                let reason = match part {
                    Part::Target => ExitReason::Target,
                    Part::Stop if moved => ExitReason::Trail,
                    Part::Stop => ExitReason::Stop,
                    Part::Entry => ExitReason::Signal,
                };
                (Some(order), Some(reason))
            }
            Some(Owner::Ours { order, .. }) => (Some(order), None),
            _ => match &self.closing {
                Some(closing) if closes => (Some(closing.order), Some(closing.reason)),
                _ if closes && !self.can_trade => (None, Some(ExitReason::Broker)),
                _ if closes => (None, Some(ExitReason::Outside)),
                _ => (None, None),
            },
        }
    }

    pub(super) fn answer(&mut self, call: u64, answer: Answer) {
        let Some(Pending { request, since }) = self.calls.remove(&call) else { return };
        if !matches!(answer, Answer::Unknown { .. } | Answer::Refused { why: Why::Later { .. }, .. }) {
            self.answered = self.now.steady;
        }
        if request.is_question() {
            return self.looked(request, answer, since.steady);
        }
        if matches!(answer, Answer::Unknown { .. }) {
            self.looks.want(true);
        }
        match request {
            Request::Place { place, entry } => {
                // Until it is heard of, what was placed is what was asked for.
                if let Answer::Placed { id } = answer {
                    self.hear(place.as_order(id, Stamp::of(self.now.utc)), None);
                }
                if entry { self.entry_answered(call, answer) } else { self.leg_answered(&place, answer) }
            }
            Request::Close { .. } => self.close_answered(&answer),
            Request::Modify { modify } => self.modify_answered(&modify, &answer),
            Request::Cancel { .. } if answer != Answer::Done => self.looks.want(true),
            _ => {}
        }
    }
}
