//! An exchange with the account 7, in virtual time, and all that it told.

use mes_core::{
    calendar::Calendar,
    contract::{Contract, Expiry},
    order::Side,
    price::Price,
    tick::Tick,
    time::{self, MILLI, Ts},
};
use mes_projectx::wire::Decimal;
use mes_sim::exchange::{
    Bracket, Exchange, OrderFilter, Place,
    event::{Event, Told},
    instrument::Instrument,
    order::{Kind, Order, Status},
    settings::{AccountSettings, Settings},
};

pub const ACCOUNT: i64 = 7;

/// A price at which all begins.
pub const LAST: i64 = 20_000;

pub struct Scene {
    pub exchange: Exchange,
    pub now: Ts,
    pub told: Vec<Told>,
}

pub fn mes() -> Instrument {
    month(2026, 12)
}

pub fn month(year: i32, month: u32) -> Instrument {
    Instrument { contract: Contract::Mes, expiry: Expiry { year, month } }
}

/// As measured, but that stops do not slip.
pub fn exact() -> Settings {
    let mut settings = Settings::default();
    settings.matching.stop_slippage = (0, 0);
    settings
}

pub fn market(side: Side, size: i64) -> Place {
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

pub fn limit(side: Side, size: i64, ticks: i64) -> Place {
    Place { kind: 1, limit: Some(Decimal::of_ticks(ticks)), ..market(side, size) }
}

/// A market order with a stop of that kind and a target.
pub fn bracket(side: Side, size: i64, kind: i64, stop: i64, target: i64) -> Place {
    Place {
        stop_loss: Some(Bracket { ticks: stop, kind }),
        take_profit: Some(Bracket { ticks: target, kind: 1 }),
        ..market(side, size)
    }
}

pub fn tagged(tag: &str, place: Place) -> Place {
    Place { tag: Some(tag.to_owned()), ..place }
}

/// As ticks of the market bear it, in points.
pub fn price(ticks: i64) -> f64 {
    Price::from_ticks(ticks).points()
}

impl Scene {
    /// 10:00 New York on an ordinary Friday: 19,999 bid, 20,001 asked, 20,000 traded last.
    pub fn with(settings: Settings, account: AccountSettings) -> Scene {
        Scene::at("2026-11-20T15:00:00Z", settings, account)
    }

    pub fn at(ts: &str, settings: Settings, account: AccountSettings) -> Scene {
        let now = time::parse(ts).expect("a time");
        let exchange = Exchange::new(settings, vec![account], Calendar::shipped(), now);
        let mut scene = Scene { exchange, now, told: Vec::new() };
        scene.moves(LAST);
        scene
    }

    pub fn plain() -> Scene {
        Scene::with(exact(), AccountSettings::default())
    }

    /// Trades at a price with a quote of a tick on either side.
    pub fn moves(&mut self, at: i64) {
        let tick = Tick {
            ts: self.now,
            price: Some(price(at)),
            size: Some(1),
            bid: Some(price(at - 1)),
            ask: Some(price(at + 1)),
            ..Tick::default()
        };
        self.exchange.market(mes(), &tick);
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

    /// Places, waits until it fills or works, and returns the id.
    pub fn placed(&mut self, place: &Place) -> i64 {
        let id = self.exchange.place(place).expect("taken");
        self.wait_ms(100);
        id
    }

    /// Says what a placing is refused with: its code and its words.
    pub fn refused(&mut self, place: &Place) -> (i64, String) {
        let refusal = self.exchange.place(place).expect_err("refused");
        self.take();
        (refusal.code, refusal.message.unwrap_or_default())
    }

    pub fn order(&self, id: i64) -> &Order {
        self.exchange.order(ACCOUNT, id).expect("an order")
    }

    /// The stop of an entry, whatever its kind.
    pub fn stop_of(&self, entry: i64) -> Order {
        let all = OrderFilter::default();
        let mut orders = self.exchange.orders(ACCOUNT, &all);
        orders.find(|o| o.parent() == Some(entry) && o.kind != Kind::Limit).expect("a stop").clone()
    }

    pub fn net(&self) -> i64 {
        self.exchange.account(ACCOUNT).expect("the account").net(mes())
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
}

/// How far an order has come: it never goes back.
pub fn rank(status: Status) -> u8 {
    match status {
        Status::Suspended | Status::Pending => 0,
        Status::Open => 1,
        Status::Filled | Status::Cancelled | Status::Rejected => 2,
    }
}
