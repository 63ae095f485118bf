//! The exchange in virtual time: a scene with one account, and tables of what has to happen.

mod brackets;
mod closed;
mod day;
mod hostile;
mod house;
mod limits;
mod matching;
mod once;

use mes_core::{
    calendar::Calendar,
    contract::{Contract, Expiry},
    order::Side,
    price::Price,
    tick::Tick,
    time::{self, MILLI, Ts},
};
use mes_projectx::wire::Decimal;

use super::{
    event::{Event, Told},
    order::Status,
    refusal::Refusal,
    settings::{AccountSettings, Settings},
    *,
};

/// An exchange with the account 7, at 10:00 New York on an ordinary Friday.
pub(super) struct Scene {
    pub exchange: Exchange,
    pub now: Ts,
    pub told: Vec<Told>,
}

pub(super) const ACCOUNT: i64 = 7;
/// The price at which all begins.
pub(super) const LAST: i64 = 20_000;

pub(super) fn mes() -> Instrument {
    month(2026, 12)
}

pub(super) fn month(year: i32, month: u32) -> Instrument {
    Instrument { contract: Contract::Mes, expiry: Expiry { year, month } }
}

/// As measured, but that stops do not slip.
pub(super) fn exact() -> Settings {
    let mut settings = Settings::default();
    settings.matching.stop_slippage = (0, 0);
    settings
}

/// A market order for one contract.
pub(super) fn order(side: Side, size: i64) -> Place {
    Place {
        account: ACCOUNT,
        contract: mes().id(),
        kind: 2,
        side,
        size,
        limit: None,
        stop: None,
        trail: None,
        tag: None,
        stop_loss: None,
        take_profit: None,
    }
}

pub(super) fn limit(side: Side, size: i64, ticks: i64) -> Place {
    Place { kind: 1, limit: Some(Decimal::of_ticks(ticks)), ..order(side, size) }
}

pub(super) fn stop(side: Side, size: i64, ticks: i64) -> Place {
    Place { kind: 4, stop: Some(Decimal::of_ticks(ticks)), ..order(side, size) }
}

/// A market order with a stop of that kind and a target.
pub(super) fn pair(side: Side, size: i64, kind: i64, stop: i64, target: i64) -> Place {
    Place {
        stop_loss: Some(Bracket { ticks: stop, kind }),
        take_profit: Some(Bracket { ticks: target, kind: 1 }),
        ..order(side, size)
    }
}

/// The same with a stop proper, by the tag `t`.
pub(super) fn bracket(side: Side, size: i64, stop: i64, target: i64) -> Place {
    tagged("t", pair(side, size, 4, stop, target))
}

pub(super) fn tagged(tag: &str, place: Place) -> Place {
    Place { tag: Some(tag.to_owned()), ..place }
}

/// As ticks of the market bear it, in points.
pub(super) fn price(ticks: i64) -> f64 {
    Price::from_ticks(ticks).points()
}

impl Scene {
    pub fn with(settings: Settings, account: AccountSettings) -> Scene {
        Scene::at("2026-11-20T15:00:00Z", settings, account)
    }

    pub fn at(ts: &str, settings: Settings, account: AccountSettings) -> Scene {
        let now = time::parse(ts).expect("a time");
        let exchange = Exchange::new(settings, vec![account], Calendar::shipped(), now);
        let mut scene = Scene { exchange, now, told: Vec::new() };
        scene.quote(19_999, 20_001);
        scene.trade(20_000);
        scene
    }

    /// 19,999 bid, 20,001 asked, 20,000 traded last.
    pub fn plain() -> Scene {
        Scene::with(exact(), AccountSettings::default())
    }

    pub fn quote(&mut self, bid: i64, ask: i64) {
        self.tick(Tick { bid: Some(price(bid)), ask: Some(price(ask)), ..Tick::default() });
    }

    pub fn trade(&mut self, at: i64) {
        self.tick(Tick { price: Some(price(at)), size: Some(1), ..Tick::default() });
    }

    /// Trades at a price with a quote of a tick on either side.
    pub fn moves(&mut self, at: i64) {
        self.tick(Tick {
            price: Some(price(at)),
            size: Some(1),
            bid: Some(price(at - 1)),
            ask: Some(price(at + 1)),
            ..Tick::default()
        });
    }

    fn tick(&mut self, tick: Tick) {
        self.exchange.market(mes(), &Tick { ts: self.now, ..tick });
        self.take();
    }

    pub fn wait_ms(&mut self, ms: i64) {
        self.now += ms * MILLI;
        self.exchange.advance(self.now);
        self.take();
    }

    pub fn to(&mut self, ts: &str) {
        self.now = time::parse(ts).expect("a time");
        self.exchange.advance(self.now);
        self.take();
    }

    pub fn take(&mut self) {
        self.told.extend(self.exchange.take_told());
    }

    pub fn place(&mut self, place: &Place) -> Result<i64, Refusal> {
        let taken = self.exchange.place(place);
        self.take();
        taken
    }

    /// Places, waits until it fills or works, and returns the id.
    pub fn placed(&mut self, place: &Place) -> i64 {
        let id = self.place(place).expect("taken");
        self.wait_ms(100);
        id
    }

    /// Says what a placing is refused with: its code and its words.
    pub fn refused(&mut self, place: &Place) -> (i64, String) {
        let refusal = self.place(place).expect_err("refused");
        (refusal.code, refusal.message.unwrap_or_default())
    }

    pub fn order(&self, id: i64) -> &Order {
        self.exchange.order(ACCOUNT, id).expect("an order")
    }

    pub fn status(&self, id: i64) -> Status {
        self.order(id).status
    }

    /// The average price of an order's fills, in ticks.
    pub fn filled_at(&self, id: i64) -> Option<i64> {
        let order = self.order(id);
        (order.filled > 0).then(|| order.paid / order.filled)
    }

    pub fn net(&self) -> i64 {
        self.exchange.account(ACCOUNT).expect("the account").net(mes())
    }

    pub fn balance(&self) -> i64 {
        self.exchange.account(ACCOUNT).expect("the account").balance.0
    }

    /// The legs of an entry: stop, target.
    pub fn legs(&self, entry: i64) -> [Order; 2] {
        let all = OrderFilter::default();
        let mut legs: Vec<Order> = self
            .exchange
            .orders(ACCOUNT, &all)
            .filter(|order| order.parent() == Some(entry))
            .cloned()
            .collect();
        legs.sort_by_key(|leg| leg.kind != order::Kind::Stop);
        legs.try_into().expect("two legs")
    }

    /// The stop of an entry, whatever its kind.
    pub fn stop_of(&self, entry: i64) -> Order {
        let all = OrderFilter::default();
        let mut orders = self.exchange.orders(ACCOUNT, &all);
        orders.find(|o| o.parent() == Some(entry) && o.kind != order::Kind::Limit).expect("a stop").clone()
    }

    pub fn open(&self) -> usize {
        self.exchange.open_orders(ACCOUNT).count()
    }

    /// What was told of positions: id and contracts.
    pub fn positions_told(&self) -> Vec<(i64, i64)> {
        let of = |told: &Told| match &told.event {
            Event::Position(view) => Some((view.id, view.side.sign() * view.size)),
            _ => None,
        };
        self.told.iter().filter_map(of).collect()
    }

    /// When an order was first told to have a status.
    pub fn when(&self, id: i64, status: Status) -> Ts {
        let is = |told: &&Told| matches!(&told.event, Event::Order(order) if order.id == id && order.status == status);
        self.told.iter().find(is).expect("told").ts
    }
}
