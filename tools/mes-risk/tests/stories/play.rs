//! Tells rows to risk and a guarded paper account and keeps what was said.

use mes_core::{
    bar::Bar,
    interval::Interval,
    order::{Action, Order},
    prediction::Prediction,
    price::Price,
    row::Row,
    rules::{EntrySession, Rules},
    session::Filter,
    statement::Statement,
    time::{self, SECOND, Ts},
    verdict::Verdict,
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::journal::Journal;
use mes_pipe::{Lineage, Result, Settings, SettingsArgs, clock::Clock};
use mes_risk::trade::{Next, Rows, Stream, trade};

/// Returns shipped rules at the owner's costs, changed.
pub fn settings(name: &str, change: impl FnOnce(&mut Rules)) -> Settings {
    let args = SettingsArgs { rules: name.into(), costs: "owner".into(), ..SettingsArgs::default() };
    let mut settings = args.read().expect("the shipped settings");
    settings.rules.value.entries.session = EntrySession::All;
    change(&mut settings.rules.value);
    settings
}

/// Returns the price so many ticks above 5000.
pub fn at(ticks: i64) -> Price {
    Price::from_ticks(20_000 + ticks)
}

/// Rows in the making. Prices are ticks from 5000.
pub struct Tape {
    pub ts: Ts,
    seg: i64,
    rows: Vec<Row>,
    /// The rows have columns of bid and ask.
    quotes: bool,
}

impl Tape {
    /// Begins after this instant.
    pub fn new(start: &str) -> Tape {
        Tape { ts: time::parse(start).expect("a time"), seg: 0, rows: Vec::new(), quotes: false }
    }

    /// Begins rows that have columns of bid and ask.
    pub fn quoted(start: &str) -> Tape {
        Tape { quotes: true, ..Tape::new(start) }
    }

    /// Changes the last row.
    pub fn change(&mut self, change: impl FnOnce(&mut Bar)) -> &mut Tape {
        change(&mut self.rows.last_mut().expect("a row").bar);
        self
    }

    /// Adds a row a second later: open, high, low, close.
    pub fn row(&mut self, prices: [i64; 4]) -> &mut Tape {
        self.later(1, prices)
    }

    /// Adds a row so many seconds later.
    pub fn later(&mut self, seconds: i64, prices: [i64; 4]) -> &mut Tape {
        self.ts += seconds * SECOND;
        let [open, high, low, close] = prices.map(at);
        let bar = Bar { ts: self.ts, open, high, low, close, volume: 9, seg: self.seg, ..Bar::default() };
        let prediction = Prediction { dir: Some(0.0), conf: Some(0.95), ..Prediction::default() };
        self.rows.push(Row { bar, prediction });
        self
    }

    /// Adds a row a second later whose price stands.
    pub fn still(&mut self, ticks: i64) -> &mut Tape {
        self.row([ticks; 4])
    }

    /// Goes to an instant behind a break.
    pub fn resume(&mut self, at: &str) -> &mut Tape {
        (self.ts, self.seg) = (time::parse(at).expect("a time"), self.seg + 1);
        self
    }

    /// Gives the last row a signal.
    pub fn signal(&mut self, dir: f32, conf: f32) -> &mut Tape {
        let row = self.rows.last_mut().expect("a row");
        (row.prediction.dir, row.prediction.conf) = (Some(dir), Some(conf));
        self
    }

    /// Makes the last row one in which nobody traded.
    pub fn quiet(&mut self) -> &mut Tape {
        self.rows.last_mut().expect("a row").bar.volume = 0;
        self
    }

    /// Makes the last row say how old its price is.
    pub fn age(&mut self, age_ms: Option<i64>) -> &mut Tape {
        self.rows.last_mut().expect("a row").bar.age_ms = age_ms;
        self
    }

    /// Gives the last row a quote.
    pub fn quote(&mut self, bid: i64, ask: i64) -> &mut Tape {
        let row = self.rows.last_mut().expect("a row");
        (row.bar.bid, row.bar.ask) = (Some(at(bid)), Some(at(ask)));
        self
    }

    /// Adds minutes with this range, of one row each, up to the minute's end.
    pub fn minutes(&mut self, count: usize, range: i64) -> &mut Tape {
        for _ in 0..count {
            self.later(60, [0, range, 0, 0]);
        }
        self
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn play(&self, settings: &Settings) -> Book {
        let mut broker = Guard::new(Paper::new(settings), settings, Clock::machine()).expect("a guard");
        let lineage = Lineage::default();
        let quotes = self.quotes;
        let stream = Stream { quotes, ..Stream::new(Interval::SECOND, Filter::All, lineage) };
        let mut book = Book::default();
        trade(&mut Walk(&self.rows), &mut broker, &mut book, settings, &stream, None).expect("traded");
        book
    }
}

pub struct Walk<'a>(pub &'a [Row]);

impl Rows for Walk<'_> {
    fn next(&mut self) -> Result<Next<'_>> {
        let Some((row, rest)) = self.0.split_first() else { return Ok(Next::End) };
        self.0 = rest;
        Ok(Next::Row(row))
    }
}

/// What was said of each row, and of the end.
#[derive(Default)]
pub struct Book {
    pub statements: Vec<Statement>,
    pub verdicts: Vec<Verdict>,
}

impl Book {
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Order(order) => Some(order),
            _ => None,
        })
    }

    /// Returns when there were entries, and the ticks of their stops and targets.
    pub fn entries(&self) -> Vec<(String, i64, i64)> {
        let entry = |order: &Order| match order.action {
            Action::Enter { stop_ticks, target_ticks, .. } => {
                Some((time::format(order.ts), stop_ticks, target_ticks))
            }
            _ => None,
        };
        self.orders().filter_map(entry).collect()
    }

    /// Returns where stops were moved to, in ticks from 5000.
    pub fn moves(&self) -> Vec<i64> {
        let moved = |order: &Order| match order.action {
            Action::MoveStop { stop } => Some(stop - at(0)),
            _ => None,
        };
        self.orders().filter_map(moved).collect()
    }

    /// Returns when what was denied, and the limit.
    pub fn denied(&self) -> Vec<(String, String, f64)> {
        let denied = |verdict: &Verdict| match verdict {
            Verdict::Deny { ts, rule, limit, .. } => Some((time::format(*ts), rule.clone(), *limit)),
            _ => None,
        };
        self.verdicts.iter().filter_map(denied).collect()
    }

    /// Returns what a person was told: rule, value, limit.
    pub fn alerts(&self) -> Vec<(&str, f64, f64)> {
        let mut alerts = Vec::new();
        for verdict in &self.verdicts {
            if let Verdict::Alert { rule, value, limit, .. } = verdict {
                alerts.push((rule.as_str(), *value, *limit));
            }
        }
        alerts
    }

    /// Returns what orders mean, in order: `LONG_ENTRY enter`.
    pub fn signals(&self) -> Vec<String> {
        let word = |order: &Order| {
            let value = serde_json::to_value(order).expect("a record");
            let word = |key: &str| value[key].as_str().expect("a word").to_owned();
            format!("{} {}", word("signal"), word("action"))
        };
        self.orders().map(word).collect()
    }

    /// Returns when positions were closed, at which price in ticks from 5000, and why.
    pub fn exits(&self) -> Vec<(String, i64, &'static str)> {
        let fills = self.statements.iter().flat_map(|statement| &statement.fills);
        let exit =
            fills.filter_map(|fill| Some((time::format(fill.ts), fill.price - at(0), fill.exit?.name())));
        exit.collect()
    }
}

impl Journal for Book {
    fn statement(&mut self, statement: &Statement) -> Result<()> {
        self.statements.push(statement.clone());
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        self.verdicts.push(verdict.clone());
        Ok(())
    }
}
