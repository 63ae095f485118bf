//! Round trips worked out by hand, and sums that hold whatever comes.

use proptest::prelude::*;

use super::*;
use crate::order::Limit;

const SLIPPAGE: Slippage = Slippage { rth_ticks: 3, eth_ticks: 4, thin_share: 0.0, wild_ticks: 0 };

/// A fill that knows what it closes of `position` entered at `entry`: side, contracts, ticks, commission.
fn fill(order: u64, signed: i64, points: f64, commission: i64, gross: i64, exit: Option<ExitReason>) -> Fill {
    Fill {
        ts: order as Ts,
        order: Some(order),
        side: Side::of(signed),
        contracts: signed.abs(),
        price: Price::nearest(points),
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

/// An entry at a limit slips not, and its stop does all the same: 8 ticks and 3 of each of three contracts.
#[test]
fn the_stop_of_an_entry_at_a_limit_slips_as_the_costs_say() {
    let mut pairing = Pairing::of(Contract::Mes, SLIPPAGE);
    let mut order = entry(1);
    if let Action::Enter { limit, .. } = &mut order.action {
        *limit = Some(Limit { price: Price::nearest(100.0), lifetime_ms: 5000 });
    }
    pairing.order(&order);
    pairing.fill(&Fill { slippage_ticks: Some(0), ..fill(1, 3, 100.0, 126, 0, None) });
    let trip = pairing.fill(&fill(2, -3, 103.0, 126, 4500, Some(ExitReason::Target))).expect("ends");
    assert_eq!((trip.stopped_cents, trip.slippage_cents), (Cents(11 * 375), Cents(375)));
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
    let mut pairing = Pairing::holding(Contract::Mes, SLIPPAGE, -2);
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
