//! What is open, and what opened it: an entry of ours, one of a run before, or somebody else.

use mes_core::{
    order::{ExitReason, Side},
    price::Price,
    time::SECOND,
};
use mes_projectx::wire::OrderKind;

use super::{Core, Fatal, entry::Entry, protect::ATTACHED};
use crate::topstepx::{
    orders::{Known, Owner},
    tag::Part,
};

/// So soon after a fill the platform adds legs by itself, where the account is set up so.
const ADDED: i64 = 3 * SECOND;

/// A stop that is on its way.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub tag: String,
    pub contracts: i64,
    /// It was refused, or nobody knows whether it arrived.
    pub lost: bool,
}

/// What protects the open position.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    /// The entry that opened it; 0 where none of this run did.
    pub order: u64,
    pub side: Side,
    pub stop_ticks: i64,
    pub target_ticks: i64,
    /// An entry of this run has just opened it.
    fresh: bool,
    /// The order at the exchange that opened it, while only its fill is known: nobody knows whose it is.
    unheard: Option<i64>,
    /// The exchange was asked to attach legs.
    pub attached: bool,
    /// Since when the position is open, on the steady clock.
    pub since: i64,
    /// Where risk wants the stop, and by which order.
    pub wanted: Option<(Price, u64)>,
    pub moved: bool,
    /// Where the stop was confirmed to be moved to: one that takes its place stands no further away.
    pub secured: Option<Price>,
    /// Since when a part has no stop.
    pub bare: Option<i64>,
    /// Stops of ours that were sent and not heard of, by tag.
    pub sent: Vec<Sent>,
    /// When one was not sent for want of a line or a token.
    pub tried: Option<i64>,
    /// Since when stops or targets cover more than the position.
    pub over: Option<i64>,
}

impl Trade {
    fn new(order: u64, side: Side, now: i64) -> Trade {
        Trade {
            order,
            side,
            stop_ticks: 0,
            target_ticks: 0,
            fresh: false,
            unheard: None,
            attached: false,
            since: now,
            wanted: None,
            moved: false,
            secured: None,
            bare: None,
            sent: Vec::new(),
            tried: None,
            over: None,
        }
    }
}

impl Core {
    /// Takes in that an entry of ours has opened a position.
    pub(super) fn opened_by(&mut self, entry: &Entry) {
        let against = self.orders.exposure().signum() == -entry.side.sign();
        let is_its = |trade: &Trade| trade.order == entry.order && trade.side == entry.side;
        if against || self.trade.as_ref().is_some_and(is_its) {
            return;
        }
        let since = self.trade.as_ref().map_or(self.now.steady, |trade| trade.since);
        self.trade = Some(Trade {
            stop_ticks: entry.stop_ticks,
            target_ticks: entry.target_ticks,
            fresh: true,
            attached: !self.setup.own_oco,
            ..Trade::new(entry.order, entry.side, since)
        });
    }

    /// Sees whether something is open that no entry explains, or nothing is open any more.
    pub(super) fn watch_trade(&mut self) {
        let exposure = self.orders.exposure();
        let now = self.now.steady;
        let settled = exposure == 0 && self.entry.is_none();
        if settled && self.told.position == 0 {
            if let Some((_, order)) = self.trade.take().and_then(|trade| trade.wanted) {
                self.refuse(order, "flat");
            }
            return;
        }
        if exposure == 0 {
            return;
        }
        // A fill may be heard of before its order is.
        let unheard = |entry: &mut Entry| entry.id().is_none() && entry.side == Side::of(exposure);
        if let Some(entry) = self.entry.take_if(unheard) {
            self.opened_by(&entry);
            self.entry = Some(entry);
        }
        if self.lacks_news() {
            return self.looks.want_now();
        }
        match &self.trade {
            None => {
                let mover = self.orders.mover();
                let unheard = mover.filter(|id| self.orders.get(*id).is_none());
                let stop_ticks = self.setup.widest_ticks;
                self.trade = Some(Trade { stop_ticks, unheard, ..Trade::new(0, Side::of(exposure), now) });
                if unheard.is_some() {
                    self.looks.want(true);
                }
                let opener = mover.and_then(|id| self.ours(id));
                self.judge(opener);
                if opener.is_none() {
                    self.alert(format!("{exposure} contracts are open that no order of ours opened: no entries until they are closed"));
                }
            }
            // Both legs were filled, or somebody turned it.
            Some(trade) if trade.side.sign() != exposure.signum() => {
                self.alert(format!("{exposure} contracts are open against the trade: closing them"));
                let stop_ticks = self.setup.widest_ticks;
                self.trade = Some(Trade { stop_ticks, ..Trade::new(0, Side::of(exposure), now) });
                self.close(0, ExitReason::Limit);
            }
            Some(Trade { unheard: Some(id), .. }) => {
                let opener = self.ours(*id);
                self.judge(opener);
            }
            Some(_) => {}
        }
    }

    /// Says whether a leg is known to have filled more than its entry: what the entry has filled is on its way.
    pub(super) fn lacks_news(&self) -> bool {
        let Some(id) = self.orders.mover() else { return false };
        let Some((order, Part::Stop | Part::Target)) = self.ours(id) else { return false };
        let soon = self.now.steady - self.changed < ATTACHED;
        soon && self.orders.filled_of(id) > self.orders.entered(order)
    }

    /// Takes in which order of ours opened what no entry under way explains: protected, and closed. What a person opened is left.
    fn judge(&mut self, opener: Option<(u64, Part)>) {
        let (Some((order, part)), Some(trade)) = (opener, &mut self.trade) else { return };
        (trade.order, trade.unheard) = (order, None);
        self.alert(match part {
            // It was of another run, or came after all.
            Part::Entry => format!("order {order} opened a position after it was given up: closing it"),
            _ => format!(
                "a leg of order {order} was filled after its position was closed: closing what it opened"
            ),
        });
        self.close(0, ExitReason::Limit);
    }

    /// Sees whether the platform has put legs of its own to a position of ours: a setting of the account that cannot be traded
    /// with, since a position has two of each then.
    pub(super) fn watch_platform(&mut self) {
        let Some(trade) = self.trade.as_ref().filter(|trade| trade.fresh) else { return };
        if self.fatal.is_some() || self.closing.is_some() {
            return;
        }
        let added = |known: &Known| {
            let soon = (trade.since - SECOND..trade.since + ADDED).contains(&known.first());
            let is_leg = !matches!(known.order.kind, OrderKind::Market);
            let parent = known.order.parent_order_id.and_then(|id| self.orders.owner(id));
            let ours = matches!(parent, Some(Owner::Ours { .. })) || known.owner != Owner::Untagged;
            !ours && is_leg && soon && known.side() == trade.side.opposite()
        };
        if self.orders.exposure() == 0 || !self.orders.alive().any(added) {
            return;
        }
        let why = "the platform adds a stop and a target of its own to what is opened: in the settings of the account at \
                   TopstepX, under Risk Settings, turn Position Brackets off and tick Auto OCO Brackets";
        self.alert(why.into());
        self.fatal = Some(Fatal::Setup(why.into()));
        self.close(0, ExitReason::Broker);
    }

    /// Takes up a position that was open before this run: with the legs that are there, or a stop of ours.
    pub(super) fn take_up(&mut self) {
        let side = Side::of(self.orders.exposure());
        let of = |part| {
            self.legs(part).iter().find_map(|leg| match leg.owner {
                Owner::Ours { order, .. } => Some(order),
                Owner::Untagged => None,
            })
        };
        // Its legs may have died with the run that placed them, or never have been sent.
        let opened = || match self.ours(self.orders.last_filled(side)?.order.id)? {
            (order, Part::Entry) => Some(order),
            _ => None,
        };
        let order = of(Part::Stop).or_else(|| of(Part::Target)).or_else(opened);
        let stop_ticks = self.setup.widest_ticks;
        self.trade = Some(Trade { stop_ticks, ..Trade::new(order.unwrap_or(0), side, self.now.steady) });
    }

    /// Returns which of our orders one at the exchange is, and which part of it, where it had not ended before the start.
    fn ours(&self, id: i64) -> Option<(u64, Part)> {
        match self.orders.get(id).filter(|known| !known.is_old())?.owner {
            Owner::Ours { order, part } => Some((order, part)),
            Owner::Untagged => None,
        }
    }
}
