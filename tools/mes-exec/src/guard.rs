//! The last line: what no order and no silence of risk can get past, whichever broker is behind it.
//!
//! It refuses entries, closes late positions and cancels late entries by itself. It refuses a limit that lies
//! further from the market than a stop may from its entry, and a stop that moves back, lies further from the entry than a
//! new one may, or as far beyond the market.

use std::{collections::VecDeque, os::fd::BorrowedFd};

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    fills::Fills,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    rules::Rules,
    run::Run,
    schedule::Schedule,
    statement::{Refusal, Role, Statement},
    time::{MINUTE, Now, Ts},
};
use mes_pipe::{Settings, clock::Clock};

use crate::live::{Live, OWN_EXIT};

/// A broker behind checks of size, stop, rate, time of day and settings.
pub struct Guard<B> {
    broker: B,
    rules: Rules,
    hashes: [String; 3],
    fills: Fills,
    schedule: Schedule,
    /// The `ts` and the close of the last row.
    row: Ts,
    close: Price,
    /// The time of an account that an exchange is behind; none of its own has one that lives on the rows.
    live: Option<Live>,
    seen: u64,
    /// When orders came within the last minute.
    recent: VecDeque<Ts>,
    refusals: Vec<Refusal>,
    flatten: bool,
    can_trade: bool,
    trade: Option<Trade>,
    statement: Statement,
}

impl<B: Broker> Guard<B> {
    /// Puts `broker` behind the guard's checks.
    ///
    /// # Errors
    ///
    /// Whatever the broker's hello fails of.
    pub fn new(mut broker: B, settings: &Settings, clock: Clock) -> Result<Self, BrokerError> {
        let rules = settings.rules.value.clone();
        let hello = broker.hello()?;
        let live = hello.kind.is_live().then(|| Live::new(clock, rules.guard.dead_man_s));
        let calendar = settings.calendar.value.clone();
        Ok(Guard {
            schedule: Schedule::new(calendar, rules.day_end.flat_by, hello.cut, Default::default()),
            broker,
            rules,
            hashes: hashes(&settings.rules.blake3, &settings.costs.blake3, &settings.calendar.blake3),
            fills: settings.fills.clone(),
            row: 0,
            close: Price::default(),
            live,
            can_trade: hello.can_trade,
            seen: 0,
            recent: VecDeque::new(),
            refusals: Vec::new(),
            flatten: false,
            trade: None,
            statement: Statement::default(),
        })
    }

    /// Returns the broker behind the checks.
    pub fn broker(&self) -> &B {
        &self.broker
    }

    /// Returns the broker behind the checks, to let something happen at it.
    pub fn broker_mut(&mut self) -> &mut B {
        &mut self.broker
    }

    /// Says why an order may not pass, if it may not.
    fn objection(&mut self, order: &Order) -> Option<&'static str> {
        let (contracts, stop_ticks, limit) = match order.action {
            Action::Enter { contracts, stop_ticks, limit, .. } => (contracts, stop_ticks, limit),
            Action::MoveStop { stop } => {
                return self.trade.map_or(Some("flat"), |trade| self.objection_to_move(trade, stop));
            }
            Action::Exit { .. } => return None,
        };
        if !self.can_trade {
            return Some("guard_can_trade");
        }
        if order.ts > self.row {
            return Some("guard_ts");
        }
        if let Some(reason) = self.live.as_ref().and_then(|live| live.objection(order.ts)) {
            return Some(reason);
        }
        if contracts > self.rules.guard.max_contracts {
            return Some("guard_contracts");
        }
        if stop_ticks > self.rules.guard.max_stop_ticks {
            return Some("guard_stop");
        }
        if limit.is_some_and(|limit| (limit.price - self.close).abs() > self.rules.guard.max_stop_ticks) {
            return Some("guard_limit");
        }
        let now = self.now();
        while self.recent.front().is_some_and(|ts| *ts <= now - MINUTE) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.rules.guard.max_orders_per_minute {
            return Some("guard_rate");
        }
        match self.schedule.of_bar(now) {
            None => Some("guard_closed"),
            Some(today) if now >= today.end.exit => Some("guard_day_end"),
            Some(_) => None,
        }
    }
}

impl<B> Guard<B> {
    /// Returns the time that orders are judged by.
    fn now(&self) -> Ts {
        self.live.as_ref().map_or(self.row, Live::utc)
    }

    /// Says why a stop may not move there: never away from the market, never further from the entry than a new trade's
    /// may lie, and never beyond the market further than that, where no stop makes sense.
    fn objection_to_move(&self, trade: Trade, stop: Price) -> Option<&'static str> {
        let (Trade { side, entry, present }, widest) = (trade, self.rules.guard.max_stop_ticks);
        let ahead_of = |price: Price| side.sign() * (stop - price);
        if present.is_some_and(|present| ahead_of(present) < 0) {
            return Some("guard_stop_back");
        }
        let allowed = ahead_of(entry) >= -widest && ahead_of(self.close) <= widest;
        (!allowed).then_some("guard_stop")
    }
}

/// The open position as of the last statement.
#[derive(Clone, Copy, Debug)]
struct Trade {
    side: Side,
    entry: Price,
    /// Where the stop lies, if it does anywhere.
    present: Option<Price>,
}

impl Trade {
    /// Reads it from a statement; `None` while flat.
    fn of(statement: &Statement) -> Option<Trade> {
        let entry = statement.entry()?;
        let stop = statement.working.iter().find(|order| order.role == Role::Stop);
        let present = stop.and_then(|stop| stop.price);
        Some(Trade { side: Side::of(statement.position), entry, present })
    }
}

fn hashes(rules: &str, costs: &str, calendar: &str) -> [String; 3] {
    [rules, costs, calendar].map(str::to_owned)
}

fn differ(what: &str, flag: &str) -> BrokerError {
    BrokerError::Mismatch(format!("risk and exec have different {what}: give both the same --{flag}"))
}

impl<B: Broker> Broker for Guard<B> {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        self.broker.hello()
    }

    /// Refuses a run whose rules, costs, fills or calendar are not those of the guard.
    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        let theirs = hashes(&run.rules.blake3, &run.costs.blake3, &run.calendar);
        let names = ["rules", "costs", "calendar"];
        if let Some(index) = (0..3).find(|&index| theirs[index] != self.hashes[index]) {
            return Err(differ(names[index], names[index]));
        }
        if run.fills != self.fills {
            let latency = run.fills.model == self.fills.model;
            return Err(differ("fills", if latency { "latency" } else { "fills" }));
        }
        self.schedule.set_filter(run.session);
        if let Some(live) = &mut self.live {
            live.row();
        }
        self.broker.begin(run)
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        self.schedule.check_bar(bar.ts).map_err(|error| BrokerError::Data(error.to_string()))?;
        let decided = std::mem::replace(&mut self.row, bar.ts);
        if std::mem::take(&mut self.flatten) {
            let action = Action::Exit { reason: ExitReason::EodFlatten };
            self.broker.submit(&Order {
                ts: decided,
                id: 0,
                signal: Signal::Flatten,
                contract: Default::default(),
                action,
            })?;
        }
        if let Some(live) = &mut self.live {
            live.row();
        }
        let statement = self.broker.on_bar(bar)?;
        if let Some(live) = &mut self.live {
            live.sees(statement);
        }
        (self.trade, self.close) = (Trade::of(statement), bar.close);
        let waits = statement.working.iter().any(|order| order.role == Role::Entry);
        if (statement.position != 0 || waits)
            && self.live.is_none()
            && let Some(today) = self.schedule.of_bar(bar.ts)
        {
            let leaving = statement.working.iter().any(|order| order.role == Role::Exit);
            self.flatten = !leaving && bar.ts >= today.end.flat - OWN_EXIT;
        }
        if self.refusals.is_empty() && self.seen <= statement.seen {
            return Ok(statement);
        }
        self.statement.clone_from(statement);
        self.statement.seen = self.seen.max(statement.seen);
        self.statement.refused.append(&mut self.refusals);
        Ok(&self.statement)
    }

    fn watch(&mut self, bar: &Bar) {
        self.broker.watch(bar);
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        if let Some(reason) = self.objection(order) {
            self.seen = self.seen.max(order.id);
            // What is kept of the account knows it too, or risk's ledger would run ahead of it.
            self.broker.used(order.id);
            self.refusals.push(Refusal { order: order.id, reason: reason.into() });
            return Ok(());
        }
        self.recent.push_back(self.now());
        if let Some(live) = &mut self.live {
            live.exposed |= matches!(order.action, Action::Enter { .. });
        }
        // A time to come would hold back an exit, and the guard's own with it.
        self.broker.submit(&Order { ts: order.ts.min(self.row), ..order.clone() })
    }

    fn stop(&mut self) {
        self.broker.stop();
    }

    fn exposure(&self) -> i64 {
        self.broker.exposure()
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        self.broker.wake()
    }

    fn due(&self) -> Option<i64> {
        self.broker.due().into_iter().chain(self.live.as_ref().map(Live::due)).min()
    }

    /// Closes what the day's end or a dead upstream leaves open, whether rows come or not.
    fn tick(&mut self, now: Now) -> Result<(), BrokerError> {
        self.broker.tick(now)?;
        let exposure = self.broker.exposure();
        let Some(live) = &mut self.live else { return Ok(()) };
        live.holds(exposure);
        let today = self.schedule.of_bar(now.utc);
        let Some(reason) = live.tick(now, today) else { return Ok(()) };
        let action = Action::Exit { reason };
        let (id, contract) = (0, Default::default());
        self.broker.submit(&Order { ts: self.row, id, signal: Signal::Flatten, contract, action })
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        let statement = self.broker.end()?;
        self.statement.clone_from(statement);
        self.statement.seen = self.seen.max(statement.seen);
        self.statement.refused.append(&mut self.refusals);
        Ok(&self.statement)
    }
}
