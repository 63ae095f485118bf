//! A service, its market, a client's wire to it and its user hub, on one clock that is moved by hand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use mes_core::{
    dice::Draw,
    tick::Tick,
    time::{MILLI, SECOND, Ts},
};
use mes_pipe::clock::Clock;
use mes_projectx::{
    Access, Carrier, Client, Credentials, Keeper, LIMITS,
    hub::{
        Kind, Subscription, UserEvent,
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

/// 2026-11-20 15:00 UTC, in the morning of New York.
const NOW: Ts = 1_795_186_800 * SECOND;
pub const ACCOUNT: i64 = 7;
pub const CONTRACT: &str = "CON.F.US.MES.Z26";
const USER: &str = "trader-nine";
const KEY: &str = "Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg0Bq";
/// Between two ticks of the market.
const TICK: i64 = SECOND;
/// There and back.
const TRIP: i64 = 2 * MILLI;

#[derive(Clone)]
pub struct World {
    pub clock: Clock,
    pub keeper: Arc<Keeper>,
    inner: Arc<Wire>,
}

struct Wire(Mutex<Inner>);

struct Inner {
    service: Service,
    clock: Clock,
    instrument: Instrument,
    draw: Draw,
    price: f64,
    next_tick: Ts,
    hub: Option<(u64, Link)>,
    ready_at: Option<i64>,
    retry: Retry,
    retry_at: Ts,
    heard: Vec<UserEvent>,
    malformed: usize,
    cuts: usize,
    /// How often each path was called.
    calls: BTreeMap<String, usize>,
    tokens: Vec<String>,
    /// What left that should not have.
    leaks: Vec<String>,
}

impl World {
    pub fn new(schedule: &Schedule) -> World {
        let clock = Clock::by_hand(NOW);
        let account = AccountSettings { id: ACCOUNT, ..AccountSettings::default() };
        let settings = Settings { seed: schedule.seed, ..Settings::default() };
        let setup = Setup { schedule: schedule.clone(), ..Setup::new(settings, vec![account], USER, KEY) };
        let mut inner = Inner {
            service: Service::new(setup, NOW, &[]),
            clock: clock.clone(),
            instrument: Instrument::parse(CONTRACT, "2026-11-20".parse().expect("a date")).expect("known"),
            draw: Draw::new(schedule.seed, 11),
            price: 6800.0,
            next_tick: NOW,
            hub: None,
            ready_at: None,
            retry: Retry::new(schedule.seed),
            retry_at: NOW,
            heard: Vec::new(),
            malformed: 0,
            cuts: 0,
            calls: BTreeMap::new(),
            tokens: Vec::new(),
            leaks: Vec::new(),
        };
        inner.advance(MILLI);
        let wire = Arc::new(Wire(Mutex::new(inner)));
        let credentials = Credentials { user: Secret::new(USER), key: Secret::new(KEY) };
        let keeper = Arc::new(Keeper::new(wire.clone(), credentials, clock.clone()));
        World { clock, keeper, inner: wire }
    }

    pub fn client(&self) -> Client {
        Client::new(self.inner.clone(), self.keeper.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.0.lock().expect("the world")
    }

    /// Lets time pass; the hub is called again when it is time to.
    pub fn run(&self, nanos: i64) {
        let end = self.clock.now().utc + nanos;
        while self.clock.now().utc < end {
            let (now, connect) = {
                let mut inner = self.inner();
                let now = self.clock.now().utc;
                // A hub that is lost within this is called again at its end.
                let next = if inner.hub.is_none() { inner.retry_at.max(now + MILLI) } else { now + SECOND };
                let left = (next.min(end) - now).max(MILLI);
                inner.advance(left);
                let now = inner.clock.now().utc;
                (now, inner.hub.is_none() && now >= inner.retry_at)
            };
            if connect {
                let token = self.keeper.token();
                let mut inner = self.inner();
                let opened = token.as_ref().ok().map(|token| {
                    (token.generation, inner.service.open(now, Kind::User, Some(token.secret.reveal())))
                });
                match opened {
                    Some((_, Ok(line))) => inner.opened(line),
                    Some((generation, Err(status))) => {
                        inner.lost();
                        drop(inner);
                        if status == 401 {
                            self.keeper.rejected(generation);
                        }
                    }
                    None => inner.lost(),
                }
            }
        }
    }

    pub fn look<T>(&self, look: impl FnOnce(&Exchange) -> T) -> T {
        look(self.inner().service.exchange())
    }

    pub fn calls_of(&self, end: &str) -> usize {
        self.inner().calls.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, count)| count).sum()
    }

    pub fn is_connected(&self) -> bool {
        self.inner().hub.as_ref().is_some_and(|(_, link)| link.is_ready())
    }

    pub fn heard(&self) -> usize {
        self.inner().heard.len()
    }

    pub fn cuts(&self) -> usize {
        self.inner().cuts
    }

    pub fn leaks(&self) -> Vec<String> {
        self.inner().leaks.clone()
    }

    /// Says which secret a text holds a part of.
    pub fn secret_in(&self, text: &str) -> Option<String> {
        let inner = self.inner();
        let secrets = inner.tokens.iter().map(String::as_str).chain([USER, KEY]);
        let told = |secret: &&str| {
            secret.as_bytes().windows(8).any(|part| text.as_bytes().windows(8).any(|at| at == part))
        };
        secrets.filter(|secret| !secret.is_empty()).find(told).map(str::to_owned)
    }
}

impl Inner {
    /// Lets time pass: ticks, what is due, frames of the hub.
    fn advance(&mut self, nanos: i64) {
        let end = self.clock.now().utc + nanos;
        loop {
            let now = self.clock.now().utc;
            let due =
                self.hub.as_ref().map_or(i64::MAX, |(_, link)| link.due() - self.clock.now().steady + now);
            let next = self.next_tick.min(self.service.next().unwrap_or(Ts::MAX)).min(due).min(end).max(now);
            self.clock.pass(next - now, 0);
            if next >= self.next_tick {
                self.tick();
            }
            self.service.pass(next);
            self.hear(next);
            if next >= end {
                return;
            }
        }
    }

    fn tick(&mut self) {
        self.price += 0.25 * (self.draw.below(5) as f64 - 2.0);
        let (bid, ask) = (Some(self.price - 0.25), Some(self.price));
        let tick = Tick { ts: self.next_tick, price: ask, size: Some(1), bid, ask, ..Tick::default() };
        self.service.tick(self.instrument, &tick);
        self.next_tick += TICK;
    }

    fn hear(&mut self, now: Ts) {
        let Some((line, _)) = &self.hub else { return };
        let line = *line;
        let steady = self.clock.now().steady;
        let mut over = false;
        let mut steps = Vec::new();
        for out in self.service.take(now, line) {
            let Some((_, link)) = &mut self.hub else { break };
            match out {
                Out::Record(text) => steps.push(link.frame(text.as_bytes(), steady)),
                Out::Close | Out::Cut => over = true,
            }
        }
        if let Some((_, link)) = &mut self.hub
            && link.due() <= steady
        {
            steps.push(link.pass(steady));
        }
        for step in steps {
            over |= self.step(line, now, step);
        }
        if over {
            self.service.gone(line);
            self.lost();
        }
    }

    fn step(&mut self, line: u64, now: Ts, step: Step) -> bool {
        for text in step.say {
            self.leaks.extend(text.contains(KEY).then(|| text.clone()));
            self.service.frame(now, line, text.as_bytes());
        }
        let mut over = false;
        for heard in step.heard {
            match heard {
                Heard::Ready => self.ready_at = Some(self.clock.now().steady),
                Heard::Called { target, arguments } => {
                    let (call, wrong) = read(&target, arguments);
                    self.malformed += wrong.len();
                    if let Called::User(events) = call {
                        self.heard.extend(events);
                    }
                }
                Heard::Malformed(_) => self.malformed += 1,
                Heard::Over(_) => over = true,
            }
        }
        over
    }

    fn opened(&mut self, line: u64) {
        let (link, hello) = Link::open(Subscription::account(ACCOUNT), self.clock.now().steady);
        self.hub = Some((line, link));
        let now = self.clock.now().utc;
        self.service.frame(now, line, hello.as_bytes());
    }

    fn lost(&mut self) {
        self.hub = None;
        self.cuts += 1;
        let now = self.clock.now();
        let ready = self.ready_at.take().map_or(0, |ready| now.steady - ready);
        self.retry_at = now.utc + self.retry.after(ready);
    }
}

impl Carrier for Wire {
    fn carry(&self, call: Call) -> Result<Vec<u8>, Fault> {
        let mut inner = self.0.lock().expect("the world");
        let (path, body) = (call.path().to_owned(), call.body().unwrap_or_default().to_owned());
        *inner.calls.entry(path.clone()).or_default() += 1;
        if !path.ends_with("loginKey") && body.contains(KEY) {
            inner.leaks.push(body.clone());
        }
        inner.advance(TRIP / 2);
        let now = inner.clock.now().utc;
        let answer = inner.service.call(now, &path, call.token(), body.as_bytes());
        if let Some(token) = path.contains("api/Auth/").then(|| token(&answer.body)).flatten() {
            inner.tokens.push(token);
        }
        inner.advance(match answer.fate {
            Fate::Lost => i64::try_from(LIMITS.deadline.as_nanos()).expect("short"),
            Fate::BreaksOff => TRIP,
            Fate::Arrives => TRIP / 2 + answer.late,
        });
        answer.carried()
    }
}

fn token(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    ["token", "newToken"].iter().find_map(|field| body.get(field)?.as_str().map(str::to_owned))
}
