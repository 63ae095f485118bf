//! The exchange itself, pure: no network, no thread, no clock. It is told what time it is and what came, and says what
//! happened. The same seed and the same calls give the same events, so thousands of days run in a test.
//!
//! It matches by rules of its own, not those of the paper account: one mistake must not confirm itself.

pub mod account;
pub mod agenda;
pub mod bars;
mod bracket;
mod change;
mod close;
pub mod event;
mod exposure;
mod fill;
mod hours;
mod house;
pub mod instrument;
mod look;
pub mod market;
mod matcher;
pub mod order;
mod place;
pub mod position;
pub mod refusal;
pub mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mes_core::{calendar::Calendar, dice::Draw, tick::Tick, time::Ts};

pub use self::{
    change::Modify,
    hours::Phase,
    look::{ContractView, OrderFilter},
    place::{Bracket, Place},
};
use account::Account;
use agenda::{Agenda, Happening};
use event::{Event, Told, Trade};
use hours::Hours;
use instrument::Instrument;
use market::Market;
use order::{Order, Status};
use settings::{AccountSettings, AfterPartial, Settings};

/// The latest instant there is, in the year 2116: from there to the end of numbers nothing overflows.
const LAST_INSTANT: Ts = Ts::MAX / 2;
/// Ids begin where those of the captures were.
const FIRST_ORDER: i64 = 3_425_270_000;
const FIRST_TRADE: i64 = 3_004_518_000;
const FIRST_POSITION: i64 = 825_245_000;

/// What is out of the ordinary now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Orders that open, or close, fill in parts.
    pub entry_in_parts: bool,
    pub exit_in_parts: bool,
    /// Once a leg fills, the other one does too.
    pub both_legs: bool,
    /// In place of what the account is set to.
    pub after_partial: Option<AfterPartial>,
    /// The market stands still: nothing fills and nothing is taken.
    pub halted: bool,
    /// No account has the equity for another contract.
    pub no_funds: bool,
    /// Brackets are refused as if the account were in the platform's own mode.
    pub no_brackets: bool,
}

/// The exchange.
pub struct Exchange {
    pub conditions: Conditions,
    settings: Settings,
    hours: Hours,
    draw: Draw,
    now: Ts,
    next_look: Ts,
    accounts: BTreeMap<i64, Account>,
    orders: BTreeMap<i64, Order>,
    /// Those of which something may become yet, and of these those that the market may fill.
    alive: BTreeSet<i64>,
    working: BTreeSet<i64>,
    trades: Vec<Trade>,
    markets: Vec<Market>,
    agenda: Agenda,
    told: Vec<Told>,
    last_order: i64,
    last_position: i64,
    /// The label of the trading day, to know when another begins.
    day: Option<chrono::NaiveDate>,
}

impl Exchange {
    /// Opens an exchange at an instant.
    pub fn new(settings: Settings, accounts: Vec<AccountSettings>, calendar: Calendar, now: Ts) -> Exchange {
        let hours = Hours::new(calendar, settings.hours, settings.no_entries, settings.flattens);
        Exchange {
            conditions: Conditions::default(),
            hours,
            draw: Draw::new(settings.seed, 0x5134),
            now: now.min(LAST_INSTANT),
            next_look: now.min(LAST_INSTANT),
            accounts: accounts.into_iter().map(|account| (account.id, Account::new(account))).collect(),
            orders: BTreeMap::new(),
            alive: BTreeSet::new(),
            working: BTreeSet::new(),
            trades: Vec::new(),
            markets: Vec::new(),
            agenda: Agenda::default(),
            told: Vec::new(),
            last_order: FIRST_ORDER,
            last_position: FIRST_POSITION,
            day: None,
            settings,
        }
    }

    /// Returns the time as the exchange was last told.
    pub fn now(&self) -> Ts {
        self.now
    }

    /// Returns when something happens by itself next.
    pub fn due(&self) -> Ts {
        self.agenda.due().map_or(self.next_look, |due| due.min(self.next_look))
    }

    /// Lets time pass: what is due happens. An instant that is past changes nothing.
    pub fn advance(&mut self, to: Ts) {
        let to = to.min(LAST_INSTANT);
        while self.due() <= to {
            let due = self.due();
            if let Some((at, happening)) = self.agenda.take(due) {
                self.now = self.now.max(at);
                self.happen(happening);
            } else {
                self.now = self.now.max(due);
                self.look_after();
            }
        }
        self.now = self.now.max(to);
    }

    /// Takes a tick of the market in. One of the past happens now.
    pub fn market(&mut self, instrument: Instrument, tick: &Tick) {
        self.advance(tick.ts);
        let ts = self.now;
        let place = self.market_place(instrument);
        let change = self.markets[place].take(ts, tick);
        if change.bid.is_some() || change.ask.is_some() {
            self.tell(Event::Quote { instrument, bid: change.bid, ask: change.ask });
        }
        if let Some(print) = change.trade {
            self.tell(Event::Print { instrument, print });
        }
        self.match_market(place, change);
        self.check_losses();
    }

    /// Takes what happened since this was asked last.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn tell(&mut self, event: Event) {
        self.told.push(Told { ts: self.now, event });
    }

    fn tell_order(&mut self, id: i64) {
        if let Some(order) = self.orders.get(&id) {
            let event = Event::Order(order.clone());
            self.tell(event);
        }
    }

    fn tell_account(&mut self, id: i64) {
        if let Some(account) = self.accounts.get(&id) {
            let event = Event::Account(account.view());
            self.tell(event);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Enter { order } => self.enter(order),
            Happening::Rest { order } => self.fill_rest(order),
            Happening::Activate { entry } => self.activate(entry),
            Happening::CancelSibling { leg } => self.cancel_sibling(leg),
            Happening::Attach { order } => self.attach(order),
        }
    }

    /// Returns where the market of a contract is; one that is new becomes the active month of its product.
    fn market_place(&mut self, instrument: Instrument) -> usize {
        let known = self.markets.iter().position(|market| market.instrument == instrument);
        known.unwrap_or_else(|| {
            self.markets.push(Market::new(instrument));
            self.markets.len() - 1
        })
    }

    fn market_of(&self, instrument: Instrument) -> Option<&Market> {
        self.markets.iter().find(|market| market.instrument == instrument)
    }

    /// Says whether it is the month of its product that trades: the last one that appeared.
    fn is_active(&self, instrument: Instrument) -> bool {
        let of_product = |market: &&Market| market.instrument.contract == instrument.contract;
        self.markets.iter().rev().find(of_product).is_some_and(|market| market.instrument == instrument)
    }

    /// Returns the phase, a halt included.
    fn phase(&mut self) -> Phase {
        match self.hours.phase(self.now) {
            Phase::Open | Phase::Exits if self.conditions.halted => Phase::Halted,
            phase => phase,
        }
    }

    /// Takes the next id: mostly the next number, now and then one is left out.
    fn next_id(&mut self) -> i64 {
        let gap = if self.draw.below(10) == 0 { 1 + self.draw.below(3) as i64 } else { 0 };
        self.last_order += 1 + gap;
        self.last_order
    }

    /// Keeps a new order.
    fn keep(&mut self, order: Order) {
        if let Some(account) = self.accounts.get_mut(&order.account) {
            account.orders += 1;
        }
        let (id, status) = (order.id, order.status);
        self.orders.insert(id, order);
        self.index(id, status);
    }

    /// Gives an order another status.
    fn set_status(&mut self, id: i64, status: Status) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.status = status;
            self.index(id, status);
        }
    }

    fn index(&mut self, id: i64, status: Status) {
        if status.is_final() {
            self.alive.remove(&id);
        } else {
            self.alive.insert(id);
        }
        if status == Status::Open {
            self.working.insert(id);
        } else {
            self.working.remove(&id);
        }
    }
}
