//! Which orders the market fills, and at what price.
//!
//! A market order takes the opposite quote. A limit that waits fills at its price when the market trades through it, or the
//! opposite quote comes to it, for then whoever waited there has been served; with `touch` a trade at its price is enough.
//! A stop becomes a market order when its price is traded or quoted.

use mes_core::{order::Side, time::SECOND};

use super::{
    Exchange, Phase,
    agenda::Happening,
    market::{Change, Market},
    order::{Kind, Order, Status},
};

impl Exchange {
    /// Says whether a new order fills at once.
    pub(super) fn is_immediate(&self, order: &Order) -> bool {
        let quote = self.market_of(order.instrument).and_then(|market| self.taken(market, order.side));
        match (order.kind, order.limit, quote) {
            (Kind::Market, ..) => true,
            (Kind::Limit, Some(limit), Some(quote)) => (quote - limit) * order.side.sign() <= 0,
            _ => false,
        }
    }

    fn taken(&self, market: &Market, side: Side) -> Option<i64> {
        market.opposite(side, self.settings.matching.unquoted_slippage)
    }

    /// An order reaches the book.
    pub(super) fn enter(&mut self, id: i64) {
        let phase = self.phase();
        let Some(order) = self.orders.get(&id).filter(|order| order.status == Status::Pending) else {
            return;
        };
        let quote = self.market_of(order.instrument).and_then(|market| self.taken(market, order.side));
        let immediate = self.is_immediate(order);
        match (phase, quote) {
            (Phase::Closed | Phase::Shut, _) => self.refuse_entered(id),
            (Phase::Halted, _) | (_, None) if order.kind == Kind::Market => self.refuse_entered(id),
            (Phase::Open | Phase::Exits, Some(quote)) if immediate => self.fill_by_parts(id, quote),
            _ => {
                self.work(id);
                self.match_one(id);
            }
        }
    }

    /// Rejects what was taken and cannot be had any more; its legs go with it.
    fn refuse_entered(&mut self, id: i64) {
        self.set_status(id, Status::Rejected);
        self.tell_order(id);
        self.end_suspended(id);
    }

    /// Makes an order work.
    pub(super) fn work(&mut self, id: i64) {
        let now = self.now;
        if let Some(order) = self.orders.get_mut(&id) {
            order.updated = now;
        }
        self.set_status(id, Status::Open);
        self.tell_order(id);
    }

    /// Fills what a change of the market fills.
    pub(super) fn match_market(&mut self, place: usize, change: Change) {
        if self.working.is_empty() || change == Change::default() || self.phase() == Phase::Halted {
            return;
        }
        let instrument = self.markets[place].instrument;
        if let Some(print) = change.trade {
            self.trail(place, print.price);
        }
        let due: Vec<(i64, i64)> = self
            .working
            .iter()
            .filter_map(|id| self.orders.get(id))
            .filter(|order| order.instrument == instrument)
            .filter_map(|order| Some((order.id, self.hit(order, &self.markets[place], change)?)))
            .collect();
        for (id, price) in due {
            self.fill_hit(id, price);
        }
    }

    /// Fills an order that has just begun to work, if the market as it is does.
    pub(super) fn match_one(&mut self, id: i64) {
        if self.phase() == Phase::Halted {
            return;
        }
        let Some(order) = self.orders.get(&id).filter(|order| order.status == Status::Open) else { return };
        let Some(market) = self.market_of(order.instrument) else { return };
        let change = Change { bid: market.bid, ask: market.ask, trade: None };
        let stands = match (order.stop, market.last) {
            (Some(stop), Some(last)) => (last - stop) * order.side.sign() >= 0,
            _ => false,
        };
        let price = if stands { self.stop_price(order, market) } else { self.hit(order, market, change) };
        if let Some(price) = price {
            self.fill_hit(id, price);
        }
    }

    fn fill_hit(&mut self, id: i64, price: i64) {
        // What came before it in the same moment may have ended it.
        let Some(order) = self.orders.get(&id).filter(|order| order.status == Status::Open) else { return };
        let slips = matches!(order.kind, Kind::Stop | Kind::TrailingStop);
        let way = order.side.sign();
        let slippage = if slips { self.draw_slippage() } else { 0 };
        self.fill_by_parts(id, price + way * slippage);
    }

    fn draw_slippage(&mut self) -> i64 {
        let (least, most) = self.settings.matching.stop_slippage;
        least + self.draw.below((most - least).max(0) as usize + 1) as i64
    }

    /// Returns the price at which a change of the market fills an order, before slippage.
    fn hit(&self, order: &Order, market: &Market, change: Change) -> Option<i64> {
        let way = order.side.sign();
        let traded = change.trade.map(|print| print.price);
        // The side of the book that the order takes from, and the one it stands on.
        let (takes, stands) = match order.side {
            Side::Buy => (change.ask, change.bid),
            Side::Sell => (change.bid, change.ask),
        };
        // Ticks by which a price lies beyond the order's, in the direction in which it would be bought dearer.
        let beyond = |price: Option<i64>, level: i64| price.map(|price| (price - level) * way);
        match order.kind {
            Kind::Market => None,
            Kind::Limit => {
                let limit = order.limit?;
                let least = if self.settings.matching.touch { 0 } else { -1 };
                let through = beyond(traded, limit).is_some_and(|ticks| ticks <= least);
                let met = beyond(takes, limit).is_some_and(|ticks| ticks <= 0);
                (through || met).then_some(limit)
            }
            Kind::Stop | Kind::TrailingStop => {
                let stop = order.stop?;
                let touched = [traded, stands].into_iter().any(|price| beyond(price, stop) >= Some(0));
                if touched { self.stop_price(order, market) } else { None }
            }
        }
    }

    /// Returns the worse of the stop and the quote it takes.
    fn stop_price(&self, order: &Order, market: &Market) -> Option<i64> {
        let stop = order.stop?;
        let quote = self.taken(market, order.side).unwrap_or(stop);
        Some(if (quote - stop) * order.side.sign() > 0 { quote } else { stop })
    }

    /// Moves trailing stops after a trade.
    fn trail(&mut self, place: usize, price: i64) {
        let instrument = self.markets[place].instrument;
        let mut moved = Vec::new();
        for id in &self.working {
            let Some(order) = self.orders.get_mut(id) else { continue };
            let (Some(stop), Some(trail)) = (order.stop, order.trail) else { continue };
            let level = price + order.side.sign() * trail;
            if order.instrument == instrument && (stop - level) * order.side.sign() > 0 {
                order.stop = Some(level);
                moved.push(*id);
            }
        }
        moved.into_iter().for_each(|id| self.tell_order(id));
    }

    /// Fills an order, in parts where that is the condition.
    pub(super) fn fill_by_parts(&mut self, id: i64, price: i64) {
        let Some(order) = self.orders.get(&id) else { return };
        let net = self.accounts.get(&order.account).map_or(0, |account| account.net(order.instrument));
        let opens = net * order.side.sign() >= 0;
        let Exchange { conditions, settings, .. } = self;
        let parts = settings.matching.parts
            || if opens { conditions.entry_in_parts } else { conditions.exit_in_parts };
        let left = order.left();
        if parts && left > 1 {
            let part = 1 + self.draw.below(left as usize - 1) as i64;
            self.fill(id, part, price);
            // Nothing but its rest fills it from here on.
            self.working.remove(&id);
            let due = self.now + self.settings.timings.part.draw(&mut self.draw);
            self.agenda.put(due, Happening::Rest { order: id });
        } else {
            self.fill(id, left, price);
        }
    }

    /// Fills what is left of an order that fills in parts; while the market stands still, or without a price, it waits.
    pub(super) fn fill_rest(&mut self, id: i64) {
        let halted = self.phase() == Phase::Halted;
        let Some(order) = self.orders.get(&id).filter(|order| order.status == Status::Open) else { return };
        let quote = self.market_of(order.instrument).and_then(|market| self.taken(market, order.side));
        let price = if order.kind == Kind::Limit { order.limit } else { quote };
        match price.filter(|_| !halted) {
            Some(price) => self.fill_by_parts(id, price),
            None => self.agenda.put(self.now + SECOND, Happening::Rest { order: id }),
        }
    }
}
