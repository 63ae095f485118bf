//! What every view shows of a day at one row, in words and figures.

mod parts;

use mes_core::{
    broker::Kind,
    money::Cents,
    round_trip::RoundTrip,
    time::{self, SECOND, Ts},
    tz, vocabulary,
};
use mes_judge::words;
use mes_risk::{Stop, left, stops};
use serde::Serialize;

use parts::{LINES, gates, health, limits, lines, protection, schedule, side, took};

use crate::{
    chart::ms,
    day::{Book, Day, Moment, Standing},
};

/// A day at one row. Times are milliseconds since 1970, and `at` New York's clock; money is text beside cents.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// Rows of the day so far, and which of them this is.
    pub rows: usize,
    pub row: usize,
    pub ended: bool,
    pub account: Option<Account>,
    pub now: Option<Now>,
    pub limits: Vec<Bar>,
    pub stops: Vec<Held>,
    pub gates: Vec<Told>,
    pub clear: usize,
    pub decisions: Vec<Line>,
    pub alerts: Vec<Line>,
    pub trades: Vec<Trade>,
    pub result: Result,
    pub latencies: Vec<Took>,
    pub health: Vec<Health>,
    pub schedule: Vec<Step>,
    /// When the account has to be flat.
    pub flat_ms: Option<i64>,
}

/// Whose day it is.
#[derive(Debug, Serialize)]
pub struct Account {
    pub name: String,
    pub kind: &'static str,
    pub contract: String,
    pub rules: String,
    pub date: String,
    pub days: usize,
    pub money: &'static str,
}

/// The figures of the row.
#[derive(Debug, Serialize)]
pub struct Now {
    pub ts: i64,
    pub at: String,
    pub price: String,
    pub quote: Option<String>,
    pub position: String,
    pub side: &'static str,
    pub entry: Option<String>,
    pub stop: Option<String>,
    pub target: Option<String>,
    pub protection: String,
    pub day: Money,
    pub open: Money,
    pub realised: Money,
    pub equity: Money,
    pub balance: Money,
}

/// An amount, as a number for its sign and as text.
#[derive(Debug, Serialize)]
pub struct Money {
    pub cents: i64,
    pub text: String,
}

/// A limit: what of it is used and left.
#[derive(Debug, Serialize)]
pub struct Bar {
    pub rule: String,
    pub name: String,
    pub used: String,
    pub left: String,
    pub limit: String,
    /// Used of the whole, 0 to 1.
    pub share: f64,
    pub lasts: &'static str,
}

/// Something that keeps entries away, and what ends it.
#[derive(Debug, Serialize)]
pub struct Held {
    pub why: String,
    pub lifted_by: String,
}

/// A rule that denies entries, or makes them smaller.
#[derive(Debug, Serialize)]
pub struct Told {
    pub rule: &'static str,
    pub name: String,
    pub state: &'static str,
    pub why: String,
    pub since: String,
}

/// A line of a log.
#[derive(Debug, Serialize)]
pub struct Line {
    pub ts: i64,
    pub at: String,
    pub word: &'static str,
    pub text: String,
}

/// A trade that has ended.
#[derive(Debug, Serialize)]
pub struct Trade {
    pub ts: i64,
    pub entered: String,
    pub exited: String,
    pub side: &'static str,
    pub contracts: i64,
    pub entry: String,
    pub exit: String,
    pub why: String,
    pub net: Money,
}

/// What the trades came to.
#[derive(Debug, Default, Serialize)]
pub struct Result {
    pub trades: usize,
    pub won: usize,
    pub text: String,
}

/// How long an order took.
#[derive(Debug, Serialize)]
pub struct Took {
    pub at: String,
    pub what: &'static str,
    pub text: String,
}

/// One thing that has to be well, and whether it is.
#[derive(Debug, Serialize)]
pub struct Health {
    pub name: &'static str,
    pub well: bool,
    pub text: String,
}

/// A step of the day.
#[derive(Debug, Serialize)]
pub struct Step {
    pub at: String,
    pub what: &'static str,
    pub past: bool,
}

impl From<Cents> for Money {
    fn from(cents: Cents) -> Money {
        Money { cents: cents.0, text: cents.to_string() }
    }
}

impl Snapshot {
    /// Shows a day as of its row `row`, counted from 0; beyond the last, as of all that is known.
    pub fn of(day: &Day, row: usize) -> Snapshot {
        let last = day.moments.len().saturating_sub(1);
        let live = row >= last;
        let row = row.min(last);
        let known = |at: usize| live || at <= row;
        let shown = day.book.as_ref().zip(day.moments.get(row));
        let standing = shown.and_then(|(_, moment)| day.standings.get(moment.standing));
        let trades: Vec<&RoundTrip> =
            day.trades.iter().filter(|(at, _)| known(*at)).map(|(_, trade)| trade).collect();
        let today = standing.and_then(|standing| standing.today);
        let ts = shown.map(|(_, moment)| moment.ts);
        let mut snapshot = Snapshot {
            rows: day.moments.len(),
            row,
            ended: live && day.ended,
            account: day.book.as_ref().map(|book| Account::of(book, day)),
            now: shown.zip(standing).map(|((_, moment), standing)| Now::of(moment, standing)),
            limits: shown.map_or_else(Vec::new, |(book, moment)| limits(book, moment)),
            stops: Vec::new(),
            gates: standing.map_or_else(Vec::new, gates),
            clear: 0,
            decisions: lines(&day.decisions, known),
            alerts: lines(&day.alerts, known),
            trades: trades.iter().rev().take(LINES).map(|trade| Trade::of(trade)).collect(),
            result: Result::of(&trades),
            latencies: day.latencies.iter().rev().filter(|one| known(one.at)).take(8).map(took).collect(),
            health: shown.zip(standing).map_or_else(Vec::new, |(shown, standing)| health(shown, standing)),
            schedule: today.zip(ts).map_or_else(Vec::new, |(today, ts)| schedule(&today, ts)),
            flat_ms: today.map(|today| ms(today.end.flat)),
        };
        snapshot.clear = standing.map_or(0, |standing| standing.gates.len()) - snapshot.gates.len();
        if let Some(((book, moment), standing)) = shown.zip(standing) {
            let mut ledger = standing.ledger.clone();
            ledger.ts = Some(moment.ts);
            let limits = left(&book.limits, &moment.facts);
            snapshot.stops = stops(&ledger, book.rules(), &limits).into_iter().map(Held::of).collect();
        }
        if let Some(closed) = day.closed.as_ref().filter(|_| live)
            && let Some(now) = &mut snapshot.now
        {
            now.close(closed.position, closed.equity_cents, closed.balance_cents);
        }
        snapshot
    }
}

impl Account {
    fn of(book: &Book, day: &Day) -> Account {
        let hello = &book.run.broker;
        let name = if hello.name.is_empty() { &hello.account } else { &hello.name };
        let (kind, money) = match hello.kind {
            Kind::Paper => ("paper", "made-up money"),
            Kind::Recorded => ("recorded", "statements of a run that is over"),
            Kind::Exercise => ("exercise", "made-up money at an exchange on this machine"),
            Kind::Practice => ("practice", "the firm's practice money"),
            Kind::Real => ("REAL", "real money"),
        };
        Account {
            name: crate::day::plain(name),
            kind,
            contract: crate::day::plain(&hello.contract),
            rules: crate::day::plain(&book.rules().name),
            date: day.label.map_or_else(String::new, |label| label.to_string()),
            days: day.days,
            money,
        }
    }
}

impl Now {
    fn of(moment: &Moment, standing: &Standing) -> Now {
        let start = moment.facts.day_start_cents;
        let points = |price: mes_core::price::Price| format!("{:.2}", price.points());
        let position = match (moment.position, moment.waiting) {
            (0, Some(price)) => format!("flat, waits at {:.2}", price.points()),
            (0, None) => "flat".into(),
            (held, _) => format!("{} {}", if held > 0 { "long" } else { "short" }, held.abs()),
        };
        Now {
            ts: ms(moment.ts),
            at: clock(moment.ts),
            price: points(moment.close),
            quote: moment.quote.map(|(bid, ask)| format!("{} / {}", points(bid), points(ask))),
            position,
            side: side(moment.position),
            entry: moment.entry_price.map(|price| format!("{price:.2}")),
            stop: moment.stop.filter(|_| moment.position != 0).map(points),
            target: moment.target.filter(|_| moment.position != 0).map(points),
            protection: protection(moment, standing),
            day: (moment.equity_cents - start).into(),
            open: (moment.equity_cents - moment.balance_cents).into(),
            realised: (moment.balance_cents - moment.day_balance_cents).into(),
            equity: moment.equity_cents.into(),
            balance: moment.balance_cents.into(),
        }
    }

    /// Shows the account as it was left after the last row.
    fn close(&mut self, position: i64, equity: Cents, balance: Cents) {
        let start = self.equity.cents - self.day.cents;
        let began = self.balance.cents - self.realised.cents;
        self.day = (equity - Cents(start)).into();
        self.realised = (balance - Cents(began)).into();
        self.open = (equity - balance).into();
        (self.equity, self.balance) = (equity.into(), balance.into());
        if position == 0 {
            (self.position, self.side) = ("flat".into(), side(0));
            (self.entry, self.stop, self.target) = (None, None, None);
            self.protection = "nothing is open".into();
        }
    }
}

impl Held {
    /// Says that a person has killed the account.
    pub fn killed() -> Held {
        let why = "killed: mes-exec lets nothing be entered".into();
        Held { why, lifted_by: "mes-exec resume lifts that".into() }
    }

    fn of(stop: Stop) -> Held {
        Held { why: crate::day::plain(&stop.why), lifted_by: stop.lifted_by }
    }
}

impl Trade {
    fn of(trade: &RoundTrip) -> Trade {
        Trade {
            ts: ms(trade.exited),
            entered: clock(trade.entered),
            exited: clock(trade.exited),
            side: trade.side(),
            contracts: trade.contracts,
            entry: format!("{:.2}", trade.entry_price),
            exit: format!("{:.2}", trade.exit_price),
            why: vocabulary::short(trade.exit.name()),
            net: trade.net_cents.into(),
        }
    }
}

impl Result {
    fn of(trades: &[&RoundTrip]) -> Result {
        let won = trades.iter().filter(|trade| trade.net_cents > Cents::ZERO).count();
        let net: Cents = trades.iter().map(|trade| trade.net_cents).sum();
        let costs: Cents = trades.iter().map(|trade| trade.commission_cents).sum();
        let text = match trades.len() {
            0 => "no trade yet".into(),
            many => {
                let count = words::count(many as u64, "trade");
                format!("{count}, {won} won, net {net} after {costs} of commission")
            }
        };
        Result { trades: trades.len(), won, text }
    }
}

/// Writes New York's time of day, to the second.
pub fn clock(ts: Ts) -> String {
    if !time::TIMES.contains(&ts) {
        return "?".into();
    }
    tz::new_york(ts).format("%H:%M:%S").to_string()
}

/// Writes how long it is until then, for a countdown.
pub fn countdown(ts: Ts) -> String {
    let seconds = ts.max(0) / SECOND;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
