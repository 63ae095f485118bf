//! What the exchange's own books say of a night: at every instant, and in the end.

use mes_core::{
    broker::Broker,
    time::{MILLI, Ts},
};
use mes_sim::{
    exchange::{OrderFilter, order::Status},
    service::Fault,
};

use super::{Checked, MOST, Night};
use crate::world::{ACCOUNT, seconds};

impl Night<'_> {
    /// Compares, at the end, our books with the exchange's.
    pub(super) fn settled(&mut self) -> Checked {
        let (positions, alive, balance) = self.world.look(|exchange| {
            let balance = exchange.account(ACCOUNT).map(|account| account.balance);
            let ours = exchange.alive(ACCOUNT).filter(|order| order.tag.is_some());
            (exchange.positions(ACCOUNT).len(), ours.count(), balance)
        });
        if (positions, alive) != (0, 0) {
            return Err(format!("{positions} positions and {alive} orders are left at the exchange"));
        }
        let Some(guard) = &mut self.venue else { return Ok(()) };
        let core = guard.broker().core();
        if balance.is_some_and(|balance| balance != core.balance()) {
            return Err(format!("the exchange has {balance:?}, and we have {}", core.balance()));
        }
        let last = guard.broker_mut().end().map_err(|error| error.to_string())?.clone();
        self.keep();
        if last.position != 0 {
            return Err("the last statement is not flat".into());
        }
        let quiet = self.plan.is_quiet();
        let odd = |alert: &&String| alert.contains("given up") || alert.contains("is right");
        match self.alerts.iter().find(|alert| quiet && odd(alert)) {
            Some(alert) => Err(format!("nothing went wrong, and it was said: {alert}")),
            None => self.once(),
        }
    }

    /// No order of ours came to more contracts than it asked for.
    pub(super) fn once(&self) -> Checked {
        let filter = OrderFilter::default();
        let mut filled = std::collections::BTreeMap::<u64, i64>::new();
        self.world.look(|exchange| {
            for order in exchange.orders(ACCOUNT, &filter) {
                let mut parts = order.tag.as_deref().unwrap_or_default().split('.');
                let (Some("mes"), Some(_), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                let leg = parts.next().is_some_and(|part| part != "m");
                if let Some(id) = id.parse().ok().filter(|_| !leg) {
                    *filled.entry(id).or_default() += order.filled;
                }
            }
        });
        match filled.iter().find(|(id, filled)| **filled > self.contracts.get(id).copied().unwrap_or(0)) {
            Some((id, filled)) => {
                Err(format!("order {id} was filled with {filled}: {:?}", self.contracts.get(id)))
            }
            None => Ok(()),
        }
    }

    /// Judges the exchange's state of this instant.
    pub(super) fn judge(&mut self) -> Checked {
        let now = self.utc();
        let (position, covered) = self.world.look(|exchange| {
            let position: i64 =
                exchange.positions(ACCOUNT).iter().map(|view| view.side.sign() * view.size).sum();
            let stops = exchange.alive(ACCOUNT).filter(|order| {
                order.side.sign() == -position.signum()
                    && order.stop.is_some()
                    && matches!(order.status, Status::Open | Status::Pending)
            });
            (position, stops.map(|order| order.size - order.filled).sum::<i64>())
        });
        if position.abs() > 2 * MOST && !self.clicked {
            return Err(format!("{position} contracts are open at the exchange"));
        }
        if position == 0 || covered >= position.abs() {
            self.naked = None;
            return Ok(());
        }
        let since = *self.naked.get_or_insert(now);
        let allowed = self.allowed(since, now);
        if now - since > allowed {
            let (ms, most) = ((now - since) / MILLI, allowed / MILLI);
            return Err(format!(
                "{position} contracts had {covered} stops for {ms} ms, and {most} are allowed"
            ));
        }
        Ok(())
    }

    /// Says how long a position may be without a stop: what can be seen and done is, and what can not takes longer by as
    /// long as it can not.
    pub(super) fn allowed(&self, since: Ts, now: Ts) -> i64 {
        let blind = self.plan.schedule.faults.iter().filter(|planned| is_blinding(planned.fault));
        let blind = blind.map(|planned| {
            let from = self.plan.start + planned.at_ms as i64 * MILLI;
            // The answer to what was lost in it is waited for.
            let until = from + (planned.for_ms as i64) * MILLI + seconds(16);
            if until > since && from < now { until - since.max(from) } else { 0 }
        });
        // A dead process protects nothing: it comes back within 4 s, and looks for a second.
        let dead = if self.plan.kills { seconds(7) } else { 0 };
        let known = if self.plan.is_quiet() { 450 * MILLI } else { 3_500 * MILLI };
        known + dead + blind.sum::<i64>()
    }
}

fn is_blinding(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::EventsDoubled
            | Fault::NumbersAsText
            | Fault::OrderIdForId
            | Fault::NullsInQuotes
            | Fault::ClockAhead
            | Fault::ClockBehind
            | Fault::PartialEntries
            | Fault::PartialExits
            | Fault::BothLegs
            | Fault::QuotesFrozen
            | Fault::NoBrackets
    )
}
