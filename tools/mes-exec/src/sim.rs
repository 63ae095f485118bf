//! A paper account: fills by the next bar, worst first.
//!
//! Lives on the rows' `ts` alone. Costs are booked with every fill; the bracket is measured from the entry's fill.

pub mod kept;

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    contract::{TICK_VALUE, price, ticks},
    costs::Costs,
    money::Cents,
    order::{Action, ExitReason, Order, Side},
    run::Run,
    schedule::Schedule,
    session::Part,
    statement::{Fill, Refusal, Role, Statement, Working},
    time::Ts,
};
use mes_pipe::Settings;

/// An open position and its bracket. Prices in ticks.
#[derive(Clone, Debug)]
struct Position {
    order: u64,
    side: Side,
    contracts: i64,
    entry: i64,
    stop: i64,
    target: i64,
    stop_moved: bool,
}

impl Position {
    fn signed(&self) -> i64 {
        self.side.sign() * self.contracts
    }

    /// Returns how far `price` lies in favour of the position, in ticks.
    fn gain(&self, price: i64) -> i64 {
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
}

/// An exit at market that waits for the next trade.
#[derive(Clone, Copy, Debug)]
struct Exit {
    order: u64,
    reason: ExitReason,
}

/// What the row before left behind. Prices in ticks.
#[derive(Clone, Copy, Debug)]
struct Before {
    ts: Ts,
    seg: i64,
    close: i64,
    /// The quote at the close, where bars carry quotes.
    bid: Option<i64>,
    ask: Option<i64>,
    slippage_ticks: i64,
    flat_at: Option<Ts>,
    session_end: Option<Ts>,
}

pub struct Sim {
    costs: Costs,
    schedule: Schedule,
    hello: Hello,
    balance: Cents,
    position: Option<Position>,
    entry: Option<Entry>,
    exit: Option<Exit>,
    before: Option<Before>,
    statement: Statement,
    /// Refusals that the next statement will report.
    refusals: Vec<Refusal>,
    /// Cost of one side of one contract today.
    side_cost: Cents,
    slippage_ticks: i64,
}

impl Sim {
    /// Opens an account with the capital of the rules.
    pub fn new(settings: &Settings) -> Sim {
        let rules = &settings.rules.value;
        let capital = rules.capital();
        let hello =
            Hello { broker: "sim".into(), account: "sim".into(), balance_cents: capital, cut: None, seen: 0 };
        let schedule = Schedule::new(
            settings.calendar.value.clone(),
            rules.day_end.flat_by,
            hello.cut,
            Default::default(),
        );
        Sim {
            costs: settings.costs.value.clone(),
            schedule,
            hello,
            balance: capital,
            position: None,
            entry: None,
            exit: None,
            before: None,
            statement: Statement { balance_cents: capital, equity_cents: capital, ..Statement::default() },
            refusals: Vec::new(),
            side_cost: Cents::ZERO,
            slippage_ticks: 0,
        }
    }

    /// Looks up what a fill in this bar costs and where its day ends.
    fn today(&mut self, bar: &Bar) -> (Option<Ts>, Option<Ts>) {
        let slippage = self.costs.slippage;
        let Some(today) = self.schedule.of_bar(bar.ts) else {
            self.slippage_ticks = slippage.eth_ticks;
            return (None, None);
        };
        let rth = today.part_of_bar(bar.ts) == Part::Rth;
        self.slippage_ticks = if rth { slippage.rth_ticks } else { slippage.eth_ticks };
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
        // A hole: the market may have been anywhere meanwhile, and F is not to be slept through.
        let stale = spans_flat && (broke || bar.volume == 0 || self.exit.is_none());
        let ended = broke && before.session_end.is_some_and(|end| end < bar.ts);
        if self.position.is_some() && (stale || ended) {
            let reason = if spans_flat { ExitReason::DataGap } else { ExitReason::SessionEnd };
            let order = self.exit.map(|exit| exit.order);
            self.close_at(before.close, 2 * before.slippage_ticks, reason, order, before.ts, false);
        }
    }

    /// Fills waiting market orders at the open, or at the opposite quote before it where that is worse.
    fn fill_waiting(&mut self, bar: &Bar, open: i64) {
        if bar.volume == 0 {
            return;
        }
        let before = self.before;
        let quote = |side: Side| match (side, before) {
            (Side::Buy, Some(Before { ask: Some(ask), .. })) => open.max(ask),
            (Side::Sell, Some(Before { bid: Some(bid), .. })) => open.min(bid),
            _ => open,
        };
        if let (Some(exit), Some(position)) = (self.exit, &self.position) {
            let reference = quote(position.side.opposite());
            self.close_at(reference, self.slippage_ticks, exit.reason, Some(exit.order), bar.ts, false);
        }
        if let Some(entry) = self.entry.take() {
            let sign = entry.side.sign();
            let filled = quote(entry.side) + sign * self.slippage_ticks;
            let cost = self.side_cost * entry.contracts;
            self.balance -= cost;
            self.statement.fills.push(Fill {
                ts: bar.ts,
                order: entry.order,
                side: entry.side,
                contracts: entry.contracts,
                price: price(filled),
                slippage_ticks: self.slippage_ticks,
                commission_cents: cost,
                gross_cents: Cents::ZERO,
                exit: None,
                ambiguous: false,
            });
            self.position = Some(Position {
                order: entry.order,
                side: entry.side,
                contracts: entry.contracts,
                entry: filled,
                stop: filled - sign * entry.stop_ticks,
                target: filled + sign * entry.target_ticks,
                stop_moved: false,
            });
        }
    }

    /// Lets the bar's range act on the bracket. Rows without trades trigger nothing.
    fn work_bracket(&mut self, bar: &Bar, [open, high, low]: [i64; 3]) {
        let Some(position) = self.position.as_ref().filter(|_| bar.volume > 0) else { return };
        let sign = position.side.sign();
        let (worst, best) = if sign > 0 { (low, high) } else { (high, low) };
        // How far a price lies beyond a level, in the direction of loss and of gain.
        let beyond_stop = |price: i64| sign * (position.stop - price) >= 0;
        let through_target = |price: i64| sign * (price - position.target) >= 1;
        let stop_reason = if position.stop_moved { ExitReason::Trail } else { ExitReason::Stop };
        let (stop, target) = (position.stop, position.target);
        if beyond_stop(open) {
            self.close_at(open, self.slippage_ticks, stop_reason, None, bar.ts, false);
        } else if through_target(open) {
            self.close_at(target, 0, ExitReason::Target, None, bar.ts, false);
        } else if beyond_stop(worst) {
            let ambiguous = through_target(best);
            self.close_at(stop, self.slippage_ticks, stop_reason, None, bar.ts, ambiguous);
        } else if through_target(best) {
            self.close_at(target, 0, ExitReason::Target, None, bar.ts, false);
        }
    }

    /// Closes the position at `reference` less slippage and books it.
    fn close_at(
        &mut self,
        reference: i64,
        slippage_ticks: i64,
        reason: ExitReason,
        order: Option<u64>,
        ts: Ts,
        ambiguous: bool,
    ) {
        let Some(position) = self.position.take() else { return };
        let filled = reference - position.side.sign() * slippage_ticks;
        let gross = TICK_VALUE * (position.gain(filled) * position.contracts);
        let cost = self.side_cost * position.contracts;
        self.balance += gross - cost;
        self.exit = None;
        self.statement.fills.push(Fill {
            ts,
            order: order.unwrap_or(position.order),
            side: position.side.opposite(),
            contracts: position.contracts,
            price: price(filled),
            slippage_ticks,
            commission_cents: cost,
            gross_cents: gross,
            exit: Some(reason),
            ambiguous,
        });
    }

    /// Brings the statement's account up to this close.
    fn state(&mut self, ts: Ts, close: i64) {
        let statement = &mut self.statement;
        statement.ts = ts;
        statement.balance_cents = self.balance;
        statement.position = self.position.as_ref().map_or(0, Position::signed);
        statement.entry_price = self.position.as_ref().map(|position| price(position.entry));
        statement.equity_cents = self.balance;
        statement.refused.clear();
        statement.refused.append(&mut self.refusals);
        statement.working.clear();
        if let Some(entry) = &self.entry {
            let Entry { order, side, contracts, .. } = *entry;
            statement.working.push(Working { order, role: Role::Entry, side, contracts, price: None });
        }
        let Some(position) = &self.position else { return };
        let open = TICK_VALUE * (position.gain(close) * position.contracts);
        statement.equity_cents += open - self.side_cost * position.contracts;
        let (side, contracts) = (position.side.opposite(), position.contracts);
        for (role, level) in [(Role::Stop, position.stop), (Role::Target, position.target)] {
            let order = position.order;
            statement.working.push(Working { order, role, side, contracts, price: Some(price(level)) });
        }
        if let Some(exit) = self.exit {
            statement.working.push(Working {
                order: exit.order,
                role: Role::Exit,
                side,
                contracts,
                price: None,
            });
        }
    }

    fn refuse(&mut self, order: u64, reason: &str) {
        self.refusals.push(Refusal { order, reason: reason.into() });
    }

    fn enter(&mut self, order: u64, side: Side, contracts: i64, stop_ticks: i64, target_ticks: i64) {
        if self.position.is_some() || self.entry.is_some() {
            self.refuse(order, "position_open");
        } else if contracts <= 0 || stop_ticks <= 0 || target_ticks <= 0 {
            self.refuse(order, "not_positive");
        } else {
            self.entry = Some(Entry { order, side, contracts, stop_ticks, target_ticks });
        }
    }

    /// Moves the stop. One that lies at or beyond the last price is a market exit.
    fn move_stop(&mut self, order: u64, stop: f64) -> Result<(), BrokerError> {
        let stop = ticks(stop).map_err(|error| BrokerError::Data(error.to_string()))?;
        let close = self.before.map(|before| before.close);
        match &mut self.position {
            None => self.refuse(order, "flat"),
            Some(position) => {
                position.stop = stop;
                position.stop_moved = true;
                if close.is_some_and(|close| position.side.sign() * (stop - close) >= 0) {
                    self.exit = Some(Exit { order, reason: ExitReason::Trail });
                }
            }
        }
        Ok(())
    }
}

impl Broker for Sim {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    /// Takes up the account as the run record has it: a journal that is replayed began with other money and orders.
    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        self.schedule.filter = run.session;
        self.balance = run.broker.balance_cents;
        self.statement.seen = run.broker.seen;
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        let data = |error: mes_core::Error| BrokerError::Data(error.to_string());
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(ticks);
        let (open, high, low, close) =
            (open.map_err(data)?, high.map_err(data)?, low.map_err(data)?, close.map_err(data)?);
        self.statement.fills.clear();
        let (flat_at, session_end) = self.today(bar);
        self.pass_time(bar);
        self.fill_waiting(bar, open);
        self.work_bracket(bar, [open, high, low]);
        let quoted = |quote: Option<f64>| quote.and_then(|quote| ticks(quote).ok());
        let (bid, ask) = (quoted(bar.bid), quoted(bar.ask));
        let slippage_ticks = self.slippage_ticks;
        self.before =
            Some(Before { ts: bar.ts, seg: bar.seg, close, bid, ask, slippage_ticks, flat_at, session_end });
        self.state(bar.ts, close);
        Ok(&self.statement)
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        if order.id != 0 && order.id <= self.statement.seen {
            return Err(BrokerError::Data(format!("order {} after {}", order.id, self.statement.seen)));
        }
        self.statement.seen = self.statement.seen.max(order.id);
        match order.action {
            Action::Enter { side, contracts, stop_ticks, target_ticks, .. } => {
                self.enter(order.id, side, contracts, stop_ticks, target_ticks);
            }
            Action::Exit { reason } => {
                if let Some(entry) = self.entry.take() {
                    self.refuse(entry.order, "cancelled");
                }
                if self.position.is_some() {
                    self.exit = Some(Exit { order: order.id, reason });
                }
            }
            Action::MoveStop { stop } => self.move_stop(order.id, stop)?,
        }
        Ok(())
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        self.statement.fills.clear();
        if let Some(entry) = self.entry.take() {
            self.refuse(entry.order, "end_of_data");
        }
        if let Some(before) = self.before {
            let order = self.exit.map(|exit| exit.order);
            self.close_at(before.close, self.slippage_ticks, ExitReason::EndOfData, order, before.ts, false);
            self.state(before.ts, before.close);
        }
        Ok(&self.statement)
    }
}
