//! The size that an account may have: what is open, what works and what is asked for, over all contracts.

use crate::exchange::{Modify, Place, settings::AccountSettings};
use mes_core::{
    order::Side::{Buy, Sell},
    tick::Tick,
};
use mes_projectx::wire::Decimal;

use super::*;

const FULL: &str = "Order exceeds the maximum position size of 3.";

fn three() -> Scene {
    Scene::with(exact(), AccountSettings { most: 3, ..AccountSettings::default() })
}

fn resize(scene: &mut Scene, order: i64, size: i64) -> Option<String> {
    let modify = Modify { account: ACCOUNT, order, size: Some(size), limit: None, stop: None, trail: None };
    let done = scene.exchange.modify(&modify);
    done.err().map(|refusal| {
        assert_eq!(refusal.code, 3);
        refusal.message.unwrap_or_default()
    })
}

#[test]
fn an_order_that_works_cannot_grow_beyond_the_maximum() {
    let mut scene = three();
    scene.placed(&order(Buy, 2));
    let id = scene.placed(&limit(Buy, 1, 19_900));
    assert_eq!(resize(&mut scene, id, 2).as_deref(), Some(FULL));
    assert_eq!(scene.order(id).size, 1);
    scene.placed(&order(Sell, 1));
    assert_eq!(resize(&mut scene, id, 2), None);
}

#[test]
fn exits_that_wait_cannot_pile_up_without_end() {
    let mut scene = three();
    scene.placed(&order(Buy, 1));
    // An own stop and target, and a close beside them, are always taken.
    let stop = Place { kind: 4, stop: Some(Decimal::of_ticks(19_900)), ..order(Sell, 1) };
    scene.placed(&stop);
    let mut taken = 1;
    while scene.exchange.place(&limit(Sell, 1, 20_100)).is_ok() {
        taken += 1;
        assert!(taken < 10, "without end");
    }
    assert!(taken >= 3, "{taken}");
    scene.wait_ms(100);
    scene.moves(20_200);
    scene.moves(19_800);
    // Were all filled: never more than the maximum beyond what was open.
    assert!(scene.net().abs() <= 4, "{}", scene.net());
}

#[test]
fn an_exit_is_taken_where_the_maximum_is_one() {
    let mut scene = Scene::with(exact(), AccountSettings { most: 1, ..AccountSettings::default() });
    scene.placed(&order(Buy, 1));
    scene.placed(&Place { kind: 4, stop: Some(Decimal::of_ticks(19_900)), ..order(Sell, 1) });
    scene.placed(&limit(Sell, 1, 20_100));
    scene.placed(&order(Sell, 1));
    assert_eq!(scene.net(), 0);
}

#[test]
fn what_works_in_another_contract_counts() {
    let mut scene = three();
    // The month after becomes the active one; what works in December goes on.
    scene.placed(&limit(Buy, 2, 19_900));
    let march = month(2027, 3);
    let tick = Tick { ts: scene.now, price: Some(price(20_200)), ..Tick::default() };
    scene.exchange.market(march, &tick);
    let of_march = |size| Place { contract: march.id(), ..order(Buy, size) };
    assert_eq!(scene.refused(&of_march(2)), (2, FULL.to_owned()));
    scene.placed(&of_march(1));
}

#[test]
fn an_account_with_all_its_orders_can_still_close() {
    let settings = Settings { most_orders: 3, ..exact() };
    let mut scene = Scene::with(settings, AccountSettings::default());
    scene.placed(&order(Buy, 1));
    scene.placed(&order(Buy, 1));
    scene.placed(&order(Buy, 1));
    assert_eq!(scene.refused(&order(Buy, 1)).0, 2);
    scene.exchange.close(ACCOUNT, &mes().id()).expect("taken");
    scene.wait_ms(10);
    assert_eq!(scene.net(), 0);
}
