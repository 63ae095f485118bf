//! How a day was traded, beside what it came to: what fills cost against the costs file, how long they took, and what
//! became of the line to the broker.

use std::collections::{BTreeMap, VecDeque};

use mes_core::{
    bar::Bar,
    broker::{Hello, Kind},
    calendar::Calendar,
    costs::Costs,
    money::Cents,
    order::{Action, ExitReason},
    person::Person,
    price::Price,
    row::Row,
    run::Run,
    session::Sessions,
    statement::{Connection, Fill, Role, Statement},
    time::{MILLI, SECOND, Ts},
    tz,
    verdict::Verdict,
};
use mes_pipe::{Result, journal::Journal};

/// Rows that are remembered, and orders: a fill is told soon after it was made.
const ROWS: usize = 16;
const ORDERS: usize = 64;

/// What a fill was meant to fill at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Entry,
    LimitEntry,
    Exit,
    Stop,
    Target,
}

impl How {
    /// Says it.
    pub fn words(self) -> &'static str {
        match self {
            How::Entry => "entries at market",
            How::LimitEntry => "entries at a limit",
            How::Exit => "exits at market",
            How::Stop => "stops",
            How::Target => "targets",
        }
    }
}

/// A fill beside what it was meant to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Execution {
    pub ts: Ts,
    pub how: How,
    pub contracts: i64,
    /// Ticks worse than its reference: the open of the row that it fell into for one at market (the close where the
    /// rows ended), else its limit or stop; negative is better. Absent where there is none.
    pub slippage_ticks: Option<i64>,
    /// What the costs file takes in a calm market at that time of day.
    pub expected_ticks: i64,
    /// Milliseconds from the row that asked for it to the fill.
    pub latency_ms: Option<i64>,
}

/// An order at market or at a limit.
#[derive(Clone, Copy)]
struct Asked {
    id: u64,
    ts: Ts,
    enters: bool,
    limit: Option<Price>,
}

/// What is listened for.
pub struct Conduct {
    pub hello: Option<Hello>,
    pub executions: Vec<Execution>,
    /// Commission as it was charged, and by the costs file.
    pub paid: Cents,
    pub by_file: Cents,
    /// How often the account was lost, and for how long by the rows.
    pub lost: u64,
    pub lost_s: i64,
    /// How often the broker wanted no entries, by why.
    pub barred: BTreeMap<&'static str, u64>,
    /// How often a position had no protection that the broker knew of.
    pub unprotected: u64,
    /// Cash that no fill explains.
    pub adjusted: Cents,
    pub persons: Vec<Person>,
    /// Contracts that were open in the last statement.
    pub left_open: i64,
    sessions: Sessions,
    costs: Option<Costs>,
    interval: i64,
    rows: VecDeque<(Ts, Price, Price)>,
    asked: VecDeque<Asked>,
    last: Statement,
    lost_since: Option<Ts>,
    ending: bool,
}

impl Conduct {
    /// Begins.
    pub fn new(calendar: Calendar) -> Conduct {
        Conduct {
            hello: None,
            executions: Vec::new(),
            paid: Cents::ZERO,
            by_file: Cents::ZERO,
            lost: 0,
            lost_s: 0,
            barred: BTreeMap::new(),
            unprotected: 0,
            adjusted: Cents::ZERO,
            persons: Vec::new(),
            left_open: 0,
            sessions: Sessions::new(calendar),
            costs: None,
            interval: SECOND,
            rows: VecDeque::new(),
            asked: VecDeque::new(),
            last: Statement::default(),
            lost_since: None,
            ending: false,
        }
    }

    /// Returns what kind of account it was.
    pub fn kind(&self) -> Kind {
        self.hello.as_ref().map_or(Kind::Paper, |hello| hello.kind)
    }

    fn fill(&mut self, fill: &Fill) {
        // The exit of a bracket bears the id of the entry, which did not ask for it.
        let mut orders = self.asked.iter().rev();
        let asked =
            orders.find(|asked| Some(asked.id) == fill.order && asked.enters == fill.exit.is_none()).copied();
        let limit = asked.and_then(|asked| asked.limit);
        let how = match fill.exit {
            None if limit.is_some() => How::LimitEntry,
            None => How::Entry,
            Some(ExitReason::Target) => How::Target,
            Some(ExitReason::Stop | ExitReason::Trail) => How::Stop,
            Some(_) => How::Exit,
        };
        let reference = match how {
            How::LimitEntry => limit,
            How::Entry => self.at(fill.ts).map(|row| row.1),
            How::Target => self.working(Role::Target),
            How::Stop => self.working(Role::Stop),
            How::Exit => self.exit_reference(fill),
        };
        let slips = matches!(how, How::Entry | How::Exit | How::Stop);
        let part = self.sessions.of_bar(fill.ts);
        let calm = self.costs.as_ref().map_or(0, |costs| costs.slippage.calm_ticks(part));
        let latency = asked.filter(|_| matches!(how, How::Entry | How::Exit)).map(|asked| fill.ts - asked.ts);
        let rate = self.costs.as_ref().map(|costs| costs.rate(tz::new_york(fill.ts).date()).side());
        self.paid += fill.commission_cents;
        self.by_file += rate.unwrap_or_default() * fill.contracts;
        self.executions.push(Execution {
            ts: fill.ts,
            how,
            contracts: fill.contracts,
            slippage_ticks: reference.map(|reference| fill.side.sign() * (fill.price - reference)),
            expected_ticks: if slips { calm } else { 0 },
            latency_ms: latency.map(|latency| latency / MILLI),
        });
    }

    /// Returns the row that an instant falls into, else the last one.
    fn at(&self, ts: Ts) -> Option<(Ts, Price, Price)> {
        let within = |row: &&(Ts, Price, Price)| row.0 >= ts && row.0 - self.interval < ts;
        self.rows.iter().rev().find(within).or(self.rows.back()).copied()
    }

    /// Returns what an exit at market is measured against: nothing where somebody else made it.
    fn exit_reference(&self, fill: &Fill) -> Option<Price> {
        let at_the_close = [ExitReason::SessionEnd, ExitReason::DataGap, ExitReason::EndOfData];
        match fill.exit {
            Some(ExitReason::Outside | ExitReason::Broker | ExitReason::PriceJump | ExitReason::Roll) => None,
            Some(reason) if self.ending || at_the_close.contains(&reason) => {
                self.rows.back().map(|row| row.2)
            }
            _ => self.at(fill.ts).map(|row| row.1),
        }
    }

    fn working(&self, role: Role) -> Option<Price> {
        self.last.working.iter().find(|order| order.role == role).and_then(|order| order.price)
    }

    fn line(&mut self, statement: &Statement) {
        let lost = statement.connection == Connection::Lost;
        match (self.lost_since, lost) {
            (None, true) => (self.lost, self.lost_since) = (self.lost + 1, Some(statement.ts)),
            (Some(since), false) => {
                (self.lost_s, self.lost_since) = (self.lost_s + (statement.ts - since) / SECOND, None)
            }
            _ => {}
        }
        if let Some(barred) = statement.barred.filter(|barred| self.last.barred != Some(*barred)) {
            *self.barred.entry(barred.name()).or_default() += 1;
        }
        let bare = |statement: &Statement| statement.unprotected().is_some();
        self.unprotected += u64::from(bare(statement) && !bare(&self.last));
        self.adjusted += statement.adjusted_cents;
    }
}

impl Journal for Conduct {
    fn run(&mut self, run: &Run) -> Result<()> {
        self.hello = Some(run.broker.clone());
        self.costs = Some(run.costs.value.clone());
        self.interval = run.interval.parse().map_or(SECOND, mes_core::interval::Interval::nanos);
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        let Bar { ts, open, close, .. } = row.bar;
        self.rows.push_back((ts, open, close));
        if self.rows.len() > ROWS {
            self.rows.pop_front();
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        statement.fills.iter().for_each(|fill| self.fill(fill));
        self.line(statement);
        self.left_open = statement.position;
        self.last.clone_from(statement);
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        let Verdict::Order(order) = verdict else { return Ok(()) };
        let limit = match &order.action {
            Action::Enter { limit, .. } => limit.map(|limit| limit.price),
            Action::Exit { .. } => None,
            Action::MoveStop { .. } => return Ok(()),
        };
        let enters = matches!(order.action, Action::Enter { .. });
        self.asked.push_back(Asked { id: order.id, ts: order.ts, enters, limit });
        if self.asked.len() > ORDERS {
            self.asked.pop_front();
        }
        Ok(())
    }

    fn person(&mut self, person: &Person) -> Result<()> {
        self.persons.push(person.clone());
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ending = true;
        Ok(())
    }
}
