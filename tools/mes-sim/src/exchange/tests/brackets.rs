//! Native brackets: their checks, their life, and what is undependable about them.

use mes_core::{
    order::Side::{Buy, Sell},
    time::MILLI,
};

use super::*;
use crate::exchange::{
    order::Kind,
    refusal::words,
    settings::{AfterPartial, Mode},
};

#[test]
fn legs_wait_for_the_fill_and_lie_where_it_was() {
    for (side, stop, target, fill) in [(Buy, -8, 12, 20_001), (Sell, 8, -12, 19_999)] {
        let mut scene = Scene::plain();
        let entry = scene.place(&bracket(side, 2, stop, target)).expect("taken");
        let [sl, tp] = scene.legs(entry);
        assert!(entry < sl.id && sl.id < tp.id);
        for leg in [&sl, &tp] {
            assert_eq!(
                (leg.status, leg.limit, leg.stop, leg.side),
                (Status::Suspended, None, None, side.opposite())
            );
        }
        let tags = [&sl, &tp].map(|leg| leg.tag.clone().expect("a tag"));
        assert_eq!(tags.each_ref().map(|tag| &**tag), ["t-SL", "t-TP"]);
        // Legs that wait are not among those that work.
        assert_eq!(scene.exchange.open_orders(7).count(), 0);
        scene.wait_ms(9);
        assert_eq!((scene.status(entry), scene.legs(entry)[0].status), (Status::Filled, Status::Suspended));
        scene.wait_ms(11);
        let [sl, tp] = scene.legs(entry);
        assert_eq!((sl.status, sl.stop, sl.limit), (Status::Open, Some(fill + stop), None));
        assert_eq!((tp.status, tp.limit, tp.stop), (Status::Open, Some(fill + target), None));
        let naked = scene.when(sl.id, Status::Open) - scene.when(entry, Status::Filled);
        assert!((10 * MILLI..=11 * MILLI).contains(&naked), "{naked}");
        // One pair: the other one goes 11 to 14 ms after a leg's fill.
        scene.moves(fill + target + side.sign());
        assert_eq!(
            (scene.status(tp.id), scene.status(sl.id), scene.net()),
            (Status::Filled, Status::Open, 0)
        );
        scene.wait_ms(15);
        assert_eq!(scene.status(sl.id), Status::Cancelled);
        let window = scene.when(sl.id, Status::Cancelled) - scene.when(tp.id, Status::Filled);
        assert!((11 * MILLI..=14 * MILLI).contains(&window), "{window}");
        assert_eq!(scene.order(tp.id).updated, tp.updated, "a fill moves no stamp");
    }
}

#[test]
fn a_child_is_heard_of_before_its_parent() {
    let mut scene = Scene::plain();
    let entry = scene.place(&bracket(Buy, 1, -8, 12)).expect("taken");
    scene.wait_ms(50);
    let [sl, tp] = scene.legs(entry).map(|leg| leg.id);
    let told = scene.told.iter().filter_map(|told| match &told.event {
        Event::Order(order) => Some((order.id, order.status)),
        _ => None,
    });
    use Status::{Filled, Open, Pending, Suspended};
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(sl, Suspended), (entry, Pending), (tp, Suspended), (entry, Filled), (tp, Open), (sl, Open)]
    );
}

#[test]
fn ticks_are_signed() {
    for (side, stop, target, words) in [
        (Buy, 40, 60, "Invalid stop loss ticks (40). Ticks should be less than zero when longing."),
        (Sell, -50, -60, "Invalid stop loss ticks (-50). Stop loss tick value should be at least 4 ticks."),
        (Buy, -3, 60, "Invalid stop loss ticks (-3). Stop loss tick value should be at least 4 ticks."),
        (Sell, 40, 30, "Invalid take profit ticks (30). Ticks should be less than zero when going short."),
        (Buy, -40, -30, "Invalid take profit ticks (-30). Ticks should be greater than zero when longing."),
        (Buy, i64::from(i32::MIN), 8, words::RANGE),
    ] {
        let refused = Scene::plain().refused(&bracket(side, 1, stop, target));
        assert_eq!(refused, (2, words.to_owned()), "{side:?} {stop} {target}");
    }
}

#[test]
fn the_platforms_own_mode_refuses_brackets_and_gives_an_id() {
    let account = AccountSettings { mode: Mode::PositionBrackets, ..AccountSettings::default() };
    let mut scene = Scene::with(exact(), account);
    let refusal = scene.place(&bracket(Buy, 1, -8, 12)).expect_err("refused");
    assert_eq!((refusal.code, refusal.message.as_deref()), (2, Some(words::MODE)));
    assert_eq!(scene.status(refusal.order.expect("an id")), Status::Rejected);
    // Without brackets it trades.
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.net(), 1);
}

#[test]
fn the_platform_attaches_a_pair_for_the_position_and_clears_it_up() {
    let account = AccountSettings {
        mode: Mode::PositionBrackets,
        attached: Some((20, 40)),
        ..AccountSettings::default()
    };
    let mut scene = Scene::with(exact(), account);
    scene.placed(&order(Buy, 1));
    let open: Vec<Order> = scene.exchange.open_orders(7).cloned().collect();
    let levels: Vec<_> = open.iter().map(|leg| (leg.kind, leg.stop.or(leg.limit), leg.size)).collect();
    assert_eq!(levels, [(Kind::Stop, Some(19_981), 1), (Kind::Limit, Some(20_041), 1)]);
    assert!(open.iter().all(|leg| leg.tag.is_none() && leg.parent().is_none()));
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.exchange.open_orders(7).map(|leg| leg.size).collect::<Vec<_>>(), [2, 2]);
    scene.moves(20_050);
    scene.wait_ms(20);
    assert_eq!((scene.net(), scene.exchange.open_orders(7).count()), (0, 0));
}

#[test]
fn legs_stay_when_the_position_is_closed_and_a_stop_may_open_another() {
    let mut scene = Scene::plain();
    scene.placed(&bracket(Buy, 1, -8, 12));
    scene.exchange.close(7, &mes().id()).expect("taken");
    scene.wait_ms(1_000);
    assert_eq!((scene.net(), scene.exchange.open_orders(7).count()), (0, 2));
    scene.moves(19_990);
    assert_eq!(scene.net(), -1);
}

#[test]
fn after_a_partial_exit_legs_stay_or_those_of_the_exited_go_or_all() {
    for (after, alive) in [(AfterPartial::Left, 4), (AfterPartial::Exited, 2), (AfterPartial::Group, 0)] {
        let account = AccountSettings { after_partial: after, ..AccountSettings::default() };
        let mut scene = Scene::with(exact(), account);
        scene.placed(&bracket(Buy, 1, -8, 12));
        let second = scene.placed(&Place { tag: Some("u".into()), ..bracket(Buy, 1, -8, 12) });
        scene.placed(&order(Sell, 1));
        assert_eq!((scene.net(), scene.exchange.open_orders(7).count()), (1, alive), "{after:?}");
        if after == AfterPartial::Exited {
            assert!(scene.legs(second).iter().all(|leg| leg.status == Status::Open));
        }
    }
}

#[test]
fn both_legs_can_fill_before_the_other_is_cancelled() {
    let mut scene = Scene::plain();
    scene.placed(&bracket(Buy, 1, -8, 12));
    // Both prices within the window.
    scene.moves(20_014);
    scene.moves(19_990);
    assert_eq!(scene.net(), -1);
    let mut scene = Scene::plain();
    scene.exchange.conditions.both_legs = true;
    scene.placed(&bracket(Sell, 2, 8, -12));
    scene.moves(19_986);
    assert_eq!(scene.net(), 2);
}

#[test]
fn legs_of_an_entry_that_is_cancelled_or_refused_end_with_it() {
    let mut scene = Scene::plain();
    let resting = Place { stop_loss: bracket(Buy, 1, -8, 12).stop_loss, ..limit(Buy, 1, 19_900) };
    let entry = scene.placed(&resting);
    let leg = scene.exchange.alive(7).find(|leg| leg.parent() == Some(entry)).expect("a leg").id;
    assert_eq!(scene.status(leg), Status::Suspended);
    scene.exchange.cancel(7, entry).expect("cancelled");
    assert_eq!((scene.status(entry), scene.status(leg)), (Status::Cancelled, Status::Cancelled));
    let entry = scene.place(&bracket(Buy, 1, -8, 12)).expect("taken");
    scene.exchange.conditions.halted = true;
    scene.wait_ms(20);
    assert_eq!(scene.status(entry), Status::Rejected);
    assert!(scene.legs(entry).iter().all(|leg| leg.status == Status::Cancelled));
}

#[test]
fn legs_grow_with_an_entry_that_fills_in_parts() {
    let mut scene = Scene::plain();
    scene.exchange.conditions.entry_in_parts = true;
    let entry = scene.place(&bracket(Buy, 6, -400, 400)).expect("taken");
    scene.wait_ms(2_000);
    assert_eq!(scene.net(), 6);
    assert!(scene.legs(entry).iter().all(|leg| (leg.status, leg.size) == (Status::Open, 6)));
}
