//! Moving and cancelling an order.

use mes_projectx::wire::Decimal;

use super::{
    Exchange, Phase,
    event::Event,
    order::{Kind, Order, Role, Status},
    refusal::{Call, Refusal, Why, words},
};

/// A request to change an order; what is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modify {
    pub account: i64,
    pub order: i64,
    pub size: Option<i64>,
    pub limit: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub trail: Option<Decimal>,
}

impl Exchange {
    /// Changes an order that works.
    ///
    /// # Errors
    ///
    /// The refusal, as the service words it.
    pub fn modify(&mut self, modify: &Modify) -> Result<(), Refusal> {
        let done = self.try_modify(modify);
        self.note_refused(Call::Modify, modify.account, &done);
        done
    }

    fn try_modify(&mut self, modify: &Modify) -> Result<(), Refusal> {
        let call = Call::Modify;
        let order = self.of_account(modify.account, modify.order, call)?;
        if order.status == Status::Pending {
            return Err(call.refuse(Why::Pending));
        }
        if order.status != Status::Open {
            return Err(call.refuse(Why::Invalid));
        }
        if matches!(self.phase(), Phase::Closed | Phase::Shut | Phase::Halted) {
            return Err(call.because(Why::Invalid, words::STATUS));
        }
        let mut changed = order.clone();
        if let Some(size) = modify.size {
            if size <= order.filled {
                return Err(call.because(Why::Invalid, words::SIZE));
            }
            self.check_growth(&order, size)?;
            changed.size = size;
        }
        if let (Some(limit), Kind::Limit) = (modify.limit, order.kind) {
            changed.limit = Some(self.level(order.instrument, limit, call)?);
        }
        if let (Some(stop), Kind::Stop) = (modify.stop, order.kind) {
            let stop = self.level(order.instrument, stop, call)?;
            self.check_stop(order.instrument, order.side, stop, call)?;
            changed.stop = Some(stop);
        }
        if let (Some(trail), Kind::TrailingStop) = (modify.trail, order.kind) {
            let level = trail.ticks().ok_or_else(|| call.because(Why::Invalid, words::TRAIL_ALIGNED))?;
            let last = self.market_of(order.instrument).and_then(|market| market.last);
            let last = last.ok_or_else(|| call.because(Why::Invalid, words::NO_LAST))?;
            // As the service does: no maximum here.
            let distance = last.saturating_sub(level).saturating_abs().min(last);
            (changed.trail, changed.stop) = (Some(distance), Some(last + order.side.sign() * distance));
        }
        let id = order.id;
        // Whatever fills in parts fills its rest by itself.
        let rests = !self.working.contains(&id);
        self.orders.insert(id, changed);
        self.tell_order(id);
        if !rests {
            self.match_one(id);
        }
        Ok(())
    }

    /// Cancels an order that waits or works.
    ///
    /// # Errors
    ///
    /// The refusal, as the service words it.
    pub fn cancel(&mut self, account: i64, order: i64) -> Result<(), Refusal> {
        let done = self.try_cancel(account, order);
        self.note_refused(Call::Cancel, account, &done);
        done
    }

    fn try_cancel(&mut self, account: i64, id: i64) -> Result<(), Refusal> {
        let call = Call::Cancel;
        let order = self.of_account(account, id, call)?;
        match order.status {
            // One that is filled or cancelled already was seen to answer so.
            status if status.is_final() => Err(call.refuse(Why::Unknown)),
            Status::Pending if order.kind == Kind::Market => Err(call.refuse(Why::Pending)),
            _ => {
                self.cancel_order(id);
                Ok(())
            }
        }
    }

    fn of_account(&self, account: i64, id: i64, call: Call) -> Result<Order, Refusal> {
        if !self.accounts.contains_key(&account) {
            return Err(call.refuse(Why::NoAccount));
        }
        let order = self.orders.get(&id).filter(|order| order.account == account);
        order.cloned().ok_or_else(|| call.refuse(Why::NotFound))
    }

    pub(super) fn note_refused<T>(&mut self, call: Call, account: i64, done: &Result<T, Refusal>) {
        if let Err(Refusal { code, message, .. }) = done {
            let (code, message) = (*code, message.clone());
            self.tell(Event::Refused { call, account, code, message, tag: None });
        }
    }

    /// Ends an order, and the legs that still wait for it.
    pub(super) fn cancel_order(&mut self, id: i64) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(&id).filter(|order| !order.status.is_final()) else { return };
        order.updated = now;
        let (entry, unfilled) = (matches!(order.role, Role::Entry { .. }), order.filled == 0);
        self.set_status(id, Status::Cancelled);
        self.tell_order(id);
        if entry && unfilled {
            self.end_suspended(id);
        }
    }
}
