//! All that risk remembers of an account. Rows and statements to come, judged from the same ledger, give the same
//! verdicts: whatever outlives a restart is in here, and nothing is anywhere else.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    market::{self, Market},
    minutes::Swing,
    money::Cents,
    order::{Action, Side, Signal},
    price::Price,
    statement::Statement,
    symbol::Symbol,
    time::{self, Ts},
    within,
};

/// What an order asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    Entry,
    Exit,
    Stop,
}

impl Sent {
    /// Returns what an action asks for.
    pub fn of(action: &Action) -> Sent {
        match action {
            Action::Enter { .. } => Sent::Entry,
            Action::Exit { .. } => Sent::Exit,
            Action::MoveStop { .. } => Sent::Stop,
        }
    }
}

/// What risk remembers of one account, as of the last row that it judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The last row judged; absent before the first.
    #[serde(with = "time::text_or_null")]
    pub ts: Option<Ts>,
    /// Equity at the first start; a firm's floor, and sizes counted from the capital, measure from it.
    pub first_cents: Cents,
    /// Equity at the first start or the last reset; the kill switch measures from it.
    pub start_cents: Cents,
    /// The highest equity since the first start or the last review.
    pub peak_cents: Cents,
    /// As of the last statement.
    pub equity_cents: Cents,
    pub balance_cents: Cents,
    #[serde(deserialize_with = "within::contracts")]
    pub position: i64,
    /// The highest balance with which a day ended, or the account began.
    pub day_end_high_cents: Cents,
    /// The day of the last row; absent before the first.
    pub day: Option<Day>,
    /// The last order id used.
    #[serde(deserialize_with = "within::id")]
    pub order: u64,
    /// What that order asked for; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// What one contract of the last entry may lose at worst: its stop, slippage and the round turn.
    #[serde(default)]
    pub risk_cents: Cents,
    /// Why trading is halted until a person resumes it, if it is.
    pub halted: Option<String>,
    /// The limit that ended trading, and for how long.
    pub stopped: Option<Stopped>,
    /// The trade that is open.
    pub trade: Option<Open>,
    #[serde(with = "time::text_or_null")]
    pub last_exit: Option<Ts>,
    /// Losing trades in a row today.
    #[serde(deserialize_with = "within::count")]
    pub losses: u32,
    pub pause: Option<Pause>,
    pub reversals: Reversing,
    /// The spread was too wide and has not come back since.
    pub wide_spread: bool,
    /// It has been said that the market is locked against the open position.
    #[serde(default)]
    pub locked: bool,
    /// It has been said that the broker knows of no protection of the open position.
    #[serde(default, deserialize_with = "within::or_default", skip_serializing_if = "std::ops::Not::not")]
    pub unprotected: bool,
    /// An entry of this run never arrived, as far as anybody knows: it may yet.
    #[serde(default, deserialize_with = "within::or_default", skip_serializing_if = "std::ops::Not::not")]
    pub astray: bool,
    /// The last run ended in order, flat, and with nothing astray: no trade of ours changes the balance until the next start.
    #[serde(default, deserialize_with = "within::or_default", skip_serializing_if = "std::ops::Not::not")]
    pub ended_flat: bool,
    /// What is wrong with the last statement, and was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Cow<'static, str>>,
    /// What was said of the last row; written again only when it changes.
    pub said: Option<Said>,
    #[serde(deserialize_with = "market::checked")]
    pub market: Market,
}

/// The trading day so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub label: NaiveDate,
    /// Equity and balance when the day began, and the highest equity since.
    pub start_cents: Cents,
    pub balance_cents: Cents,
    pub peak_cents: Cents,
}

/// A limit that was reached, and for how long it stops trading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    pub rule: Cow<'static, str>,
    pub lasts: Lasts,
    pub value_cents: Cents,
    pub limit_cents: Cents,
    /// The loss beyond the limit has been said.
    pub settled: bool,
}

/// How long a reached limit stops trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasts {
    /// Until the next trading day.
    Day,
    /// Until a person has looked.
    Review,
    /// For good.
    Halt,
}

/// The position that is open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    #[serde(with = "time::text")]
    pub entered: Ts,
    /// The best close since.
    #[serde(deserialize_with = "within::price")]
    pub best: Price,
    /// What its fills have brought and cost so far.
    pub net_cents: Cents,
    /// What it may lose at worst; 0 where nobody knows.
    #[serde(default)]
    pub worst_cents: Cents,
    /// The contract that it is in.
    #[serde(default)]
    pub symbol: Symbol,
}

/// No entry in [from, until).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    #[serde(with = "time::text")]
    pub from: Ts,
    #[serde(with = "time::text")]
    pub until: Ts,
}

/// How often positions were turned over lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reversing {
    /// The entry that is to follow when the account is flat.
    pub to: Option<Turn>,
    #[serde(with = "time::text_or_null")]
    pub last: Option<Ts>,
    /// The last completed minute before the last reversal, and how many there were within.
    pub range: Option<Swing>,
    #[serde(deserialize_with = "within::count")]
    pub count: u32,
}

/// The second half of a reversal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub side: Side,
    /// Of the prediction that turned the position over.
    pub confidence: f32,
}

/// A signal and why it was not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub signal: Signal,
    pub reason: Cow<'static, str>,
}

impl Ledger {
    /// Takes in cash that no fill explains: it is no gain and no loss, so all that gains and losses are measured from moves
    /// with it.
    pub fn shift(&mut self, cash: Cents) {
        for measured in [
            &mut self.first_cents,
            &mut self.start_cents,
            &mut self.peak_cents,
            &mut self.equity_cents,
            &mut self.balance_cents,
            &mut self.day_end_high_cents,
        ] {
            *measured += cash;
        }
        if let Some(day) = &mut self.day {
            for measured in [&mut day.start_cents, &mut day.balance_cents, &mut day.peak_cents] {
                *measured += cash;
            }
        }
    }

    /// Returns the cash that came or went between the last run and the first statement of this one: no trade of ours made it.
    pub fn moved_by(&self, first: &Statement) -> Cents {
        if !self.ended_flat || first.position != 0 {
            return Cents::ZERO;
        }
        let booked: Cents = first.fills.iter().map(|fill| fill.gross_cents - fill.commission_cents).sum();
        first.balance_cents - self.balance_cents - first.adjusted_cents - booked
    }

    /// Returns the ledger of an account that begins with this much.
    pub fn new(start: Cents) -> Self {
        Ledger {
            ts: None,
            first_cents: start,
            start_cents: start,
            peak_cents: start,
            equity_cents: start,
            balance_cents: start,
            position: 0,
            day_end_high_cents: start,
            day: None,
            order: 0,
            sent: None,
            risk_cents: Cents::ZERO,
            halted: None,
            stopped: None,
            trade: None,
            last_exit: None,
            losses: 0,
            pause: None,
            reversals: Reversing::default(),
            wide_spread: false,
            locked: false,
            unprotected: false,
            astray: false,
            ended_flat: false,
            fault: None,
            said: None,
            market: Market::default(),
        }
    }
}
