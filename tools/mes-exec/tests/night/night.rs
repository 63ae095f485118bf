//! One night: somebody trades by the core, everything goes wrong, and the exchange's own books judge it.

mod judge;

use mes_core::{
    bar::Bar,
    broker::{Broker, Hello, Kind},
    dice::Draw,
    money::Cents,
    order::{Action, ExitReason, Limit, Order, Side, Signal},
    statement::{Role, Statement},
    time::{MILLI, SECOND, Ts},
};
use mes_exec::{
    guard::Guard,
    topstepx::{
        core::{Core, Setup},
        event::{Event, Request},
        venue::Venue,
    },
};
use mes_pipe::Settings;
use mes_sim::{
    exchange::settings::AccountSettings,
    service::{Fault, Schedule},
};

use crate::{
    bugs::{Asked, Bug, Bugs},
    world::{ACCOUNT, CONTRACT, Desk, World, seconds},
};

/// For so long it is traded, and things go wrong.
pub const TRADED: i64 = seconds(45);
/// The most contracts of an entry.
const MOST: i64 = 3;

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Plan {
    pub schedule: Schedule,
    pub start: Ts,
    pub kills: bool,
    pub clicks: bool,
    /// It goes on, without risk, until the day's end has passed; rows may stop.
    pub late: bool,
    pub rows_stop: bool,
    pub own_oco: bool,
    /// What is wrong with the program that trades.
    pub bug: Option<Bug>,
}

impl Plan {
    /// Says whether nothing at all goes wrong.
    pub fn is_quiet(&self) -> bool {
        self.schedule.faults.is_empty() && !self.kills && !self.clicks
    }
}

type Checked = Result<(), String>;

/// A night and what came of it.
pub struct Night<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    world: World,
    venue: Option<Guard<Venue<Desk>>>,
    draw: Draw,
    next_row: Ts,
    orders: u64,
    contracts: std::collections::BTreeMap<u64, i64>,
    statement: Statement,
    clicked: bool,
    /// Risk says nothing any more; the day is ended.
    alone: bool,
    ended: bool,
    quoted: Ts,
    bugs: Bugs,
    naked: Option<Ts>,
    told: i64,
    pub fills: usize,
    pub entries: usize,
    pub restarts: usize,
    pub alerts: Vec<String>,
    journal: Vec<String>,
}

impl<'a> Night<'a> {
    pub fn new(plan: &'a Plan, settings: &'a Settings) -> Night<'a> {
        let account = AccountSettings { id: ACCOUNT, ..AccountSettings::default() };
        let mut world = World::new(&plan.schedule, plan.start, account);
        // So that something is still open at the end.
        world.calm = if plan.late { 40 } else { 1 };
        Night {
            plan,
            settings,
            next_row: plan.start + SECOND,
            world,
            venue: None,
            draw: Draw::new(plan.schedule.seed, 23),
            orders: 0,
            contracts: Default::default(),
            statement: Statement::default(),
            clicked: false,
            alone: false,
            ended: false,
            quoted: plan.start,
            bugs: Bugs::default(),
            naked: None,
            told: 0,
            fills: 0,
            entries: 0,
            restarts: 0,
            alerts: Vec::new(),
            journal: Vec::new(),
        }
    }

    /// Plays it.
    pub fn play(&mut self) -> Checked {
        let end = self.plan.start + TRADED;
        let mut kill = self.plan.kills.then(|| self.plan.start + self.moment(TRADED));
        self.begin();
        while self.utc() < end {
            self.step(end)?;
            if self.utc() >= self.next_row {
                self.row()?;
            }
            if kill.is_some_and(|at| self.utc() >= at) {
                kill = (self.draw.below(3) == 0).then(|| self.utc() + self.moment(TRADED / 4));
                self.restart()?;
            }
        }
        if self.plan.late {
            self.pass_the_end()?;
        }
        self.finish()
    }

    /// Lets the day's end pass without risk, and where rows stop without those.
    fn pass_the_end(&mut self) -> Checked {
        self.alone = true;
        let end = self.flat_by() + seconds(2);
        while self.utc() < end {
            if self.plan.rows_stop {
                self.next_row = Ts::MAX;
            }
            self.step(end)?;
            if self.utc() >= self.next_row {
                self.row()?;
            }
        }
        let open = self.world.look(|exchange| exchange.positions(ACCOUNT).len());
        if open > 0 { Err("a position is open after the day's end".into()) } else { Ok(()) }
    }

    fn utc(&self) -> Ts {
        self.world.now().utc
    }

    fn moment(&mut self, within: i64) -> i64 {
        (self.draw.unit() * within as f64) as i64
    }

    /// A process begins.
    fn begin(&mut self) {
        let rules = &self.settings.rules.value;
        let setup = Setup {
            account: ACCOUNT,
            contract: CONTRACT.into(),
            nonce: format!("{}x{}", self.plan.schedule.seed, self.world.life),
            own_oco: self.plan.own_oco,
            // Whoever clicked beside it before it was killed is covered all the same.
            adopt: true,
            tick_value: rules.contract.tick_value(),
            side_cost: Cents(61),
            lifetime: rules.entries.lifetime(),
            widest_ticks: rules.guard.max_stop_ticks,
            seen: self.orders,
            balance: Cents(0),
        };
        let core = Core::new(setup, self.world.now());
        let hello = Hello::new(Kind::Exercise, "topstepx", Cents(100_000));
        let venue = Venue::new(core, Desk::default(), self.world.clock.clone(), hello, 0.02);
        self.venue = Some(Guard::new(venue, self.settings, self.world.clock.clone()).expect("a guard"));
    }

    fn restart(&mut self) -> Checked {
        self.keep();
        self.venue = None;
        self.world.die();
        self.restarts += 1;
        let until = self.utc() + self.moment(seconds(4));
        while self.utc() < until {
            // Rows go by.
            self.next_row = self.next_row.max(until + SECOND).div_euclid(SECOND) * SECOND;
            self.step(until)?;
        }
        self.begin();
        Ok(())
    }

    /// Keeps what was said and heard.
    pub fn keep(&mut self) {
        if let Some(guard) = &mut self.venue {
            let desk = &mut guard.broker_mut().shell;
            self.journal.append(&mut desk.journal);
            self.alerts.append(&mut desk.alerts);
        }
    }

    fn is_starting(&self) -> bool {
        self.venue.as_ref().is_none_or(|guard| guard.broker().core().is_starting())
    }

    /// Lets the next thing happen, and judges what the exchange has after it.
    fn step(&mut self, until: Ts) -> Checked {
        let now = self.world.now();
        let due = self.venue.as_ref().and_then(Broker::due).map_or(Ts::MAX, |due| due - now.steady + now.utc);
        let due = due.max(now.utc + MILLI);
        self.world.frozen = self.is_frozen(now.utc);
        let events = self.world.step(until.min(due).min(self.next_row.max(now.utc)));
        if events.iter().any(|event| matches!(event, Event::Quote { .. })) {
            self.quoted = self.utc();
        }
        let events = self.bugs.events(self.plan.bug, events, self.utc());
        let Some(guard) = &mut self.venue else { return self.judge() };
        for event in events {
            guard.broker_mut().take(event);
        }
        // What ends the run is looked at where rows are.
        if self.plan.bug != Some(Bug::FlatByOnRows) {
            let _ = guard.tick(self.world.clock.now());
        } else if self.world.now().steady >= guard.broker().due() {
            guard.broker_mut().take(Event::Timer);
        }
        self.send()?;
        self.judge()
    }

    /// Sends what is asked for, with what the bug makes of it.
    fn send(&mut self) -> Checked {
        let Some(guard) = &mut self.venue else { return Ok(()) };
        let asked = std::mem::take(&mut guard.broker_mut().shell.asked);
        if self.plan.bug == Some(Bug::CancelFirst) {
            let legs = self.world.look(|exchange| {
                let legs =
                    exchange.alive(ACCOUNT).filter(|order| order.stop.is_some() || order.limit.is_some());
                legs.map(|order| order.id).collect::<Vec<_>>()
            });
            self.bugs.see_legs(legs.into_iter());
        }
        for asked in self.bugs.asks(self.plan.bug, asked) {
            let Asked { after, call, purpose, request } = asked;
            if let Request::Place { entry: true, .. } = request {
                self.may_enter()?;
            }
            self.world.send(after, call, purpose, request);
        }
        Ok(())
    }

    /// Nothing is entered after a halt, on quotes that are old, or past the day's end.
    fn may_enter(&self) -> Checked {
        if self.ended {
            return Err("an entry after a halt".into());
        }
        let age = self.utc() - self.quoted;
        if age > seconds(5) + MILLI {
            return Err(format!("an entry on a quote that is {} ms old", age / MILLI));
        }
        if self.utc() >= self.flat_by() - seconds(300) {
            return Err("an entry in the last five minutes".into());
        }
        Ok(())
    }

    fn is_frozen(&self, now: Ts) -> bool {
        let mut faults = self.plan.schedule.faults.iter();
        faults.any(|planned| {
            let from = self.plan.start + planned.at_ms as i64 * MILLI;
            planned.fault == Fault::QuotesFrozen
                && (from..from + planned.for_ms as i64 * MILLI).contains(&now)
        })
    }

    /// The day's end: 16:08 New York.
    fn flat_by(&self) -> Ts {
        mes_core::time::parse("2026-11-20T21:08:00Z").expect("a time")
    }

    fn row(&mut self) -> Checked {
        let ts = self.next_row;
        self.next_row += SECOND;
        if self.is_starting() {
            return Ok(());
        }
        let price = self.world.close();
        let bar = Bar { ts, open: price, high: price, low: price, close: price, volume: 1, ..Bar::default() };
        let Some(guard) = &mut self.venue else { return Ok(()) };
        match guard.on_bar(&bar) {
            Ok(statement) => self.statement = statement.clone(),
            // Somebody else's end of the day: the next process goes on.
            Err(_) => return self.restart(),
        }
        let fills = self.statement.fills.iter().map(|fill| fill.side.sign() * fill.contracts).sum::<i64>();
        self.fills += self.statement.fills.len();
        self.told += fills;
        self.act(ts)
    }

    /// Decides as risk might.
    fn act(&mut self, ts: Ts) -> Checked {
        if self.alone {
            return Ok(());
        }
        let working = |role| self.statement.working.iter().any(|order| order.role == role);
        let last = self.plan.start + TRADED - seconds(5);
        if self.plan.clicks && ts < last && self.draw.below(30) == 0 {
            self.clicked = true;
            let (side, size) = (self.draw.below(2) as i64, 1);
            self.world.click(side, size);
        }
        let action = if self.statement.position == 0 {
            if working(Role::Entry) || self.draw.below(3) != 0 {
                return Ok(());
            }
            let side = if self.draw.below(2) == 0 { Side::Buy } else { Side::Sell };
            let contracts = 1 + self.draw.below(MOST as usize) as i64;
            let (stop_ticks, target_ticks) = (4 + self.draw.below(5) as i64, 5 + self.draw.below(6) as i64);
            let away = self.draw.below(5) as i64 - 2;
            let limit = (self.draw.below(4) == 0).then(|| Limit {
                price: self.world.close() - side.sign() * away,
                lifetime_ms: 500 + self.draw.below(4_000) as u32,
            });
            Action::Enter { side, contracts, stop_ticks, target_ticks, confidence: 0.9, limit }
        } else {
            match self.draw.below(8) {
                0 if !working(Role::Exit) => Action::Exit { reason: ExitReason::Signal },
                1 => {
                    let sign = self.statement.position.signum();
                    let stop = self.world.close() - sign * (2 + self.draw.below(4) as i64);
                    Action::MoveStop { stop }
                }
                _ => return Ok(()),
            }
        };
        self.orders += 1;
        if let Action::Enter { contracts, .. } = action {
            self.entries += 1;
            self.contracts.insert(self.orders, contracts);
        }
        let order = Order { ts, id: self.orders, signal: Signal::Hold, contract: Default::default(), action };
        let Some(guard) = &mut self.venue else { return Ok(()) };
        guard.submit(&order).map_err(|error| error.to_string())?;
        self.send()
    }

    /// Ends the day, as a person does.
    fn finish(&mut self) -> Checked {
        if let Some(guard) = &mut self.venue {
            guard.broker_mut().finish(ExitReason::Person);
        }
        self.ended = true;
        let begun = self.utc();
        loop {
            let flat = self.venue.as_ref().is_some_and(|guard| guard.broker().core().is_flat());
            if !flat && self.plan.is_quiet() && self.utc() - begun > seconds(5) {
                return Err("nothing went wrong, and it was not flat within 5 s".into());
            }
            // Long enough that cash was compared too.
            if flat && self.utc() - begun > seconds(75) {
                break;
            }
            if self.utc() - begun > seconds(150) {
                let left = self.venue.as_ref().map(|guard| guard.broker().core().left());
                return Err(format!("not flat after 150 s: {left:?}"));
            }
            self.next_row = Ts::MAX;
            let until = self.utc() + SECOND;
            self.step(until)?;
        }
        self.settled()
    }

    pub fn journal(&self) -> &[String] {
        &self.journal
    }
}
