//! What can be asked of the exchange. Nothing here changes it.

use mes_core::time::Ts;

use super::{
    Exchange,
    account::{Account, AccountView},
    bars::{Bar, Length},
    event::{PositionView, Trade},
    instrument::Instrument,
    market::Market,
    order::{Order, Status},
    position::Position,
};

/// A contract as it is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractView {
    pub instrument: Instrument,
    pub active: bool,
}

/// Which orders are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// The numbers of statuses; all without any.
    pub statuses: Option<Vec<i64>>,
    pub created_from: Option<Ts>,
    pub created_until: Option<Ts>,
}

impl OrderFilter {
    fn takes(&self, order: &Order) -> bool {
        let status = order.status as i64;
        self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&status))
            && self.created_from.is_none_or(|from| order.created >= from)
            && self.created_until.is_none_or(|until| order.created <= until)
    }
}

impl Exchange {
    /// Lists accounts; only those that may trade where that is asked for.
    pub fn accounts(&self, active: bool) -> Vec<AccountView> {
        let all = self.accounts.values().map(Account::view);
        all.filter(|account| !active || account.can_trade).collect()
    }

    /// Returns an account with all that the exchange holds about it.
    pub fn account(&self, id: i64) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Lists the contracts that are known, the last one first.
    pub fn contracts(&self) -> Vec<ContractView> {
        let view = |market: &Market| {
            let instrument = market.instrument;
            ContractView { instrument, active: self.is_active(instrument) }
        };
        self.markets.iter().rev().map(view).collect()
    }

    /// Returns the market of a contract.
    pub fn market_by_id(&self, contract: &str) -> Option<&Market> {
        self.markets.iter().find(|market| market.instrument.id() == contract)
    }

    /// Returns the bars of a contract that begin within a span, the newest first.
    pub fn bars(
        &mut self,
        contract: &str,
        span: [Ts; 2],
        length: Length,
        most: usize,
        partial: bool,
    ) -> Option<Vec<Bar>> {
        let day_begins = self.hours.day(self.now).map_or(0, |day| day.open);
        let running = (!partial).then_some(self.now);
        let market = self.market_by_id(contract)?;
        Some(market.bars.within(span, length, most, running, day_begins))
    }

    /// Returns an order of an account.
    pub fn order(&self, account: i64, id: i64) -> Option<&Order> {
        self.orders.get(&id).filter(|order| order.account == account)
    }

    /// Lists the orders of an account that a filter takes, by id.
    pub fn orders<'a>(
        &'a self,
        account: i64,
        filter: &'a OrderFilter,
    ) -> impl DoubleEndedIterator<Item = &'a Order> {
        let ours = move |order: &&Order| order.account == account && filter.takes(order);
        self.orders.values().filter(ours)
    }

    /// Lists the orders of an account that something may become of yet.
    pub fn alive(&self, account: i64) -> impl Iterator<Item = &Order> {
        let alive = self.alive.iter().filter_map(|id| self.orders.get(id));
        alive.filter(move |order| order.account == account)
    }

    /// Lists the orders of an account that work: legs that wait for their entry are not among them.
    pub fn open_orders(&self, account: i64) -> impl Iterator<Item = &Order> {
        self.alive(account).filter(|order| order.status == Status::Open)
    }

    /// Lists the open positions of an account.
    pub fn positions(&self, account: i64) -> Vec<PositionView> {
        let view = |position: &Position| PositionView {
            id: position.id,
            account,
            instrument: position.instrument,
            created: position.created,
            side: position.side,
            size: position.size(),
            paid: position.paid(),
            contracts: position.size(),
        };
        self.accounts
            .get(&account)
            .into_iter()
            .flat_map(|account| account.positions.iter().map(view))
            .collect()
    }

    /// Lists the fills of an account within a span, the newest first.
    pub fn trades(&self, account: i64, from: Ts, until: Option<Ts>) -> impl Iterator<Item = &Trade> {
        let begin = self.trades.partition_point(|trade| trade.ts < from);
        let end =
            until.map_or(self.trades.len(), |until| self.trades.partition_point(|trade| trade.ts <= until));
        let within = self.trades.get(begin..end.max(begin)).unwrap_or_default();
        within.iter().rev().filter(move |trade| trade.account == account)
    }
}
