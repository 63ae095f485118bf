//! No position without a stop over all of it, and none that is larger than the position.
//!
//! The exchange's own legs are the protection as soon as they are heard of, waiting or working. Where they are not heard
//! of within 300 ms of the fill they are asked for; where they are not there, a stop of ours is placed, once. Where after a
//! second there still is none, and REST answers, the position is closed.

use mes_core::{
    order::{ExitReason, Side},
    price::Price,
    time::{MILLI, SECOND},
};
use mes_projectx::{
    Purpose,
    wire::{self, Decimal, Modify, OrderKind, OrderStatus, Place},
};

use super::{AGAIN, Answer, Core, Request, Why, trade::Sent};
use crate::topstepx::{
    orders::Known,
    tag::{self, Part},
};

/// How long the exchange's own legs may take to be heard of.
pub(super) const ATTACHED: i64 = 300 * MILLI;
/// How long a position may be without a stop while REST answers.
const BARE: i64 = SECOND;

impl Core {
    /// Returns what works on the other side of the position for this.
    pub(super) fn legs(&self, part: Part) -> Vec<&Known> {
        let side = Side::of(self.orders.exposure()).opposite();
        self.ours_alive().filter(|known| known.is(part) && known.side() == side).collect()
    }

    /// Says whether a leg works, or is about to because its entry is filled.
    fn wakes(&self, leg: &Known) -> bool {
        let parent = leg.order.parent_order_id.filter(|_| leg.order.status == OrderStatus::Suspended);
        parent.is_none_or(|parent| self.orders.filled_of(parent) > 0)
    }

    /// Returns the contracts without a stop; below 0 where the stops cover more than is open.
    pub(super) fn naked(&self) -> i64 {
        self.without(Part::Stop)
    }

    fn without(&self, part: Part) -> i64 {
        let legs = self.legs(part).into_iter().filter(|leg| self.wakes(leg));
        let covered: i64 = legs.map(|leg| self.rest(leg)).sum();
        self.orders.exposure().abs() - covered
    }

    /// Returns what a leg may still fill, by whatever has proved the most of its fills.
    fn rest(&self, leg: &Known) -> i64 {
        (leg.order.size - self.filled(leg)).max(0)
    }

    fn filled(&self, leg: &Known) -> i64 {
        leg.order.filled().max(self.orders.filled_of(leg.order.id).abs())
    }

    /// Returns the contracts in stops that were sent and are not among the orders that are known.
    fn on_the_way(&self) -> i64 {
        let sent = self.trade.iter().flat_map(|trade| &trade.sent);
        sent.filter(|sent| self.orders.tagged(&sent.tag).is_none()).map(|sent| sent.contracts).sum()
    }

    pub(super) fn protect(&mut self) {
        let exposure = self.orders.exposure();
        if exposure == 0 || self.trade.is_none() {
            return;
        }
        let naked = self.naked();
        let now = self.now.steady;
        // Legs of an entry that fills in parts are there for all of it: the rest may be filled already.
        let over = self.entry.is_none() && (naked < 0 || self.without(Part::Target) < 0);
        let Some(trade) = &mut self.trade else { return };
        if naked <= 0 {
            (trade.bare, trade.tried) = (None, None);
            trade.sent.retain(|sent| !sent.lost);
            trade.over = if over { trade.over.or(Some(now)) } else { None };
            self.fit();
            self.move_leg();
            return self.aim();
        }
        trade.over = None;
        let since = *trade.bare.get_or_insert(now);
        let waits = if trade.attached { ATTACHED } else { 0 };
        let known_to_lack = !trade.attached;
        if now - since < waits {
            return;
        }
        if !known_to_lack && !self.looks.asked_since(since + waits) {
            return self.looks.want_now();
        }
        let early =
            self.trade.as_ref().and_then(|trade| trade.tried).is_some_and(|tried| now - tried < AGAIN);
        let more = naked - self.on_the_way();
        if more > 0 && !early {
            self.place_stop(more);
        } else if now - since > BARE && self.answered > since && self.looks.asked_since(since) {
            if self.closing.is_none() {
                self.alert(format!("{naked} contracts had no stop for over a second: closing"));
            }
            self.close(0, ExitReason::Limit);
        } else {
            self.looks.want_now();
        }
    }

    /// Places a stop of ours over what has none; where its price is passed already, the position is closed.
    fn place_stop(&mut self, contracts: i64) {
        let Some(trade) = &self.trade else { return };
        let side = trade.side;
        let entry = self.told.entry_price().filter(|_| self.told.position != 0).map(Price::nearest);
        let last = self.quote.map(|(bid, ask, _)| if side == Side::Buy { bid } else { ask });
        let Some(from) = entry.or(last).or(self.row) else {
            return self.close(0, ExitReason::Limit);
        };
        let price = trade.wanted.map(|(price, _)| price).or(trade.secured);
        let price = price.unwrap_or(from - side.sign() * trade.stop_ticks);
        if last.is_some_and(|last| side.sign() * (last - price) <= 0) {
            return self.close(0, ExitReason::Stop);
        }
        let tag = self.place_leg(Part::Stop, contracts, price);
        if let (Some(trade), Some(tag)) = (&mut self.trade, tag) {
            trade.sent.push(Sent { tag, contracts, lost: false });
        }
    }

    /// Places a leg of ours; returns its tag.
    fn place_leg(&mut self, part: Part, contracts: i64, price: Price) -> Option<String> {
        let trade = self.trade.as_ref()?;
        self.legs += 1;
        let name = tag::leg(&self.setup.nonce, trade.order, part, self.legs);
        let side = wire::Side::from(trade.side.opposite());
        let price = Some(Decimal::of_ticks(price.ticks()));
        let plain = Place::market(self.setup.account, &self.setup.contract, side, contracts, name.clone());
        let place = match part {
            Part::Target => Place { kind: OrderKind::Limit, limit_price: price, ..plain },
            _ => Place { kind: OrderKind::Stop, stop_price: price, ..plain },
        };
        self.call(Purpose::Exit, Request::Place { place: Box::new(place), entry: false });
        Some(name)
    }

    /// Takes in what became of a leg.
    pub(super) fn leg_answered(&mut self, place: &Place, answer: Answer) {
        let (now, tag) = (self.now.steady, place.custom_tag.as_deref());
        if let Some(trade) = &mut self.trade {
            let later = matches!(answer, Answer::Refused { why: Why::Later { .. }, .. });
            let is_placed = matches!(answer, Answer::Placed { .. });
            if let Some(at) = trade.sent.iter().position(|sent| Some(&*sent.tag) == tag) {
                // What is placed is known from now on; what never came to be judged is another try's; and what was refused, or
                // nobody knows of, is not sent again blindly.
                if is_placed || later {
                    drop(trade.sent.remove(at))
                } else {
                    trade.sent[at].lost = true
                }
                if later {
                    trade.tried = Some(now);
                }
            }
        }
        if let Answer::Refused { text, .. } = answer {
            self.alert(format!("a leg was not placed: {text}"));
            self.looks.want_now();
        }
    }

    /// Puts a target of ours beside a stop of ours.
    fn aim(&mut self) {
        let Some(trade) = &self.trade else { return };
        if trade.target_ticks <= 0 || trade.attached || self.closing.is_some() {
            return;
        }
        let exposure = self.orders.exposure();
        let aimed: i64 = self.legs(Part::Target).iter().map(|leg| self.rest(leg)).sum();
        let Some(entry) = self.told.entry_price().map(Price::nearest) else { return };
        let (price, missing) = (entry + trade.side.sign() * trade.target_ticks, exposure.abs() - aimed);
        if missing > 0 && self.told.position == exposure && !self.is_pending(is_leg(Part::Target)) {
            self.place_leg(Part::Target, missing, price);
        }
    }

    /// Makes legs that are larger than the position as large as it is.
    fn fit(&mut self) {
        let over = self.trade.as_ref().and_then(|trade| trade.over);
        if self.closing.is_some() || over.is_none_or(|since| self.now.steady - since < ATTACHED) {
            return;
        }
        // What could fill against nothing first.
        match self.too_large(Part::Target).or_else(|| self.too_large(Part::Stop)) {
            Some((id, _, 0)) => self.cancel(id),
            Some((id, size, _)) => self.modify(id, None, Some(size)),
            None => {}
        }
    }

    /// Finds a leg that is larger than what the others leave of the position: its id, its size and its rest as they should be.
    fn too_large(&self, part: Part) -> Option<(i64, i64, i64)> {
        let mut left = self.orders.exposure().abs();
        let mut found = None;
        for leg in self.legs(part) {
            let keeps = self.rest(leg).min(left);
            left -= keeps;
            if keeps < self.rest(leg) && self.may_try(leg.order.id) {
                found = Some((leg.order.id, keeps + self.filled(leg), keeps));
            }
        }
        found
    }

    pub(super) fn move_stop(&mut self, order: u64, stop: Price) {
        match &mut self.trade {
            Some(trade) if self.orders.exposure() != 0 => trade.wanted = Some((stop, order)),
            _ => self.refuse(order, "flat"),
        }
    }

    /// Moves the stop to where risk wants it.
    fn move_leg(&mut self) {
        let Some((price, _)) = self.trade.as_ref().and_then(|trade| trade.wanted) else { return };
        let legs = self.legs(Part::Stop);
        let works = |leg: &&&Known| leg.price().is_some();
        let astray = legs.iter().find(|leg| leg.price() != Some(price) && works(leg));
        let astray = astray.map(|leg| leg.order.id);
        if astray.is_none() && legs.iter().all(|leg| leg.price() == Some(price)) {
            if let Some(trade) = &mut self.trade {
                (trade.wanted, trade.moved, trade.secured) = (None, true, Some(price));
            }
            return;
        }
        let pending = self.is_pending(|request| matches!(request, Request::Modify { .. }));
        if let Some(id) = astray.filter(|id| !pending && self.may_try(*id)) {
            self.modify(id, Some(price), None);
        }
    }

    pub(super) fn modify_answered(&mut self, modify: &Modify, answer: &Answer) {
        match answer {
            Answer::Done => {
                self.orders.moved(modify, self.now.steady);
                // The next move need not wait.
                self.tried.remove(&modify.order_id);
            }
            // It never came to be judged, and is tried again.
            Answer::Refused { why: Why::Later { .. }, .. } => self.looks.want(true),
            Answer::Refused { text, .. } => {
                self.alert(format!("a leg was not changed: {text}"));
                self.looks.want(true);
                let wanted = self.trade.as_mut().and_then(|trade| trade.wanted.take());
                if let Some((_, order)) = wanted.filter(|_| modify.stop_price.is_some()) {
                    self.refuse(order, "rejected");
                } else if modify.size.is_some() {
                    self.close(0, ExitReason::Limit);
                }
            }
            _ => {}
        }
    }
}

/// Recognises the placing of a leg of ours.
fn is_leg(part: Part) -> impl Fn(&Request) -> bool {
    let kind = if part == Part::Target { OrderKind::Limit } else { OrderKind::Stop };
    move |request| matches!(request, Request::Place { place, entry: false } if place.kind == kind)
}
