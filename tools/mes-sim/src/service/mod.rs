//! The service: calls in and answers out, hub connections, tokens, limits, and what goes wrong on request. Pure, as the
//! exchange beneath it: instants and bytes in, bytes and the instants they are due out. `serve` puts sockets around it,
//! tests put clients right on it and run days in seconds.

mod dialect;
mod endpoints;
mod envelope;
mod fault;
mod line;
mod rest;
mod speak;
mod tokens;
mod window;

use std::collections::BTreeMap;

use mes_core::{
    calendar::Calendar,
    dice::Draw,
    tick::Tick,
    time::{self, HOUR, SECOND, Ts},
};
use mes_projectx::{
    hub::{Kind, MarketEvent, UserEvent},
    wire::signalr::Message,
};
use serde_json::{Value, json};

pub use fault::{Fault, Planned, Schedule};
pub use line::Out;
pub use rest::{Answer, Fate};

use crate::exchange::{
    Exchange,
    account::Lock,
    event::{Event, Told},
    instrument::Instrument,
    settings::{AccountSettings, AfterPartial, Settings},
};
use dialect::Dialect;
use fault::Faults;
use line::{Line, Topic};
use speak::Said;
use tokens::Tokens;
use window::Window;

/// The most hub connections at a time.
const MOST_LINES: usize = 256;
/// What stamps are moved by, where they are.
const SKEW: i64 = 5 * SECOND;
/// The longest that an event is held back, where events are late.
const LATE: i64 = 2 * SECOND;

/// What a service begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub exchange: Settings,
    pub accounts: Vec<AccountSettings>,
    pub user: String,
    pub key: String,
    /// Of a token, in nanoseconds.
    pub token_life: i64,
    /// Whether calls are limited to 200 in 60 s and 50 of the history in 30 s.
    pub limited: bool,
    pub schedule: Schedule,
    /// How many times faster than this machine's the exchange's time is.
    pub times: u32,
    /// How much later than the exchange's time this machine's is, in nanoseconds.
    pub later: i64,
}

impl Setup {
    /// Returns what the real service does, for one user.
    pub fn new(exchange: Settings, accounts: Vec<AccountSettings>, user: &str, key: &str) -> Setup {
        let (user, key) = (user.to_owned(), key.to_owned());
        Setup {
            exchange,
            accounts,
            user,
            key,
            token_life: 24 * HOUR,
            limited: true,
            schedule: Schedule::default(),
            times: 1,
            later: 0,
        }
    }
}

/// A running service.
pub struct Service {
    exchange: Exchange,
    user: String,
    key: String,
    tokens: Tokens,
    limits: Option<[Window; 2]>,
    lines: BTreeMap<u64, Line>,
    lines_made: u64,
    faults: Faults,
    draw: Draw,
    times: u32,
    /// What has happened and was not fetched yet.
    journal: Vec<String>,
    now: Ts,
}

impl Service {
    /// Begins at an instant; what the market did before is known to the exchange, and happened to nobody.
    pub fn new(setup: Setup, now: Ts, history: &[(Instrument, Tick)]) -> Service {
        let seed = setup.schedule.seed;
        let begins = history.first().map_or(now, |(_, tick)| tick.ts);
        let mut service = Service {
            exchange: Exchange::new(setup.exchange, setup.accounts, Calendar::shipped(), begins),
            user: setup.user,
            key: setup.key,
            tokens: Tokens::new(setup.token_life, setup.later, seed),
            limits: setup.limited.then(|| [Window::new(200, 60), Window::new(50, 30)]),
            lines: BTreeMap::new(),
            lines_made: 0,
            faults: Faults::default(),
            draw: Draw::new(seed, 0x_5e12),
            times: setup.times,
            journal: Vec::new(),
            now,
        };
        for (instrument, tick) in history {
            service.exchange.market(*instrument, tick);
            // Told to nobody.
            drop(service.exchange.take_told());
        }
        service.exchange.advance(now);
        drop(service.exchange.take_told());
        service.faults.plan(&setup.schedule, now);
        service
    }

    /// Returns the exchange, to look at.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Returns the latest instant it has seen.
    pub fn now(&self) -> Ts {
        self.now
    }

    /// Lets time pass. An instant that has passed already changes nothing.
    pub fn pass(&mut self, now: Ts) {
        while let Some(at) = self.faults.next().filter(|at| *at <= now) {
            self.exchange.advance(at);
            self.tell();
            self.now = self.now.max(at);
            for fault in self.faults.pass(at) {
                self.begun(fault);
            }
            self.set_conditions();
        }
        self.now = self.now.max(now);
        self.exchange.advance(self.now);
        self.tell();
        for line in self.lines.values_mut() {
            line.pass(self.now);
        }
    }

    /// Lets the market move.
    pub fn tick(&mut self, instrument: Instrument, tick: &Tick) {
        self.pass(tick.ts);
        self.exchange.market(instrument, tick);
        self.tell();
    }

    /// Returns the next instant at which something happens by itself.
    pub fn next(&self) -> Option<Ts> {
        let lines = self.lines.values().filter_map(Line::next);
        lines.chain(self.faults.next()).chain([self.exchange.due()]).min()
    }

    /// Begins a fault.
    pub fn fault(&mut self, fault: Fault, lasts: i64) {
        if lasts > 0 {
            self.faults.begin(fault, self.now, lasts);
        }
        self.begun(fault);
        self.set_conditions();
    }

    fn begun(&mut self, fault: Fault) {
        self.note(json!({"kind": "fault", "fault": fault.name()}));
        match fault {
            Fault::Expired => self.tokens.void_all(),
            Fault::Evicted => {
                self.tokens.void_all();
                let logout = Message::Invocation {
                    id: None,
                    target: "GatewayLogout".to_owned(),
                    arguments: vec![json!({})],
                };
                let (logout, now) = (logout.write(), self.now);
                for line in self.lines.values_mut() {
                    line.say(logout.clone(), now);
                    line.close("Connection closed with an error.", now);
                }
            }
            Fault::LineCut | Fault::LinesRefused => self.cut(|_| true),
            Fault::FirmFlattens => {
                for account in self.exchange.accounts(false) {
                    self.exchange.lock(account.id, Lock::Day, "the firm flattens");
                    self.tell();
                }
            }
            _ => {}
        }
    }

    fn cut(&mut self, which: impl Fn(&Line) -> bool) {
        let now = self.now;
        self.lines.values_mut().filter(|line| which(line)).for_each(|line| line.cut(now));
    }

    fn set_conditions(&mut self) {
        let acts = |fault| self.faults.acts(fault);
        let conditions = &mut self.exchange.conditions;
        conditions.after_partial = match () {
            () if acts(Fault::GroupCancelled) => Some(AfterPartial::Group),
            () if acts(Fault::LegsCancelled) => Some(AfterPartial::Exited),
            () => None,
        };
        conditions.entry_in_parts = acts(Fault::PartialEntries);
        conditions.exit_in_parts = acts(Fault::PartialExits);
        conditions.both_legs = acts(Fault::BothLegs);
        conditions.halted = acts(Fault::Halted);
        conditions.no_funds = acts(Fault::NoFunds);
        conditions.no_brackets = acts(Fault::NoBrackets);
    }

    fn dialect(&self) -> Dialect {
        let skew = SKEW
            * (i64::from(self.faults.acts(Fault::ClockAhead))
                - i64::from(self.faults.acts(Fault::ClockBehind)));
        Dialect {
            numbers_as_text: self.faults.acts(Fault::NumbersAsText),
            order_id_for_id: self.faults.acts(Fault::OrderIdForId),
            nulls_in_quotes: self.faults.acts(Fault::NullsInQuotes),
            skew,
        }
    }

    /// Tells the hubs, and keeps in the journal, what has happened.
    fn tell(&mut self) {
        let market_is_heard = self.lines.values().any(|line| line.kind == Kind::Market);
        for Told { ts, event } in self.exchange.take_told() {
            if matches!(event, Event::Quote { .. } | Event::Print { .. }) && !market_is_heard {
                continue;
            }
            self.journal.extend(speak::kept(ts, &event).map(|record| record.to_string()));
            let market = match &event {
                Event::Print { instrument, .. } => self.exchange.market_by_id(&instrument.id()),
                _ => None,
            };
            for said in speak::said(ts, &event, market) {
                match said {
                    Said::User { account, action, event } => self.tell_user(ts, account, action, &event),
                    Said::Market(event) => self.tell_market(ts, &event),
                }
            }
        }
    }

    fn tell_user(&mut self, at: Ts, account: i64, action: i64, event: &UserEvent) {
        let topic = match event {
            UserEvent::Account(_) => Topic::Accounts,
            UserEvent::Order(_) => Topic::Orders(account),
            UserEvent::Position(_) => Topic::Positions(account),
            UserEvent::Trade(_) => Topic::Trades(account),
        };
        if matches!(event, UserEvent::Trade(_)) && self.faults.end(Fault::LineCutOnFill) {
            return self.cut(|line| line.kind == Kind::User);
        }
        let text = self.dialect().user(action, event);
        let now = self.now;
        let mut slow = Vec::new();
        for (id, line) in self.lines.iter_mut().filter(|(_, line)| line.hears(&topic)) {
            let acts = |fault| self.faults.acts(fault);
            if acts(Fault::EventsLost) && self.draw.below(2) == 0 {
                continue;
            }
            let broken = acts(Fault::EventsMalformed) && self.draw.below(3) == 0;
            let text = if broken { cut_short(&text) } else { text.clone() };
            for _ in 0..=usize::from(acts(Fault::EventsDoubled)) {
                let late = if acts(Fault::EventsLate) { (LATE as f64 * self.draw.unit()) as i64 } else { 0 };
                if !line.say_at(text.clone(), at + late, now) {
                    slow.push(*id);
                }
            }
        }
        self.note_slow(&slow);
    }

    fn tell_market(&mut self, at: Ts, event: &MarketEvent) {
        let topic = match event {
            MarketEvent::Quote { contract, .. } => Topic::Quotes(contract.clone()),
            MarketEvent::Print { contract, .. } => Topic::Prints(contract.clone()),
            MarketEvent::Depth { contract, .. } => Topic::Depth(contract.clone()),
        };
        if matches!(topic, Topic::Quotes(_)) && self.faults.acts(Fault::QuotesFrozen)
            || !self.lines.values().any(|line| line.hears(&topic))
        {
            return;
        }
        let odd = self.draw.below(50) == 0;
        let text = self.dialect().market(event, odd);
        let now = self.now;
        let hearing = self.lines.iter_mut().filter(|(_, line)| line.hears(&topic));
        let slow: Vec<u64> =
            hearing.filter_map(|(id, line)| (!line.say_at(text.clone(), at, now)).then_some(*id)).collect();
        self.note_slow(&slow);
    }

    /// Says whether a token is good now.
    pub fn knows(&self, token: &str) -> bool {
        self.tokens.is_good(token, self.now)
    }

    /// Opens a hub connection.
    ///
    /// # Errors
    ///
    /// The status it is answered with.
    pub fn open(&mut self, now: Ts, kind: Kind, token: Option<&str>) -> Result<u64, u16> {
        self.pass(now);
        if self.faults.acts(Fault::LinesRefused) || self.lines.len() >= MOST_LINES {
            return Err(503);
        }
        if !token.is_some_and(|token| self.tokens.is_good(token, self.now)) {
            return Err(401);
        }
        self.lines_made += 1;
        self.lines.insert(self.lines_made, Line::new(kind, self.now, self.times));
        Ok(self.lines_made)
    }

    /// Takes a frame of a client in.
    pub fn frame(&mut self, now: Ts, line: u64, frame: &[u8]) {
        self.pass(now);
        let confirms = !self.faults.acts(Fault::SubscribeHangs);
        let Some(connection) = self.lines.get_mut(&line) else { return };
        for topic in connection.frame(frame, self.now, confirms) {
            let Topic::Depth(contract) = topic else { continue };
            let market = self.exchange.market_by_id(&contract);
            if let Some(snapshot) = market.and_then(|market| speak::depth(market, self.now)) {
                let text = self.dialect().market(&snapshot, false);
                if let Some(connection) = self.lines.get_mut(&line) {
                    connection.say(text, self.now);
                }
            }
        }
    }

    /// Returns what is due on a connection. After [`Out::Close`] or [`Out::Cut`] it is to be ended and given back by
    /// [`Service::gone`].
    pub fn take(&mut self, now: Ts, line: u64) -> Vec<Out> {
        self.lines.get_mut(&line).map(|line| line.take(now)).unwrap_or_default()
    }

    /// Returns the connections on which something is due.
    pub fn due(&self, now: Ts) -> Vec<u64> {
        let due = self.lines.iter().filter(|(_, line)| line.next().is_some_and(|at| at <= now));
        due.map(|(id, _)| *id).collect()
    }

    /// Forgets a connection that has ended.
    pub fn gone(&mut self, line: u64) {
        self.lines.remove(&line);
    }

    /// Returns what has happened since it was last asked, a line of JSON each.
    pub fn journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }

    fn note(&mut self, mut what: Value) {
        what["ts"] = time::format(self.now).into();
        self.journal.push(what.to_string());
    }

    fn note_slow(&mut self, slow: &[u64]) {
        for line in slow {
            self.note(json!({"kind": "slow", "line": line}));
        }
    }
}

/// Makes a record that no client can read, with its end.
fn cut_short(text: &str) -> String {
    let half: String = text.chars().take(text.chars().count() / 2).collect();
    format!("{half}\u{1e}")
}
