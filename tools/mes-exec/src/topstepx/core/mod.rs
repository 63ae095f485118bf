//! The account at TopstepX as a pure machine: what happened and when in, what is to be done out. No network, no thread, no
//! clock; the same events at the same times ask for the same actions, which is how a day is run again from its journal.
//!
//! It does not remember steps of a plan. After every event it compares what is with what should be ([`Core::decide`]) and
//! asks for what is missing, so that a lost, late or doubled message changes when it acts and never what it comes to:
//!
//! 1. a position without a stop gets one, first of all (`protect.rs`);
//! 2. what is to be closed is closed, at least a second apart, until the exchange shows flat (`close.rs`);
//! 3. what belongs to nothing is cancelled (`close.rs`);
//! 4. at most one entry is under way, sent once, whatever becomes of it (`entry.rs`);
//! 5. where something does not add up, the exchange is asked (`look.rs`), and nothing is entered until it does.

mod close;
mod entry;
mod hear;
mod look;
mod looks;
mod protect;
mod trade;
mod view;

use std::collections::BTreeMap;

use mes_core::{
    money::Cents,
    order::{Action as Wanted, ExitReason, Order},
    price::Price,
    statement::Refusal,
    time::{MILLI, Now, SECOND, Ts},
};
use mes_projectx::{
    Purpose,
    wire::{self, Cancel, Close, Modify, Stamp},
};

use serde::{Deserialize, Serialize};

use super::{
    event::{Action, Answer, Event, Request, Why},
    orders::{Orders, Owner},
    told::Told,
};
use close::Closing;
use entry::Entry;
use looks::Looks;
use trade::Trade;

/// How long news of what was done may take before it is asked for.
const NEWS: i64 = 500 * MILLI;
/// Between two tries of the same thing.
const AGAIN: i64 = SECOND;
/// The oldest quote that an entry is sent on.
const QUOTE_AGE: i64 = 5 * SECOND;

/// What the core begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    pub account: i64,
    /// `CON.F.US.MES.Z26`.
    pub contract: String,
    /// Drawn for this run: see [`super::tag`].
    pub nonce: String,
    /// Stops and targets are ours to place and cancel, not the exchange's.
    pub own_oco: bool,
    /// A position that is open at the start and not ours is protected; without it nothing of it is touched.
    #[serde(default)]
    pub adopt: bool,
    pub tick_value: Cents,
    /// Of a contract, where the service does not say its commission.
    pub side_cost: Cents,
    /// How long a market entry may wait for its fill, in nanoseconds.
    pub lifetime: i64,
    /// Where the stop of a position goes that no entry of ours explains, and how far the market may have left the row that
    /// an entry was decided on.
    pub widest_ticks: i64,
    /// The last order id that was taken over before.
    pub seen: u64,
    pub balance: Cents,
}

/// A call that has not been answered.
#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    since: Now,
}

/// The machine.
pub struct Core {
    setup: Setup,
    orders: Orders,
    told: Told,
    entry: Option<Entry>,
    trade: Option<Trade>,
    closing: Option<Closing>,
    looks: Looks,
    calls: BTreeMap<u64, Pending>,
    last_call: u64,
    /// Legs of ours so far: no name comes twice.
    legs: u32,
    /// When what was tried last for an order: a cancel, a move.
    tried: BTreeMap<i64, i64>,
    quote: Option<(Price, Price, i64)>,
    /// The close of the last row.
    row: Option<Price>,
    /// The user hub is subscribed to.
    up: bool,
    can_trade: bool,
    halted: bool,
    /// Orders on the account are not ours, or something is open in another contract.
    foreign: bool,
    elsewhere: bool,
    /// What the user hub said last of the position, and since when that is not what is known.
    shown: Option<i64>,
    differs: Option<i64>,
    refusals: Vec<Refusal>,
    seen: u64,
    /// What the exchange had at the start is not known yet.
    starting: bool,
    /// What is open since before the start is somebody else's, and nobody has said what is to become of it.
    held: bool,
    /// Why the run is over.
    fatal: Option<Fatal>,
    /// The last time that REST has answered, on the steady clock.
    answered: i64,
    /// When the position was opened or closed last.
    changed: i64,
    now: Now,
    out: Vec<Action>,
}

/// What ends a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fatal {
    /// The account is not set up for this.
    Setup(String),
    /// Somebody has ended it.
    Stopped(String),
}

impl Core {
    /// Begins; nothing is entered before the exchange has been asked and the user hub is up.
    pub fn new(setup: Setup, now: Now) -> Core {
        Core {
            told: Told::new(setup.balance),
            seen: setup.seen,
            setup,
            orders: Orders::default(),
            entry: None,
            trade: None,
            closing: None,
            looks: Looks::new(now),
            calls: BTreeMap::new(),
            last_call: 0,
            legs: 0,
            tried: BTreeMap::new(),
            quote: None,
            row: None,
            up: false,
            can_trade: true,
            halted: false,
            foreign: false,
            elsewhere: false,
            shown: None,
            differs: None,
            refusals: Vec::new(),
            starting: true,
            held: false,
            fatal: None,
            answered: now.steady,
            changed: now.steady,
            now,
            out: Vec::new(),
        }
    }

    /// Takes in what happened and returns what is to be done about it, in this order.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Action> {
        self.now = now;
        let before = self.orders.exposure();
        match event {
            Event::Order { order } => self.order(order),
            Event::Used { order } => self.seen = self.seen.max(order),
            Event::Quote { bid, ask } => self.quote = Some((bid, ask, now.steady)),
            Event::Row { close } => self.row = Some(close),
            Event::User { user } => self.user(user),
            Event::Up { .. } => {
                self.up = true;
                self.looks.want_all();
            }
            Event::Down { why } => {
                if std::mem::take(&mut self.up) {
                    self.alert(format!("the user hub is lost: {why}"));
                }
                self.looks.doubt();
            }
            Event::Malformed { .. } => self.looks.want(true),
            Event::Logout => {
                let why = "the session was thrown out: is TopstepX open on another device?";
                self.fatal.get_or_insert(Fatal::Stopped(why.into()));
                self.close(0, ExitReason::Broker);
            }
            Event::Answer { call, answer } => self.answer(call, answer),
            Event::Halt => self.halted = true,
            Event::Resume => self.halted = false,
            Event::Flatten { reason } => {
                self.held = false;
                self.close(0, reason);
            }
            Event::Timer => {}
        }
        if self.orders.exposure() != before {
            self.changed = now.steady;
        }
        self.decide();
        std::mem::take(&mut self.out)
    }

    /// Compares what is with what should be, and asks for what is missing.
    fn decide(&mut self) {
        if self.starting || self.held {
            return self.work_look();
        }
        self.watch_entry();
        self.watch_trade();
        self.watch_platform();
        self.protect();
        self.work_closing();
        self.sweep();
        self.work_look();
    }

    /// Returns the contracts that are open as far as anything has proved.
    pub fn exposure(&self) -> i64 {
        self.orders.exposure()
    }

    /// Returns why the run is over, if it is.
    pub fn fatal(&self) -> Option<&Fatal> {
        self.fatal.as_ref()
    }

    /// Says whether nothing is open, working or unknown, and the exchange says so too.
    pub fn is_flat(&self) -> bool {
        self.entry.is_none()
            && self.closing.is_none()
            && self.orders.exposure() == 0
            && self.told.position == 0
            && self.ours_alive().next().is_none()
            && self.looks.agreed_since(self.changed)
    }

    /// Says what is open, for a person.
    pub fn left(&self) -> String {
        let mut left = vec![match self.orders.exposure() {
            0 => "no position is open".to_owned(),
            contracts => format!("a position of {contracts} is open at the broker"),
        }];
        let stops: Vec<String> = self
            .ours_alive()
            .map(|known| {
                let price = known.price().map_or("at market".to_owned(), |price| format!("at {price}"));
                format!("order {} ({} {price})", known.order.id, known.rest())
            })
            .collect();
        if !stops.is_empty() {
            left.push(format!("these work: {}", stops.join(", ")));
        }
        if self.entry.as_ref().is_some_and(Entry::is_unknown) {
            left.push("nobody knows whether an entry arrived".to_owned());
        }
        if left.len() > 1 || self.orders.exposure() != 0 {
            left.push("close it at TopstepX, or with mes-exec flatten".to_owned());
        }
        left.join("; ")
    }

    /// Says whether the exchange has not been looked at yet.
    pub fn is_starting(&self) -> bool {
        self.starting
    }

    /// Says whether what is open is protected or was opened by ours, of whichever run.
    pub fn is_ours(&self) -> bool {
        self.trade.as_ref().is_none_or(|trade| trade.order != 0)
    }

    /// Says whether all that is open has a stop.
    pub fn is_protected(&self) -> bool {
        self.orders.exposure() == 0 || self.naked() <= 0
    }

    /// Says whether somebody else trades on the account: orders, another contract, a position that no entry of ours opened.
    fn is_shared(&self) -> bool {
        self.foreign || self.elsewhere || self.orders.exposure() != 0 && !self.is_ours()
    }

    /// Returns the cash of the account as the exchange says it.
    pub fn balance(&self) -> Cents {
        self.told.balance
    }

    /// Returns the orders of ours that may still fill.
    fn ours_alive(&self) -> impl Iterator<Item = &super::orders::Known> {
        self.orders.alive().filter(|known| matches!(known.owner, Owner::Ours { .. }))
    }

    fn order(&mut self, order: Order) {
        self.seen = self.seen.max(order.id);
        match order.action {
            Wanted::Enter { .. } => self.enter(&order),
            Wanted::Exit { reason } => self.close(order.id, reason),
            Wanted::MoveStop { stop } => self.move_stop(order.id, stop),
        }
    }

    fn refuse(&mut self, order: u64, reason: &str) {
        self.refusals.push(Refusal { order, reason: reason.into() });
    }

    fn alert(&mut self, text: String) {
        self.out.push(Action::Alert { text });
    }

    fn call(&mut self, purpose: Purpose, request: Request) -> u64 {
        self.last_call += 1;
        let call = self.last_call;
        self.calls.insert(call, Pending { request: request.clone(), since: self.now });
        self.out.push(Action::Call { call, purpose, request });
        call
    }

    fn cancel(&mut self, id: i64) {
        let cancel = Cancel { account_id: self.setup.account, order_id: id };
        self.call(Purpose::Exit, Request::Cancel { cancel });
        self.tried.insert(id, self.now.steady);
    }

    fn modify(&mut self, id: i64, stop_price: Option<Price>, size: Option<i64>) {
        let stop_price = stop_price.map(|price| wire::Decimal::of_ticks(price.ticks()));
        let account_id = self.setup.account;
        let modify =
            Modify { account_id, order_id: id, size, limit_price: None, stop_price, trail_price: None };
        self.call(Purpose::Exit, Request::Modify { modify });
        self.tried.insert(id, self.now.steady);
    }

    /// Says whether an order was left alone long enough to be tried again.
    fn may_try(&self, id: i64) -> bool {
        self.tried.get(&id).is_none_or(|tried| self.now.steady - tried >= AGAIN)
    }

    fn is_pending(&self, what: impl Fn(&Request) -> bool) -> bool {
        self.calls.values().any(|pending| what(&pending.request))
    }

    /// Returns when something is due by itself, on the steady clock.
    pub fn due(&self) -> i64 {
        let soon = self.entry.is_some()
            || self.closing.is_some()
            || self.orders.exposure() != 0
            || self.differs.is_some()
            || self.ours_alive().next().is_some();
        let look = self.looks.due(self.now.steady);
        if soon { look.min(self.now.steady + 50 * MILLI) } else { look }
    }

    /// Returns from when on orders and fills are asked for: stamps may be seconds off.
    fn since(&self, ts: Ts) -> Stamp {
        Stamp::of(ts.saturating_sub(2 * 60 * SECOND))
    }

    fn close_request(&self) -> Request {
        let (account_id, contract_id) = (self.setup.account, self.setup.contract.clone());
        Request::Close { close: Close { account_id, contract_id } }
    }
}
