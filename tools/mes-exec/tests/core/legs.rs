//! Legs that fill after what they belonged to was closed: the market is as quick as the news.

use mes_core::order::Side;
use mes_exec::topstepx::event::{Answer, Request};
use serde_json::{Value, json};

use crate::{
    closes,
    script::{Asked, Script},
    stops,
};

fn cancelled(asked: &Asked) -> Vec<i64> {
    let cancel = |(_, request): &(u64, Request)| match request {
        Request::Cancel { cancel } => Some(cancel.order_id),
        _ => None,
    };
    asked.iter().filter_map(cancel).collect()
}

/// A leg of order 10 that has filled, as its order tells.
fn leg(id: i64) -> Value {
    json!({"id": id, "type": if id == 11 { 4 } else { 1 }, "side": 1, "status": 2, "size": 1, "fillVolume": 1, "parentOrderId": 10})
}

#[test]
fn legs_are_cancelled_as_soon_as_the_close_has_filled_and_one_that_was_quicker_is_closed_at_once() {
    // The answer of the close may come before its fill, or after it.
    for late in [false, true] {
        let mut script = Script::long(1);
        let asked = script.flatten();
        let [(call, Request::Close { .. })] = asked[..] else { panic!("{asked:?}") };
        if !late {
            script.answer(call, Answer::Done);
        }
        script.told(&json!({"id": 20, "type": 2, "side": 1, "status": 6, "size": 1}));
        assert_eq!(cancelled(&script.filled(20, 1, 1)), [11, 12]);
        if late {
            script.answer(call, Answer::Done);
        }
        let asked = script.told(&leg(11));
        assert_eq!((script.core.exposure(), stops(&asked).len(), closes(&asked)), (-1, 1, 1), "{asked:?}");
        assert!(
            script.alerts.iter().any(|text| text.contains("a leg of order 1 was filled")),
            "{:?}",
            script.alerts
        );
    }
}

#[test]
fn a_second_leg_that_fills_is_closed_at_once_and_a_click_is_not() {
    let mut script = Script::long(1);
    script.told(&leg(11));
    assert_eq!(cancelled(&script.filled(11, 1, 1)), [0; 0], "the exchange cancels the other one");
    assert_eq!(closes(&script.told(&leg(12))), 1, "{:?}", script.alerts);

    let mut clicked = Script::long(1);
    clicked.told(&leg(11));
    clicked.filled(11, 1, 1);
    clicked.told(&json!({"id": 12, "type": 1, "side": 1, "status": 3, "size": 1, "parentOrderId": 10}));
    clicked.alive.clear();
    let asked = clicked.filled(99, 1, 1);
    assert_eq!((closes(&asked), clicked.core.is_ours()), (0, false), "{:?}", clicked.alerts);
}

#[test]
fn legs_that_turn_the_position_while_the_entry_still_fills_are_closed_on_the_right_side() {
    let mut script = Script::entering(2, 1);
    script.filled(10, 0, 1);
    script.told(&json!({"id": 11, "type": 4, "side": 1, "status": 2, "size": 1, "fillVolume": 1, "parentOrderId": 10}));
    script.filled(11, 1, 1);
    let asked = script.filled(12, 1, 1);
    assert_eq!((script.core.exposure(), closes(&asked)), (-1, 1), "{asked:?}");
    let buys = asked.iter().filter_map(|(_, request)| match request {
        Request::Place { place, .. } => place.side.known(),
        _ => None,
    });
    assert_eq!(buys.collect::<Vec<_>>(), [Side::Buy], "{asked:?}");
    // It is told once, and no stop begets another.
    let more = script.pass(500);
    assert_eq!((stops(&more).len(), closes(&more)), (0, 0), "{more:?}");
    let told = script.alerts.iter().filter(|text| text.contains("against the trade"));
    assert_eq!(told.count(), 1, "{:?}", script.alerts);
}

#[test]
fn a_leg_whose_fill_is_told_before_that_of_its_entry_closes_nothing() {
    let mut script = Script::entering(2, 1);
    let target = json!({"id": 12, "type": 1, "side": 1, "status": 1, "size": 2, "fillVolume": 1, "customTag": "mes.n.1-TP",
        "parentOrderId": 10, "limitPrice": 6754.0});
    let mut asked = script.told(&target);
    assert_eq!(script.core.exposure(), -1);
    asked.extend(script.filled(10, 0, 2));
    script.position = 1;
    asked.extend(script.pass(250));
    assert_eq!((closes(&asked), stops(&asked)), (0, vec![]), "{:?}", script.alerts);
    assert!(script.core.is_ours() && script.core.is_protected());
}

#[test]
fn legs_on_the_side_of_what_others_opened_are_cancelled() {
    let mut script = Script::entering(1, 8);
    // A person sells two while it is on its way.
    script.filled(99, 1, 2);
    script.told(&json!({"id": 99, "type": 2, "side": 1, "status": 2, "size": 2, "fillVolume": 2}));
    script.told(&json!({"id": 10, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1, "customTag": "mes.n.1"}));
    let mut asked = script.filled(10, 0, 1);
    asked.extend(script.pass(500));
    assert_eq!((script.core.exposure(), cancelled(&asked)), (-1, vec![11, 12]), "{:?}", script.alerts);
}
