//! All that is known of orders and fills in the contract, joined so that it does not matter in which order, how often or
//! from where it was told: of an order the latest state by rank, of its filled part the largest that anything has proved.
//!
//! The position that follows ([`Orders::exposure`]) is what must be protected and closed. What risk is told
//! ([`super::told`]) waits for the fills themselves.

use std::collections::BTreeMap;

use mes_core::{order::Side, price::Price};
use mes_projectx::wire::{Modify, Order, OrderKind, OrderStatus, Trade};

use super::tag::{Part, Tag};

/// What an order is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Its tag is one of ours, or its parent's is.
    Ours { order: u64, part: Part },
    /// Nobody asked for it by a tag: a close, a person, the firm.
    Untagged,
}

/// An order as it is known.
#[derive(Clone, Debug)]
pub struct Known {
    pub order: Order,
    pub owner: Owner,
    /// When it was first heard of, on the steady clock.
    first: i64,
    /// Since when it is no longer among those that may fill, though nothing has said how it ended.
    gone: Option<i64>,
    /// It had ended before what is open now was looked at first.
    old: bool,
    /// Since when its price and size are known to be these, on the steady clock.
    placed: i64,
}

impl Known {
    /// Says whether it may still fill.
    pub fn is_alive(&self) -> bool {
        self.gone.is_none() && !self.order.status.is_final()
    }

    /// Says whether it had ended before the first look: it opens nothing any more.
    pub fn is_old(&self) -> bool {
        self.old
    }

    /// Returns when it was first heard of, on the steady clock.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Returns since when it is missing, on the steady clock, where nothing has said how it ended.
    pub fn missing(&self) -> Option<i64> {
        self.gone.filter(|_| !self.order.status.is_final())
    }

    /// Says whether it is one of ours that is for this.
    pub fn is(&self, part: Part) -> bool {
        matches!(self.owner, Owner::Ours { part: its, .. } if its == part)
    }

    /// Returns what it may still fill.
    pub fn rest(&self) -> i64 {
        (self.order.size - self.order.filled()).max(0)
    }

    /// Returns which way it trades; a purchase where nobody knows.
    pub fn side(&self) -> Side {
        self.order.side.known().unwrap_or(Side::Buy)
    }

    /// Returns the price at which it triggers or rests.
    pub fn price(&self) -> Option<Price> {
        let decimal = match self.order.kind {
            OrderKind::Limit => self.order.limit_price,
            _ => self.order.stop_price,
        };
        decimal.and_then(|price| price.ticks()).map(Price::from_ticks)
    }
}

/// What two sources say of the filled part of an order, signed.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    by_order: i64,
    by_trades: i64,
}

impl Filled {
    fn most(self) -> i64 {
        if self.by_trades.abs() > self.by_order.abs() { self.by_trades } else { self.by_order }
    }
}

/// Orders and fills of one contract.
#[derive(Debug, Default)]
pub struct Orders {
    known: BTreeMap<i64, Known>,
    trades: BTreeMap<i64, Trade>,
    filled: BTreeMap<i64, Filled>,
    /// What was open before the first order that is known, and what the exchange has put right since.
    base: i64,
    sum: i64,
    /// The order whose fill opened what is open, or added to it last; none where the exchange put it right.
    mover: Option<i64>,
}

impl Orders {
    /// Takes in an order, from wherever, heard at `now` of the steady clock; says whether it is news. `asked` is when it
    /// was asked for, where it was.
    pub fn hear(&mut self, order: Order, asked: Option<i64>, now: i64) -> bool {
        let owner = self.owner_of(&order);
        let filled = order.side.known().map_or(0, Side::sign) * order.filled();
        let entry = self.filled.entry(order.id).or_default();
        let before = entry.most();
        if filled.abs() > entry.by_order.abs() {
            entry.by_order = filled;
        }
        let change = entry.most() - before;
        self.count_in(order.id, change);
        // A leg may have been heard of before what it belongs to.
        if let Some(known) = self.known.get_mut(&order.id).filter(|known| known.owner == Owner::Untagged) {
            known.owner = owner;
        }
        match self.known.get_mut(&order.id) {
            None => {
                self.known.insert(
                    order.id,
                    Known { order, owner, first: now, gone: None, old: false, placed: now },
                );
                true
            }
            Some(known) if order.is_later_than(&known.order) => {
                let told = std::mem::replace(&mut known.order, order);
                // News from before a move of ours come after its answer; what was moved stays where it was moved to.
                if known.placed > known.first && asked.is_none_or(|asked| asked < known.placed) {
                    known.order.limit_price = told.limit_price.or(known.order.limit_price);
                    known.order.stop_price = told.stop_price.or(known.order.stop_price);
                    known.order.size = told.size;
                }
                true
            }
            // One that was moved is of the same rank, and no stamp says which record is the later one: what was asked for
            // after the move does.
            Some(known) if asked.is_some_and(|asked| asked >= known.placed) && known.is_alive() => {
                let Order { limit_price, stop_price, size, .. } = order;
                let placed = (limit_price, stop_price, size);
                let before = (known.order.limit_price, known.order.stop_price, known.order.size);
                (known.order.limit_price, known.order.stop_price, known.order.size) = placed;
                placed != before
            }
            Some(_) => false,
        }
    }

    fn count_in(&mut self, id: i64, change: i64) {
        self.sum += change;
        if change != 0 && change.signum() == self.exposure().signum() {
            self.mover = Some(id);
        }
    }

    fn owner_of(&self, order: &Order) -> Owner {
        if let Some(tag) = order.custom_tag.as_deref().and_then(Tag::parse) {
            return Owner::Ours { order: tag.order, part: tag.part };
        }
        let parent = order.parent_order_id.and_then(|id| self.known.get(&id)).map(|parent| parent.owner);
        match parent {
            Some(Owner::Ours { order: id, .. }) => {
                let part = if order.kind == OrderKind::Limit { Part::Target } else { Part::Stop };
                Owner::Ours { order: id, part }
            }
            _ => Owner::Untagged,
        }
    }

    /// Takes in a fill; says whether it is news.
    pub fn hear_trade(&mut self, trade: Trade) -> bool {
        if trade.voided || self.trades.contains_key(&trade.id) {
            return false;
        }
        let Some(side) = trade.side.known() else { return false };
        let entry = self.filled.entry(trade.order_id).or_default();
        let before = entry.most();
        entry.by_trades += side.sign() * trade.size;
        let change = entry.most() - before;
        self.count_in(trade.order_id, change);
        self.trades.insert(trade.id, trade);
        true
    }

    /// Says whether an order is told to lie elsewhere, or to be of another size, than is known of its state.
    pub fn lies_elsewhere(&self, order: &Order) -> bool {
        let places = |order: &Order| (order.limit_price, order.stop_price, order.size);
        let same_state = |known: &&Known| known.is_alive() && known.order.status == order.status;
        self.known
            .get(&order.id)
            .filter(same_state)
            .is_some_and(|known| places(&known.order) != places(order))
    }

    /// Takes in that the exchange has moved an order of ours, at `now` of the steady clock.
    pub fn moved(&mut self, modify: &Modify, now: i64) {
        let Some(known) = self.known.get_mut(&modify.order_id) else { return };
        known.placed = now;
        let order = &mut known.order;
        order.limit_price = modify.limit_price.or(order.limit_price);
        order.stop_price = modify.stop_price.or(order.stop_price);
        order.size = modify.size.unwrap_or(order.size);
    }

    /// Takes in all that may still fill, as asked for at `asked`: what was known before and is not among it, is over.
    pub fn only_alive(&mut self, alive: &[Order], asked: i64) -> bool {
        let mut news = false;
        for known in self.known.values_mut() {
            if known.is_alive()
                && known.first < asked
                && !alive.iter().any(|order| order.id == known.order.id)
            {
                known.gone = Some(asked);
                news = true;
            }
        }
        news
    }

    /// Takes it that so many contracts are open: nothing that is known explains the rest.
    pub fn put_right(&mut self, position: i64) {
        let rest = position - self.exposure();
        self.base += rest;
        self.mover = self.mover.filter(|_| rest == 0);
    }

    /// Returns the order whose fill opened what is open, or added to it last, where it is known which; it may not have been heard of
    /// itself.
    pub fn mover(&self) -> Option<i64> {
        self.mover
    }

    /// Returns the contracts that are open, negative when short.
    pub fn exposure(&self) -> i64 {
        self.base + self.sum
    }

    /// Returns how many fills are known.
    pub fn count(&self) -> usize {
        self.trades.len()
    }

    /// Returns an order by its id.
    pub fn get(&self, id: i64) -> Option<&Known> {
        self.known.get(&id)
    }

    /// Returns the order with this tag.
    pub fn tagged(&self, tag: &str) -> Option<&Known> {
        self.known.values().rev().find(|known| known.order.custom_tag.as_deref() == Some(tag))
    }

    /// Lists what may still fill.
    pub fn alive(&self) -> impl Iterator<Item = &Known> {
        self.known.values().filter(|known| known.is_alive())
    }

    /// Returns what is filled of an order, without a sign.
    pub fn filled_of(&self, id: i64) -> i64 {
        self.filled.get(&id).map_or(0, |filled| filled.most().abs())
    }

    /// Returns what entries of an order have filled.
    pub fn entered(&self, order: u64) -> i64 {
        let entries =
            self.known.values().filter(|known| known.owner == Owner::Ours { order, part: Part::Entry });
        entries.map(|known| self.filled_of(known.order.id)).sum()
    }

    /// Returns the order that was filled last on a side, if it was heard of: that of the last fill, or where no fill is known the
    /// youngest that has one.
    pub fn last_filled(&self, side: Side) -> Option<&Known> {
        let last = self.trades.values().rev().find(|trade| trade.side.known() == Some(side));
        if let Some(trade) = last {
            return self.known.get(&trade.order_id);
        }
        let mut filled = self.known.values().rev().filter(|known| known.side() == side);
        filled.find(|known| self.filled_of(known.order.id) > 0)
    }

    /// Marks what has ended by now.
    pub fn grow_old(&mut self) {
        self.known.values_mut().for_each(|known| known.old = !known.is_alive());
    }

    /// Returns who asked for an order.
    pub fn owner(&self, id: i64) -> Option<Owner> {
        self.known.get(&id).map(|known| known.owner)
    }

    /// Says whether an order ended without a fill because the exchange would not have it.
    pub fn is_rejected(&self, id: i64) -> bool {
        self.known.get(&id).is_some_and(|known| known.order.status == OrderStatus::Rejected)
    }
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;
    use serde_json::json;

    use super::*;

    fn order(id: i64, status: i64, filled: i64) -> Order {
        let value = json!({"id": id, "accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z",
            "status": status, "type": 2, "side": 0, "size": 3, "fillVolume": filled, "customTag": format!("mes.n.{id}")});
        serde_json::from_value(value).expect("an order")
    }

    fn trade(id: i64, order: i64, size: i64) -> Trade {
        let value = json!({"id": id, "accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z",
            "price": 7000, "fees": 0.36, "side": 0, "size": size, "orderId": order});
        serde_json::from_value(value).expect("a trade")
    }

    /// Lost, doubled and reordered as chance has it: as long as either source says it once, the position is known.
    #[test]
    fn the_order_in_which_things_are_told_does_not_matter() {
        for seed in 0..500 {
            let mut draw = Draw::new(seed, 1);
            let mut told: Vec<(bool, i64)> = (0..6).map(|which| (which % 2 == 0, which / 2)).collect();
            for _ in 0..6 {
                told.push(told[draw.below(told.len())]);
            }
            for index in (1..told.len()).rev() {
                told.swap(index, draw.below(index + 1));
            }
            let mut orders = Orders::default();
            for (by_order, step) in told {
                if by_order {
                    orders.hear(order(5, [6, 1, 2][step as usize], step + step / 2), None, 0);
                } else {
                    orders.hear_trade(trade(step, 5, 1));
                }
            }
            assert_eq!((orders.exposure(), orders.count()), (3, 3), "{seed}");
            assert!(!orders.get(5).is_some_and(Known::is_alive));
        }
    }

    #[test]
    fn what_is_not_among_the_living_is_over_and_does_not_come_back() {
        let mut orders = Orders::default();
        orders.hear(order(5, 1, 0), None, 10);
        orders.hear(order(6, 1, 0), None, 30);
        assert!(orders.only_alive(&[], 20));
        // The younger one may have been made after the answer.
        assert_eq!(orders.alive().map(|known| known.order.id).collect::<Vec<_>>(), [6]);
        orders.hear(order(5, 7, 0), None, 40);
        assert_eq!(orders.alive().count(), 1);
    }

    /// A leg was made smaller while it waited, and then is heard to work as it was before.
    #[test]
    fn late_news_do_not_undo_a_move() {
        let mut orders = Orders::default();
        orders.hear(order(5, 8, 0), None, 10);
        let modify = Modify {
            account_id: 7,
            order_id: 5,
            size: Some(1),
            limit_price: None,
            stop_price: None,
            trail_price: None,
        };
        orders.moved(&modify, 20);
        let mut works = order(5, 1, 0);
        works.stop_price = Some(mes_projectx::wire::Decimal::of_ticks(27_000));
        orders.hear(works.clone(), None, 30);
        let known = orders.get(5).expect("known");
        assert_eq!((known.rest(), known.order.stop_price), (1, works.stop_price));
        // What was asked for after the move is believed.
        works.size = 4;
        orders.hear(works, Some(40), 50);
        assert_eq!(orders.get(5).map(Known::rest), Some(4));
    }
}
