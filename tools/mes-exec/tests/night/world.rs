//! An exchange, its market, the wire to it and the user hub, on one clock that jumps from event to event.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use mes_core::{
    dice::Draw,
    price::Price,
    tick::Tick,
    time::{MILLI, Now, SECOND, Ts},
};
use mes_exec::topstepx::{
    event::{Action, Answer, Event, Request},
    perform::perform,
    venue::Shell,
};
use mes_pipe::clock::Clock;
use mes_projectx::{
    Access, Carrier, Client, Credentials, Keeper, LIMITS, Purpose,
    hub::{
        Kind, Subscription,
        event::{Call as Called, read},
        link::{Heard, Link, Step},
        retry::Retry,
    },
};
use mes_sim::{
    exchange::{
        Exchange,
        instrument::Instrument,
        settings::{AccountSettings, Settings},
    },
    service::{Fate, Out, Schedule, Service, Setup},
};
use mes_web::{Call, Fault, Secret};

pub const ACCOUNT: i64 = 7;
pub const CONTRACT: &str = "CON.F.US.MES.Z26";
const USER: &str = "trader-nine";
const KEY: &str = "Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg0Bq";
/// Between two ticks of the market.
const TICK: i64 = 250 * MILLI;
/// One way.
const WAY: i64 = MILLI;

/// What is under way between us and the exchange.
enum Parcel {
    Call { life: u32, call: u64, purpose: Purpose, request: Request },
    Answer { life: u32, call: u64, answer: Answer },
}

pub struct World {
    pub clock: Clock,
    wire: Arc<Wire>,
    client: Client,
    keeper: Arc<Keeper>,
    instrument: Instrument,
    draw: Draw,
    price: i64,
    next_tick: Ts,
    parcels: BTreeMap<(Ts, u64), Parcel>,
    count: u64,
    /// Which process of ours is alive; what is meant for an earlier one is lost.
    pub life: u32,
    hub: Option<(u64, Link)>,
    was_up: bool,
    ready_at: Option<i64>,
    retry: Retry,
    retry_at: Ts,
    pub frozen: bool,
    /// One in so many ticks moves the price.
    pub calm: usize,
}

/// What the client's calls go over.
pub struct Wire(Mutex<Line>);

pub struct Line {
    pub service: Service,
    now: Ts,
    late: i64,
}

impl World {
    pub fn new(schedule: &Schedule, start: Ts, account: AccountSettings) -> World {
        let clock = Clock::by_hand(start);
        let settings = Settings { seed: schedule.seed, ..Settings::default() };
        let setup = Setup { schedule: schedule.clone(), ..Setup::new(settings, vec![account], USER, KEY) };
        let line = Line { service: Service::new(setup, start, &[]), now: start, late: 0 };
        let wire = Arc::new(Wire(Mutex::new(line)));
        let credentials = Credentials { user: Secret::new(USER), key: Secret::new(KEY) };
        let keeper = Arc::new(Keeper::new(wire.clone(), credentials, clock.clone()));
        World {
            client: Client::new(wire.clone(), keeper.clone()),
            keeper,
            wire,
            clock,
            instrument: Instrument::parse(CONTRACT, "2026-11-20".parse().expect("a date")).expect("known"),
            draw: Draw::new(schedule.seed, 11),
            price: 27_200,
            next_tick: start,
            parcels: BTreeMap::new(),
            count: 0,
            life: 0,
            hub: None,
            was_up: false,
            ready_at: None,
            retry: Retry::new(schedule.seed),
            retry_at: start,
            frozen: false,
            calm: 1,
        }
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    pub fn line(&self) -> MutexGuard<'_, Line> {
        self.wire.0.lock().expect("the wire")
    }

    pub fn look<T>(&self, look: impl FnOnce(&Exchange) -> T) -> T {
        look(self.line().service.exchange())
    }

    /// The process dies: its connection is cut, what it waited for is lost, what it sent is under way.
    pub fn die(&mut self) {
        self.life += 1;
        if let Some((line, _)) = self.hub.take() {
            self.line().service.gone(line);
        }
        self.was_up = false;
        self.retry_at = self.now().utc;
    }

    /// Sends a call so much later.
    pub fn send(&mut self, after: i64, call: u64, purpose: Purpose, request: Request) {
        let life = self.life;
        self.post(after + WAY, Parcel::Call { life, call, purpose, request });
    }

    fn post(&mut self, after: i64, parcel: Parcel) {
        self.count += 1;
        self.parcels.insert((self.now().utc + after, self.count), parcel);
    }

    /// Lets time pass up to `until` or the next thing that happens, and returns what is heard then.
    pub fn step(&mut self, until: Ts) -> Vec<Event> {
        let now = self.now();
        let parcel = self.parcels.keys().next().map_or(Ts::MAX, |(at, _)| *at);
        let link = self.hub.as_ref().map_or(self.retry_at, |(_, link)| link.due() - now.steady + now.utc);
        let service = self.line().service.next().unwrap_or(Ts::MAX);
        let next = until.min(parcel).min(link).min(service).min(self.next_tick).max(now.utc);
        self.clock.pass(next - now.utc, 0);
        let mut events = Vec::new();
        if next >= self.next_tick {
            events.extend(self.tick());
        }
        self.line().service.pass(next);
        self.line().now = next;
        while let Some(entry) = self.parcels.first_entry().filter(|entry| entry.key().0 <= next) {
            match entry.remove() {
                Parcel::Call { life, call, purpose, request } => self.arrive(life, call, purpose, request),
                Parcel::Answer { life, call, answer } if life == self.life => {
                    events.push(Event::Answer { call, answer });
                }
                Parcel::Answer { .. } => {}
            }
        }
        self.hear(&mut events);
        events
    }

    fn arrive(&mut self, life: u32, call: u64, purpose: Purpose, request: Request) {
        self.line().late = 0;
        let answer = perform(&self.client, purpose, request);
        let late = self.line().late;
        self.post(WAY + late, Parcel::Answer { life, call, answer });
    }

    fn tick(&mut self) -> Option<Event> {
        let jump = if self.draw.below(400) == 0 { 24 } else { 1 };
        let moves = i64::from(self.draw.below(self.calm) == 0);
        self.price += moves * jump * (self.draw.below(5) as i64 - 2);
        let points = |ticks: i64| Some(Price::from_ticks(ticks).points());
        let (bid, ask) = (self.price - 1, self.price);
        let (price, bid_points, ask_points) = (points(ask), points(bid), points(ask));
        let ts = self.next_tick;
        let tick = Tick { ts, price, size: Some(1), bid: bid_points, ask: ask_points, ..Tick::default() };
        let instrument = self.instrument;
        self.line().service.tick(instrument, &tick);
        self.next_tick += TICK;
        let (bid, ask) = (Price::from_ticks(bid), Price::from_ticks(ask));
        (!self.frozen).then_some(Event::Quote { bid, ask })
    }

    pub fn close(&self) -> Price {
        Price::from_ticks(self.price)
    }

    fn hear(&mut self, events: &mut Vec<Event>) {
        let now = self.now();
        if self.hub.is_none() && now.utc >= self.retry_at {
            self.connect(events);
        }
        let Some((line, _)) = &self.hub else { return };
        let line = *line;
        let heard = self.line().service.take(now.utc, line);
        let (mut over, mut steps) = (false, Vec::new());
        let Some((_, link)) = &mut self.hub else { return };
        for out in heard {
            match out {
                Out::Record(text) => steps.push(link.frame(text.as_bytes(), now.steady)),
                Out::Close | Out::Cut => over = true,
            }
        }
        if link.due() <= now.steady {
            steps.push(link.pass(now.steady));
        }
        for step in steps {
            over |= self.said(line, step, events);
        }
        if over {
            self.line().service.gone(line);
            self.lost(events);
        }
    }

    fn said(&mut self, line: u64, step: Step, events: &mut Vec<Event>) -> bool {
        let now = self.now();
        for text in step.say {
            self.line().service.frame(now.utc, line, text.as_bytes());
        }
        let mut over = false;
        for heard in step.heard {
            match heard {
                Heard::Ready => {
                    events.push(Event::Up { gap: std::mem::replace(&mut self.was_up, true) });
                    self.ready_at = Some(now.steady);
                }
                Heard::Called { target, arguments } => {
                    let (call, wrong) = read(&target, arguments);
                    events.extend(wrong.into_iter().map(|what| Event::Malformed { what }));
                    match call {
                        Called::User(users) => {
                            events.extend(users.into_iter().map(|user| Event::User { user }))
                        }
                        Called::Logout => events.push(Event::Logout),
                        Called::Market(_) | Called::Unknown(_) => {}
                    }
                }
                Heard::Malformed(what) => events.push(Event::Malformed { what }),
                Heard::Over(_) => over = true,
            }
        }
        over
    }

    fn connect(&mut self, events: &mut Vec<Event>) {
        let now = self.now();
        let opened = match self.keeper.token() {
            Ok(token) => {
                let opened = self.line().service.open(now.utc, Kind::User, Some(token.secret.reveal()));
                if opened == Err(401) {
                    self.keeper.rejected(token.generation);
                }
                opened.ok()
            }
            Err(_) => None,
        };
        let Some(line) = opened else { return self.lost(events) };
        let (link, hello) = Link::open(Subscription::account(ACCOUNT), now.steady);
        self.hub = Some((line, link));
        self.line().service.frame(now.utc, line, hello.as_bytes());
    }

    fn lost(&mut self, events: &mut Vec<Event>) {
        self.hub = None;
        let now = self.now();
        let ready = self.ready_at.take().map_or(0, |ready| now.steady - ready);
        self.retry_at = now.utc + self.retry.after(ready).max(MILLI);
        events.push(Event::Down { why: "the line is cut".into() });
    }

    /// A person clicks at market, beside us.
    pub fn click(&mut self, side: i64, size: i64) {
        let Ok(token) = self.keeper.token() else { return };
        let body = format!(
            r#"{{"accountId":{ACCOUNT},"contractId":"{CONTRACT}","type":2,"side":{side},"size":{size}}}"#
        );
        let now = self.now().utc;
        self.line().service.call(now, "api/Order/place", Some(token.secret.reveal()), body.as_bytes());
    }
}

impl Carrier for Wire {
    fn carry(&self, call: Call) -> Result<Vec<u8>, Fault> {
        let mut line = self.0.lock().expect("the wire");
        let now = line.now;
        let (path, body) = (call.path().to_owned(), call.body().unwrap_or_default().to_owned());
        let answer = line.service.call(now, &path, call.token(), body.as_bytes());
        line.late = line.late.max(match answer.fate {
            Fate::Lost => i64::try_from(LIMITS.deadline.as_nanos()).expect("short"),
            Fate::BreaksOff => 0,
            Fate::Arrives => answer.late,
        });
        answer.carried()
    }
}

/// The shell of a process in this world: what it asks for waits to be sent, what it said and heard is kept.
#[derive(Default)]
pub struct Desk {
    pub asked: Vec<(u64, Purpose, Request)>,
    pub journal: Vec<String>,
    pub alerts: Vec<String>,
}

impl Shell for Desk {
    fn record(&mut self, now: Now, event: &Event) {
        self.journal.push(format!("{} {}", now.utc, serde_json::to_string(event).expect("JSON")));
    }

    fn act(&mut self, now: Now, action: Action) {
        self.journal.push(format!("{} {}", now.utc, serde_json::to_string(&action).expect("JSON")));
        match action {
            Action::Call { call, purpose, request } => self.asked.push((call, purpose, request)),
            Action::Alert { text } => self.alerts.push(text),
        }
    }

    fn begin(&mut self, _: &mes_core::run::Run) -> Result<(), mes_core::broker::BrokerError> {
        Ok(())
    }
}

pub const fn seconds(count: i64) -> i64 {
    count * SECOND
}
