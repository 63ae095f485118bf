//! A paper account: fills by the next bar, worst first.
//!
//! Lives on the rows' `ts` alone. Costs are booked with every fill; the bracket is measured from the entry's fill.
//! How orders meet the market is in `fills.rs`, what is asked of the account in `orders.rs`.
//!
//! A position closed over a hole (`data_gap`, `session_end`) is stamped with the last row before the hole, whose close
//! it is closed at.

mod fills;
mod halts;
pub mod kept;
mod limits;
mod orders;

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello, Kind},
    costs::Costs,
    fills::{Fills, Model},
    interval::Interval,
    market::Market,
    money::Cents,
    order::{ExitReason, Order, Side},
    plausible::Seen,
    price::Price,
    quote::Quote,
    run::Run,
    schedule::Schedule,
    session::Part,
    statement::{Refusal, Role, Statement, Working},
    symbol::Symbol,
    time::Ts,
};
use mes_pipe::Settings;

use fills::Met;

/// An open position and its bracket.
#[derive(Clone, Debug)]
struct Position {
    order: u64,
    side: Side,
    contracts: i64,
    entry: Price,
    stop: Price,
    target: Price,
    stop_moved: bool,
}

impl Position {
    fn signed(&self) -> i64 {
        self.side.sign() * self.contracts
    }

    /// Returns how far `price` lies in favour of the position, in ticks.
    fn gain(&self, price: Price) -> i64 {
        self.side.sign() * (price - self.entry)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    order: u64,
    side: Side,
    contracts: i64,
    stop_ticks: i64,
    target_ticks: i64,
    /// When it arrives.
    due: Ts,
    /// The last instant at which a row may begin and fill it.
    expires: Ts,
    /// The worst price to open at; absent: at market.
    limit: Option<Price>,
    /// It was there for a row with trades already, and waits in the book.
    rests: bool,
    /// When a cancel of it arrives.
    cancelled: Option<Ts>,
}

/// An exit at market that waits for the next trade.
#[derive(Clone, Copy, Debug)]
struct Exit {
    order: u64,
    reason: ExitReason,
    due: Ts,
}

/// A new stop on its way.
#[derive(Clone, Copy, Debug)]
struct Move {
    order: u64,
    stop: Price,
    due: Ts,
}

/// What the row before left behind.
#[derive(Clone, Copy, Debug)]
struct Before {
    ts: Ts,
    seg: i64,
    symbol: Symbol,
    close: Price,
    /// The quote at the close, where there is one.
    quote: Option<Quote>,
    /// The side that a locked market did not fill.
    blocked: Option<Side>,
    slippage_ticks: i64,
    flat_at: Option<Ts>,
    session_end: Option<Ts>,
}

/// An account on paper, which fills by the next bar.
pub struct Paper {
    /// What one tick of one contract is worth.
    tick_value: Cents,
    costs: Costs,
    fills: Fills,
    /// How long an entry lives, in nanoseconds.
    lifetime: i64,
    /// Length of a row in nanoseconds.
    interval: i64,
    schedule: Schedule,
    hello: Hello,
    balance: Cents,
    position: Option<Position>,
    entry: Option<Entry>,
    exit: Option<Exit>,
    moving: Option<Move>,
    before: Option<Before>,
    statement: Statement,
    /// Refusals that the next statement will report.
    refusals: Vec<Refusal>,
    /// Cost of one side of one contract today.
    side_cost: Cents,
    /// Of fills in this row; as it was while nothing can fill.
    slippage_ticks: i64,
    /// What slippage depends on, what is believed and what fills; and the last row that the run record has in it already.
    market: Market,
    known: Option<Ts>,
    /// Share of the last price within which a quote is one.
    quote_band: f64,
    /// The side that does not fill in this row.
    blocked: Option<Side>,
    /// A person has ended the day.
    stopped: bool,
    /// The statement before could not be told: what it has to tell stays for the next.
    untold: bool,
}

impl Paper {
    /// Opens an account with the capital of the rules.
    pub fn new(settings: &Settings) -> Paper {
        let rules = &settings.rules.value;
        let capital = rules.capital();
        let hello = Hello::new(Kind::Paper, "paper", capital);
        let schedule = Schedule::new(
            settings.calendar.value.clone(),
            rules.day_end.flat_by,
            hello.cut,
            Default::default(),
        );
        Paper {
            tick_value: rules.contract.tick_value(),
            costs: settings.costs.value.clone(),
            fills: settings.fills.clone(),
            lifetime: rules.entries.lifetime(),
            interval: Interval::SECOND.nanos(),
            schedule,
            hello,
            balance: capital,
            position: None,
            entry: None,
            exit: None,
            moving: None,
            before: None,
            statement: Statement { balance_cents: capital, equity_cents: capital, ..Statement::default() },
            refusals: Vec::new(),
            side_cost: Cents::ZERO,
            slippage_ticks: 0,
            market: Market::default(),
            known: None,
            quote_band: rules.breakers.quote_band,
            blocked: None,
            stopped: false,
            untold: false,
        }
    }

    /// Says whether the run record does not know this row yet.
    fn is_new(&self, bar: &Bar) -> bool {
        self.known.is_none_or(|known| bar.ts > known)
    }

    /// Looks up what a fill in this bar costs and where its day ends.
    fn today(&mut self, bar: &Bar) -> (Option<Ts>, Option<Ts>) {
        let today = self.schedule.of_bar(bar.ts);
        let part = today.map_or(Part::Closed, |today| today.part_of_bar(bar.ts));
        if self.position.is_some() || self.entry.is_some() {
            self.slippage_ticks = self.costs.slippage.ticks(part, &self.market.minutes);
        }
        let Some(today) = today else { return (None, None) };
        self.side_cost = self.costs.rate(today.label()).side();
        (Some(today.end.flat), today.stretch_end(bar.ts))
    }

    /// Settles what the time since the row before means for orders and position.
    fn pass_time(&mut self, bar: &Bar) {
        let Some(before) = self.before else { return };
        let broke = bar.seg != before.seg;
        let spans_flat = before.flat_at.is_some_and(|flat| before.ts < flat && flat <= bar.ts);
        // Neither over a break nor over F: an entry must not open what the day's end is there to close.
        if (broke || spans_flat)
            && let Some(entry) = self.entry.take()
        {
            self.refuse(entry.order, "session_end");
        }
        let begins = bar.ts - self.interval;
        if let Some(entry) = self.entry.take_if(|entry| begins > entry.expires) {
            self.refuse(entry.order, "expired");
        }
        // A hole: the market may have been anywhere meanwhile, and F is not to be slept through.
        let stale = spans_flat && !self.is_stuck() && (broke || bar.volume == 0 || self.exit.is_none());
        let ended = broke && before.session_end.is_some_and(|end| end < bar.ts);
        if self.position.is_some() && (stale || ended) {
            let reason = if spans_flat { ExitReason::DataGap } else { ExitReason::SessionEnd };
            let order = self.exit.map(|exit| exit.order);
            self.close_at(Met::at(before.close, 2 * before.slippage_ticks), reason, order, before.ts, false);
        }
    }

    /// Brings the statement's account up to this close.
    fn state(&mut self, ts: Ts, close: Price) {
        if self.position.is_none() && self.entry.is_none() {
            self.exit = None;
        }
        self.statement.locked = self.exit.is_some() && self.is_stuck();
        let statement = &mut self.statement;
        statement.ts = ts;
        statement.balance_cents = self.balance;
        statement.position = self.position.as_ref().map_or(0, Position::signed);
        statement.entry_price = self.position.as_ref().map(|position| position.entry.points());
        statement.equity_cents = self.balance;
        if !self.untold {
            statement.refused.clear();
        }
        statement.refused.append(&mut self.refusals);
        statement.working.clear();
        if let Some(entry) = &self.entry {
            let Entry { order, side, contracts, limit, .. } = *entry;
            statement.working.push(Working::new(order, Role::Entry, side, contracts, limit));
            // A cancel on its way to an entry that may fill before it comes: it would close what was filled.
            if let Some(exit) = self.exit.filter(|_| self.position.is_none()) {
                let side = side.opposite();
                statement.working.push(Working::new(exit.order, Role::Exit, side, contracts, None));
            }
        }
        let Some(position) = &self.position else { return };
        let open = self.tick_value * (position.gain(close) * position.contracts);
        statement.equity_cents += open - self.side_cost * position.contracts;
        let (side, contracts) = (position.side.opposite(), position.contracts);
        for (role, level) in [(Role::Stop, position.stop), (Role::Target, position.target)] {
            let order = position.order;
            statement.working.push(Working::new(order, role, side, contracts, Some(level)));
        }
        if let Some(exit) = self.exit {
            statement.working.push(Working::new(exit.order, Role::Exit, side, contracts, None));
        }
    }
}

impl Broker for Paper {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    /// Takes up the account as the run record has it: a journal that is replayed began with other money and orders.
    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        self.schedule.set_filter(run.session);
        self.balance = run.broker.balance_cents;
        self.statement.seen = run.broker.seen;
        let interval: Interval =
            run.interval.parse().map_err(|error: mes_core::Error| BrokerError::Data(error.to_string()))?;
        self.interval = interval.nanos();
        self.market = run.ledger.market.clone();
        self.known = run.ledger.ts;
        Ok(())
    }

    fn watch(&mut self, bar: &Bar) {
        if self.is_new(bar) {
            self.market.push(bar, self.interval);
        }
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        self.statement.fills.clear();
        let new = self.is_new(bar);
        let seen = if new { self.market.see(bar, self.interval) } else { Seen::Plausible };
        if seen.is_implausible() {
            self.stand_still(bar);
            return Ok(&self.statement);
        }
        self.blocked = self.market.lock.blocked();
        if self.fills.model == Model::Optimistic {
            self.fill_at_the_signal();
        }
        let (flat_at, session_end) = self.today(bar);
        self.pass_time(bar);
        self.leave_what_is_gone(bar, seen);
        self.arrive(bar.ts - self.interval);
        self.fill_waiting(bar);
        let since = self.meet_limit(bar);
        self.work_bracket(bar, since);
        self.before = Some(Before {
            ts: bar.ts,
            seg: bar.seg,
            symbol: bar.symbol,
            close: bar.close,
            quote: Quote::of(bar, self.quote_band).ok(),
            blocked: self.blocked,
            slippage_ticks: self.slippage_ticks,
            flat_at,
            session_end,
        });
        if new {
            self.market.follow(seen, bar, self.interval);
        }
        self.state(bar.ts, bar.close);
        Ok(&self.statement)
    }

    fn used(&mut self, order: u64) {
        self.statement.seen = self.statement.seen.max(order);
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        if order.id != 0 && order.id <= self.statement.seen {
            return Err(BrokerError::Data(format!("order {} after {}", order.id, self.statement.seen)));
        }
        self.statement.seen = self.statement.seen.max(order.id);
        self.take(order);
        Ok(())
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        let reason = if self.stopped { ExitReason::Person } else { ExitReason::EndOfData };
        if !self.untold {
            self.statement.fills.clear();
        }
        if let Some(entry) = self.entry.take() {
            self.refuse(entry.order, reason.name());
        }
        if let Some(before) = self.before {
            let order = self.exit.map(|exit| exit.order);
            let met = Met::at(before.close, self.slippage_ticks);
            self.close_at(met, reason, order, before.ts, false);
            self.state(self.statement.ts, before.close);
        }
        Ok(&self.statement)
    }
}
