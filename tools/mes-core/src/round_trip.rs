//! A position from flat to flat, put together from its fills. An entry may come in parts, an exit too, and a fill may carry
//! a position through zero: to the cent, what round trips came to and what is open is what the fills brought and cost.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};

use crate::{
    contract::Contract,
    money::Cents,
    order::{Action, ExitReason, Order, Side},
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
    /// Weighted by contracts.
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
    /// What it would lose at its stop, which slips as its entry did, before commission.
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
    pub price: f64,
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

/// Confidence, stop and target that an entry was asked with; the last two in ticks.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    confidence: f32,
    stop_ticks: i64,
    target_ticks: i64,
}

/// Makes round trips of fills.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    contract: Contract,
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
    pub fn of(contract: Contract) -> Pairing {
        Pairing { contract, ..Pairing::default() }
    }

    /// Begins with a position (contracts, negative when short) whose fills are not known.
    pub fn holding(contract: Contract, position: i64) -> Pairing {
        Pairing { untold: position, ..Pairing::of(contract) }
    }

    /// Remembers what an entry was asked with.
    pub fn order(&mut self, order: &Order) {
        if let Action::Enter { confidence, stop_ticks, target_ticks, .. } = order.action {
            self.asked.insert(order.id, Asked { confidence, stop_ticks, target_ticks });
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
            open.enter(fill, &share, asked, tick_value);
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
            entry_price: fill.price,
            exit_price: fill.price,
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

    fn enter(&mut self, fill: &Fill, share: &Share, asked: Asked, tick_value: Cents) {
        let ticks = |ticks: i64| tick_value * (ticks * share.contracts);
        let stopped = ticks(asked.stop_ticks + fill.slippage_ticks.unwrap_or(0));
        self.order = self.order.max(fill.order.unwrap_or(0));
        self.left += share.contracts;
        self.entry_sum += fill.price * share.contracts as f64;
        self.trip.contracts += share.contracts;
        self.trip.stopped_cents += stopped;
        self.trip.risk_cents += stopped + share.commission_cents * 2;
        self.trip.reward_cents += ticks(asked.target_ticks);
        self.book(fill, share, tick_value);
    }

    fn close(&mut self, fill: &Fill, share: &Share, tick_value: Cents) {
        let exit = fill.exit.unwrap_or(ExitReason::Outside);
        self.left -= share.contracts;
        self.exit_sum += fill.price * share.contracts as f64;
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A fill that knows what it closes of `position` entered at `entry`: side, contracts, ticks, commission.
    fn fill(
        order: u64,
        signed: i64,
        price: f64,
        commission: i64,
        gross: i64,
        exit: Option<ExitReason>,
    ) -> Fill {
        Fill {
            ts: order as Ts,
            order: Some(order),
            side: Side::of(signed),
            contracts: signed.abs(),
            price,
            slippage_ticks: Some(1),
            spread_ticks: Some(2),
            commission_cents: Cents(commission),
            gross_cents: Cents(gross),
            exit,
            ambiguous: Some(false),
        }
    }

    fn entry(id: u64) -> Order {
        let action = Action::Enter {
            side: Side::Buy,
            contracts: 3,
            stop_ticks: 8,
            target_ticks: 16,
            confidence: 0.75,
            limit: None,
        };
        Order { ts: 0, id, signal: crate::order::Signal::LongEntry, contract: Default::default(), action }
    }

    #[test]
    fn a_trade_in_parts_is_one_round_trip() {
        let mut pairing = Pairing::default();
        pairing.order(&entry(1));
        // Bought 1 at 100 and 2 at 101.50; sold 2 at 103 and 1 at 99.
        assert_eq!(pairing.fill(&fill(1, 1, 100.0, 42, 0, None)), None);
        assert_eq!(pairing.fill(&fill(1, 2, 101.5, 84, 0, None)), None);
        assert_eq!(pairing.fill(&fill(2, -2, 103.0, 84, 2000, Some(ExitReason::Target))), None);
        assert_eq!((pairing.position(), pairing.open_net()), (1, Cents(2000 - 210)));
        let trip = pairing.fill(&fill(3, -1, 99.0, 43, -1000, Some(ExitReason::Stop))).expect("ends");
        assert_eq!((trip.side, trip.contracts, trip.entered, trip.exited), (Side::Buy, 3, 1, 3));
        assert_eq!((trip.entry_price, trip.exit_price), (303.0 / 3.0, 305.0 / 3.0));
        assert_eq!(
            (trip.gross_cents, trip.commission_cents, trip.net_cents),
            (Cents(1000), Cents(253), Cents(747))
        );
        // A tick is $1.25: 1 of slippage and 2 of spread for each of six contracts.
        assert_eq!((trip.slippage_cents, trip.spread_cents), (Cents(750), Cents(1500)));
        assert_eq!((trip.stopped_cents, trip.risk_cents), (Cents(9 * 375), Cents(9 * 375 + 252)));
        assert_eq!((trip.reward_cents, trip.confidence), (Cents(16 * 375), 0.75));
        // The last reason counts, and the parts are kept.
        assert_eq!(trip.exit, ExitReason::Stop);
        let parts: Vec<_> = trip.parts.iter().map(|part| (part.contracts, part.exit)).collect();
        assert_eq!(parts, [(2, ExitReason::Target), (1, ExitReason::Stop)]);
        assert_eq!((pairing.position(), pairing.open_net()), (0, Cents::ZERO));
    }

    #[test]
    fn a_fill_through_zero_ends_one_and_begins_another() {
        let mut pairing = Pairing::default();
        pairing.fill(&fill(1, 2, 100.0, 84, 0, None));
        let trip = pairing.fill(&fill(2, -3, 101.0, 127, 1000, Some(ExitReason::Signal))).expect("ends");
        assert_eq!(
            (trip.contracts, trip.commission_cents, trip.net_cents),
            (2, Cents(84 + 84), Cents(1000 - 168))
        );
        assert_eq!((pairing.position(), pairing.open_net()), (-1, Cents(-43)));
        let trip = pairing.fill(&fill(3, 1, 100.0, 42, 500, None)).expect("ends");
        assert_eq!((trip.side, trip.contracts, trip.net_cents), (Side::Sell, 1, Cents(500 - 85)));
        // Nobody said why.
        assert_eq!(trip.exit, ExitReason::Outside);
    }

    #[test]
    fn what_was_held_before_the_first_fill_is_no_round_trip() {
        let mut pairing = Pairing::holding(Contract::Mes, -2);
        assert_eq!(pairing.fill(&fill(1, 1, 100.0, 42, 500, Some(ExitReason::Stop))), None);
        assert_eq!(pairing.fill(&fill(1, 1, 100.0, 42, 500, Some(ExitReason::Stop))), None);
        pairing.fill(&fill(2, 1, 100.0, 42, 0, None));
        assert!(pairing.fill(&fill(3, -1, 101.0, 42, 500, Some(ExitReason::Target))).is_some());
        pairing.fill(&fill(4, 1, 100.0, 42, 0, None));
        pairing.flat();
        assert_eq!(pairing.position(), 0);
    }

    proptest! {
        /// Whatever comes, no cent and no contract is lost or made.
        #[test]
        fn round_trips_and_what_is_open_are_what_the_fills_came_to(
            fills in proptest::collection::vec(
                (prop_oneof![-9_i64..0, 1_i64..10], 3900_i64..4100, 0_i64..2000, -5000_i64..5000, any::<bool>()), 0..60,
            ),
        ) {
            let (mut pairing, mut trips) = (Pairing::default(), Vec::new());
            let (mut cash, mut position, mut contracts) = (Cents::ZERO, 0, 0);
            for (order, (signed, ticks, commission, gross, exit)) in (1..).zip(&fills) {
                let exit = exit.then_some(ExitReason::Stop);
                let fill = fill(order, *signed, *ticks as f64 * 0.25, *commission, *gross, exit);
                cash += fill.gross_cents - fill.commission_cents;
                (position, contracts) = (position + signed, contracts + signed.abs());
                trips.extend(pairing.fill(&fill));
                prop_assert_eq!(pairing.position(), position);
                let closed: Cents = trips.iter().map(|trip: &RoundTrip| trip.net_cents).sum();
                prop_assert_eq!(closed + pairing.open_net(), cash);
            }
            pairing.order(&entry(1000));
            if position != 0 {
                trips.extend(pairing.fill(&fill(999, -position, 1000.0, 0, 0, None)));
                contracts += position.abs();
            }
            // Each contract is bought once and sold once.
            prop_assert_eq!(trips.iter().map(|trip| 2 * trip.contracts).sum::<i64>(), contracts);
            for trip in &trips {
                prop_assert_eq!(trip.parts.iter().map(|part| part.contracts).sum::<i64>(), trip.contracts);
                prop_assert_eq!(trip.gross_cents - trip.commission_cents, trip.net_cents);
                prop_assert!((975.0..=1025.0).contains(&trip.entry_price));
            }
        }
    }
}
