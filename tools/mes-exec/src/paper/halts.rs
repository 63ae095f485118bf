//! When the market counts as halted: prices that no market makes, another contract, a market that is locked. Nothing
//! fills at such prices; what has to end, ends at the last price that was one.

use mes_core::{bar::Bar, order::ExitReason, plausible::Seen, time::Ts};

use super::{Before, Exit, Paper, fills::Met};

impl Paper {
    /// Passes a row whose prices are not believed: nothing fills, but what the day's end or a person wants closed is
    /// closed at the last price that was.
    pub(super) fn stand_still(&mut self, bar: &Bar) {
        self.blocked = None;
        self.today(bar);
        self.pass_time(bar);
        self.drop_entry(ExitReason::PriceJump);
        let acts = |exit: &Exit| {
            matches!(exit.reason, ExitReason::EodFlatten | ExitReason::Limit) && exit.due < bar.ts
        };
        if let Some(exit) = self.exit.filter(acts) {
            self.close_at_the_last_price(exit.reason, bar.ts);
        }
        self.state(bar.ts, self.before.map_or(bar.close, |before| before.close));
    }

    /// Leaves a contract that another one has followed, and a price that a new one has replaced.
    pub(super) fn leave_what_is_gone(&mut self, bar: &Bar, seen: Seen) {
        let Some(before) = self.before else { return };
        let reason = match seen {
            Seen::Confirmed { .. } => ExitReason::PriceJump,
            _ if before.symbol != bar.symbol => ExitReason::Roll,
            _ => return,
        };
        self.drop_entry(reason);
        self.close_at_the_last_price(reason, before.ts);
    }

    /// Says whether a locked market keeps the position from being closed.
    pub(super) fn is_stuck(&self) -> bool {
        self.position.as_ref().is_some_and(|position| self.blocked == Some(position.side.opposite()))
    }

    /// Turns a stop that was touched, and could not fill, into a market exit that waits for the lock to end.
    pub(super) fn stop_is_held(&mut self, reason: ExitReason, ts: Ts) {
        let Some(position) = &self.position else { return };
        self.exit.get_or_insert(Exit { order: position.order, reason, due: ts - self.interval });
    }

    /// Closes what is open at the close of the row before, with the slippage of a close that nobody saw.
    fn close_at_the_last_price(&mut self, reason: ExitReason, ts: Ts) {
        let Some(Before { close, slippage_ticks, .. }) = self.before else { return };
        let order = self.exit.map(|exit| exit.order);
        self.close_at(Met::at(close, 2 * slippage_ticks), reason, order, ts, false);
    }

    fn drop_entry(&mut self, reason: ExitReason) {
        if let Some(entry) = self.entry.take() {
            self.refuse(entry.order, reason.name());
        }
    }
}
