//! An entry: sent once. What became of it is known by its tag, never by sending it again.

use mes_core::{
    order::{Action as Wanted, Limit, Order, Side},
    statement::NEVER_ARRIVED,
    time::{MILLI, SECOND},
};
use mes_projectx::{
    Purpose,
    wire::{self, Bracket, Decimal, OrderKind, Place},
};

use super::{Answer, Core, Fatal, NEWS, QUOTE_AGE, Request, Why};
use crate::topstepx::{orders::Known, tag};

/// How long a tag has to stay away before its order is taken never to have been.
const AWAY: i64 = 10 * SECOND;

/// An entry that is under way.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub order: u64,
    pub side: Side,
    contracts: i64,
    pub stop_ticks: i64,
    pub target_ticks: i64,
    limit: Option<Limit>,
    tag: String,
    stage: Stage,
    id: Option<i64>,
    /// When what is not filled is cancelled, on the steady clock.
    expires: i64,
    smaller: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Placing {
        call: u64,
    },
    Placed {
        at: i64,
    },
    /// Since when, and how often its tag was looked for since.
    Unknown {
        since: i64,
        looks: u32,
    },
}

impl Entry {
    /// Says whether nobody knows if it arrived.
    pub fn is_unknown(&self) -> bool {
        matches!(self.stage, Stage::Unknown { .. }) && self.id.is_none()
    }

    /// Says whether it is on its way.
    pub fn is_sent(&self) -> bool {
        matches!(self.stage, Stage::Placing { .. }) && self.id.is_none()
    }

    pub fn contracts(&self) -> i64 {
        self.contracts
    }

    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    pub fn id(&self) -> Option<i64> {
        self.id
    }
}

impl Core {
    /// Says why nothing may be entered now, if so.
    fn objection(&self, order: &Order) -> Option<&'static str> {
        let now = self.now.steady;
        let Some((bid, ask, at)) = self.quote else { return Some("no_quote") };
        if now - at > QUOTE_AGE {
            return Some("no_quote");
        }
        let Wanted::Enter { side, contracts, stop_ticks, target_ticks, .. } = order.action else {
            return None;
        };
        if contracts <= 0 || stop_ticks <= 0 || target_ticks <= 0 {
            return Some("not_positive");
        }
        let price = if side == Side::Buy { ask } else { bid };
        let left = self.row.is_none_or(|row| (price - row).abs() > self.setup.widest_ticks);
        match () {
            () if self.halted => Some("halted"),
            () if self.fatal.is_some() => Some("ended"),
            () if !self.can_trade => Some("locked_account"),
            () if !self.up => Some("connection"),
            () if self.is_shared() => Some("foreign"),
            () if self.entry.is_some() || self.orders.exposure() != 0 => Some("position_open"),
            () if self.closing.is_some() => Some("exit_working"),
            () if self.ours_alive().next().is_some() => Some("legs_working"),
            () if !self.is_sure() => Some("unsettled"),
            () if left => Some("price_collar"),
            () => None,
        }
    }

    /// Says whether an entry that was allowed would be so still.
    fn may_go_on(&self, entry: &Entry) -> bool {
        let now = self.now.steady;
        let over = self.halted || self.fatal.is_some() || self.closing.is_some() || now >= entry.expires;
        !over && self.up && self.quote.is_some_and(|(_, _, at)| now - at <= QUOTE_AGE)
    }

    pub(super) fn enter(&mut self, order: &Order) {
        if let Some(reason) = self.objection(order) {
            return self.refuse(order.id, reason);
        }
        let Wanted::Enter { side, contracts, stop_ticks, target_ticks, limit, .. } = order.action else {
            return;
        };
        let lifetime = limit.map_or(self.setup.lifetime, |limit| i64::from(limit.lifetime_ms) * MILLI);
        // It was decided on at the order's own time; what came of that by now is gone from its life.
        let spent = (self.now.utc - order.ts).clamp(0, lifetime);
        let entry = Entry {
            order: order.id,
            side,
            contracts,
            stop_ticks,
            target_ticks,
            limit,
            tag: tag::entry(&self.setup.nonce, order.id, false),
            stage: Stage::Placing { call: 0 },
            id: None,
            expires: self.now.steady + lifetime - spent,
            smaller: false,
        };
        self.send_entry(entry);
    }

    fn send_entry(&mut self, mut entry: Entry) {
        let sign = entry.side.sign();
        let bracket = |ticks, kind| (!self.setup.own_oco).then_some(Bracket { ticks, kind });
        let side = wire::Side::from(entry.side);
        let place = Place {
            kind: if entry.limit.is_some() { OrderKind::Limit } else { OrderKind::Market },
            limit_price: entry.limit.map(|limit| Decimal::of_ticks(limit.price.ticks())),
            stop_loss_bracket: bracket(-sign * entry.stop_ticks, OrderKind::Stop),
            take_profit_bracket: bracket(sign * entry.target_ticks, OrderKind::Limit),
            ..Place::market(
                self.setup.account,
                &self.setup.contract,
                side,
                entry.contracts,
                entry.tag.clone(),
            )
        };
        let call = self.call(Purpose::Trade, Request::Place { place: Box::new(place), entry: true });
        entry.stage = Stage::Placing { call };
        self.entry = Some(entry);
    }

    pub(super) fn entry_answered(&mut self, call: u64, answer: Answer) {
        let now = self.now.steady;
        let Some(entry) = self.entry.as_mut().filter(|entry| entry.stage == Stage::Placing { call }) else {
            return;
        };
        match answer {
            Answer::Placed { id } => {
                entry.id = Some(id);
                entry.stage = Stage::Placed { at: now };
            }
            Answer::Unknown { text } => {
                entry.stage = Stage::Unknown { since: now, looks: 0 };
                let text = format!("order {}: nobody knows whether it arrived: {text}", entry.order);
                self.alert(text);
            }
            Answer::Refused { why, text } => self.entry_refused(why, &text),
            _ => {}
        }
    }

    fn entry_refused(&mut self, why: Why, text: &str) {
        let Some(entry) = self.entry.take() else { return };
        match why {
            Why::Brackets => {
                let why = format!(
                    "{text}: in the settings of the account at TopstepX, under Risk Settings, tick Auto OCO Brackets; or \
                     give --own-oco"
                );
                self.fatal.get_or_insert(Fatal::Setup(why));
            }
            // Not what a person or the day's end has stopped meanwhile.
            Why::Funds if !entry.smaller && entry.contracts > 1 && self.may_go_on(&entry) => {
                let contracts = entry.contracts / 2;
                self.alert(format!("order {}: {text}: sent again with {contracts}", entry.order));
                let tag = tag::entry(&self.setup.nonce, entry.order, true);
                return self.send_entry(Entry { contracts, tag, smaller: true, ..entry });
            }
            _ => {}
        }
        let reason = match why {
            Why::Later { .. } => "not_sent",
            Why::Funds => "funds",
            Why::Brackets => "brackets",
            Why::Account => "account",
            Why::Gone | Why::Other => "rejected",
        };
        self.alert(format!("order {}: {text}", entry.order));
        self.refuse(entry.order, reason);
    }

    /// Sees what has become of the entry.
    pub(super) fn watch_entry(&mut self) {
        let Some(mut entry) = self.entry.take() else { return };
        let now = self.now.steady;
        if entry.id.is_none() {
            entry.id = self.orders.tagged(&entry.tag).map(|known| known.order.id);
        }
        let known = entry.id.and_then(|id| self.orders.get(id));
        // One that is missing may have been filled: fills are asked for before it is given up.
        let settled = known.and_then(Known::missing).is_none_or(|since| self.looks.past_since(since));
        if let Some(known) = known.filter(|known| !known.is_alive() && settled) {
            let filled = self.orders.filled_of(known.order.id);
            if filled == 0 {
                let reason = if self.orders.is_rejected(known.order.id) { "rejected" } else { "cancelled" };
                let reason = if now >= entry.expires && reason == "cancelled" { "expired" } else { reason };
                self.refuse(entry.order, reason);
            } else {
                self.opened_by(&entry);
            }
            return;
        }
        if entry.id.is_some_and(|id| self.orders.filled_of(id) > 0) {
            self.opened_by(&entry);
        }
        match entry.stage {
            Stage::Unknown { since, looks } if entry.id.is_none() && looks >= 2 && now - since >= AWAY => {
                self.alert(format!("order {}: it never arrived", entry.order));
                return self.refuse(entry.order, NEVER_ARRIVED);
            }
            Stage::Unknown { .. } if entry.id.is_none() => self.looks.want(true),
            _ if !settled => self.looks.want(true),
            Stage::Placed { at } if now - at > NEWS && entry.limit.is_none() => self.looks.want(false),
            _ => {}
        }
        let over = now >= entry.expires || self.closing.is_some();
        if let Some(id) = entry.id.filter(|id| over && self.may_try(*id)) {
            self.cancel(id);
        }
        self.entry = Some(entry);
    }

    /// Counts a look that ended without a sign of an unknown entry.
    pub(super) fn entry_looked_for(&mut self, began: i64) {
        if let Some(entry) = &mut self.entry
            && let Stage::Unknown { since, looks } = &mut entry.stage
            && began >= *since
        {
            *looks += 1;
        }
    }
}
