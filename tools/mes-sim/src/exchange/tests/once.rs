//! What was found wrong once, or is easily got wrong: tags of legs, trailing legs, positions that turn around, parts of a fill
//! while the market stands still.

use crate::exchange::{
    Bracket, Place,
    order::{Kind, Status},
    refusal::words,
};
use mes_core::order::Side::{Buy, Sell};

use super::*;

#[test]
fn a_bracket_whose_legs_would_bear_a_used_tag_is_refused() {
    for leg in ["t-SL", "t-TP"] {
        let mut scene = Scene::plain();
        scene.placed(&tagged(leg, order(Buy, 1)));
        let refused = scene.refused(&tagged("t", pair(Buy, 1, 4, -8, 12)));
        assert_eq!(refused, (2, words::TAG.to_owned()), "{leg}");
        // Without that leg there is nothing against it.
        let other = tagged("t", pair(Buy, 1, 4, -8, 12));
        let other = match leg {
            "t-SL" => Place { stop_loss: None, ..other },
            _ => Place { take_profit: None, ..other },
        };
        scene.placed(&other);
    }
    // And the other way round: what a leg bears is used.
    let mut scene = Scene::plain();
    scene.placed(&tagged("t", pair(Buy, 1, 4, -8, 12)));
    assert_eq!(scene.refused(&tagged("t-SL", order(Sell, 1))), (2, words::TAG.to_owned()));
}

#[test]
fn a_trailing_leg_follows_the_market_from_the_fill() {
    let mut scene = Scene::plain();
    let entry = scene.placed(&pair(Buy, 1, 5, -8, 400));
    let leg = scene.stop_of(entry);
    // Filled at 20,001.
    assert_eq!((leg.kind, leg.status, leg.stop), (Kind::TrailingStop, Status::Open, Some(19_993)));
    scene.moves(20_050);
    scene.moves(20_045);
    assert_eq!(scene.stop_of(entry).stop, Some(20_042));
    scene.moves(20_042);
    assert_eq!((scene.stop_of(entry).status, scene.net()), (Status::Filled, 0));
    scene.wait_ms(20);
    assert_eq!(scene.open(), 0, "its sibling went");
    let far = scene.refused(&pair(Buy, 1, 5, -1_001, 400));
    assert_eq!(far, (2, words::FAR_TRAIL.to_owned()));
}

#[test]
fn a_leg_that_is_no_stop_is_named() {
    let mut scene = Scene::plain();
    for (kind, name) in [(1, "Limit"), (2, "Market"), (3, "StopLimit"), (99, "Unknown")] {
        let refused = scene.refused(&pair(Buy, 1, kind, -8, 12));
        assert_eq!(refused, (2, format!("Invalid stop loss type ({name})")));
    }
    let target = Place { take_profit: Some(Bracket { ticks: 8, kind: 4 }), ..order(Buy, 1) };
    assert_eq!(scene.refused(&target), (2, "Invalid take profit type (Stop)".to_owned()));
}

#[test]
fn a_position_that_turns_around_is_closed_and_another_one_opened() {
    let mut scene = Scene::plain();
    scene.placed(&order(Buy, 2));
    scene.placed(&order(Sell, 5));
    let told = scene.positions_told();
    let [(first, 2), (closed, 0), (second, -3)] = told[..] else { panic!("{told:?}") };
    assert_eq!(closed, first);
    assert!(second > first);
    // One that grows and shrinks stays the same one.
    scene.placed(&order(Sell, 1));
    scene.placed(&order(Buy, 2));
    assert!(scene.positions_told()[3..].iter().all(|(id, _)| *id == second));
}

#[test]
fn the_rest_of_an_order_waits_while_the_market_stands_still() {
    let mut scene = Scene::plain();
    scene.exchange.conditions.entry_in_parts = true;
    let id = scene.exchange.place(&order(Buy, 40)).expect("taken");
    scene.wait_ms(9);
    let first = scene.order(id).filled;
    assert!((1..40).contains(&first), "{first}");
    scene.exchange.conditions.halted = true;
    scene.wait_ms(10_000);
    assert_eq!(scene.order(id).filled, first);
    scene.exchange.conditions.halted = false;
    scene.wait_ms(10_000);
    assert_eq!((scene.order(id).status, scene.net()), (Status::Filled, 40));
}
