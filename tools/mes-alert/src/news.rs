//! What of a journal is worth telling. Pure: the same records make the same alerts.

use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    broker::Kind as Account,
    money::Cents,
    order::Side,
    person::{Person, Says},
    record::Record,
    round_trip::{Pairing, RoundTrip, Shares},
    run::Run,
    statement::{Barred, Connection, Fill, Progress, Statement},
    time::Ts,
    tz,
    verdict::Verdict,
    vocabulary,
};
use mes_judge::words;
use mes_pipe::journal::Missing;

use crate::{alert::Alert, kinds};

/// What is known of the run that a journal is of.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// What people call the account.
    pub account: String,
    run: Option<Box<Run>>,
    pairing: Pairing,
    day: Option<NaiveDate>,
    day_start: Cents,
    trades: u64,
    position: i64,
    equity: Cents,
    balance: Cents,
    lost: bool,
    barred: Option<Barred>,
    unknown: Vec<u64>,
    started: bool,
    end_said: bool,
    /// The last statement has come after the end.
    pub ended: bool,
    /// Of the last record that has one.
    pub ts: Ts,
    line: u64,
    told: u32,
}

impl News {
    /// Begins with nothing known, at an instant.
    pub fn at(ts: Ts) -> News {
        News { ts, ..News::default() }
    }

    /// Takes a record in and returns what is worth telling of it; `line` is its number.
    pub fn record(&mut self, record: &Record, line: u64) -> Vec<Alert> {
        (self.line, self.told) = (line, 0);
        match record {
            Record::Run(run) => {
                self.begin(run);
                Vec::new()
            }
            Record::Row(row, _) => {
                self.ts = row.bar.ts;
                Vec::new()
            }
            Record::Statement(statement) => self.statement(statement),
            Record::Verdict(verdict) => self.verdict(verdict).into_iter().collect(),
            Record::Person(person) => vec![self.person(person)],
            Record::End => {
                self.end_said = true;
                Vec::new()
            }
        }
    }

    /// Says that a run has begun of which the end has not come.
    pub fn runs(&self) -> bool {
        self.run.is_some() && !self.ended
    }

    /// Returns what the journal still lacks of a whole one.
    pub fn missing(&self) -> Option<Missing> {
        match (self.end_said, self.ended) {
            (false, _) => Some(Missing::End),
            (true, false) => Some(Missing::LastStatement),
            (true, true) => None,
        }
    }

    /// Says how things stand: `flat, +$12.00 today, 3 trades`.
    pub fn stands(&self) -> String {
        let held = match self.position {
            0 => "flat".to_owned(),
            contracts => holds(contracts),
        };
        let today = words::signed_usd((self.equity - self.day_start).usd());
        format!("{held}, {today} today, {}", words::count(self.trades, "trade"))
    }

    /// Makes an alert of now; `same` is what tells it from others of its kind.
    pub fn alert(&mut self, kind: &str, same: Option<&str>, text: impl Into<String>) -> Alert {
        self.told += 1;
        Alert {
            id: format!("{}-{}-{}", self.ts, self.line, self.told),
            ts: self.ts,
            kind: kind.to_owned(),
            priority: kinds::priority(kind),
            account: self.account.clone(),
            text: text.into(),
            same: same.map(str::to_owned),
        }
    }

    fn begin(&mut self, run: &Run) {
        let hello = &run.broker;
        let called = if hello.name.is_empty() { &hello.account } else { &hello.name };
        let rules = &run.rules.value;
        let ledger = &run.ledger;
        *self = News {
            account: called.clone(),
            pairing: Pairing::holding(rules.contract, run.costs.value.slippage, ledger.position),
            day: ledger.day.map(|day| day.label),
            day_start: ledger.day.map_or(ledger.equity_cents, |day| day.start_cents),
            position: ledger.position,
            equity: ledger.equity_cents,
            balance: ledger.balance_cents,
            ts: ledger.ts.unwrap_or(self.ts),
            run: Some(Box::new(run.clone())),
            line: self.line,
            ..News::default()
        };
    }

    fn statement(&mut self, statement: &Statement) -> Vec<Alert> {
        let mut told = Vec::new();
        self.ts = statement.ts;
        if !self.started {
            let moved = self.run.as_ref().map_or(Cents::ZERO, |run| run.ledger.moved_by(statement));
            self.equity += moved;
            self.day_start += moved;
            told.extend(self.start(statement));
        }
        told.extend(self.next_day(statement.ts));
        self.day_start += statement.adjusted_cents;
        (self.equity, self.balance) = (statement.equity_cents, statement.balance_cents);
        for fill in &statement.fills {
            told.extend(self.fill(fill));
        }
        self.position = statement.position;
        if statement.position == 0 {
            self.pairing.flat();
        }
        for refused in &statement.refused {
            let text = format!("order {} refused: {}", refused.order, vocabulary::short(&refused.reason));
            told.push(self.alert(&refused.reason, Some(&refused.reason), text));
        }
        told.extend(self.line_to_broker(statement));
        told.extend(self.unknown(statement));
        if self.end_said && !self.ended {
            self.ended = true;
            told.push(self.end(statement));
        }
        told
    }

    fn start(&mut self, statement: &Statement) -> Option<Alert> {
        self.started = true;
        let run = self.run.as_ref()?;
        let kind = match run.broker.kind {
            Account::Paper => "paper",
            Account::Recorded => "recorded",
            Account::Exercise => "exercise",
            Account::Practice => "practice",
            Account::Real => "real",
        };
        let rules = run.rules.value.name.clone();
        let held = if statement.position == 0 { "flat".to_owned() } else { holds(statement.position) };
        let text =
            format!("started: {kind} account, rules {rules}, {held}, equity {}", statement.equity_cents);
        Some(self.alert("start", None, text))
    }

    /// Notices the first statement of another day.
    fn next_day(&mut self, ts: Ts) -> Option<Alert> {
        let label = (tz::new_york(ts - 1) + TimeDelta::hours(6)).date();
        if self.day == Some(label) {
            return None;
        }
        let over = self.day.replace(label).filter(|_| self.trades > 0);
        let text = over.map(|day| format!("{day} is over: {}, balance {}", self.stands(), self.balance));
        (self.day_start, self.trades) = (self.equity, 0);
        text.map(|text| self.alert("day", None, text))
    }

    fn fill(&mut self, fill: &Fill) -> Vec<Alert> {
        let mut told = Vec::new();
        let shares = Shares::of(self.pairing.position(), fill);
        let trip = self.pairing.fill(fill);
        let price = fill.price.points();
        if let Some(trip) = trip {
            self.trades += 1;
            told.push(self.exit(&trip));
        } else if let Some(closed) = shares.closed {
            let why = fill.exit.map_or("no reason given".into(), |exit| vocabulary::short(exit.name()));
            let text = format!(
                "{} closed at {price:.2}: {why}",
                words::count(closed.contracts.unsigned_abs(), "contract")
            );
            told.push(self.alert("part", None, text));
        }
        if let Some(opened) = shares.opened {
            let side = if fill.side == Side::Buy { "long" } else { "short" };
            let text = format!("{side} {} at {price:.2}", opened.contracts);
            told.push(self.alert("entry", None, text));
        }
        told
    }

    fn exit(&mut self, trip: &RoundTrip) -> Alert {
        let today = words::signed_usd((self.equity - self.day_start).usd());
        let text = format!(
            "{} {} closed at {:.2}: {}, {} net, {today} today",
            trip.side(),
            trip.contracts,
            trip.exit_price,
            vocabulary::short(trip.exit.name()),
            words::signed_usd(trip.net_cents.usd()),
        );
        self.alert("exit", None, text)
    }

    /// Notices what changes between us and the broker.
    fn line_to_broker(&mut self, statement: &Statement) -> Vec<Alert> {
        let mut told = Vec::new();
        let lost = statement.connection == Connection::Lost;
        if lost != std::mem::replace(&mut self.lost, lost) {
            let stands = self.stands();
            told.push(if lost {
                let text = format!("{}: {stands}", vocabulary::short("connection"));
                self.alert("connection", Some(""), text)
            } else {
                let text = format!("{}: {stands}", kinds::says("reconnected"));
                self.alert("reconnected", Some(""), text)
            });
        }
        if statement.barred != std::mem::replace(&mut self.barred, statement.barred)
            && let Some(barred) = statement.barred
        {
            let word = match barred {
                Barred::Outside => "foreign",
                Barred::Broker => "locked_account",
                Barred::Reconcile => "unsettled",
            };
            let text = format!("{}: no entries; {}", vocabulary::short(word), self.stands());
            told.push(self.alert(word, Some(""), text));
        }
        told
    }

    fn unknown(&mut self, statement: &Statement) -> Vec<Alert> {
        let of = |working: &&mes_core::statement::Working| working.state == Progress::Unknown;
        let orders: Vec<u64> = statement.working.iter().filter(of).map(|working| working.order).collect();
        let before = std::mem::replace(&mut self.unknown, orders.clone());
        let new = orders.into_iter().filter(|order| !before.contains(order));
        new.map(|order| {
            let text = format!("{}: order {order}", kinds::says("unknown_order"));
            self.alert("unknown_order", None, text)
        })
        .collect()
    }

    fn end(&mut self, statement: &Statement) -> Alert {
        let text = format!("ended: {}, balance {}", self.stands(), self.balance);
        if statement.position == 0 && statement.working.is_empty() {
            return self.alert("end", None, text);
        }
        let left = words::count(statement.working.len() as u64, "working order");
        self.alert("open_at_end", None, format!("{text}; {left} left: look at the account"))
    }

    fn verdict(&mut self, verdict: &Verdict) -> Option<Alert> {
        match verdict {
            Verdict::Deny { ts, rule, value, limit, .. } => {
                self.ts = *ts;
                let text = format!("no entry: {}", vocabulary::sentence(rule, *value, *limit));
                Some(self.alert(rule, Some(rule), text))
            }
            Verdict::Alert { ts, rule, value, limit } => {
                self.ts = *ts;
                let text = vocabulary::sentence(rule, *value, *limit);
                // A rule's name may be that of a denial too: one is not the other told again.
                Some(self.alert(rule, Some("alert"), text))
            }
            Verdict::Order(_) | Verdict::Hold { .. } => None,
        }
    }

    fn person(&mut self, person: &Person) -> Alert {
        let text = format!("{} by {}: {}", person.says.name(), person.by, person.reason);
        let kind = if person.says == Says::Halt { "halted" } else { "person" };
        self.alert(kind, Some(&text), text.clone())
    }
}

fn holds(contracts: i64) -> String {
    format!("{} {}", if contracts > 0 { "long" } else { "short" }, contracts.abs())
}
