//! Listens to the loop and keeps what trials are compared by: the equity of every day, the trades, the deepest fall.

use std::cell::RefCell;

use mes_core::{money::Cents, statement::Statement, verdict::Verdict};
use mes_pipe::Result;
use mes_risk::trade::Journal;

use super::Days;
use crate::{
    summary::LASTING,
    trades::{Pairing, Trade},
};

#[derive(Debug)]
pub struct Tally {
    start: Cents,
    days: Days,
    /// Equity at the end of every day that has begun.
    ends: Vec<Cents>,
    peak: Cents,
    pub drawdown: Cents,
    pub trades: Vec<Trade>,
    /// A limit was reached that ends trading for good.
    pub died: bool,
    /// The checkpoint at which it was given up.
    pub stopped_at: Option<usize>,
    /// The account has a position, or anything on its way.
    pub(super) busy: bool,
    pairing: Pairing,
}

impl Tally {
    pub fn new(start: Cents, days: Days) -> Tally {
        Tally {
            start,
            days,
            ends: Vec::with_capacity(days.to - days.from),
            peak: start,
            drawdown: Cents::ZERO,
            trades: Vec::new(),
            died: false,
            stopped_at: None,
            busy: false,
            pairing: Pairing::default(),
        }
    }

    /// Begins a day of the table; those before it end where the last one did.
    pub(super) fn begin(&mut self, day: usize) {
        let last = self.ends.last().copied().unwrap_or(self.start);
        self.ends.resize((day + 1 - self.days.from).max(self.ends.len()), last);
    }

    /// Returns equity at the start and the end of the first `count` days; a day that never came changed nothing.
    pub fn equity(&self, count: usize) -> Vec<(Cents, Cents)> {
        let mut before = self.start;
        (0..count)
            .map(|day| {
                let start = before;
                before = self.ends.get(day).copied().unwrap_or(before);
                (start, before)
            })
            .collect()
    }

    /// Returns how many days there are to trade.
    pub fn days(&self) -> usize {
        self.days.to - self.days.from
    }
}

/// The tally as the loop sees it.
pub struct Listener<'a>(pub &'a RefCell<Tally>);

impl Journal for Listener<'_> {
    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let tally = &mut *self.0.borrow_mut();
        for fill in &statement.fills {
            tally.trades.extend(tally.pairing.fill(fill));
        }
        let equity = statement.equity_cents;
        if let Some(end) = tally.ends.last_mut() {
            *end = equity;
        }
        tally.peak = tally.peak.max(equity);
        tally.drawdown = tally.drawdown.max(tally.peak - equity);
        tally.busy = statement.position != 0 || !statement.working.is_empty();
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        let tally = &mut *self.0.borrow_mut();
        match verdict {
            Verdict::Order(order) => {
                tally.busy = true;
                tally.pairing.order(order);
            }
            Verdict::Alert { rule, .. } => tally.died |= LASTING.contains(&rule.as_str()),
            Verdict::Deny { .. } | Verdict::Hold { .. } => {}
        }
        Ok(())
    }
}
