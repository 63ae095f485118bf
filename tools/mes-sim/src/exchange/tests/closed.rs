//! What is said while nothing trades: the exchange's hours and the firm's are refused in different words.

use crate::exchange::{refusal::words, settings::AccountSettings};
use mes_core::order::Side::{Buy, Sell};

use super::*;

#[test]
fn a_closed_exchange_is_no_trading_status_and_the_firms_evening_is_out_of_hours() {
    let shut = (2, words::STATUS.to_owned());
    for (ts, said) in [
        // 15:08, 15:30 and 16:30 Chicago, Saturday, a second before Sunday's opening; an early close's afternoon.
        ("2026-11-20T21:08:00Z", (5, String::new())),
        ("2026-11-20T21:30:00Z", (5, String::new())),
        ("2026-11-20T22:30:00Z", shut.clone()),
        ("2026-11-21T15:00:00Z", shut.clone()),
        ("2026-11-22T22:59:59Z", shut.clone()),
        ("2026-11-27T18:10:00Z", (5, String::new())),
        ("2026-11-27T19:00:00Z", shut),
    ] {
        let mut scene = Scene::plain();
        scene.to(ts);
        assert_eq!(scene.refused(&order(Buy, 1)), said, "{ts}");
        assert_eq!(scene.refused(&limit(Sell, 1, 20_100)), said, "{ts}");
    }
    let mut scene = Scene::plain();
    scene.to("2026-11-22T23:00:00Z");
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.net(), 1);
}

#[test]
fn an_order_by_hand_in_the_night_of_a_weekend_leaves_nothing_behind() {
    let mut scene = Scene::at("2026-11-21T15:00:00Z", exact(), AccountSettings::default());
    scene.exchange.by_hand(ACCOUNT, mes(), Buy, 1);
    scene.exchange.by_hand(ACCOUNT, mes(), Buy, i64::MAX);
    scene.wait_ms(1_000);
    assert_eq!((scene.net(), scene.exchange.alive(ACCOUNT).count()), (0, 0));
}

#[test]
fn time_may_go_to_its_end() {
    let mut scene = Scene::plain();
    scene.placed(&pair(Buy, 1, 4, -8, 12));
    scene.exchange.advance(i64::MAX);
    scene.exchange.advance(i64::MIN);
    assert_eq!((scene.net(), scene.open()), (0, 0));
    let _ = scene.exchange.place(&order(Buy, 1));
    scene.exchange.advance(i64::MAX);
    assert!(scene.exchange.due() > scene.exchange.now());
}
