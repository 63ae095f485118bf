//! The core of mes-exec, event by event: what others do on the account, what the exchange does by itself, and what is done
//! about it.

mod legs;
mod parts;
mod refused;
mod script;
mod strangers;

use mes_core::{order::Action as Wanted, price::Price};
use mes_exec::topstepx::{
    core::Fatal,
    event::{Answer, Event, Request},
};
use mes_projectx::wire::OrderKind;
use script::{Asked, Script};
use serde_json::json;

fn closes(asked: &Asked) -> usize {
    asked.iter().filter(|(_, request)| matches!(request, Request::Close { .. })).count()
}

/// Returns the stops that are placed: call, contracts, ticks, name.
fn stops(asked: &Asked) -> Vec<(u64, i64, Option<i64>, String)> {
    let stop = |(call, request): &(u64, Request)| match request {
        Request::Place { place, .. } if place.kind == OrderKind::Stop => {
            let ticks = place.stop_price.and_then(|price| price.ticks());
            Some((*call, place.size, ticks, place.custom_tag.clone().unwrap_or_default()))
        }
        _ => None,
    };
    asked.iter().filter_map(stop).collect()
}

#[test]
fn a_position_of_somebody_else_at_the_start_is_not_touched() {
    // Bought at 6755, and the market is at 6750: a stop of ours would lie above it.
    let mut script = Script::over(1, &json!({}));
    script.paid = 6_755.0;
    assert_eq!(script.start(), [], "nothing was asked for");
    assert!(!script.core.is_ours() && script.core.exposure() == 1);
    // A person who said --flatten means it.
    assert_eq!(closes(&script.flatten()), 1);

    let mut adopted = Script::over(1, &json!({"adopt": true}));
    let placed = stops(&adopted.start());
    assert_eq!(placed.len(), 1, "{placed:?}");
    assert_eq!((placed[0].1, placed[0].2), (1, Some(27_000 - 18)));
}

#[test]
fn a_close_that_works_still_is_not_sent_again() {
    let mut script = Script::long(2);
    let asked = script.flatten();
    let [(call, Request::Close { .. })] = &asked[..] else { panic!("{asked:?}") };
    script.answer(*call, Answer::Done);
    // The exchange pauses: its order works, and the position stays.
    let close = json!({"id": 20, "type": 2, "side": 1, "status": 1, "size": 2});
    script.alive.push(close.clone());
    assert_eq!(closes(&script.told(&close)) + closes(&script.pass(8_000)), 0);
    // It is gone without a fill.
    script.alive.retain(|order| order["id"] != 20);
    assert!(closes(&script.pass(3_000)) > 0, "the position is open still");
}

#[test]
fn each_part_of_an_entry_gets_its_own_stop_at_once() {
    let mut script = Script::begin(&json!({"own_oco": true}));
    script.enter(2);
    let first = stops(&script.filled(10, 0, 1));
    assert_eq!(first.len(), 1, "{first:?}");
    // The first one is not answered yet.
    let second = stops(&script.filled(10, 0, 1));
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!((first[0].1, second[0].1), (1, 1));
    assert_ne!(first[0].3, second[0].3, "a name twice");
    script.answer(first[0].0, Answer::Placed { id: 21 });
    script.answer(second[0].0, Answer::Placed { id: 22 });
    for (id, name) in [(21, &first[0].3), (22, &second[0].3)] {
        let leg = json!({"id": id, "type": 4, "side": 1, "status": 1, "size": 1, "stopPrice": 6748.0, "customTag": name});
        script.alive.push(leg);
    }
    assert_eq!(closes(&script.pass(3_000)), 0, "{:?}", script.alerts);
    assert!(script.core.is_protected());
}

#[test]
fn an_order_of_a_person_keeps_entries_away_from_the_moment_it_is_told() {
    let mut script = Script::begin(&json!({}));
    let theirs = json!({"id": 30, "type": 1, "side": 0, "status": 1, "size": 1, "limitPrice": 6740.0});
    script.alive.push(theirs.clone());
    script.told(&theirs);
    let enter = Wanted::Enter {
        side: mes_core::order::Side::Buy,
        contracts: 1,
        stop_ticks: 8,
        target_ticks: 16,
        confidence: 0.9,
        limit: None,
    };
    assert_eq!(script.order(1, enter.clone()), []);
    script.pass(2_000);
    assert!(script.alerts.iter().any(|text| text.contains("not ours")), "{:?}", script.alerts);
    assert_eq!(script.order(2, enter.clone()), []);
    // It is left alone, and once it is gone trading goes on.
    script.alive.clear();
    script.told(&json!({"id": 30, "type": 1, "side": 0, "status": 3, "size": 1}));
    script.pass(65_000);
    assert_eq!(script.order(3, enter).len(), 1);
}

#[test]
fn legs_that_the_platform_adds_end_the_run_and_name_the_setting() {
    let mut script = Script::long(1);
    let added = json!({"id": 40, "type": 4, "side": 1, "status": 1, "size": 1, "stopPrice": 6745.0});
    script.alive.push(added.clone());
    let mut asked = script.told(&added);
    asked.extend(script.pass(500));
    assert_eq!(closes(&asked), 1);
    let named = |fatal: &Fatal| matches!(fatal, Fatal::Setup(why) if why.contains("Position Brackets"));
    assert!(script.core.fatal().is_some_and(named), "{:?}", script.core.fatal());
}

#[test]
fn stop_and_target_are_as_large_as_the_position() {
    let mut script = Script::entering(3, 1);
    script.filled(10, 0, 1);
    // What is not filled is cancelled, and its legs stay as large as they were.
    script.told(&json!({"id": 10, "type": 2, "side": 0, "status": 3, "size": 3, "fillVolume": 1, "customTag": "mes.n.1"}));
    let asked = script.pass(1_000);
    let sized = |asked: &Asked, id: i64| {
        asked.iter().find_map(|(call, request)| match request {
            Request::Modify { modify } if modify.order_id == id => Some((*call, modify.size)),
            _ => None,
        })
    };
    let (call, size) = sized(&asked, 12).unwrap_or_else(|| panic!("the target stays: {asked:?}"));
    assert_eq!(size, Some(1));
    // Nobody has judged it: it is tried again, and nothing is closed for that.
    let mut asked = script.later(call);
    asked.extend(script.pass(2_000));
    assert_eq!(closes(&asked), 0);
    let (call, _) = sized(&asked, 12).expect("tried again");
    script.answer(call, Answer::Done);
    let asked = script.pass(2_000);
    assert_eq!(sized(&asked, 11).map(|(_, size)| size), Some(Some(1)), "{asked:?}");
}

#[test]
fn a_stop_that_takes_the_place_of_another_stands_no_further_away() {
    let mut script = Script::long(1);
    let moved = script.order(2, Wanted::MoveStop { stop: Price::from_ticks(26_998) });
    let [(call, Request::Modify { .. })] = &moved[..] else { panic!("{moved:?}") };
    script.answer(*call, Answer::Done);
    script.pass(500);
    // The platform takes its legs away.
    script.alive.clear();
    for (id, kind) in [(11, 4), (12, 1)] {
        script.told(&json!({"id": id, "type": kind, "side": 1, "status": 3, "size": 1, "parentOrderId": 10}));
    }
    let placed = stops(&script.pass(900));
    assert_eq!(placed.first().map(|stop| stop.2), Some(Some(26_998)), "{placed:?}");
}

#[test]
fn a_session_thrown_out_closes_and_ends_the_run() {
    let mut script = Script::long(1);
    assert_eq!(closes(&script.hear(Event::Logout)), 1);
    assert!(matches!(script.core.fatal(), Some(Fatal::Stopped(_))));
}

#[test]
fn orders_that_were_there_before_a_start_are_no_legs_of_the_platform() {
    // A position of ours of the run before, its stop, and a limit of a person.
    let mut script = Script::over(1, &json!({}));
    script.alive = vec![
        json!({"id": 11, "type": 4, "side": 1, "status": 1, "size": 1, "stopPrice": 6748.0, "customTag": "mes.o.7-SL"}),
        json!({"id": 41, "type": 1, "side": 1, "status": 1, "size": 1, "limitPrice": 6760.0}),
    ];
    let asked = script.start();
    assert_eq!((closes(&asked), script.core.fatal()), (0, None), "{:?}", script.alerts);
    assert!(script.core.is_ours() && script.core.is_protected());
}

#[test]
fn a_position_of_ours_whose_stop_never_came_is_protected_at_the_start() {
    // The run before was killed between the fill and its own stop.
    let mut script = Script::over(1, &json!({"own_oco": true}));
    script.recent = vec![
        json!({"id": 10, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1, "customTag": "mes.o.7"}),
    ];
    assert_eq!(stops(&script.start()).len(), 1, "{:?}", script.alerts);
    assert!(script.core.is_ours());
}

#[test]
fn a_stop_that_is_heard_of_before_it_is_answered_counts_once() {
    let mut script = Script::begin(&json!({"own_oco": true}));
    script.enter(2);
    let first = stops(&script.filled(10, 0, 1));
    // The hub is quicker than REST.
    script.told(&json!({"id": 21, "type": 4, "side": 1, "status": 1, "size": 1, "stopPrice": 6748.0, "customTag": first[0].3}));
    let second = stops(&script.filled(10, 0, 1));
    assert_eq!(second.len(), 1, "{second:?}");
    let more = stops(&script.answer(first[0].0, Answer::Placed { id: 21 }));
    assert_eq!(more, [], "the second is on its way");
}

#[test]
fn a_target_that_was_filled_in_part_is_not_resized_for_that() {
    let mut script = Script::long(2);
    // The fill is told, and the order that has filled is not.
    script.filled(12, 1, 1);
    let asked = script.pass(1_000);
    let resized = |id| {
        asked
            .iter()
            .any(|(_, request)| matches!(request, Request::Modify { modify } if modify.order_id == id))
    };
    assert_eq!((resized(12), closes(&asked)), (false, 0), "{asked:?}");
    assert!(resized(11), "the stop is as large as what is left");
}

#[test]
fn a_close_of_which_nobody_can_say_whether_it_works_is_sent_again() {
    let mut script = Script::long(2);
    let asked = script.flatten();
    script.answer(asked[0].0, Answer::Done);
    script.told(&json!({"id": 20, "type": 2, "side": 1, "status": 1, "size": 2}));
    script.silent = true;
    assert_eq!(closes(&script.pass(4_000)), 0);
    assert!(closes(&script.pass(4_000)) > 0, "what is over for long holds nothing back");
}

#[test]
fn a_click_whose_fill_is_told_first_is_not_taken_for_an_entry_of_an_earlier_run() {
    let mut script = Script::over(0, &json!({}));
    script.recent = vec![
        json!({"id": 10, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1, "customTag": "mes.o.7"}),
    ];
    script.start();
    // Nobody has heard of its order yet.
    let placed = stops(&script.filled(99, 0, 1));
    assert_eq!(placed.len(), 1, "exits cover the position as it is: {:?}", script.alerts);
    script.alive.push(
        json!({"id": 98, "type": 4, "side": 1, "status": 1, "size": 1, "stopPrice": 6745.5, "customTag": placed[0].3}),
    );
    let mut asked = script.answer(placed[0].0, Answer::Placed { id: 98 });
    asked.extend(
        script.told(&json!({"id": 99, "type": 2, "side": 0, "status": 2, "size": 1, "fillVolume": 1})),
    );
    asked.extend(script.pass(3_000));
    assert_eq!((closes(&asked), script.core.is_ours()), (0, false), "{:?}", script.alerts);
}
