//! Round turns, put together from the fills that statements report.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    contract::TICK_VALUE,
    money::Cents,
    order::{Action, ExitReason, Order, Side},
    statement::Fill,
    time::Ts,
    tz,
};

/// From flat to flat.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    pub entered: Ts,
    pub exited: Ts,
    /// Buy for a long trade.
    pub side: Side,
    pub contracts: i64,
    pub entry_price: f64,
    pub exit_price: f64,
    /// Before commission; the prices hold the slippage.
    pub gross_cents: Cents,
    pub commission_cents: Cents,
    /// What slippage and crossing the spread cost at both fills; part of gross.
    pub slippage_cents: Cents,
    pub spread_cents: Cents,
    pub net_cents: Cents,
    pub exit: ExitReason,
    pub confidence: f32,
    /// What it would lose at its stop, which slips as its entry did, before commission.
    pub stopped_cents: Cents,
    /// The same with its round turn: the risk that it was sized by.
    pub risk_cents: Cents,
    /// Gross at its target.
    pub reward_cents: Cents,
    /// The bar touched stop and target, and the stop was assumed.
    pub ambiguous: bool,
}

impl Trade {
    /// Returns the trading day on which it ended: the date of New York six hours later, since a day begins at 18:00.
    pub fn session(&self) -> NaiveDate {
        (tz::new_york(self.exited - 1) + TimeDelta::hours(6)).date()
    }

    /// Says on which side of the market it was: `long` or `short`.
    pub fn side(&self) -> &'static str {
        if self.side == Side::Buy { "long" } else { "short" }
    }
}

/// Counts the trades whose bar touched stop and target, and says what all trades had made, net, had each of these
/// reached its target. What was booked is the worst, except with optimistic fills, where it is the best.
pub fn doubtful(trades: &[Trade]) -> (usize, Cents) {
    let net: Cents = trades.iter().map(|trade| trade.net_cents).sum();
    let doubtful = || trades.iter().filter(|trade| trade.ambiguous);
    let stopped = doubtful().filter(|trade| trade.exit != ExitReason::Target);
    (doubtful().count(), net + stopped.map(|trade| trade.reward_cents - trade.gross_cents).sum::<Cents>())
}

/// Pairs entries with exits.
#[derive(Debug, Default)]
pub struct Pairing {
    /// Confidence, stop and target of entries that have not closed yet.
    asked: HashMap<u64, (f32, i64, i64)>,
    entry: Option<Fill>,
}

impl Pairing {
    /// Remembers what an entry was asked with.
    pub fn order(&mut self, order: &Order) {
        if let Action::Enter { confidence, stop_ticks, target_ticks, .. } = order.action {
            self.asked.insert(order.id, (confidence, stop_ticks, target_ticks));
        }
    }

    /// Takes a fill and returns the trade that it ends, if it does.
    pub fn fill(&mut self, fill: &Fill) -> Option<Trade> {
        let Some(exit) = fill.exit else {
            self.entry = Some(fill.clone());
            return None;
        };
        let entry = self.entry.take()?;
        let (confidence, stop_ticks, target_ticks) =
            entry.order.and_then(|order| self.asked.remove(&order)).unwrap_or_default();
        let commission = entry.commission_cents + fill.commission_cents;
        let ticks = |ticks: i64| TICK_VALUE * (ticks * entry.contracts);
        let modelled =
            |ticks: fn(&Fill) -> Option<i64>| ticks(&entry).unwrap_or(0) + ticks(fill).unwrap_or(0);
        let stopped = ticks(stop_ticks + entry.slippage_ticks.unwrap_or(0));
        Some(Trade {
            entered: entry.ts,
            exited: fill.ts,
            side: entry.side,
            contracts: entry.contracts,
            entry_price: entry.price,
            exit_price: fill.price,
            gross_cents: fill.gross_cents,
            commission_cents: commission,
            slippage_cents: ticks(modelled(|fill| fill.slippage_ticks)),
            spread_cents: ticks(modelled(|fill| fill.spread_ticks)),
            net_cents: fill.gross_cents - commission,
            exit,
            confidence,
            stopped_cents: stopped,
            risk_cents: stopped + entry.commission_cents * 2,
            reward_cents: ticks(target_ticks),
            ambiguous: fill.ambiguous == Some(true),
        })
    }
}
