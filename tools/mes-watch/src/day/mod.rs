//! The state that every view shows: records of a journal in, one by one, and at any row what was known then.
//!
//! The judge of mes-risk goes along, as in `mes-risk explain`: limits, breakers and what is left come from the code that
//! trades, never from a second formula. One trading day is kept, the last one or the one that was asked for.

mod moment;
mod notes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;
use mes_core::{
    calendar::Calendar,
    interval::Interval,
    ledger::Ledger,
    limits::{LimitFacts, Limits},
    order::{Action, Order},
    person::Person,
    record::Record,
    round_trip::{Pairing, RoundTrip},
    row::Row,
    rules::Rules,
    run::{Named, Run},
    statement::Statement,
    time::{MILLI, Ts},
    verdict::Verdict,
};
use mes_pipe::{Error, Result};
use mes_risk::judge::Risk;

pub use moment::{Gate, Moment, Standing, State};
pub use notes::{Latency, Level, Mark, Note, plain};

/// What was known of a trading day, row by row.
pub struct Day {
    calendar: Named<Calendar>,
    wanted: Option<NaiveDate>,
    /// The journal that is being read; absent before its first record.
    pub book: Option<Book>,
    pub moments: Vec<Moment>,
    /// What the moments point to: it changes far less often.
    pub standings: Vec<Standing>,
    /// Decisions and what became of them; what a person should know. Each with the moment from which on it is known.
    pub decisions: Vec<Note>,
    pub alerts: Vec<Note>,
    pub marks: Vec<Mark>,
    pub latencies: Vec<Latency>,
    pub trades: Vec<(usize, RoundTrip)>,
    /// The date of what is kept, and how many days the journal has had so far.
    pub label: Option<NaiveDate>,
    pub days: usize,
    last_label: Option<NaiveDate>,
    row: Option<Row>,
    /// Orders that are not filled: when each was decided, and whether it enters.
    asked: HashMap<u64, (Ts, bool)>,
    /// An end record was read, and the last statement after it.
    pub ended: bool,
    pub closed: Option<Statement>,
}

/// What a journal says of itself, and the judge that goes along.
pub struct Book {
    pub run: Run,
    pub limits: Limits,
    risk: Risk,
    pairing: Pairing,
}

impl Book {
    /// Returns the rules that are traded by.
    pub fn rules(&self) -> &Rules {
        &self.run.rules.value
    }
}

impl Day {
    /// Begins without a record; `wanted` is the trading day to keep, the last one where none is given.
    pub fn new(calendar: Named<Calendar>, wanted: Option<NaiveDate>) -> Day {
        Day {
            calendar,
            wanted,
            book: None,
            moments: Vec::new(),
            standings: Vec::new(),
            decisions: Vec::new(),
            alerts: Vec::new(),
            marks: Vec::new(),
            latencies: Vec::new(),
            trades: Vec::new(),
            label: None,
            days: 0,
            last_label: None,
            row: None,
            asked: HashMap::new(),
            ended: false,
            closed: None,
        }
    }

    /// Forgets everything: another journal begins.
    pub fn anew(&mut self) {
        *self = Day::new(self.calendar.clone(), self.wanted);
    }

    /// Takes in a record.
    ///
    /// # Errors
    ///
    /// `Usage` where the journal was written by another calendar, `Data` where the record cannot stand where it does.
    pub fn take(&mut self, record: Record) -> Result<()> {
        match record {
            Record::Run(run) => return self.begin(*run),
            _ if self.book.is_none() => return Err(Error::data("a journal begins with its run record")),
            Record::Row(row, _) => self.row = Some(row),
            Record::Statement(statement) => self.statement(statement),
            Record::Verdict(verdict) => self.verdict(&verdict),
            Record::Person(person) => self.person(&person),
            Record::End => self.ended = true,
        }
        Ok(())
    }

    fn begin(&mut self, run: Run) -> Result<()> {
        if run.calendar != self.calendar.blake3 {
            return Err(Error::usage("written under another calendar: give it with --calendar FILE"));
        }
        if self.book.is_some() {
            // Of `mes-bt --refill`: another account goes on.
            self.alert(Level::Alert, run.ledger.ts.unwrap_or_default(), "a new account begins".into());
        }
        let interval: Interval = run.interval.parse()?;
        let rules = &run.rules.value;
        let (contract, slippage) = (rules.contract, run.costs.value.slippage);
        self.book = Some(Book {
            limits: Limits::of(rules),
            risk: Risk::new(&run, self.calendar.value.clone(), interval, None),
            pairing: Pairing::holding(contract, slippage, run.ledger.position),
            run,
        });
        Ok(())
    }

    /// Says whether what happens now belongs to the day that is kept.
    fn keeps(&self) -> bool {
        self.label.is_some() && self.label == self.last_label
    }

    /// Takes in the account as of the row before it, or as it was left.
    fn statement(&mut self, statement: Statement) {
        let row = self.row.take();
        let Some(book) = &mut self.book else { return };
        let before = book.risk.ledger().halted.clone();
        match &row {
            Some(row) if !book.risk.knows(row) => {
                // What it says now is in the journal already, in the lines that follow.
                book.risk.judge(row, &statement, &mut Vec::new());
            }
            Some(_) => {}
            None => book.risk.closed(&statement, &mut Vec::new()),
        }
        let halted = book.risk.ledger().halted.clone().filter(|_| before.is_none());
        let label = book.risk.ledger().day.map(|day| day.label);
        self.turn_over(label.or(self.last_label));
        if let Some(row) = &row
            && self.keeps()
        {
            self.moment(row, &statement);
        }
        self.fills(&statement);
        if let Some(why) = halted {
            self.alert(Level::Stop, statement.ts, format!("halted: {}", notes::plain(&why)));
        }
        if self.ended {
            self.closed = Some(statement);
        }
    }

    /// Begins another trading day where its label says so.
    fn turn_over(&mut self, label: Option<NaiveDate>) {
        if label.is_none() || label == self.last_label {
            return;
        }
        self.last_label = label;
        self.days += 1;
        if self.wanted.is_some() && self.wanted != label {
            return;
        }
        self.label = label;
        (self.moments, self.standings) = (Vec::new(), Vec::new());
        (self.marks, self.latencies, self.trades) = (Vec::new(), Vec::new(), Vec::new());
        (self.decisions, self.alerts) = (Vec::new(), Vec::new());
    }

    fn moment(&mut self, row: &Row, statement: &Statement) {
        let Some(book) = &mut self.book else { return };
        let known = book.risk.knows(row);
        let opinions = if known { Vec::new() } else { book.risk.opinions(row, statement) };
        let today = book.risk.today(row.bar.ts);
        let ledger = book.risk.ledger();
        let facts = LimitFacts::of(ledger).quoted(row, statement.position, &book.run.rules.value);
        let last = self.standings.last();
        let before = last.map(|standing| standing.connection);
        if last.is_none_or(|last| !last.is_still(ledger, statement, &opinions)) {
            let standing = Standing::of(ledger, statement, &opinions, today, last);
            self.standings.push(standing);
        }
        let day_balance = ledger.day.map_or(ledger.balance_cents, |day| day.balance_cents);
        self.moments.push(Moment::of(row, statement, facts, day_balance, self.standings.len() - 1));
        if before.is_some_and(|before| before != statement.connection) {
            let (level, what) = notes::connection(statement.connection);
            self.alert(level, statement.ts, what.into());
        }
    }

    /// Takes in what a statement says has happened.
    fn fills(&mut self, statement: &Statement) {
        let (at, keeps) = (self.at(), self.keeps());
        let Some(book) = &mut self.book else { return };
        for fill in &statement.fills {
            let ended = book.pairing.fill(fill);
            let asked = fill.order.and_then(|order| self.asked.get(&order)).copied();
            if !keeps {
                continue;
            }
            // A fill of a bracket bears the id of the entry that it protected: nobody waited for it.
            if let Some((decided, enters)) = asked.filter(|(_, enters)| *enters == fill.exit.is_none()) {
                let told = statement.told_at.map(|told| (told - fill.ts) / MILLI);
                let ms = (fill.ts - decided) / MILLI;
                self.latencies.push(Latency { at, ts: fill.ts, enters, ms, told_ms: told });
            }
            self.marks.push(Mark::of(at, fill, ended.as_ref()));
            self.decisions.push(notes::filled(at, fill));
            self.trades.extend(ended.map(|trade| (at, trade)));
        }
        if statement.position == 0 {
            book.pairing.flat();
        }
        for refusal in statement.refused.iter().filter(|_| keeps) {
            self.decisions.push(notes::refused(at, statement.ts, refusal));
        }
        if statement.position == 0 && statement.working.is_empty() {
            self.asked.clear();
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        if let Verdict::Order(order) = verdict {
            self.ordered(order);
        }
        if !self.keeps() {
            return;
        }
        let note = notes::verdict(self.at(), verdict);
        if note.level == Level::Alert {
            self.alerts.push(note.clone());
        }
        self.decisions.push(note);
    }

    fn ordered(&mut self, order: &Order) {
        if let Some(book) = &mut self.book {
            book.pairing.order(order);
        }
        let enters = match order.action {
            Action::Enter { .. } => true,
            Action::Exit { .. } => false,
            Action::MoveStop { .. } => return,
        };
        self.asked.insert(order.id, (order.ts, enters));
    }

    fn person(&mut self, person: &Person) {
        if let Some(book) = &mut self.book {
            book.risk.told(person);
        }
        if self.keeps() {
            let note = notes::person(self.moments.len(), person);
            self.decisions.push(note.clone());
            self.alerts.push(note);
        }
    }

    fn alert(&mut self, level: Level, ts: Ts, text: String) {
        if self.keeps() {
            self.alerts.push(Note { at: self.at(), ts, level, text });
        }
    }

    /// The moment from which on what is read now is known.
    fn at(&self) -> usize {
        self.moments.len().saturating_sub(1)
    }

    /// Returns what risk remembers after the last row.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.book.as_ref().map(|book| book.risk.ledger())
    }
}
