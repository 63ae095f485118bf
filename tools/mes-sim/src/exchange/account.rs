//! An account: its cash, its positions, and what the firm holds against it.

use std::{collections::HashSet, sync::Arc};

use mes_core::{money::Cents, time::Ts};

use super::{instrument::Instrument, position::Position, settings::AccountSettings};

/// Why an account may not trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Until the next trading day: a limit of the day was reached.
    Day,
    /// For good: the loss limit was reached.
    Dead,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    pub settings: AccountSettings,
    pub balance: Cents,
    /// The highest balance at the end of a day.
    pub highest: Cents,
    /// The balance at which the day began.
    pub day_start: Cents,
    pub day_fills: i64,
    pub lock: Option<Lock>,
    /// What its closed contracts made, and what its fills cost.
    pub gross: Cents,
    pub costs: Cents,
    pub positions: Vec<Position>,
    /// Every tag that was ever used.
    pub tags: HashSet<Arc<str>>,
    /// Orders it ever had.
    pub orders: usize,
}

/// What the service tells of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    pub id: i64,
    pub name: String,
    pub balance: Cents,
    pub can_trade: bool,
}

impl Account {
    /// Opens one.
    pub fn new(settings: AccountSettings) -> Account {
        let balance = settings.balance;
        Account {
            settings,
            balance,
            highest: balance,
            day_start: balance,
            day_fills: 0,
            lock: None,
            gross: Cents::ZERO,
            costs: Cents::ZERO,
            positions: Vec::new(),
            tags: HashSet::new(),
            orders: 0,
        }
    }

    /// Returns what the service tells of it.
    pub fn view(&self) -> AccountView {
        AccountView {
            id: self.settings.id,
            name: self.settings.name.clone(),
            balance: self.balance,
            can_trade: self.lock.is_none(),
        }
    }

    /// Returns the position in a contract, if one is open.
    pub fn position(&self, instrument: Instrument) -> Option<&Position> {
        self.positions.iter().find(|position| position.instrument == instrument)
    }

    /// Counts contracts of a position, negative when short.
    pub fn net(&self, instrument: Instrument) -> i64 {
        self.position(instrument).map_or(0, Position::net)
    }

    /// Returns the position in a contract, one without contracts where there is none.
    pub fn position_or_none(
        &mut self,
        instrument: Instrument,
        id: impl FnOnce() -> i64,
        now: Ts,
    ) -> &mut Position {
        let place = self.positions.iter().position(|position| position.instrument == instrument);
        let place = place.unwrap_or_else(|| {
            self.positions.push(Position::none(id(), instrument, now));
            self.positions.len() - 1
        });
        &mut self.positions[place]
    }

    /// Returns the balance at which the account ends: it follows the highest end of a day and stops where it began.
    pub fn floor(&self) -> Option<Cents> {
        let limit = self.settings.max_loss?;
        let begun = self.settings.balance;
        Some(begun.min(begun - limit + (self.highest - begun).max(Cents::ZERO)))
    }

    /// Begins a trading day.
    pub fn begin_day(&mut self) {
        self.highest = self.highest.max(self.balance);
        self.day_start = self.balance;
        self.day_fills = 0;
        if self.lock == Some(Lock::Day) {
            self.lock = None;
        }
    }

    /// Returns the limit that an equity breaks, if one.
    pub fn broken(&self, equity: Cents) -> Option<Lock> {
        let lost = self.day_start - equity;
        let over = |limit: Option<Cents>| limit.is_some_and(|limit| lost >= limit);
        if self.floor().is_some_and(|floor| equity <= floor) {
            Some(Lock::Dead)
        } else if over(self.settings.daily_loss) || over(self.settings.own_loss) {
            Some(Lock::Day)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Article 8284204: 50K, limit of 2,000.
    #[test]
    fn the_floor_trails_the_highest_end_of_a_day_and_stops_where_the_account_began() {
        let mut account = Account::new(AccountSettings {
            balance: Cents(5_000_000),
            max_loss: Some(Cents(200_000)),
            ..AccountSettings::default()
        });
        assert_eq!(account.floor(), Some(Cents(4_800_000)));
        for (balance, floor) in [(5_100_000, 4_900_000), (5_050_000, 4_900_000), (5_300_000, 5_000_000)] {
            account.balance = Cents(balance);
            account.begin_day();
            assert_eq!(account.floor(), Some(Cents(floor)));
        }
        assert_eq!(account.broken(Cents(5_000_000)), Some(Lock::Dead));
        assert_eq!(account.broken(Cents(5_000_001)), None);
        account.settings.daily_loss = Some(Cents(100_000));
        assert_eq!(account.broken(Cents(5_200_000)), Some(Lock::Day));
    }
}
