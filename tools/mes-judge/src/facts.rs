//! What a run came to, before anybody judges it: trades, days, the path of equity, what was denied and why.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mes_core::{contract::Contract, money::Cents, round_trip::RoundTrip, run::Run, time::Ts};

use mes_pipe::journal::Missing;

use crate::{candles::Candles, excursion::Excursion, opens::Opens};

/// One trading day. A day is any that had a row, traded or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayResult {
    pub date: NaiveDate,
    /// Equity at the end of the day before and of this one.
    pub start_cents: Cents,
    pub end_cents: Cents,
    /// Highest and lowest of the day.
    pub high_cents: Cents,
    pub low_cents: Cents,
    /// Greatest fall from the day's peak so far, bar by bar.
    pub drawdown_cents: Cents,
    /// The same as a share of that peak; need not be the same fall.
    pub drawdown_ratio: f64,
    /// Whether the last row at or after flat-by found a position; must never be.
    pub overnight: bool,
}

impl DayResult {
    /// Makes a day of which only the ends are known.
    pub fn of_ends(date: NaiveDate, start: Cents, end: Cents) -> DayResult {
        let mut day = DayResult {
            date,
            start_cents: start,
            end_cents: end,
            high_cents: start,
            low_cents: start,
            drawdown_cents: Cents::ZERO,
            drawdown_ratio: 0.0,
            overnight: false,
        };
        day.mark(end);
        day
    }

    /// Takes in cash that is no gain and no loss: all of the day moves with it.
    pub fn shift(&mut self, cash: Cents) {
        for measured in
            [&mut self.start_cents, &mut self.end_cents, &mut self.high_cents, &mut self.low_cents]
        {
            *measured += cash;
        }
    }

    /// Takes in the equity after another bar.
    pub fn mark(&mut self, equity: Cents) {
        self.end_cents = equity;
        self.high_cents = self.high_cents.max(equity);
        self.low_cents = self.low_cents.min(equity);
        let fall = self.high_cents - equity;
        self.drawdown_cents = self.drawdown_cents.max(fall);
        if self.high_cents > Cents::ZERO {
            self.drawdown_ratio = self.drawdown_ratio.max(fall.0 as f64 / self.high_cents.0 as f64);
        }
    }
}

/// A limit that was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub ts: Ts,
    /// Number of the trading day, from 1.
    pub day: usize,
    pub rule: String,
    pub value: f64,
    pub limit: f64,
}

/// One kind of incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub times: u64,
    pub first: Alert,
    /// Where the value lies furthest above its limit.
    pub worst: Alert,
}

/// A point of the equity curve for charts: the last of its quarter of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub ts: Ts,
    pub equity_cents: Cents,
    /// The highest up to it, bar by bar.
    pub peak_cents: Cents,
    /// The deepest fall below the peak within it, bar by bar.
    pub drawdown_cents: Cents,
}

/// All that a run came to.
#[derive(Debug, Default)]
pub struct Facts {
    pub run: Option<Run>,
    /// Cash that came or went between the run before and the first statement of this one.
    pub moved_cents: Cents,
    pub rows: u64,
    /// Rows in which there was a position.
    pub rows_in_trade: u64,
    pub first: Option<Ts>,
    pub last: Option<Ts>,
    pub trades: Vec<RoundTrip>,
    /// What each of them went through, in the same order.
    pub excursions: Vec<Excursion>,
    pub days: Vec<DayResult>,
    pub curve: Vec<Point>,
    pub alerts: Vec<Alert>,
    /// What no plan has room for, by kind.
    pub incidents: Vec<Incident>,
    /// Exits that a locked market kept from filling.
    pub locked_exits: u64,
    /// Trading days of the data after the account's death: no days of the result.
    pub days_dead: usize,
    /// A new account was opened after every death, and how many there were.
    pub refill: bool,
    pub deaths: usize,
    /// Rows with a prediction; of these with a direction; of these with enough confidence to enter.
    pub predicted: u64,
    /// Number of each day that had one, from 1, and the instant of its first.
    pub first_predicted: Vec<(usize, Ts)>,
    pub directed: u64,
    pub confident: u64,
    /// Confident rows that follow one without, or with the other direction.
    pub signals: u64,
    /// The highest confidence of a row with a direction.
    pub highest_confidence: Option<f32>,
    /// Entries asked for.
    pub orders: u64,
    /// How often each reason changed to this one: rules that denied a signal, and holds.
    pub denied: BTreeMap<String, u64>,
    pub held: BTreeMap<String, u64>,
    pub entries: u64,
    pub refused: BTreeMap<String, u64>,
    /// Greatest fall of equity from its peak, bar by bar, and the instants of that peak and trough.
    pub drawdown_cents: Cents,
    /// Greatest fall as a share of its peak; need not be the same fall.
    pub drawdown_ratio: f64,
    pub drawdown_from: Option<Ts>,
    pub drawdown_to: Option<Ts>,
    /// Longest time below a peak in nanoseconds, bar by bar.
    pub longest_under_water: i64,
    /// What the journal lacks that they were read from.
    pub missing: Option<Missing>,
    /// The bars' opens, where they are kept.
    pub opens: Option<Opens>,
    /// The prices to be shown, where a page is asked for.
    pub candles: Option<Candles>,
}

impl Facts {
    /// Returns what the account had as its first run began: with what moved while nobody traded.
    pub fn start(&self) -> Cents {
        self.run.as_ref().map_or(Cents::ZERO, |run| run.ledger.equity_cents) + self.moved_cents
    }

    /// Returns what was traded; MES where no run began.
    pub fn contract(&self) -> Contract {
        self.run.as_ref().map(|run| run.rules.value.contract).unwrap_or_default()
    }
}
