//! Listens to the loop and keeps what trials are compared by: the equity of every day, the trades, the deepest fall.

use std::cell::RefCell;

use mes_core::{
    money::Cents,
    round_trip::{Pairing, RoundTrip},
    statement::Statement,
    verdict::Verdict,
};
use mes_pipe::{Result, Settings, journal::Journal};

use super::Days;
use mes_judge::{facts::Alert, life::Life};

/// What a trial is compared by.
#[derive(Debug)]
pub struct Tally {
    start: Cents,
    days: Days,
    /// Equity at the end of every day that has begun.
    ends: Vec<Cents>,
    peak: Cents,
    pub drawdown: Cents,
    pub trades: Vec<RoundTrip>,
    /// A limit was reached that ends trading for good, and which.
    pub died: bool,
    pub death: Option<Alert>,
    /// The checkpoint at which it was given up.
    pub stopped_at: Option<usize>,
    /// The account has a position, or anything on its way.
    pub(super) busy: bool,
    life: Life,
    pairing: Pairing,
}

impl Tally {
    /// Begins with the capital of the rules; `days` is what is counted.
    pub fn new(settings: &Settings, days: Days) -> Tally {
        let rules = &settings.rules.value;
        let start = rules.capital();
        Tally {
            start,
            days,
            ends: Vec::with_capacity(days.to - days.from),
            peak: start,
            drawdown: Cents::ZERO,
            trades: Vec::new(),
            died: false,
            death: None,
            stopped_at: None,
            busy: false,
            life: Life::default(),
            pairing: Pairing::of(rules.contract, settings.costs.value.slippage),
        }
    }

    /// Begins a day of the table; those before it end where the last one did. After its death an account has no days.
    pub(super) fn begin(&mut self, day: usize) {
        if self.life.is_over() {
            return;
        }
        let last = self.ends.last().copied().unwrap_or(self.start);
        self.ends.resize((day + 1 - self.days.from).max(self.ends.len()), last);
    }

    /// Returns equity at the start and the end of the first `count` days, as far as the account lived to see them; a day
    /// that never came changed nothing.
    pub fn equity(&self, count: usize) -> Vec<(Cents, Cents)> {
        let mut before = self.start;
        (0..self.lived().min(count))
            .map(|day| {
                let start = before;
                before = self.ends.get(day).copied().unwrap_or(before);
                (start, before)
            })
            .collect()
    }

    /// Returns how many days the account has lived, of all that there are: the day on which it died is the last.
    pub fn lived(&self) -> usize {
        if self.life.is_over() { self.ends.len() } else { self.days() }
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
        if tally.life.is_over() {
            return Ok(());
        }
        tally.life.statement(statement);
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
            Verdict::Alert { ts, rule, value, limit } => {
                if tally.life.alert(rule) {
                    let (day, rule) = (tally.ends.len(), rule.clone());
                    tally.died = true;
                    tally.death = Some(Alert { ts: *ts, day, rule, value: *value, limit: *limit });
                }
            }
            Verdict::Deny { .. } | Verdict::Hold { .. } => {}
        }
        Ok(())
    }
}
