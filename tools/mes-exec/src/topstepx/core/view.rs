//! The account in a statement.

use mes_core::{
    order::Side,
    price::Price,
    statement::{Barred, Connection, Progress, Protection, Role, Statement, Working},
    time::Ts,
};

use super::Core;
use crate::topstepx::{orders::Owner, tag::Part};

impl Core {
    /// Says what the account is as of a row, and what happened since the statement before.
    pub fn statement(&mut self, ts: Ts, close: Price) -> Statement {
        let told_at = self.now.utc;
        let sure = self.up && self.is_sure();
        Statement {
            ts,
            told_at: Some(told_at),
            known_as_of: if sure { Some(told_at) } else { Some(self.looks.agreed_utc().unwrap_or(0)) },
            seen: self.seen,
            position: self.told.position,
            entry_price: self.told.entry_price(),
            balance_cents: self.told.balance,
            equity_cents: self.told.equity(close, self.setup.tick_value, self.setup.side_cost),
            working: self.working(),
            fills: std::mem::take(&mut self.told.fills),
            refused: std::mem::take(&mut self.refusals),
            adjusted_cents: std::mem::take(&mut self.told.adjusted),
            locked: false,
            protection: self.protection(),
            connection: if self.up { Connection::Up } else { Connection::Lost },
            barred: self.barred(sure),
        }
    }

    fn barred(&self, sure: bool) -> Option<Barred> {
        if !self.can_trade {
            Some(Barred::Broker)
        } else if self.is_shared() {
            Some(Barred::Outside)
        } else {
            (!sure).then_some(Barred::Reconcile)
        }
    }

    /// Lists what works: the entry under way, legs, the exit.
    pub fn working(&self) -> Vec<Working> {
        let mut working = Vec::new();
        if let Some(entry) = &self.entry {
            let price = entry.limit().map(|limit| limit.price);
            let state = match () {
                () if entry.is_unknown() => Progress::Unknown,
                () if entry.is_sent() => Progress::Sent,
                () => Progress::Working,
            };
            let filled = entry.id().map_or(0, |id| self.orders.filled_of(id));
            let order = Working::new(entry.order, Role::Entry, entry.side, entry.contracts(), price);
            working.push(Working { state, filled, ..order });
        }
        for known in self.orders.alive() {
            let (order, role) = match known.owner {
                Owner::Ours { order, part: Part::Stop } => (order, Role::Stop),
                Owner::Ours { order, part: Part::Target } => (order, Role::Target),
                _ => continue,
            };
            // A leg that waits for its entry works on nothing yet.
            let Some(price) = known.price() else { continue };
            working.push(Working::new(order, role, known.side(), known.rest(), Some(price)));
        }
        if let Some(closing) = &self.closing {
            let (side, contracts) = (self.told.side().opposite(), self.told.position.abs().max(1));
            working.push(Working::new(closing.order, Role::Exit, side, contracts, None));
        }
        working
    }

    fn protection(&self) -> Option<Protection> {
        let trade = self.trade.as_ref().filter(|_| self.told.position != 0)?;
        if let Some(since) = trade.bare {
            return Some(Protection::None { since: self.now.utc - (self.now.steady - since) });
        }
        let side = Side::of(self.told.position).opposite();
        let own = self.orders.alive().any(|known| {
            known.is(Part::Stop) && known.side() == side && known.order.parent_order_id.is_none()
        });
        Some(if own { Protection::Own } else { Protection::Native })
    }
}
