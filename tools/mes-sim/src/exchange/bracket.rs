//! Brackets: the legs of an entry, which wait for its fill, and those that the platform attaches by itself.

use std::sync::Arc;

use super::{
    Exchange, Place,
    agenda::Happening,
    order::{Kind, Order, Role, Status},
    place::{Bracket, STOP_SUFFIX, TARGET_SUFFIX},
    settings::{AfterPartial, Mode},
};

impl Exchange {
    /// Makes the legs that an entry is placed with and returns their ids, the stop's first.
    pub(super) fn suspend_legs(&mut self, entry: &mut Order, place: &Place) -> Vec<i64> {
        let trails = place.stop_loss.is_some_and(|leg| leg.kind == Kind::TrailingStop as i64);
        let stop = if trails { Kind::TrailingStop } else { Kind::Stop };
        let wanted = [(place.stop_loss, stop, STOP_SUFFIX), (place.take_profit, Kind::Limit, TARGET_SUFFIX)];
        let mut legs = Vec::new();
        for (bracket, kind, suffix) in wanted {
            let Some(Bracket { ticks, .. }) = bracket else { continue };
            let id = self.next_id();
            let tag = entry.tag.as_ref().map(|tag| Arc::from(format!("{tag}{suffix}")));
            self.use_tag(entry.account, tag.clone());
            let role = Role::Leg { parent: entry.id, ticks, sibling: None };
            legs.push(Order {
                id,
                status: Status::Suspended,
                kind,
                side: entry.side.opposite(),
                limit: None,
                stop: None,
                trail: None,
                tag,
                role,
                ..entry.clone()
            });
        }
        let ids: Vec<i64> = legs.iter().map(|leg| leg.id).collect();
        let of = |kind| legs.iter().find(|leg| leg.kind == kind).map(|leg| leg.id);
        if !ids.is_empty() {
            entry.role = Role::Entry { stop: of(stop), target: of(Kind::Limit) };
        }
        let siblings = [of(Kind::Limit), of(stop)];
        for mut leg in legs {
            if let Role::Leg { sibling, .. } = &mut leg.role {
                *sibling = siblings[usize::from(leg.kind == Kind::Limit)];
            }
            self.keep(leg);
        }
        ids
    }

    fn legs(&self, entry: i64) -> Vec<i64> {
        match self.orders.get(&entry).map(|order| order.role) {
            // The target is heard of first.
            Some(Role::Entry { stop, target }) => target.into_iter().chain(stop).collect(),
            _ => Vec::new(),
        }
    }

    /// The legs of a filled entry begin to work, for what is filled of it; what already works grows with it.
    pub(super) fn activate(&mut self, entry: i64) {
        let Some(filled) = self.orders.get(&entry).filter(|order| order.filled > 0).cloned() else { return };
        let price = (filled.paid + filled.filled / 2).div_euclid(filled.filled);
        for id in self.legs(entry) {
            let Some(leg) = self.orders.get_mut(&id) else { continue };
            let Role::Leg { ticks, .. } = leg.role else { continue };
            match leg.status {
                Status::Suspended => {
                    leg.size = filled.filled;
                    match leg.kind {
                        Kind::Limit => leg.limit = Some(price + ticks),
                        _ => leg.stop = Some(price + ticks),
                    }
                    if leg.kind == Kind::TrailingStop {
                        leg.trail = Some(ticks.abs());
                    }
                    self.work(id);
                    self.match_one(id);
                }
                Status::Open if leg.size < filled.filled => {
                    leg.size = filled.filled;
                    self.tell_order(id);
                }
                _ => {}
            }
        }
    }

    /// Ends the legs of an entry that never filled.
    pub(super) fn end_suspended(&mut self, entry: i64) {
        for id in self.legs(entry) {
            if self.orders.get(&id).is_some_and(|leg| leg.status == Status::Suspended) {
                self.cancel_order(id);
            }
        }
    }

    /// After a leg's fill the other one goes, or shrinks to what is left of it.
    pub(super) fn cancel_sibling(&mut self, id: i64) {
        let Some(leg) = self.orders.get(&id) else { return };
        let Role::Leg { sibling: Some(sibling), .. } = leg.role else { return };
        let (left, done) = (leg.left(), leg.status == Status::Filled);
        let Some(other) = self.orders.get_mut(&sibling).filter(|order| !order.status.is_final()) else {
            return;
        };
        if done {
            self.cancel_order(sibling);
        } else if other.left() > left {
            other.size = other.filled + left;
            self.tell_order(sibling);
        }
    }

    /// Fills the other leg as well, which can happen before it is cancelled.
    pub(super) fn fill_sibling(&mut self, id: i64) {
        let Some(leg) = self.orders.get(&id).filter(|order| order.status == Status::Open) else { return };
        let Some(price) = leg.limit.or(leg.stop) else { return };
        let left = leg.left();
        self.fill(id, left, price);
    }

    /// Does to resting legs what is done when another order has closed a part of the position.
    pub(super) fn after_partial(&mut self, order: &Order, exited: &[i64]) {
        let Some(account) = self.accounts.get(&order.account) else { return };
        let legs: Vec<i64> = match self.conditions.after_partial.unwrap_or(account.settings.after_partial) {
            AfterPartial::Left => Vec::new(),
            AfterPartial::Exited => exited.iter().flat_map(|entry| self.legs(*entry)).collect(),
            AfterPartial::Group => {
                let ours = |leg: &&Order| leg.account == order.account && leg.instrument == order.instrument;
                let alive = self.alive.iter().filter_map(|id| self.orders.get(id)).filter(ours);
                alive.filter(|leg| leg.parent().is_some()).map(|leg| leg.id).collect()
            }
        };
        legs.into_iter().for_each(|leg| self.cancel_order(leg));
    }

    /// In the platform's own mode a fill makes it look at the brackets of the position.
    pub(super) fn attach_later(&mut self, order: &Order) {
        let Some(account) = self.accounts.get(&order.account) else { return };
        if account.settings.mode == Mode::PositionBrackets && account.settings.attached.is_some() {
            let due = self.now + self.settings.timings.bracket.draw(&mut self.draw);
            self.agenda.put(due, Happening::Attach { order: order.id });
        }
    }

    /// Makes one pair of legs, without tags, for the whole of a position, in place of those before.
    pub(super) fn attach(&mut self, order: i64) {
        let Some(order) = self.orders.get(&order).cloned() else { return };
        let ours = |other: &&Order| {
            other.account == order.account
                && other.instrument == order.instrument
                && other.role == Role::Attached
        };
        let alive = self.alive.iter().filter_map(|id| self.orders.get(id)).filter(ours);
        let before: Vec<i64> = alive.map(|order| order.id).collect();
        before.into_iter().for_each(|id| self.cancel_order(id));
        let Some(account) = self.accounts.get(&order.account) else { return };
        let (Some((stop, target)), Some(position)) =
            (account.settings.attached, account.position(order.instrument))
        else {
            return;
        };
        let (side, size) = (position.side, position.size());
        let (price, way) = ((position.paid() + size / 2).div_euclid(size), side.sign());
        for (kind, level) in [(Kind::Stop, price - way * stop), (Kind::Limit, price + way * target)] {
            let id = self.next_id();
            let leg = Order {
                id,
                created: self.now,
                updated: self.now,
                status: Status::Open,
                kind,
                side: side.opposite(),
                size,
                limit: (kind == Kind::Limit).then_some(level),
                stop: (kind == Kind::Stop).then_some(level),
                trail: None,
                filled: 0,
                paid: 0,
                tag: None,
                role: Role::Attached,
                ..order.clone()
            };
            self.keep(leg);
            self.work(id);
            self.match_one(id);
        }
    }
}
