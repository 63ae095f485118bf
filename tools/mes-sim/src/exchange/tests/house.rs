//! The firm's hours and limits.

use mes_core::{
    money::Cents,
    order::Side::{Buy, Sell},
};

use super::*;
use crate::exchange::{account::Lock, refusal::words};

fn code(refused: Result<i64, Refusal>) -> i64 {
    refused.expect_err("refused").code
}

#[test]
fn the_day_ends_flat_at_15_10_chicago() {
    let mut scene = Scene::at("2026-11-20T21:00:00Z", exact(), AccountSettings::default());
    scene.placed(&bracket(Buy, 1, -40, 40));
    scene.to("2026-11-20T21:08:00Z");
    assert_eq!(code(scene.place(&order(Buy, 1))), 5);
    // What makes it smaller is still taken.
    scene.placed(&limit(Sell, 1, 20_100));
    assert_eq!(scene.net(), 1);
    scene.to("2026-11-20T21:09:49Z");
    assert_eq!(scene.net(), 1);
    scene.to("2026-11-20T21:09:50Z");
    assert_eq!((scene.net(), scene.exchange.alive(7).count()), (0, 0));
    assert_eq!(code(scene.place(&order(Sell, 1))), 5);
    // The weekend, and the next day's opening.
    scene.to("2026-11-22T22:59:59Z");
    assert_eq!(scene.refused(&order(Buy, 1)), (2, words::STATUS.to_owned()));
    scene.to("2026-11-22T23:00:00Z");
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.net(), 1);
}

#[test]
fn the_loss_of_a_day_locks_until_the_next() {
    let account = AccountSettings { daily_loss: Some(Cents(5_000)), ..AccountSettings::default() };
    let mut scene = Scene::with(exact(), account);
    scene.placed(&order(Buy, 1));
    scene.moves(19_964);
    assert_eq!(scene.net(), 1);
    // 38 ticks below the entry at the bid, and the costs.
    scene.moves(19_960);
    assert_eq!(scene.net(), 0);
    let view = scene.exchange.accounts(false).remove(0);
    assert!(!view.can_trade);
    assert_eq!(code(scene.place(&order(Buy, 1))), 4);
    scene.to("2026-11-22T23:00:00Z");
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.net(), 1);
}

#[test]
fn the_maximum_loss_ends_an_account_for_good() {
    let account = AccountSettings { max_loss: Some(Cents(5_000)), ..AccountSettings::default() };
    let mut scene = Scene::with(exact(), account);
    scene.placed(&bracket(Sell, 1, 200, -200));
    scene.moves(20_050);
    assert_eq!((scene.net(), scene.exchange.alive(7).count()), (0, 0));
    scene.to("2026-11-23T15:00:00Z");
    assert_eq!(code(scene.place(&order(Buy, 1))), 10);
    assert!(!scene.exchange.accounts(false)[0].can_trade);
    assert!(scene.exchange.accounts(true).is_empty());
}

#[test]
fn size_funds_and_fills_are_limited() {
    let account = AccountSettings {
        most: 3,
        margin: Some(Cents(40_000)),
        own_fills: Some(3),
        ..AccountSettings::default()
    };
    let mut scene = Scene::with(exact(), account);
    scene.placed(&limit(Buy, 1, 19_900));
    // What works counts as if it were filled.
    assert_eq!(code(scene.place(&order(Buy, 3))), 2);
    assert_eq!(code(scene.place(&order(Buy, 2))), 3);
    scene.placed(&order(Buy, 1));
    scene.placed(&order(Sell, 1));
    scene.placed(&order(Buy, 1));
    assert_eq!(code(scene.place(&order(Buy, 1))), 4);
    // An exit is always taken.
    scene.placed(&order(Sell, 1));
    assert_eq!(scene.net(), 0);
}

#[test]
fn a_halt_takes_nothing_and_fills_nothing() {
    let mut scene = Scene::plain();
    let resting = scene.placed(&limit(Buy, 1, 19_990));
    scene.exchange.conditions.halted = true;
    assert_eq!(scene.refused(&order(Buy, 1)), (2, words::STATUS.to_owned()));
    scene.moves(19_950);
    assert_eq!(scene.status(resting), Status::Open);
    scene.exchange.conditions.halted = false;
    scene.moves(19_949);
    assert_eq!(scene.status(resting), Status::Filled);
}

#[test]
fn a_month_that_is_over_takes_no_entries() {
    let mut scene = Scene::plain();
    scene.placed(&order(Buy, 1));
    let march = Instrument { expiry: Expiry { year: 2027, month: 3 }, ..mes() };
    let tick = Tick { ts: scene.now, price: Some(5050.0), ..Tick::default() };
    scene.exchange.market(march, &tick);
    assert_eq!(code(scene.place(&order(Buy, 1))), 9);
    // What is open can be closed.
    scene.placed(&order(Sell, 1));
    assert_eq!(scene.net(), 0);
    let active: Vec<bool> = scene.exchange.contracts().iter().map(|contract| contract.active).collect();
    assert_eq!(active, [true, false]);
}

#[test]
fn the_firm_and_a_person_act_from_outside() {
    let mut scene = Scene::plain();
    scene.exchange.by_hand(7, mes(), Buy, 2);
    scene.wait_ms(10);
    assert_eq!(scene.net(), 2);
    scene.exchange.lock(7, Lock::Day, "by the firm");
    assert_eq!(scene.net(), 0);
    assert_eq!(code(scene.place(&order(Buy, 1))), 4);
}
