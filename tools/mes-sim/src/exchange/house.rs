//! What the firm does by itself: the day's end, the limits of a loss, and what a person of the firm, or the trader by hand,
//! does from outside.

use mes_core::order::Side;

use super::{
    Exchange, account::Lock, agenda::Happening, event::Event, hours::Hours, instrument::Instrument,
    order::Role,
};

/// Contracts that an order by hand may have.
const MOST_BY_HAND: i64 = 100_000;

impl Exchange {
    /// Looks whether a day has begun or has to end.
    pub(super) fn look_after(&mut self) {
        self.next_look = self.hours.next_look(self.now);
        let day = self.hours.day(self.now).filter(|day| (day.open..day.close).contains(&self.now));
        if let Some(day) = day
            && self.day != Some(day.label)
        {
            self.day = Some(day.label);
            self.markets.iter_mut().for_each(|market| market.begin_session());
            let ids: Vec<i64> = self.accounts.keys().copied().collect();
            for id in ids {
                let Some(account) = self.accounts.get_mut(&id) else { continue };
                let locked = account.lock;
                account.begin_day();
                if account.lock != locked {
                    self.tell_account(id);
                }
            }
        }
        if self.hours.must_be_flat(self.now) {
            let ids: Vec<i64> = self.accounts.keys().copied().collect();
            ids.into_iter().for_each(|id| self.flatten(id, "flat by the end of the firm's day"));
        }
    }

    /// Cancels and closes all of an account. Where there is nothing, nothing is said.
    pub fn flatten(&mut self, account: i64, why: &'static str) {
        let ours = |id: &&i64| self.orders.get(*id).is_some_and(|order| order.account == account);
        let alive: Vec<i64> = self.alive.iter().filter(ours).copied().collect();
        let open = self.accounts.get(&account).is_some_and(|account| !account.positions.is_empty());
        if alive.is_empty() && !open {
            return;
        }
        self.tell(Event::House { account, what: why });
        alive.into_iter().for_each(|id| self.cancel_order(id));
        self.close_all(account);
    }

    /// Flattens an account and lets it trade no more, until the next day or for good.
    pub fn lock(&mut self, id: i64, lock: Lock, why: &'static str) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        // What was for good stays so.
        if account.lock != Some(Lock::Dead) {
            account.lock = Some(lock);
        }
        self.tell(Event::House { account: id, what: why });
        self.tell_account(id);
        self.flatten(id, why);
    }

    /// Locks the accounts whose equity breaks a limit.
    pub(super) fn check_losses(&mut self) {
        let broken: Vec<(i64, Lock)> = self
            .accounts
            .iter()
            .filter(|(_, account)| account.lock.is_none())
            .filter_map(|(id, account)| Some((*id, account.broken(self.equity(account))?)))
            .collect();
        for (id, lock) in broken {
            let why = match lock {
                Lock::Day => "a loss limit of the day is reached",
                Lock::Dead => "the maximum loss limit is reached",
            };
            self.lock(id, lock, why);
        }
    }

    /// Trades by hand on the platform, as its owner does elsewhere: no tag, no legs.
    pub fn by_hand(&mut self, account: i64, instrument: Instrument, side: Side, size: i64) {
        if !(1..=MOST_BY_HAND).contains(&size) || !self.accounts.contains_key(&account) {
            return;
        }
        self.tell(Event::House { account, what: "an order by hand" });
        let id = self.market_order(account, instrument, side, size, Role::Plain);
        self.tell_order(id);
        let due = self.now + self.settings.timings.market_fill.draw(&mut self.draw);
        self.agenda.put(due, Happening::Enter { order: id });
    }

    /// Returns by when the firm wants the present day to be flat.
    pub fn flat_by(&mut self) -> Option<mes_core::time::Ts> {
        self.hours.day(self.now).map(|day| Hours::flat_by(&day))
    }
}
