//! Calls with any numbers at all: nothing panics, nothing is lost, and what is said agrees with itself.

use std::collections::{HashMap, HashSet};

use crate::exchange::{
    Bracket, Modify, OrderFilter, Place,
    bars::Length,
    event::Event,
    order::{Kind, Role, Status},
    settings::{AccountSettings, AfterPartial, Mode, Settings},
};
use mes_core::{
    dice::Draw,
    money::Cents,
    order::Side::{Buy, Sell},
};
use mes_projectx::wire::Decimal;
use proptest::prelude::*;

use super::*;

const ODD: [i64; 12] =
    [i64::MIN, i64::MIN + 1, i32::MIN as i64, -1_000_001, -4, -1, 0, 1, 3, 1_000, i32::MAX as i64, i64::MAX];
const PRICES: [&str; 10] = [
    "0",
    "-0.25",
    "0.000000001",
    "5000.1",
    "5000.25",
    "4999.75",
    "5000",
    "9223372036.854775807",
    "-9223372036.854775807",
    "1e9",
];

fn number(draw: &mut Draw) -> i64 {
    match draw.below(3) {
        0 => ODD[draw.below(ODD.len())],
        1 => draw.bits() as i64,
        _ => draw.below(12) as i64 - 4,
    }
}

/// A price; every so many times it is none, or any.
fn decimal(draw: &mut Draw, odd: usize) -> Option<Decimal> {
    match draw.below(3 * odd) {
        0 => None,
        1 => PRICES[draw.below(PRICES.len())].parse().ok(),
        2 => Some(Decimal::of_ticks(number(draw))),
        _ => Some(Decimal::of_ticks(LAST - 30 + draw.below(60) as i64)),
    }
}

fn leg(draw: &mut Draw, kinds: &[i64], sign: i64, odd: usize) -> Option<Bracket> {
    let ticks = if draw.below(odd) == 0 { number(draw) } else { sign * (4 + draw.below(20) as i64) };
    let kind = if draw.below(odd) == 0 { number(draw) } else { kinds[draw.below(kinds.len())] };
    (draw.below(3) > 0).then_some(Bracket { ticks, kind })
}

fn account_id(draw: &mut Draw) -> i64 {
    if draw.below(8) == 0 { number(draw) } else { ACCOUNT }
}

fn contract(draw: &mut Draw) -> String {
    let odd = ["", "CON.F.US.MES.H27", "MES", "CON.F.US.MES.Z26 ", "\u{0}"];
    if draw.below(10) == 0 { odd[draw.below(odd.len())].to_owned() } else { mes().id() }
}

fn any_place(draw: &mut Draw, odd: usize) -> Place {
    let side = if draw.below(2) == 0 { Buy } else { Sell };
    let tags = ["a", "a-SL", "a-TP", "a-SL-SL", "", "b", "b-TP"];
    let tag = match draw.below(3) {
        0 => None,
        1 if draw.below(odd) == 0 => Some(tags[draw.below(tags.len())].to_owned()),
        _ => Some(format!("t{}", draw.below(900))),
    };
    Place {
        account: account_id(draw),
        contract: contract(draw),
        kind: if draw.below(odd) == 0 { number(draw) } else { [1, 2, 2, 2, 4, 5, 6, 7][draw.below(8)] },
        size: if draw.below(odd) == 0 { number(draw) } else { 1 + draw.below(3) as i64 },
        limit: decimal(draw, odd),
        stop: decimal(draw, odd),
        trail: decimal(draw, odd),
        tag,
        stop_loss: leg(draw, &[4, 4, 5], -side.sign(), odd),
        take_profit: leg(draw, &[1], side.sign(), odd),
        side,
    }
}

fn some_scene(draw: &mut Draw) -> Scene {
    let some = |draw: &mut Draw, cents| (draw.below(3) == 0).then_some(Cents(cents));
    let account = AccountSettings {
        mode: if draw.below(3) == 0 { Mode::PositionBrackets } else { Mode::AutoOco },
        after_partial: [AfterPartial::Left, AfterPartial::Exited, AfterPartial::Group][draw.below(3)],
        most: 1 + draw.below(8) as i64,
        daily_loss: some(draw, 20_000),
        max_loss: some(draw, 60_000),
        own_fills: (draw.below(4) == 0).then_some(20),
        margin: some(draw, 500_000),
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

/// Calls anything, and returns the scene at its end.
fn play(seed: u64, steps: usize) -> Scene {
    let mut draw = Draw::new(seed, 9);
    let mut scene = some_scene(&mut draw);
    // Half of the days are hostile through and through, on the others most calls make sense.
    let odd = if draw.below(2) == 0 { 4 } else { 60 };
    let (mut at, mut newest) = (LAST, 0);
    for _ in 0..steps {
        match draw.below(19) {
            0..4 => {
                if let Ok(id) = scene.exchange.place(&any_place(&mut draw, odd)) {
                    assert!(id > newest, "{id} after {newest}");
                    newest = id;
                }
            }
            4 => drop(scene.exchange.close(account_id(&mut draw), &contract(&mut draw))),
            5 => {
                let (account, contract) = (account_id(&mut draw), contract(&mut draw));
                let _ = scene.exchange.partial_close(account, &contract, number(&mut draw));
            }
            6..8 => change(&mut scene, &mut draw, odd),
            8 => ask(&mut scene, &mut draw),
            9 => scene.wait_ms(draw.below(3_000) as i64),
            10 => scene.wait_ms(draw.below(15) as i64),
            // A person, or the firm.
            11 => scene.exchange.by_hand(ACCOUNT, mes(), Buy, draw.below(3) as i64),
            _ => {
                at = (at + draw.below(25) as i64 - 12).clamp(LAST - 60, LAST + 60);
                scene.moves(at);
            }
        }
        conserved(&scene);
    }
    scene.take();
    scene
}

fn change(scene: &mut Scene, draw: &mut Draw, odd: usize) {
    let ids: Vec<i64> = scene.exchange.alive(ACCOUNT).map(|order| order.id).collect();
    let order = match draw.below(4) {
        0 => number(draw),
        _ if ids.is_empty() => number(draw),
        _ => ids[draw.below(ids.len())],
    };
    let account = account_id(draw);
    if draw.below(2) == 0 {
        drop(scene.exchange.cancel(account, order));
        return;
    }
    let size = (draw.below(2) == 0).then(|| number(draw));
    let modify = Modify {
        account,
        order,
        size,
        limit: decimal(draw, odd),
        stop: decimal(draw, odd),
        trail: decimal(draw, odd),
    };
    drop(scene.exchange.modify(&modify));
}

/// Questions change nothing, whatever they ask for.
fn ask(scene: &mut Scene, draw: &mut Draw) {
    let (one, other) = (number(draw), number(draw));
    let lengths = [Length::Seconds(one), Length::Minutes(one), Length::Hours(one), Length::Days(one)];
    let _ = scene.exchange.bars(&mes().id(), [one, other], lengths[draw.below(4)], 100, draw.below(2) == 0);
    let filter = OrderFilter {
        statuses: Some(vec![one, other, 1]),
        created_from: Some(one),
        created_until: Some(other),
    };
    assert!(scene.exchange.orders(ACCOUNT, &filter).count() < 1_000_000);
    let _ = scene.exchange.trades(one, one, Some(other)).count();
    let _ = (scene.exchange.order(one, other), scene.exchange.positions(one), scene.exchange.account(one));
}

/// Checks what holds at any instant.
fn conserved(scene: &Scene) {
    let account = scene.exchange.account(ACCOUNT).expect("the account");
    assert_eq!(account.balance, account.settings.balance + account.gross - account.costs);
    let signed = |trade: &event::Trade| trade.side.sign() * trade.size;
    let net: i64 = scene.exchange.trades(ACCOUNT, 0, None).map(signed).sum();
    assert_eq!(account.net(mes()), net);
}

/// Checks that what was told agrees with what is.
fn judge(scene: &Scene) {
    let account = scene.exchange.account(ACCOUNT).expect("the account");
    let (mut cash, mut paid, mut net, mut last_trade) = (account.settings.balance, 0, 0, 0);
    let mut told_balance = cash;
    let mut ranks: HashMap<i64, u8> = HashMap::new();
    let mut filled: HashMap<i64, i64> = HashMap::new();
    let mut open: HashMap<i64, i64> = HashMap::new();
    for told in &scene.told {
        match &told.event {
            Event::Trade(trade) => {
                assert!(trade.id > last_trade && trade.size > 0 && trade.price > 0, "{trade:?}");
                last_trade = trade.id;
                cash += trade.profit.unwrap_or_default() - trade.fees - trade.commissions;
                paid += trade.side.sign() * trade.size * trade.price;
                net += trade.side.sign() * trade.size;
                *filled.entry(trade.order).or_default() += trade.size;
            }
            Event::Order(order) => {
                assert!((0..=order.size).contains(&order.filled) || order.filled == 0, "{order:?}");
                let before = ranks.insert(order.id, rank(order.status)).unwrap_or(0);
                assert!(before <= rank(order.status) && before < 2, "{order:?} went back");
            }
            Event::Account(view) => told_balance = view.balance,
            Event::Position(view) => drop(open.insert(view.id, view.side.sign() * view.size)),
            _ => {}
        }
    }
    assert_eq!((cash, told_balance, net), (account.balance, account.balance, account.net(mes())));
    if net == 0 {
        // All that was made is what was sold for less what was bought for.
        assert_eq!(account.gross, mes().contract.tick_value() * -paid);
    }
    // What was told of positions comes to the one that is open, and to nothing else.
    open.retain(|_, contracts| *contracts != 0);
    assert_eq!(open.values().copied().collect::<Vec<_>>(), Vec::from_iter((net != 0).then_some(net)));
    let all = OrderFilter::default();
    let mut tags = HashSet::new();
    for order in scene.exchange.orders(ACCOUNT, &all) {
        assert_eq!(order.filled, filled.get(&order.id).copied().unwrap_or(0), "{order:?}");
        let again = order.tag.as_ref().is_some_and(|tag| !tags.insert(tag.clone()));
        assert!(!again, "{order:?} has a tag of another");
    }
}

/// `SOAK=n` plays n times as many days.
fn times() -> u32 {
    std::env::var("SOAK").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400 * times()))]
    #[test]
    fn any_calls_leave_a_ledger_that_adds_up(seed: u64) {
        let mut scene = play(seed, 250);
        judge(&scene);
        // From the platform's end of the day on, nothing is left.
        scene.to("2026-11-20T21:09:50Z");
        prop_assert_eq!((scene.net(), scene.exchange.alive(ACCOUNT).count()), (0, 0));
        scene.wait_ms(60_000);
        prop_assert_eq!(scene.net(), 0, "nothing fills after the end");
        judge(&scene);
    }
}

#[test]
fn the_same_seed_tells_the_same_in_every_word() {
    for seed in 0..40 {
        let [one, other] = [play(seed, 250), play(seed, 250)].map(|scene| format!("{:?}", scene.told));
        assert_eq!(one, other);
        assert!(one.len() > 10_000);
    }
}

#[test]
fn every_extreme_is_answered_in_every_field() {
    for odd in ODD {
        let mut scene = Scene::plain();
        let price = Some(Decimal::of_ticks(odd));
        for side in [Buy, Sell] {
            for kind in [1, 2, 4, 5, odd] {
                let legs = Some(Bracket { ticks: odd, kind });
                let plain = Place { kind, limit: price, stop: price, trail: price, ..order(side, 1) };
                let stop = Some(Bracket { ticks: odd, kind: 4 });
                let target = Some(Bracket { ticks: odd, kind: 1 });
                for place in [
                    Place { stop_loss: stop, take_profit: target, ..order(side, 1) },
                    Place { take_profit: target, ..order(side, 1) },
                    Place { stop_loss: legs, ..plain.clone() },
                    Place { take_profit: legs, ..plain.clone() },
                    Place { size: odd, ..plain.clone() },
                    Place { account: odd, ..plain.clone() },
                    plain,
                ] {
                    if let Err(refusal) = scene.exchange.place(&place) {
                        assert!((1..=10).contains(&refusal.code), "{refusal:?}");
                    }
                }
            }
        }
        scene.wait_ms(1_000);
        drop(scene.exchange.partial_close(ACCOUNT, &mes().id(), odd));
        scene.wait_ms(1_000);
        judge(&scene);
    }
}

#[test]
fn chance_reaches_what_it_is_there_for() {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut count = |what, by| *seen.entry(what).or_default() += by;
    for seed in 0..300 {
        let scene = play(seed, 250);
        let all = OrderFilter::default();
        let orders: Vec<_> = scene.exchange.orders(ACCOUNT, &all).collect();
        let legs = |status| orders.iter().filter(|o| o.parent().is_some() && o.status == status).count();
        count("trades", scene.exchange.trades(ACCOUNT, 0, None).count());
        count("legs filled", legs(Status::Filled));
        count("legs cancelled", legs(Status::Cancelled));
        count("rejected", orders.iter().filter(|o| o.status == Status::Rejected).count());
        count("trailing", orders.iter().filter(|o| o.kind == Kind::TrailingStop && o.filled > 0).count());
        count("in parts", orders.iter().filter(|o| (1..o.size).contains(&o.filled)).count());
        count("attached", orders.iter().filter(|o| o.role == Role::Attached && o.filled > 0).count());
        count("locked", usize::from(scene.exchange.account(ACCOUNT).is_some_and(|a| a.lock.is_some())));
        let turned = scene.positions_told().windows(2).filter(|two| two[0].1 == 0 && two[1].1 != 0).count();
        count("opened again", turned);
    }
    for what in [
        "trades",
        "legs filled",
        "legs cancelled",
        "rejected",
        "trailing",
        "in parts",
        "attached",
        "locked",
        "opened again",
    ] {
        assert!(seen.get(what).is_some_and(|count| *count >= 20), "{what}: {seen:?}");
    }
}

/// How far an order has come: it never goes back.
fn rank(status: Status) -> u8 {
    match status {
        Status::Suspended | Status::Pending => 0,
        Status::Open => 1,
        Status::Filled | Status::Cancelled | Status::Rejected => 2,
    }
}
