//! What risk remembers: the account's peaks and losses, the day's, and the trade that is open.

use chrono::NaiveDate;
use mes_core::{money::Cents, row::Row, run::Ledger, schedule::Today, statement::Statement, time::Ts};

#[derive(Clone, Debug)]
pub struct Memory {
    pub ledger: Ledger,
    /// As of the last statement.
    pub equity: Cents,
    pub day: Option<NaiveDate>,
    /// Equity when the day began, and its highest since.
    pub day_start: Cents,
    pub day_peak: Cents,
    /// The limit that ended trading, and for how long.
    pub stopped: Option<Stopped>,
    pub last_exit: Option<Ts>,
    pub trade: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub rule: &'static str,
    pub lasts: Lasts,
    pub value: Cents,
    pub limit: Cents,
}

/// How long a reached limit stops trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lasts {
    /// Until the next trading day.
    Day,
    /// Until a person has looked.
    Review,
    /// For good.
    Halt,
}

/// The trade that is open.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub entered: Ts,
    /// The best close since.
    pub best: f64,
}

impl Memory {
    pub fn new(ledger: Ledger) -> Self {
        let equity = ledger.start_cents;
        Memory {
            ledger,
            equity,
            day: None,
            day_start: equity,
            day_peak: equity,
            stopped: None,
            last_exit: None,
            trade: None,
        }
    }

    /// Takes in a row and the statement that answers it.
    pub fn update(&mut self, row: &Row, statement: &Statement, today: Option<&Today>) {
        if let Some(today) = today
            && self.day != Some(today.label())
        {
            self.day = Some(today.label());
            (self.day_start, self.day_peak) = (self.equity, self.equity);
            self.stopped = self.stopped.filter(|stopped| stopped.lasts > Lasts::Day);
        }
        for fill in &statement.fills {
            match fill.exit {
                Some(_) => self.last_exit = Some(fill.ts),
                None => self.trade = Some(Open { entered: fill.ts, best: fill.price }),
            }
        }
        if statement.position == 0 {
            self.trade = None;
        } else if let Some(trade) = &mut self.trade {
            let close = row.bar.close;
            trade.best = if statement.position > 0 { trade.best.max(close) } else { trade.best.min(close) };
        }
        self.equity = statement.equity_cents;
        self.day_peak = self.day_peak.max(self.equity);
        self.ledger.peak_cents = self.ledger.peak_cents.max(self.equity);
    }

    /// Takes the next order id.
    pub fn next_order(&mut self) -> u64 {
        self.ledger.order += 1;
        self.ledger.order
    }
}
