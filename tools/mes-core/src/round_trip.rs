//! A position from flat to flat, put together from its fills. An entry may come in parts, an exit too, and a fill may carry
//! a position through zero: to the cent, what round trips came to and what is open is what the fills brought and cost.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};

use crate::{
    contract::Contract,
    costs::Slippage,
    money::Cents,
    order::{Action, ExitReason, Order, Side},
    price::Price,
    statement::Fill,
    time::Ts,
    tz,
};

/// From flat to flat.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundTrip {
    pub entered: Ts,
    pub exited: Ts,
    /// Buy for a long one.
    pub side: Side,
    /// All that were entered, and so all that were closed.
    pub contracts: i64,
    /// In points, weighted by contracts: between two ticks where several fills made it.
    pub entry_price: f64,
    pub exit_price: f64,
    /// Before commission; the prices hold the slippage.
    pub gross_cents: Cents,
    pub commission_cents: Cents,
    /// What slippage and crossing the spread cost at all fills; part of gross.
    pub slippage_cents: Cents,
    pub spread_cents: Cents,
    pub net_cents: Cents,
    /// Why the last part of it was closed.
    pub exit: ExitReason,
    /// How it was closed, part by part.
    pub parts: Vec<Part>,
    /// Of the first order that entered.
    pub confidence: f32,
    /// What it would lose at its stop, before commission. The stop slips as the entry did; of one at a limit, which slips
    /// not, as the costs say of a calm cash session.
    pub stopped_cents: Cents,
    /// The same with its round turn: the risk that it was sized by.
    pub risk_cents: Cents,
    /// Gross at its target.
    pub reward_cents: Cents,
    /// A bar touched stop and target, and the stop was assumed.
    pub ambiguous: bool,
}

impl RoundTrip {
    /// Returns the trading day on which it ended: the date of New York six hours later, since a day begins at 18:00.
    pub fn session(&self) -> NaiveDate {
        (tz::new_york(self.exited - 1) + TimeDelta::hours(6)).date()
    }

    /// Says on which side of the market it was: `long` or `short`.
    pub fn side(&self) -> &'static str {
        if self.side == Side::Buy { "long" } else { "short" }
    }
}

/// Contracts that were closed together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub ts: Ts,
    pub contracts: i64,
    pub price: Price,
    pub exit: ExitReason,
}

/// What a fill does to a position: closes some of it, opens more, or both where it goes through zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    pub closed: Option<Share>,
    pub opened: Option<Share>,
}

/// A part of a fill, with its part of what the fill cost and brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub contracts: i64,
    pub commission_cents: Cents,
    /// Profit before costs; that of a fill is all of what it closed.
    pub gross_cents: Cents,
}

impl Shares {
    /// Shares a fill between what it closes of a position (contracts, negative when short) and what it opens. The cents
    /// of the two make those of the fill.
    pub fn of(position: i64, fill: &Fill) -> Shares {
        let against = position.signum() == -fill.side.sign();
        let closes = if against { position.abs().min(fill.contracts) } else { 0 };
        let opens = fill.contracts - closes;
        if closes == 0 || opens == 0 {
            let share = Share {
                contracts: fill.contracts,
                commission_cents: fill.commission_cents,
                gross_cents: fill.gross_cents,
            };
            let (closed, opened) = if closes > 0 { (Some(share), None) } else { (None, Some(share)) };
            return Shares { closed, opened };
        }
        let commission = Cents(fill.commission_cents.0 * closes / fill.contracts);
        Shares {
            closed: Some(Share {
                contracts: closes,
                commission_cents: commission,
                gross_cents: fill.gross_cents,
            }),
            opened: Some(Share {
                contracts: opens,
                commission_cents: fill.commission_cents - commission,
                gross_cents: Cents::ZERO,
            }),
        }
    }
}

impl Share {
    /// Returns what it brought less what it cost.
    pub fn net(&self) -> Cents {
        self.gross_cents - self.commission_cents
    }
}

/// Confidence, stop and target that an entry was asked with, the last two in ticks, and whether it was at a limit.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    confidence: f32,
    stop_ticks: i64,
    target_ticks: i64,
    limit: bool,
}

/// Makes round trips of fills.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    contract: Contract,
    /// Of the stop of an entry that has none itself.
    slippage_ticks: i64,
    asked: HashMap<u64, Asked>,
    /// Contracts held before the first fill, of which nobody told: their close is no round trip.
    untold: i64,
    open: Option<Open>,
}

/// A round trip that has not ended.
#[derive(Clone, Debug)]
struct Open {
    trip: RoundTrip,
    /// Contracts that are left.
    left: i64,
    /// Prices times contracts.
    entry_sum: f64,
    exit_sum: f64,
    /// The last order that entered.
    order: u64,
}

impl Pairing {
    /// Begins flat.
    pub fn of(contract: Contract, slippage: Slippage) -> Pairing {
        Pairing { contract, slippage_ticks: slippage.rth_ticks, ..Pairing::default() }
    }

    /// Begins with a position (contracts, negative when short) whose fills are not known.
    pub fn holding(contract: Contract, slippage: Slippage, position: i64) -> Pairing {
        Pairing { untold: position, ..Pairing::of(contract, slippage) }
    }

    /// Remembers what an entry was asked with.
    pub fn order(&mut self, order: &Order) {
        if let Action::Enter { confidence, stop_ticks, target_ticks, limit, .. } = order.action {
            let limit = limit.is_some();
            self.asked.insert(order.id, Asked { confidence, stop_ticks, target_ticks, limit });
        }
    }

    /// Takes a fill and returns the round trip that it ends, if it does.
    pub fn fill(&mut self, fill: &Fill) -> Option<RoundTrip> {
        let Shares { closed, opened } = Shares::of(self.position(), fill);
        let (tick_value, mut ended) = (self.contract.tick_value(), None);
        if let Some(share) = closed {
            self.untold =
                if self.open.is_none() { self.untold + fill.side.sign() * share.contracts } else { 0 };
            if let Some(mut open) = self.open.take() {
                open.close(fill, &share, tick_value);
                if open.left == 0 {
                    self.asked.retain(|order, _| *order > open.order);
                    ended = Some(open.end());
                } else {
                    self.open = Some(open);
                }
            }
        }
        if let Some(share) = opened {
            let asked = fill.order.and_then(|order| self.asked.get(&order)).copied().unwrap_or_default();
            let open = self.open.get_or_insert_with(|| Open::new(fill, asked));
            let slips = if asked.limit { Some(self.slippage_ticks) } else { fill.slippage_ticks };
            open.enter(fill, &share, asked, slips.unwrap_or(0), tick_value);
        }
        ended
    }

    /// Forgets what is open: the account is flat, and nobody told how it came to be.
    pub fn flat(&mut self) {
        (self.untold, self.open) = (0, None);
    }

    /// Returns the contracts held, negative when short.
    pub fn position(&self) -> i64 {
        self.open.as_ref().map_or(self.untold, |open| open.trip.side.sign() * open.left)
    }

    /// Returns what the open position has brought, less what it has cost, so far.
    pub fn open_net(&self) -> Cents {
        self.open.as_ref().map_or(Cents::ZERO, |open| open.trip.gross_cents - open.trip.commission_cents)
    }
}

impl Open {
    fn new(fill: &Fill, asked: Asked) -> Open {
        let trip = RoundTrip {
            entered: fill.ts,
            exited: fill.ts,
            side: fill.side,
            contracts: 0,
            entry_price: fill.price.points(),
            exit_price: fill.price.points(),
            gross_cents: Cents::ZERO,
            commission_cents: Cents::ZERO,
            slippage_cents: Cents::ZERO,
            spread_cents: Cents::ZERO,
            net_cents: Cents::ZERO,
            exit: ExitReason::Outside,
            parts: Vec::new(),
            confidence: asked.confidence,
            stopped_cents: Cents::ZERO,
            risk_cents: Cents::ZERO,
            reward_cents: Cents::ZERO,
            ambiguous: false,
        };
        Open { trip, left: 0, entry_sum: 0.0, exit_sum: 0.0, order: fill.order.unwrap_or(0) }
    }

    fn enter(&mut self, fill: &Fill, share: &Share, asked: Asked, slips: i64, tick_value: Cents) {
        let ticks = |ticks: i64| tick_value * (ticks * share.contracts);
        let stopped = ticks(asked.stop_ticks + slips);
        self.order = self.order.max(fill.order.unwrap_or(0));
        self.left += share.contracts;
        self.entry_sum += fill.price.points() * share.contracts as f64;
        self.trip.contracts += share.contracts;
        self.trip.stopped_cents += stopped;
        self.trip.risk_cents += stopped + share.commission_cents * 2;
        self.trip.reward_cents += ticks(asked.target_ticks);
        self.book(fill, share, tick_value);
    }

    fn close(&mut self, fill: &Fill, share: &Share, tick_value: Cents) {
        let exit = fill.exit.unwrap_or(ExitReason::Outside);
        self.left -= share.contracts;
        self.exit_sum += fill.price.points() * share.contracts as f64;
        self.trip.exited = fill.ts;
        self.trip.exit = exit;
        self.trip.ambiguous |= fill.ambiguous == Some(true);
        self.trip.parts.push(Part { ts: fill.ts, contracts: share.contracts, price: fill.price, exit });
        self.book(fill, share, tick_value);
    }

    /// Adds what a share brought and cost.
    fn book(&mut self, fill: &Fill, share: &Share, tick_value: Cents) {
        let ticks = |ticks: i64| tick_value * (ticks * share.contracts);
        self.trip.gross_cents += share.gross_cents;
        self.trip.commission_cents += share.commission_cents;
        self.trip.slippage_cents += ticks(fill.slippage_ticks.unwrap_or(0));
        self.trip.spread_cents += ticks(fill.spread_ticks.unwrap_or(0));
    }

    fn end(self) -> RoundTrip {
        let Open { trip, entry_sum, exit_sum, .. } = self;
        let contracts = trip.contracts as f64;
        RoundTrip {
            entry_price: entry_sum / contracts,
            exit_price: exit_sum / contracts,
            net_cents: trip.gross_cents - trip.commission_cents,
            ..trip
        }
    }
}

#[cfg(test)]
mod tests;
