//! What a fill does: the order, the position, the cash, and what follows from it.

use mes_core::money::Cents;

use super::{
    Exchange, FIRST_TRADE,
    account::Account,
    agenda::Happening,
    event::{Event, PositionView, Trade},
    order::{Order, Role, Status},
    position::Booked,
};

impl Exchange {
    /// Fills so many contracts of an order at a price.
    pub(super) fn fill(&mut self, id: i64, size: i64, price: i64) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        order.filled += size;
        order.paid += size * price;
        let status = if order.left() == 0 { Status::Filled } else { Status::Open };
        self.set_status(id, status);
        let Some(order) = self.orders.get(&id).cloned() else { return };
        let (positions, booked) = self.book(&order, size, price);
        let trades = self.record(&order, size, price, &booked);
        // The streams of the service know no order among themselves.
        let order_first = self.draw.below(2) == 0;
        if order_first {
            self.tell(Event::Order(order.clone()));
        }
        trades.into_iter().for_each(|trade| self.tell(Event::Trade(trade)));
        if !order_first {
            self.tell(Event::Order(order.clone()));
        }
        positions.into_iter().for_each(|position| self.tell(Event::Position(position)));
        self.tell_account(order.account);
        self.follow(&order, &booked);
        self.check_losses();
    }

    /// Books contracts, and returns the positions that changed: two where one turned around.
    fn book(&mut self, order: &Order, size: i64, price: i64) -> (Vec<PositionView>, Booked) {
        let (now, id) = (self.now, self.last_position + 1);
        let Some(account) = self.accounts.get_mut(&order.account) else {
            unreachable!("an order is of an account")
        };
        let position = account.position_or_none(order.instrument, || id, now);
        let (paid, contracts) = (position.paid(), position.size());
        let before = PositionView {
            id: position.id,
            account: order.account,
            instrument: order.instrument,
            created: position.created,
            side: position.side,
            size: 0,
            paid,
            contracts,
        };
        let booked = position.book(order.id, order.side, size, price);
        // A position that turned around is another one: that before is closed.
        let turned = contracts > 0 && booked.closed == contracts && booked.opened > 0;
        if turned {
            (position.id, position.created) = (id, now);
        }
        let open = position.size();
        let view = PositionView {
            id: position.id,
            created: position.created,
            side: position.side,
            size: open,
            paid: if open == 0 { paid } else { position.paid() },
            contracts: if open == 0 { contracts } else { open },
            ..before.clone()
        };
        self.last_position = self.last_position.max(view.id);
        account.positions.retain(|position| !position.lots.is_empty());
        account.day_fills += 1;
        (turned.then_some(before).into_iter().chain([view]).collect(), booked)
    }

    /// Books cash and keeps the trades of a fill.
    fn record(&mut self, order: &Order, size: i64, price: i64, booked: &Booked) -> Vec<Trade> {
        let (fee, commission) = (self.settings.fee, self.settings.commission);
        if let Some(account) = self.accounts.get_mut(&order.account) {
            let costs = (fee + commission) * size;
            account.gross += booked.profit;
            account.costs += costs;
            account.balance += booked.profit - costs;
        }
        let parts = [(booked.closed, Some(booked.profit)), (booked.opened, None)];
        let mut trades = Vec::new();
        for (size, profit) in parts.into_iter().filter(|(size, _)| *size > 0) {
            let trade = Trade {
                id: FIRST_TRADE + self.trades.len() as i64,
                account: order.account,
                instrument: order.instrument,
                ts: self.now,
                price,
                profit,
                fees: fee * size,
                commissions: commission * size,
                side: order.side,
                size,
                order: order.id,
            };
            self.trades.push(trade.clone());
            trades.push(trade);
        }
        trades
    }

    /// Sets going what follows from a fill.
    fn follow(&mut self, order: &Order, booked: &Booked) {
        let timings = self.settings.timings;
        match order.role {
            Role::Entry { .. } => {
                let due = self.now + timings.bracket.draw(&mut self.draw);
                self.agenda.put(due, Happening::Activate { entry: order.id });
            }
            Role::Leg { sibling: Some(sibling), .. } => {
                let due = self.now + timings.sibling.draw(&mut self.draw);
                self.agenda.put(due, Happening::CancelSibling { leg: order.id });
                if self.conditions.both_legs {
                    self.fill_sibling(sibling);
                }
            }
            Role::Plain | Role::Leg { .. } | Role::Close | Role::House | Role::Attached => {}
        }
        let net = self.accounts.get(&order.account).map_or(0, |account| account.net(order.instrument));
        let partly = booked.closed > 0 && booked.opened == 0 && net != 0;
        if partly && !order.is_leg() {
            self.after_partial(order, &booked.exited);
        }
        self.attach_later(order);
    }

    /// Returns what an account would have, were everything closed at the quote.
    pub(super) fn equity(&self, account: &Account) -> Cents {
        let open = account.positions.iter().map(|position| {
            let mark = self.market_of(position.instrument).and_then(|market| market.mark(position.side));
            mark.map_or(Cents::ZERO, |mark| position.open_profit(mark))
        });
        account.balance + open.sum()
    }
}
