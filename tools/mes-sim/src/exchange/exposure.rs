//! How large an account may become: what is open, what works and what is asked for, over all contracts.

use mes_core::order::Side;

use super::{
    Exchange, Place,
    account::Account,
    instrument::Instrument,
    order::Order,
    refusal::{Call, Refusal, Why},
};

impl Exchange {
    /// Counts contracts of orders that are to be filled yet on one side of a contract. Legs do not count: they end with the
    /// position they belong to.
    fn waiting(&self, account: i64, instrument: Instrument, side: Side) -> i64 {
        let alive = self.alive.iter().filter_map(|id| self.orders.get(id));
        let ours = alive.filter(|order| {
            (order.account, order.instrument, order.side) == (account, instrument, side) && !order.is_leg()
        });
        ours.map(Order::left).sum()
    }

    /// Counts contracts of a position, were all that waits on one side of it filled; negative on the other side.
    fn all_filled(&self, account: &Account, instrument: Instrument, side: Side) -> i64 {
        account.net(instrument) * side.sign() + self.waiting(account.settings.id, instrument, side)
    }

    /// Counts contracts in all other contracts, each as large as it could become.
    fn elsewhere(&self, account: &Account, instrument: Instrument) -> i64 {
        let others = self.markets.iter().map(|market| market.instrument).filter(|other| *other != instrument);
        let most = others.map(|other| {
            let sides = [Side::Buy, Side::Sell].map(|side| self.all_filled(account, other, side));
            sides[0].max(sides[1])
        });
        most.sum()
    }

    /// Checks what an order would come to, were all that works on its side filled.
    ///
    /// An exit has room for what it closes once more: a stop, a target and a close may wait side by side, whatever the
    /// maximum. Without that bound exits at rest could be piled up to any position on the other side.
    pub(super) fn check_size(
        &self,
        instrument: Instrument,
        place: &Place,
        exits: bool,
    ) -> Result<(), Refusal> {
        let call = Call::Place;
        let account = &self.accounts[&place.account];
        let here = self.all_filled(account, instrument, place.side).saturating_add(place.size);
        if exits {
            let room = account.settings.most.saturating_add(account.net(instrument).abs());
            return if here > room { Err(too_large(call, account)) } else { Ok(()) };
        }
        let total = here.saturating_add(self.elsewhere(account, instrument));
        if total > account.settings.most {
            return Err(too_large(call, account));
        }
        let margin = account.settings.margin.map(|margin| margin * total.max(0));
        if self.conditions.no_funds || margin.is_some_and(|margin| margin > self.equity(account)) {
            return Err(call.refuse(Why::Funds));
        }
        Ok(())
    }

    /// Checks that an order may have another size; one that shrinks always may. A leg by itself may be as large as an account.
    pub(super) fn check_growth(&self, order: &Order, size: i64) -> Result<(), Refusal> {
        let account = &self.accounts[&order.account];
        if size <= order.size {
            return Ok(());
        }
        let total = if order.is_leg() {
            size
        } else {
            let others = self.all_filled(account, order.instrument, order.side) - order.left();
            let elsewhere = self.elsewhere(account, order.instrument);
            others.saturating_add(elsewhere).saturating_add(size - order.filled)
        };
        if total > account.settings.most { Err(too_large(Call::Modify, account)) } else { Ok(()) }
    }
}

fn too_large(call: Call, account: &Account) -> Refusal {
    let most = account.settings.most;
    call.because(Why::Invalid, format!("Order exceeds the maximum position size of {most}."))
}
