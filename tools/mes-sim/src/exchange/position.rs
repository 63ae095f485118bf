//! A position: lots in the order in which they were opened. What is closed are the oldest ones first, so that a profit is
//! always whole cents and each entry is known to be closed or not.

use std::collections::VecDeque;

use mes_core::{money::Cents, order::Side, time::Ts};

use super::instrument::Instrument;

/// Contracts opened by one fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The order that opened them.
    pub order: i64,
    pub size: i64,
    /// In ticks.
    pub price: i64,
}

/// All that is open in one contract, on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub id: i64,
    pub instrument: Instrument,
    pub created: Ts,
    /// Of the one who opened it.
    pub side: Side,
    pub lots: VecDeque<Lot>,
}

/// What became of a fill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Contracts that it closed, and their profit before costs.
    pub closed: i64,
    pub profit: Cents,
    /// Contracts that it opened.
    pub opened: i64,
    /// Orders whose lots it closed to the last.
    pub exited: Vec<i64>,
}

impl Position {
    /// Makes one without contracts.
    pub fn none(id: i64, instrument: Instrument, created: Ts) -> Position {
        Position { id, instrument, created, side: Side::Buy, lots: VecDeque::new() }
    }

    /// Counts contracts, never negative.
    pub fn size(&self) -> i64 {
        self.lots.iter().map(|lot| lot.size).sum()
    }

    /// Counts contracts, negative when short.
    pub fn net(&self) -> i64 {
        self.side.sign() * self.size()
    }

    /// Returns Σ price × contracts, in ticks.
    pub fn paid(&self) -> i64 {
        self.lots.iter().map(|lot| lot.size * lot.price).sum()
    }

    /// Returns the profit at a price, before costs.
    pub fn open_profit(&self, price: i64) -> Cents {
        let ticks = self.side.sign() * (self.size() * price - self.paid());
        self.instrument.contract.tick_value() * ticks
    }

    /// Takes a fill in: what lies against the position closes, the rest opens.
    pub fn book(&mut self, order: i64, side: Side, size: i64, price: i64) -> Booked {
        let mut booked = Booked::default();
        let mut ticks = 0;
        while side == self.side.opposite()
            && booked.closed < size
            && let Some(lot) = self.lots.front_mut()
        {
            let taken = lot.size.min(size - booked.closed);
            ticks += self.side.sign() * taken * (price - lot.price);
            booked.closed += taken;
            lot.size -= taken;
            if lot.size == 0 {
                let emptied = lot.order;
                self.lots.pop_front();
                if self.lots.iter().all(|lot| lot.order != emptied) {
                    booked.exited.push(emptied);
                }
            }
        }
        booked.profit = self.instrument.contract.tick_value() * ticks;
        booked.opened = size - booked.closed;
        if booked.opened > 0 {
            self.side = side;
            self.lots.push_back(Lot { order, size: booked.opened, price });
        }
        booked
    }
}

#[cfg(test)]
mod tests {
    use mes_core::contract::{Contract, Expiry};

    use super::*;

    fn flat() -> Position {
        let expiry = Expiry { year: 2026, month: 12 };
        Position::none(1, Instrument { contract: Contract::Mes, expiry }, 0)
    }

    #[test]
    fn the_oldest_lot_closes_first_and_a_reversal_opens_the_rest() {
        let mut position = flat();
        position.book(1, Side::Buy, 1, 20_000);
        position.book(2, Side::Buy, 1, 20_010);
        assert_eq!((position.net(), position.paid()), (2, 40_010));
        assert_eq!(position.open_profit(20_010), Cents(1250));
        let booked = position.book(3, Side::Sell, 1, 20_004);
        assert_eq!(booked, Booked { closed: 1, profit: Cents(500), opened: 0, exited: vec![1] });
        let booked = position.book(4, Side::Sell, 3, 20_004);
        assert_eq!(booked, Booked { closed: 1, profit: Cents(-750), opened: 2, exited: vec![2] });
        assert_eq!((position.net(), position.side), (-2, Side::Sell));
        assert_eq!(position.open_profit(20_000), Cents(1000));
    }
}
