//! Who opened what no entry explains: the order whose fill did it says so, and it may be heard of later than its fill.

use mes_exec::topstepx::event::{Answer, Event, Request};
use serde_json::json;

use crate::{closes, script::Script};

#[test]
fn a_click_that_only_questions_tell_of_is_no_leg_of_ours() {
    let mut script = Script::long(1);
    script.told(
        &json!({"id": 11, "type": 4, "side": 1, "status": 2, "size": 1, "fillVolume": 1, "parentOrderId": 10}),
    );
    script.filled(11, 1, 1);
    script.told(&json!({"id": 12, "type": 1, "side": 1, "status": 3, "size": 1, "parentOrderId": 10}));
    script.alive.clear();
    script.pass(1_000);
    // Sold on the side of our stop, in a gap of the hub; fills are answered after orders.
    script.position = -1;
    script.recent = vec![json!({"id": 99, "type": 2, "side": 1, "status": 2, "size": 1, "fillVolume": 1})];
    let mut asked = script.hear(Event::Up { gap: true });
    asked.extend(script.pass(900));
    assert_eq!((script.core.exposure(), closes(&asked)), (-1, 0), "{:?}", script.alerts);
    assert!(!script.core.is_ours());
}

#[test]
fn an_entry_whose_fill_is_told_before_its_order_is_closed_once_it_is_known() {
    // Given up, or of a run before: nobody waits for it.
    let mut script = Script::begin(&json!({}));
    assert_eq!(closes(&script.filled(70, 0, 1)), 0);
    assert!(!script.core.is_ours());
    let order = json!({"id": 70, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1, "customTag": "mes.o.7"});
    assert_eq!(closes(&script.told(&order)), 1, "{:?}", script.alerts);
    assert!(
        script.alerts.iter().any(|text| text.contains("order 7 opened a position after it was given up"))
    );
}

#[test]
fn what_others_open_again_is_closed_no_more_than_once_a_second() {
    let mut script = Script::long(1);
    let asked = script.flatten();
    let [(call, Request::Close { .. })] = asked[..] else { panic!("{asked:?}") };
    script.answer(call, Answer::Done);
    script.told(&json!({"id": 20, "type": 2, "side": 1, "status": 2, "size": 1, "fillVolume": 1}));
    script.filled(20, 1, 1);
    let mut asked = script.filled(99, 1, 1);
    asked.extend(script.pass(800));
    assert_eq!(closes(&asked), 0, "{:?}", script.alerts);
    assert_eq!(closes(&script.pass(600)), 1, "{:?}", script.alerts);
}

#[test]
fn an_entry_that_comes_against_what_a_person_holds_does_not_close_it() {
    let mut script = Script::begin(&json!({}));
    script.filled(99, 1, 2);
    let mut asked = script.filled(70, 0, 1);
    let late = json!({"id": 70, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1, "customTag": "mes.o.7"});
    asked.extend(script.told(&late));
    asked.extend(
        script.told(&json!({"id": 99, "type": 2, "side": 1, "status": 2, "size": 2, "fillVolume": 2})),
    );
    asked.extend(script.pass(500));
    assert_eq!((script.core.exposure(), closes(&asked)), (-1, 0), "{:?}", script.alerts);
}
