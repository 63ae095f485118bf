//! A whole day at the rates that were measured: it runs in a second or two, and nothing of the market stays in memory.

use crate::exchange::{event::Event, settings::AccountSettings};
use mes_core::{
    dice::Draw,
    order::Side::{Buy, Sell},
    tick::Tick,
    time::{self, SECOND},
};

use super::*;

const QUOTES: i64 = 42;
const TRADES: i64 = 20;

#[test]
fn a_day_of_42_quotes_and_20_trades_a_second_runs_in_seconds() {
    let mut scene = Scene::at("2026-11-19T23:00:00Z", exact(), AccountSettings::default());
    let end = time::parse("2026-11-20T21:09:00Z").expect("a time");
    let (mut draw, mut at, mut ticks, mut bought) = (Draw::new(1, 1), LAST, 0_u64, 0_i64);
    let step = SECOND / (QUOTES + TRADES);
    let mut most_told = 0;
    while scene.now < end {
        let second = scene.now / SECOND;
        for part in 0..QUOTES + TRADES {
            at = (at + draw.below(3) as i64 - 1).clamp(LAST - 400, LAST + 400);
            let print = (part % 3 == 0).then_some(price(at));
            let tick = Tick {
                ts: scene.now,
                price: print,
                size: print.map(|_| 1),
                bid: Some(price(at - 1)),
                ask: Some(price(at + 1)),
                ..Tick::default()
            };
            scene.exchange.market(mes(), &tick);
            scene.now += step;
            ticks += 1;
        }
        // A round trip a minute, with legs that are cleared up.
        if second % 60 == 0 {
            let side = if second % 120 == 0 { Buy } else { Sell };
            let way = side.sign();
            let tag = format!("d{bought}");
            let entry = tagged(&tag, pair(side, 1, 4, -way * 300, way * 300));
            bought += i64::from(scene.exchange.place(&entry).is_ok());
        }
        if second % 60 == 30 {
            drop(scene.exchange.close(ACCOUNT, &mes().id()));
            let legs: Vec<i64> = scene.exchange.alive(ACCOUNT).filter(|o| o.is_leg()).map(|o| o.id).collect();
            legs.into_iter().for_each(|leg| drop(scene.exchange.cancel(ACCOUNT, leg)));
        }
        let told = scene.exchange.take_told();
        most_told = most_told.max(told.len());
        // Of the market nothing is kept: it is drained as it comes.
        scene.told.extend(told.into_iter().filter(|t| matches!(t.event, Event::House { .. })));
    }
    assert!(ticks > 4_900_000 && bought > 1_200, "{ticks} {bought}");
    assert!(most_told < 1_000, "{most_told}");
    assert!(
        scene.told.iter().all(|told| !matches!(told.event, Event::House { .. })),
        "the firm had nothing to do"
    );
    scene.wait_ms(1_000);
    assert!(scene.exchange.alive(ACCOUNT).count() <= 3 && scene.net().abs() <= 1);
}

#[test]
fn a_thousand_days_run_in_a_moment() {
    let mut scene = Scene::plain();
    for day in 0..1_000 {
        for _ in 0..3 {
            let _ = scene.place(&tagged(&day.to_string(), order(Buy, 1)));
            scene.wait_ms(60_000);
        }
        scene.now += 24 * 3600 * SECOND;
        scene.exchange.advance(scene.now);
        scene.take();
    }
    assert_eq!(scene.net(), 0);
}
