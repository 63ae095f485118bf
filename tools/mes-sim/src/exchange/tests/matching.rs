//! What fills, when, and at what price.

use mes_core::{
    money::Cents,
    order::Side::{Buy, Sell},
    time::MILLI,
};
use mes_projectx::wire::Decimal;

use super::*;
use crate::exchange::refusal::words;

#[test]
fn a_market_order_fills_at_the_opposite_quote_after_6_to_9_ms_and_pays_61_cents() {
    for (side, price) in [(Buy, 20_001), (Sell, 19_999)] {
        let mut scene = Scene::plain();
        let id = scene.place(&order(side, 2)).expect("taken");
        assert_eq!(scene.status(id), Status::Pending);
        scene.wait_ms(5);
        assert_eq!(scene.status(id), Status::Pending);
        scene.wait_ms(5);
        assert_eq!((scene.status(id), scene.filled_at(id)), (Status::Filled, Some(price)));
        let took = scene.when(id, Status::Filled) - scene.order(id).created;
        assert!((6 * MILLI..=9 * MILLI).contains(&took), "{took}");
        // As captured: the stamp stays that of its creation.
        assert_eq!(scene.order(id).updated, scene.order(id).created);
        assert_eq!((scene.net(), scene.balance()), (2 * side.sign(), 100_000 - 122));
    }
}

#[test]
fn a_limit_fills_when_it_is_traded_through_or_the_quote_comes_to_it() {
    // What comes, and whether a purchase at 19,990 fills by rule and when touched.
    for (quote, trade, through, touch) in [
        (None, Some(19_991), false, false),
        (None, Some(19_990), false, true),
        (None, Some(19_989), true, true),
        (Some((19_989, 19_991)), None, false, false),
        (Some((19_988, 19_990)), None, true, true),
    ] {
        for (on_touch, fills) in [(false, through), (true, touch)] {
            let mut settings = exact();
            settings.matching.touch = on_touch;
            let mut scene = Scene::with(settings, AccountSettings::default());
            let id = scene.placed(&limit(Buy, 1, 19_990));
            assert_eq!(scene.status(id), Status::Open);
            if let Some((bid, ask)) = quote {
                scene.quote(bid, ask);
            }
            trade.into_iter().for_each(|price| scene.trade(price));
            let expected = fills.then_some(19_990);
            assert_eq!(scene.filled_at(id), expected, "{quote:?} {trade:?} touch {on_touch}");
        }
    }
}

#[test]
fn a_limit_beyond_the_quote_fills_at_the_quote() {
    let mut scene = Scene::plain();
    let id = scene.placed(&limit(Buy, 1, 20_010));
    assert_eq!(scene.filled_at(id), Some(20_001));
    let id = scene.placed(&limit(Sell, 1, 19_000));
    assert_eq!(scene.filled_at(id), Some(19_999));
}

#[test]
fn a_stop_is_a_market_order_once_touched_and_slips() {
    for (side, level, touch, price) in
        [(Sell, 19_990, 19_990, 19_989), (Buy, 20_010, 20_010, 20_011), (Sell, 19_990, 19_950, 19_949)]
    {
        let mut scene = Scene::plain();
        let id = scene.placed(&stop(side, 1, level));
        scene.moves(level + side.opposite().sign());
        assert_eq!(scene.status(id), Status::Open, "{side:?} {level}");
        scene.moves(touch);
        assert_eq!(scene.filled_at(id), Some(price), "{side:?} {level} {touch}");
    }
    let mut settings = exact();
    settings.matching.stop_slippage = (2, 2);
    let mut scene = Scene::with(settings, AccountSettings::default());
    let id = scene.placed(&stop(Sell, 1, 19_990));
    scene.moves(19_990);
    assert_eq!(scene.filled_at(id), Some(19_987));
}

#[test]
fn a_trailing_stop_follows_and_keeps_its_distance() {
    let mut scene = Scene::plain();
    let trail = Place { kind: 5, trail: Some(Decimal::of_ticks(19_990)), ..order(Sell, 1) };
    let id = scene.placed(&trail);
    assert_eq!((scene.order(id).stop, scene.order(id).trail), (Some(19_990), Some(10)));
    scene.moves(20_020);
    scene.moves(20_015);
    assert_eq!(scene.order(id).stop, Some(20_010));
    scene.moves(20_010);
    assert_eq!(scene.status(id), Status::Filled);
}

#[test]
fn without_a_quote_a_market_order_fills_beside_the_last_trade() {
    let mut market = market::Market::new(mes());
    market.last = Some(20_000);
    assert_eq!((market.opposite(Buy, 1), market.opposite(Sell, 2)), (Some(20_001), Some(19_998)));
}

#[test]
fn orders_fill_in_parts_where_that_is_the_condition() {
    let mut scene = Scene::plain();
    scene.exchange.conditions.entry_in_parts = true;
    let id = scene.place(&order(Buy, 5)).expect("taken");
    scene.wait_ms(9);
    let first = scene.order(id).filled;
    assert!((1..5).contains(&first) && scene.status(id) == Status::Open, "{first}");
    scene.wait_ms(1_000);
    assert_eq!((scene.status(id), scene.net()), (Status::Filled, 5));
    assert!(scene.exchange.trades(7, 0, None).count() > 1);
    // Exits fill at once, for that is another condition.
    scene.exchange.close(7, &mes().id()).expect("taken");
    scene.wait_ms(4);
    assert_eq!(scene.net(), 0);
}

#[test]
fn what_is_not_valid_is_refused_in_the_words_of_the_service() {
    let at = |kind, limit: Option<&str>, stop: Option<&str>, trail: Option<&str>| {
        let read = |text: Option<&str>| text.map(|text| text.parse().expect("a decimal"));
        Place { kind, limit: read(limit), stop: read(stop), trail: read(trail), ..order(Buy, 1) }
    };
    // The last price is 5,000.
    for (place, words) in [
        (at(1, Some("5000.1"), None, None), words::ALIGNED),
        (at(1, Some("9000"), None, None), words::RANGE),
        (at(1, Some("-1"), None, None), words::RANGE),
        (at(1, None, None, None), words::RANGE),
        (at(4, None, Some("4999"), None), words::RANGE),
        (at(4, None, Some("5000"), None), words::RANGE),
        (at(5, None, None, None), words::NO_TRAIL),
        (at(5, None, None, Some("5000.3")), words::TRAIL_ALIGNED),
        (at(5, None, None, Some("10")), words::FAR_TRAIL),
        (at(3, Some("5000"), Some("5001"), None), "Invalid order type."),
        (Place { size: 0, ..order(Buy, 1) }, "Invalid order size."),
        (
            Place { size: i64::from(i32::MAX), ..order(Buy, 1) },
            "Order exceeds the maximum position size of 50.",
        ),
    ] {
        let mut scene = Scene::plain();
        let place = Place { tag: Some("a".into()), ..place };
        let refusal = scene.place(&place).expect_err("refused");
        assert_eq!((refusal.code, refusal.message.as_deref()), (2, Some(words)), "{place:?}");
        // It has an id, and has used its tag.
        assert_eq!(scene.status(refusal.order.expect("an id")), Status::Rejected);
        let again = Place { tag: Some("a".into()), ..order(Buy, 1) };
        assert_eq!(scene.refused(&again), (2, words::TAG.to_owned()));
        assert_eq!(scene.net(), 0);
    }
    let mut scene = Scene::plain();
    let code = |refused: Result<i64, Refusal>| refused.expect_err("refused").code;
    assert_eq!(code(scene.place(&Place { account: 8, ..order(Buy, 1) })), 1);
    assert_eq!(code(scene.place(&Place { contract: "CON.F.US.MES.H27".into(), ..order(Buy, 1) })), 8);
}

#[test]
fn an_order_is_moved_and_cancelled_only_while_it_works() {
    let mut scene = Scene::plain();
    let id = scene.placed(&limit(Buy, 2, 19_990));
    let modify = |order, size, limit: Option<i64>| Modify {
        account: 7,
        order,
        size,
        limit: limit.map(Decimal::of_ticks),
        stop: None,
        trail: None,
    };
    scene.exchange.modify(&modify(id, None, Some(19_995))).expect("moved");
    assert_eq!((scene.order(id).limit, scene.order(id).size), (Some(19_995), 2));
    scene.exchange.modify(&modify(id, Some(1), None)).expect("changed");
    assert_eq!((scene.order(id).limit, scene.order(id).size), (Some(19_995), 1));
    // Moved into the market it fills.
    scene.exchange.modify(&modify(id, None, Some(20_001))).expect("moved");
    assert_eq!(scene.status(id), Status::Filled);
    let code = |done: Result<(), Refusal>| done.expect_err("refused").code;
    assert_eq!(code(scene.exchange.modify(&modify(id, Some(3), None))), 3);
    assert_eq!(code(scene.exchange.modify(&modify(1, None, None))), 2);
    assert_eq!(code(scene.exchange.cancel(7, id)), 5);
    assert_eq!(code(scene.exchange.cancel(7, 1)), 2);
    assert_eq!(code(scene.exchange.cancel(8, id)), 1);
    let entering = scene.place(&order(Buy, 1)).expect("taken");
    assert_eq!(code(scene.exchange.cancel(7, entering)), 4);
    let working = scene.placed(&limit(Buy, 1, 19_000));
    let before = scene.order(working).updated;
    scene.wait_ms(5);
    scene.exchange.cancel(7, working).expect("cancelled");
    assert_eq!(scene.status(working), Status::Cancelled);
    assert!(scene.order(working).updated > before, "only a cancel moves the stamp");
}

#[test]
fn closing_is_a_market_order_without_a_tag_after_3_ms() {
    let mut scene = Scene::plain();
    let contract = mes().id();
    assert_eq!(scene.exchange.close(7, &contract).expect_err("flat").code, 2);
    scene.placed(&order(Sell, 3));
    for (size, code) in [(0, 5), (4, 5), (-1, 5)] {
        assert_eq!(scene.exchange.partial_close(7, &contract, size).expect_err("refused").code, code);
    }
    scene.exchange.partial_close(7, &contract, 1).expect("taken");
    scene.wait_ms(4);
    assert_eq!(scene.net(), -2);
    scene.exchange.close(7, &contract).expect("taken");
    scene.wait_ms(4);
    assert_eq!(scene.net(), 0);
    let all = OrderFilter::default();
    let last = scene.exchange.orders(7, &all).next_back().expect("an order");
    assert_eq!((last.kind, last.tag.clone(), last.size), (order::Kind::Market, None, 2));
    // Three opened at 19,999, closed at 20,001: 2 ticks each, and six sides.
    assert_eq!(scene.balance(), 100_000 - 3 * 250 - 6 * 61);
    let profits: Vec<Option<Cents>> = scene.exchange.trades(7, 0, None).map(|trade| trade.profit).collect();
    assert_eq!(profits, [Some(Cents(-500)), Some(Cents(-250)), None]);
}
