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

use super::{AGAIN, Answer, Core, Request, Why, entry::Entry};
use crate::topstepx::{
    orders::{Known, Owner},
    tag::{self, Part},
};

/// How long the exchange's own legs may take to be heard of.
const ATTACHED: i64 = 300 * MILLI;
/// How long a position may be without a stop while REST answers.
const BARE: i64 = SECOND;

/// What protects the open position.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    /// The entry that opened it; 0 where none of this run did.
    pub order: u64,
    pub side: Side,
    stop_ticks: i64,
    target_ticks: i64,
    /// The exchange was asked to attach legs.
    attached: bool,
    /// Since when the position is open, on the steady clock.
    since: i64,
    /// Where risk wants the stop, and by which order.
    wanted: Option<(Price, u64)>,
    pub moved: bool,
    /// Since when a part has no stop.
    bare: Option<i64>,
    /// Legs of ours so far.
    legs: u32,
    /// A stop of ours was sent since it was bare.
    placed: bool,
    tried: Option<i64>,
    /// Since when the stops cover more than the position.
    over: Option<i64>,
}

impl Trade {
    fn new(order: u64, side: Side, now: i64) -> Trade {
        Trade {
            order,
            side,
            stop_ticks: 0,
            target_ticks: 0,
            attached: false,
            since: now,
            wanted: None,
            moved: false,
            bare: None,
            legs: 0,
            placed: false,
            tried: None,
            over: None,
        }
    }

    /// Returns since when a part of the position has no stop.
    pub fn bare(&self) -> Option<i64> {
        self.bare
    }
}

impl Core {
    /// Takes in that an entry of ours has opened a position.
    pub(super) fn opened_by(&mut self, entry: &Entry) {
        if self.trade.as_ref().is_some_and(|trade| trade.order == entry.order) {
            return;
        }
        let since = self.trade.as_ref().map_or(self.now.steady, |trade| trade.since);
        self.trade = Some(Trade {
            stop_ticks: entry.stop_ticks,
            target_ticks: entry.target_ticks,
            attached: !self.setup.own_oco,
            ..Trade::new(entry.order, entry.side, since)
        });
    }

    /// Sees whether something is open that no entry explains, or nothing is open any more.
    pub(super) fn watch_trade(&mut self) {
        let exposure = self.orders.exposure();
        let now = self.now.steady;
        let settled = exposure == 0 && self.entry.is_none();
        if settled && self.told.position == 0 {
            if let Some((_, order)) = self.trade.take().and_then(|trade| trade.wanted) {
                self.refuse(order, "flat");
            }
            return;
        }
        if exposure == 0 {
            return;
        }
        // A fill may be heard of before its order is.
        let unheard = |entry: &mut Entry| entry.id().is_none() && entry.side == Side::of(exposure);
        if let Some(entry) = self.entry.take_if(unheard) {
            self.opened_by(&entry);
            self.entry = Some(entry);
        }
        match &self.trade {
            None => {
                let side = Side::of(exposure);
                let order = self.opener(side);
                // One of ours that was given up came after all, or one of another run: protected, then closed.
                if let Some(order) = order {
                    self.alert(format!("order {order} opened a position after it was given up: closing it"));
                    self.close(0, ExitReason::Limit);
                }
                let own = order.unwrap_or(0);
                let stop_ticks = self.setup.widest_ticks;
                self.trade = Some(Trade { stop_ticks, ..Trade::new(own, side, now) });
            }
            // Both legs were filled, or somebody turned it.
            Some(trade) if trade.side.sign() != exposure.signum() && self.entry.is_none() => {
                self.alert(format!("{exposure} contracts are open against the trade: closing them"));
                let stop_ticks = self.setup.widest_ticks;
                self.trade = Some(Trade { stop_ticks, ..Trade::new(0, Side::of(exposure), now) });
                self.close(0, ExitReason::Limit);
            }
            Some(_) => {}
        }
    }

    /// Takes up a position that was open before this run: with the legs that are there, or a stop of ours.
    pub(super) fn take_up(&mut self) {
        let side = Side::of(self.orders.exposure());
        let order = self.legs(Part::Stop).iter().find_map(|leg| match leg.owner {
            Owner::Ours { order, .. } => Some(order),
            Owner::Untagged => None,
        });
        let stop_ticks = self.setup.widest_ticks;
        self.trade = Some(Trade { stop_ticks, ..Trade::new(order.unwrap_or(0), side, self.now.steady) });
    }

    /// Returns the entry of ours that opened what no entry under way explains.
    fn opener(&self, side: Side) -> Option<u64> {
        let last = self.orders.last_filled(side)?;
        match last.owner {
            Owner::Ours { order, part: Part::Entry } => Some(order),
            _ => None,
        }
    }

    /// Returns what works on the other side of the position for this.
    fn legs(&self, part: Part) -> Vec<&Known> {
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
        let legs = self.legs(Part::Stop).into_iter().filter(|leg| self.wakes(leg));
        let covered: i64 = legs.map(|leg| leg.rest()).sum();
        self.orders.exposure().abs() - covered
    }

    pub(super) fn protect(&mut self) {
        let exposure = self.orders.exposure();
        if exposure == 0 || self.trade.is_none() {
            return;
        }
        let naked = self.naked();
        let now = self.now.steady;
        // Legs of an entry that fills in parts are there for all of it: the rest may be filled already.
        let over = naked < 0 && self.entry.is_none();
        let Some(trade) = &mut self.trade else { return };
        if naked <= 0 {
            (trade.bare, trade.placed) = (None, false);
            trade.over = if over { trade.over.or(Some(now)) } else { None };
            self.fit();
            self.move_leg();
            return self.aim();
        }
        trade.over = None;
        let since = *trade.bare.get_or_insert(now);
        let waits = if trade.attached { ATTACHED } else { 0 };
        let (placed, known_to_lack) = (trade.placed, !trade.attached);
        if now - since < waits {
            return;
        }
        if !known_to_lack && !self.looks.asked_since(since + waits) {
            return self.looks.want_now();
        }
        let early =
            self.trade.as_ref().and_then(|trade| trade.tried).is_some_and(|tried| now - tried < AGAIN);
        if !placed && !early && !self.is_pending(is_leg(Part::Stop)) {
            self.place_stop(naked);
        } else if now - since > BARE && self.answered > since && self.looks.asked_since(since) {
            self.alert(format!("{naked} contracts had no stop for over a second: closing"));
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
        let price = trade.wanted.map_or(from - side.sign() * trade.stop_ticks, |(price, _)| price);
        if last.is_some_and(|last| side.sign() * (last - price) <= 0) {
            return self.close(0, ExitReason::Stop);
        }
        if let Some(trade) = &mut self.trade {
            (trade.placed, trade.tried) = (true, Some(self.now.steady));
        }
        self.place_leg(Part::Stop, contracts, price);
    }

    fn place_leg(&mut self, part: Part, contracts: i64, price: Price) {
        let Some(trade) = &mut self.trade else { return };
        trade.legs += 1;
        let name = tag::leg(&self.setup.nonce, trade.order, part, trade.legs);
        let side = wire::Side::from(trade.side.opposite());
        let price = Some(Decimal::of_ticks(price.ticks()));
        let plain = Place::market(self.setup.account, &self.setup.contract, side, contracts, name);
        let place = match part {
            Part::Target => Place { kind: OrderKind::Limit, limit_price: price, ..plain },
            _ => Place { kind: OrderKind::Stop, stop_price: price, ..plain },
        };
        self.call(Purpose::Exit, Request::Place { place: Box::new(place), entry: false });
    }

    pub(super) fn leg_answered(&mut self, answer: Answer) {
        let Answer::Refused { why, text } = answer else { return };
        self.alert(format!("a leg was not placed: {text}"));
        // What never came to be judged is another try's.
        if let (Why::Later { .. }, Some(trade)) = (why, &mut self.trade) {
            trade.placed = false;
        }
        self.looks.want_now();
    }

    /// Puts a target of ours beside a stop of ours.
    fn aim(&mut self) {
        let Some(trade) = &self.trade else { return };
        if trade.target_ticks <= 0 || trade.attached || self.closing.is_some() {
            return;
        }
        let exposure = self.orders.exposure();
        let aimed: i64 = self.legs(Part::Target).iter().map(|leg| leg.rest()).sum();
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
        let size = self.orders.exposure().abs();
        let mut left = size;
        let mut change = None;
        for leg in self.legs(Part::Stop) {
            let keeps = leg.rest().min(left);
            left -= keeps;
            if keeps < leg.rest() && self.may_try(leg.order.id) {
                change = Some((leg.order.id, keeps + leg.order.filled(), keeps));
            }
        }
        match change {
            Some((id, _, 0)) => self.cancel(id),
            Some((id, size, _)) => self.modify(id, None, Some(size)),
            None => {}
        }
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
                (trade.wanted, trade.moved) = (None, true);
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
