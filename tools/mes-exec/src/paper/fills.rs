//! How orders meet the market: see [`mes_core::fills::Model`] for the ways there are.

use mes_core::{
    bar::Bar,
    fills::Model,
    money::Cents,
    order::{ExitReason, Side},
    price::Price,
    statement::Fill,
    time::Ts,
};

use super::{Before, Entry, Paper, Position, limits::Since};

/// Where an order meets the market: the price before slippage, and what lies between it and the open, and between it
/// and the fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    pub price: Price,
    pub spread_ticks: i64,
    pub slippage_ticks: i64,
}

impl Met {
    /// Meets it at a price that no quote has a say in.
    pub(super) fn at(price: Price, slippage_ticks: i64) -> Met {
        Met { price, spread_ticks: 0, slippage_ticks }
    }
}

impl Paper {
    /// Fills what the row before was answered with, at its close.
    pub(super) fn fill_at_the_signal(&mut self) {
        let Some(Before { ts, close, blocked, .. }) = self.before else { return };
        let exits = self.position.as_ref().is_some_and(|open| blocked != Some(open.side.opposite()));
        if let Some(exit) = self.exit.filter(|_| exits) {
            self.close_at(Met::at(close, 0), exit.reason, Some(exit.order), ts, false);
        }
        // A limit that the close has not reached waits.
        let fills = |entry: &Entry| {
            blocked != Some(entry.side) && entry.ahead_of(close).is_none_or(|ticks| ticks >= 0)
        };
        if let Some(entry) = self.entry.take_if(|entry| fills(entry)) {
            self.open_at(Met::at(close, 0), entry, ts);
        }
    }

    /// Fills market orders that have arrived and meet a trade in this row. In a locked market an exit waits, and an entry
    /// is refused.
    pub(super) fn fill_waiting(&mut self, bar: &Bar) {
        if let (Some(exit), Some(position)) = (self.exit, &self.position)
            && let Some(met) = self.meet(position.side.opposite(), exit.due, bar)
            && !self.is_stuck()
        {
            self.close_at(met, exit.reason, Some(exit.order), bar.ts, false);
        }
        if let Some(entry) = self.entry.as_ref().filter(|entry| entry.limit.is_none())
            && let Some(met) = self.meet(entry.side, entry.due, bar)
            && let Some(entry) = self.entry.take()
        {
            if self.blocked == Some(entry.side) {
                self.refuse(entry.order, "locked");
            } else {
                self.open_at(met, entry, bar.ts);
            }
        }
    }

    /// Returns where an order due then meets this row, if it does: one that was there before its first trade at the
    /// open, or at the opposite quote before it where that is worse; one that came within it at the worse of open and
    /// close.
    pub(super) fn meet(&self, side: Side, due: Ts, bar: &Bar) -> Option<Met> {
        if bar.volume == 0 || due >= bar.ts {
            return None;
        }
        let open = bar.open;
        let worse = |other: Price| if side == Side::Buy { open.max(other) } else { open.min(other) };
        if due > bar.ts - self.interval {
            return Some(Met::at(worse(bar.close), self.slippage_ticks));
        }
        let quote = self.before.and_then(|before| before.quote);
        let quote = quote.map(|quote| if side == Side::Buy { quote.ask } else { quote.bid });
        let price = quote.map_or(open, worse);
        Some(Met { spread_ticks: (price - open).abs(), ..Met::at(price, self.slippage_ticks) })
    }

    /// Lets the bar's range act on the bracket. Rows without trades trigger nothing. Of a row within which the entry was
    /// filled nobody knows what came after it: the worst price did, and only optimistic has the best one come as well.
    pub(super) fn work_bracket(&mut self, bar: &Bar, since: Since) {
        let Some(position) = self.position.as_ref().filter(|_| bar.volume > 0) else { return };
        let Bar { open, high, low, .. } = *bar;
        let model = self.fills.model;
        let sign = position.side.sign();
        let (worst, best) = if sign > 0 { (low, high) } else { (high, low) };
        let beyond = i64::from(model == Model::Conservative);
        // How far a price lies beyond a level, in the direction of loss and of gain.
        let beyond_stop = |price: Price| sign * (position.stop - price) >= 0;
        let at_target = |price: Price| sign * (price - position.target) >= beyond;
        let stop_reason = if position.stop_moved { ExitReason::Trail } else { ExitReason::Stop };
        let (stop, target, ts) = (position.stop, position.target, bar.ts);
        if self.is_stuck() {
            if beyond_stop(worst) {
                self.stop_is_held(stop_reason, ts);
            }
            return;
        }
        let (stopped, at_limit) = (Met::at(stop, self.slippage_ticks), Met::at(target, 0));
        let whole = since == Since::Open;
        if whole && beyond_stop(open) {
            self.close_at(Met { price: open, ..stopped }, stop_reason, None, ts, false);
        } else if whole && at_target(open) {
            self.close_at(at_limit, ExitReason::Target, None, ts, false);
        } else {
            match (beyond_stop(worst), at_target(best)) {
                (true, true) if model == Model::Optimistic => {
                    self.close_at(at_limit, ExitReason::Target, None, ts, true);
                }
                (true, ambiguous) => {
                    self.close_at(stopped, stop_reason, None, ts, ambiguous);
                }
                (false, true) if whole || model == Model::Optimistic => {
                    self.close_at(at_limit, ExitReason::Target, None, ts, false);
                }
                (false, _) => {}
            }
        }
    }

    /// Opens the position, and its bracket with it.
    pub(super) fn open_at(&mut self, met: Met, entry: Entry, ts: Ts) {
        let Entry { order, side, contracts, stop_ticks, target_ticks, .. } = entry;
        let sign = side.sign();
        let filled = met.price + sign * met.slippage_ticks;
        let cost = self.side_cost * contracts;
        self.balance -= cost;
        self.statement.fills.push(Fill {
            ts,
            order: Some(order),
            side,
            contracts,
            price: filled,
            slippage_ticks: Some(met.slippage_ticks),
            spread_ticks: Some(met.spread_ticks),
            commission_cents: cost,
            gross_cents: Cents::ZERO,
            exit: None,
            ambiguous: Some(false),
        });
        self.position = Some(Position {
            order,
            side,
            contracts,
            entry: filled,
            stop: filled - sign * stop_ticks,
            target: filled + sign * target_ticks,
            stop_moved: false,
        });
    }

    /// Closes the position and books it.
    pub(super) fn close_at(
        &mut self,
        met: Met,
        reason: ExitReason,
        order: Option<u64>,
        ts: Ts,
        ambiguous: bool,
    ) {
        let Some(position) = self.position.take() else { return };
        let filled = met.price - position.side.sign() * met.slippage_ticks;
        let gross = self.tick_value * (position.gain(filled) * position.contracts);
        let cost = self.side_cost * position.contracts;
        self.balance += gross - cost;
        (self.exit, self.moving) = (None, None);
        self.statement.fills.push(Fill {
            ts,
            order: Some(order.unwrap_or(position.order)),
            side: position.side.opposite(),
            contracts: position.contracts,
            price: filled,
            slippage_ticks: Some(met.slippage_ticks),
            spread_ticks: Some(met.spread_ticks),
            commission_cents: cost,
            gross_cents: gross,
            exit: Some(reason),
            ambiguous: Some(ambiguous),
        });
    }
}
