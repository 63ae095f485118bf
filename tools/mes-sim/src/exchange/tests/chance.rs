//! What holds whatever is asked and whatever the market does: cash is conserved, positions are what was filled, what is over
//! stays over, and the same seed gives the same events.

use std::collections::{HashMap, HashSet};

use mes_core::{dice::Draw, money::Cents, order::Side, time::SECOND};
use proptest::prelude::*;

use super::*;
use crate::exchange::settings::{AfterPartial, Mode};

const AFTER: [AfterPartial; 3] = [AfterPartial::Left, AfterPartial::Exited, AfterPartial::Group];

/// An account and conditions drawn by chance.
fn scene(draw: &mut Draw) -> Scene {
    let some = |draw: &mut Draw, cents: i64| (draw.below(3) == 0).then_some(Cents(cents));
    let account = AccountSettings {
        mode: if draw.below(4) == 0 { Mode::PositionBrackets } else { Mode::AutoOco },
        after_partial: AFTER[draw.below(3)],
        most: 1 + draw.below(10) as i64,
        daily_loss: some(draw, 10_000),
        max_loss: some(draw, 40_000),
        own_fills: (draw.below(4) == 0).then_some(20),
        attached: (draw.below(2) == 0).then_some((20, 30)),
        balance: Cents(5_000_000),
        ..AccountSettings::default()
    };
    let mut settings = Settings { seed: draw.bits(), ..Settings::default() };
    settings.matching.touch = draw.below(2) == 0;
    settings.matching.parts = draw.below(3) == 0;
    let mut scene = Scene::with(settings, account);
    scene.exchange.conditions.both_legs = draw.below(4) == 0;
    scene
}

fn some_order(draw: &mut Draw) -> Place {
    let side = if draw.below(2) == 0 { Side::Buy } else { Side::Sell };
    let size = 1 + draw.below(5) as i64;
    let near = 20_000 + draw.below(80) as i64 - 40;
    let mut place = match draw.below(5) {
        0 => limit(side, size, near),
        1 => stop(side, size, near),
        2 => Place { kind: 5, trail: Some(Decimal::of_ticks(near)), ..order(side, size) },
        3 => {
            bracket(side, size, -side.sign() * (draw.below(20) as i64), side.sign() * (draw.below(20) as i64))
        }
        _ => order(side, size),
    };
    place.tag = Some(format!("tag {}", draw.below(500)));
    place
}

/// Plays a day of chance and returns the scene at its end.
fn play(seed: u64, steps: usize) -> Scene {
    let mut draw = Draw::new(seed, 1);
    let mut scene = scene(&mut draw);
    let mut price = 20_000;
    for _ in 0..steps {
        match draw.below(12) {
            0 | 1 => drop(scene.place(&some_order(&mut draw))),
            2 => drop(scene.exchange.close(7, &mes().id())),
            3 => drop(scene.exchange.partial_close(7, &mes().id(), draw.below(4) as i64)),
            4 => {
                let ids: Vec<i64> = scene.exchange.alive(7).map(|order| order.id).collect();
                if !ids.is_empty() {
                    let id = ids[draw.below(ids.len())];
                    let level = Some(Decimal::of_ticks(price + draw.below(60) as i64 - 30));
                    let size = (draw.below(3) == 0).then(|| draw.below(6) as i64);
                    let modify =
                        Modify { account: 7, order: id, size, limit: level, stop: level, trail: level };
                    if draw.below(2) == 0 {
                        let _ = scene.exchange.modify(&modify);
                    } else {
                        let _ = scene.exchange.cancel(7, id);
                    }
                }
            }
            5 => scene.exchange.by_hand(7, mes(), Side::Buy, draw.below(3) as i64),
            6 => scene.wait_ms(draw.below(40_000) as i64),
            7 => scene.wait_ms(draw.below(20) as i64),
            _ => {
                price += draw.below(9) as i64 - 4;
                scene.moves(price);
            }
        }
        check(&scene);
    }
    scene.take();
    scene
}

/// Checks what holds at any instant.
fn check(scene: &Scene) {
    let account = scene.exchange.account(7).expect("the account");
    assert_eq!(account.balance, account.settings.balance + account.gross - account.costs);
    let signed = |trade: &event::Trade| trade.side.sign() * trade.size;
    let net: i64 = scene.exchange.trades(7, 0, None).map(signed).sum();
    assert_eq!(account.net(mes()), net);
}

/// The ledger of an exchange, from what it told alone.
fn judge(scene: &Scene) {
    let account = scene.exchange.account(7).expect("the account");
    let (mut cash, mut paid, mut net) = (account.settings.balance, 0, 0);
    let mut filled: HashMap<i64, i64> = HashMap::new();
    let mut over: HashSet<i64> = HashSet::new();
    let mut balance = cash;
    for told in &scene.told {
        match &told.event {
            Event::Trade(trade) => {
                cash += trade.profit.unwrap_or_default() - trade.fees - trade.commissions;
                paid += trade.side.sign() * trade.size * trade.price;
                net += trade.side.sign() * trade.size;
                *filled.entry(trade.order).or_default() += trade.size;
            }
            Event::Order(order) => {
                assert!(!over.contains(&order.id), "{order:?} after its end");
                assert!(order.filled <= order.size, "{order:?}");
                if order.status.is_final() {
                    over.insert(order.id);
                }
            }
            Event::Account(account) => balance = account.balance,
            _ => {}
        }
    }
    assert_eq!((cash, balance), (account.balance, account.balance));
    if net == 0 {
        // All that was made is what was sold for less what was bought for.
        assert_eq!(account.gross, mes().contract.tick_value() * -paid);
    }
    for (id, size) in filled {
        assert_eq!(scene.order(id).filled, size);
    }
    let all = OrderFilter::default();
    let mut tags: Vec<_> = scene.exchange.orders(7, &all).filter_map(|order| order.tag.clone()).collect();
    let count = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), count, "a tag twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn cash_and_contracts_are_conserved_whatever_happens(seed: u64) {
        let mut scene = play(seed, 300);
        judge(&scene);
        scene.exchange.flatten(7, "the end");
        scene.take();
        assert_eq!((scene.net(), scene.exchange.alive(7).count()), (0, 0));
        scene.now += SECOND;
        scene.wait_ms(60_000);
        assert_eq!(scene.net(), 0, "nothing fills after the end");
        judge(&scene);
    }
}

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in 0..20 {
        let (one, other) = (play(seed, 300), play(seed, 300));
        assert_eq!(one.told, other.told);
        assert!(one.told.len() > 100);
    }
}

#[test]
fn a_thousand_days_run_in_a_moment() {
    let mut scene = Scene::plain();
    for day in 0..1_000 {
        for _ in 0..3 {
            let _ = scene.place(&Place { tag: Some(format!("{day}")), ..order(Side::Buy, 1) });
            scene.wait_ms(60_000);
        }
        scene.now += 24 * 3600 * SECOND;
        scene.exchange.advance(scene.now);
        scene.take();
    }
    assert_eq!(scene.net(), 0);
}
