//! The guard of a live account, in virtual time: a broker that answers late, in parts, twice or never, rows that stop, a
//! clock that is set anew. Every schedule is a seed.

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello, Kind},
    dice::Draw,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    run::Run,
    statement::{Fill, Progress, Role, Statement, Working},
    time::{self, HOUR, MINUTE, Now, SECOND, Ts},
};
use mes_exec::guard::Guard;
use mes_pipe::clock::Clock;

use crate::desk::settings;

/// What the exchange will answer, and when on the steady clock.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at: i64,
    order: u64,
    /// The same number twice is the same answer.
    number: u64,
    signed: i64,
}

/// An exchange and a broker in front of it, who keeps the laws of [`Broker`] and knows only what has been answered.
struct Scripted {
    draw: Draw,
    clock: Clock,
    answers: Vec<Answer>,
    known: Vec<u64>,
    number: u64,
    entry: Option<(u64, i64, i64)>,
    /// The order that closes, until it is flat.
    closing: Option<u64>,
    position: i64,
    statement: Statement,
    /// What reached it, with the steady time.
    orders: Vec<(i64, Order)>,
}

impl Scripted {
    fn new(seed: u64, clock: Clock) -> Scripted {
        Scripted {
            draw: Draw::new(seed, 0),
            clock,
            answers: Vec::new(),
            known: Vec::new(),
            number: 0,
            entry: None,
            closing: None,
            position: 0,
            statement: Statement::default(),
            orders: Vec::new(),
        }
    }

    /// Answers in up to 9 s, now and then twice.
    fn answer(&mut self, order: u64, signed: i64) {
        self.number += 1;
        let at = self.clock.now().steady + self.draw.below(9_000) as i64 * time::MILLI;
        let answer = Answer { at, order, number: self.number, signed };
        self.answers.push(answer);
        if self.draw.unit() < 0.3 {
            self.answers.push(Answer { at: at + self.draw.below(3) as i64 * SECOND, ..answer });
        }
    }

    fn take_in(&mut self, now: Now) {
        let (due, later): (Vec<_>, Vec<_>) =
            self.answers.iter().copied().partition(|answer| answer.at <= now.steady);
        self.answers = later;
        for Answer { order, number, signed, .. } in due {
            if self.known.contains(&number) {
                continue;
            }
            self.known.push(number);
            self.position += signed;
            if let Some((id, wanted, filled)) = self.entry.filter(|(id, ..)| *id == order) {
                let filled = filled + signed.abs();
                self.entry = (filled < wanted).then_some((id, wanted, filled));
            }
            self.statement.fills.push(Fill {
                ts: now.utc,
                order: Some(order).filter(|order| *order != 0),
                side: Side::of(signed),
                contracts: signed.abs(),
                price: Price::nearest(5000.0),
                slippage_ticks: None,
                spread_ticks: None,
                commission_cents: Cents(42 * signed.abs()),
                gross_cents: Cents::ZERO,
                exit: (self.closing == Some(order)).then_some(ExitReason::Limit),
                ambiguous: None,
            });
        }
        let unanswered = |order: u64| self.answers.iter().any(|answer| answer.order == order);
        // Repeated until flat, an entry that arrives late included.
        if let Some(close) = self.closing.filter(|close| !unanswered(*close)) {
            if self.position != 0 {
                self.answer(close, -self.position);
            } else if self.entry.is_none_or(|(entry, ..)| !unanswered(entry)) {
                (self.closing, self.entry) = (None, None);
            }
        }
    }
}

impl Broker for Scripted {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        Ok(Hello::new(Kind::Exercise, "scripted", Cents(100_000)))
    }

    fn begin(&mut self, _run: &Run) -> Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        self.statement.fills.clear();
        self.take_in(self.clock.now());
        let statement = &mut self.statement;
        (statement.ts, statement.position) = (bar.ts, self.position);
        statement.entry_price = (self.position != 0).then_some(5000.0);
        statement.working.clear();
        if let Some((order, contracts, filled)) = self.entry {
            let entry = Working::new(order, Role::Entry, Side::Buy, contracts, None);
            statement.working.push(Working { state: Progress::Unknown, filled, ..entry });
        }
        if let Some(order) = self.closing {
            statement.working.push(Working::new(order, Role::Exit, Side::Sell, self.position.abs(), None));
        }
        Ok(&self.statement)
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        self.orders.push((self.clock.now().steady, order.clone()));
        self.statement.seen = self.statement.seen.max(order.id);
        match order.action {
            Action::Enter { side, contracts, .. } => {
                self.entry = Some((order.id, contracts, 0));
                // One in five is never answered; others in two parts.
                if self.draw.unit() < 0.8 {
                    let first = 1 + self.draw.below(contracts as usize) as i64;
                    for part in [first, contracts - first].into_iter().filter(|part| *part > 0) {
                        self.answer(order.id, side.sign() * part);
                    }
                }
            }
            Action::Exit { .. } => {
                let close = 1_000_000 + order.id;
                self.closing.get_or_insert(close);
                self.take_in(self.clock.now());
            }
            Action::MoveStop { .. } => {}
        }
        Ok(())
    }

    fn tick(&mut self, now: Now) -> Result<(), BrokerError> {
        self.take_in(now);
        Ok(())
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        Ok(&self.statement)
    }
}

struct Desk {
    clock: Clock,
    guard: Guard<Scripted>,
    id: u64,
}

impl Desk {
    fn open(seed: u64, start: &str) -> Desk {
        let clock = Clock::by_hand(time::parse(start).expect("a time"));
        let settings = settings();
        let guard =
            Guard::new(Scripted::new(seed, clock.clone()), &settings, clock.clone()).expect("a guard");
        Desk { clock, guard, id: 0 }
    }

    fn utc(&self) -> Ts {
        self.clock.now().utc
    }

    /// Lets a second pass, with a row or without.
    fn second(&mut self, row: bool) -> Option<Statement> {
        self.clock.pass(SECOND, 0);
        self.guard.tick(self.clock.now()).expect("ticks");
        row.then(|| self.row())
    }

    fn row(&mut self) -> Statement {
        let ts = self.utc() / SECOND * SECOND;
        let price = Price::nearest(5000.0);
        let bar = Bar { ts, open: price, high: price, low: price, close: price, volume: 1, ..Bar::default() };
        self.guard.on_bar(&bar).expect("a statement").clone()
    }

    fn enter(&mut self, ts: Ts) {
        self.id += 1;
        let (side, id, signal) = (Side::Buy, self.id, Signal::LongEntry);
        let action = Action::Enter {
            side,
            contracts: 2,
            stop_ticks: 8,
            target_ticks: 16,
            confidence: 0.9,
            limit: None,
        };
        let order = Order { ts, id, signal, contract: Default::default(), action };
        self.guard.submit(&order).expect("submitted");
    }

    fn orders(&self) -> &[(i64, Order)] {
        &self.guard.broker().orders
    }

    /// The exits that the guard sent by itself.
    fn closes(&self) -> Vec<(i64, ExitReason)> {
        let own = |(at, order): &(i64, Order)| match order.action {
            Action::Exit { reason } if order.id == 0 => Some((*at, reason)),
            _ => None,
        };
        self.orders().iter().filter_map(own).collect()
    }
}

/// Rows stop at some second after an entry; everything is closed within a minute and a look, once, whatever the broker had
/// answered by then; and once all answers are in, it is flat.
#[test]
fn without_rows_everything_is_closed_whatever_the_broker_answers() {
    for seed in 0..2_000 {
        let mut desk = Desk::open(seed, "2026-11-20T15:00:00Z");
        let mut draw = Draw::new(seed, 1);
        desk.row();
        desk.enter(desk.utc());
        for _ in 0..draw.below(20) {
            desk.second(true);
        }
        let open = desk.guard.broker().position != 0 || desk.guard.broker().entry.is_some();
        let silent = desk.clock.now().steady;
        for _ in 0..120 {
            desk.second(false);
        }
        let closes = desk.closes();
        let last = closes.last().copied();
        assert_eq!(last.is_some(), open, "{seed}: {closes:?}");
        assert!(closes.len() <= 2, "{seed}: {closes:?}");
        assert!(
            closes.iter().all(|(at, _)| (5..=61).contains(&((at - silent) / SECOND))),
            "{seed}: {closes:?}"
        );
        for _ in 0..60 {
            desk.second(false);
        }
        assert_eq!(desk.guard.broker().position, 0, "{seed}");
        // Rows come again: nothing is entered before they have done so for a minute.
        let row = desk.second(true).expect("a statement");
        desk.enter(row.ts);
        let refused = desk.second(true).expect("a statement").refused;
        assert_eq!(refused.first().is_some_and(|refusal| refusal.reason == "guard_silence"), open, "{seed}");
    }
}

/// Rows come or not, and the clock may be set forward in between: before flat-by all is closed.
#[test]
fn flat_by_the_clock_whether_rows_come_or_not_and_whatever_the_clock_does() {
    for seed in 0..500 {
        let mut draw = Draw::new(seed, 2);
        let mut desk = Desk::open(seed, "2026-11-20T21:20:00Z");
        desk.row();
        desk.enter(desk.utc());
        let rows = draw.unit() < 0.5;
        if draw.unit() < 0.5 {
            desk.clock.pass(0, draw.below(8) as i64 * MINUTE);
        }
        let flat = time::parse("2026-11-20T21:30:00Z").expect("a time");
        while desk.utc() < flat + MINUTE {
            desk.second(rows);
        }
        let reasons: Vec<_> = desk.closes().into_iter().map(|(_, reason)| reason).collect();
        let known =
            reasons.iter().all(|reason| [ExitReason::EodFlatten, ExitReason::DataGap].contains(reason));
        assert!(known && !reasons.is_empty(), "{seed}: {reasons:?}");
        assert_eq!(desk.guard.broker().position, 0, "{seed}");
    }
}

/// An entry that the broker never answers for holds back no exit, and is itself sent once.
#[test]
fn an_exit_reaches_the_broker_at_once_and_no_entry_twice() {
    for seed in 0..500 {
        let mut desk = Desk::open(seed, "2026-11-20T15:00:00Z");
        desk.row();
        desk.enter(desk.utc());
        desk.id += 1;
        let (ts, id, action) = (desk.utc(), desk.id, Action::Exit { reason: ExitReason::Limit });
        let exit = Order { ts, id, signal: Signal::Flatten, contract: Default::default(), action };
        desk.guard.submit(&exit).expect("submitted");
        assert_eq!(desk.orders().iter().map(|(_, order)| order.id).collect::<Vec<_>>(), [1, 2], "{seed}");
        for _ in 0..60 {
            desk.second(true);
        }
        assert_eq!((desk.guard.broker().position, desk.orders().len()), (0, 2), "{seed}");
    }
}

/// The row is old, the row is of another time, or the account may not trade at all.
#[test]
fn nothing_is_entered_on_an_old_row() {
    for (age, refused) in [(0, None), (2, None), (3, Some("guard_row_age")), (5, Some("guard_silence"))] {
        let mut desk = Desk::open(1, "2026-11-20T15:00:00Z");
        let row = desk.row();
        desk.clock.pass(age * SECOND, 0);
        desk.enter(row.ts);
        desk.clock.pass(0, -HOUR);
        let said = desk.row().refused.first().map(|refusal| refusal.reason.clone());
        assert_eq!(said.as_deref(), refused, "{age}");
    }
}
