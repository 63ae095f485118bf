//! Values worked out by hand, around the instants where something begins or ends.

mod walk;

use mes_core::{bar::Bar, calendar::Calendar, interval::Interval, price::Price, time};
use mes_features::{
    engine::{CheckedRows, Engine},
    labels::{Labeller, horizon::Horizon},
    set::Set,
};
use walk::{Chance, ONE, all_columns, interval, run, walk, whole_set};

/// Returns flat bars of volume 1 at so many points, from the second after `start`.
fn flat(start: &str, every: Interval, rows: usize, points: f64) -> Vec<Bar> {
    let (ts, price) = (time::parse(start).expect("a time"), Price::nearest(points));
    let bar = |k: usize| Bar {
        ts: ts + (k as i64 + 1) * every.nanos(),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 1,
        ..Bar::default()
    };
    (0..rows).map(bar).collect()
}

/// Returns the column `name` of `bars`.
fn column(name: &str, every: Interval, bars: &[Bar]) -> Vec<f32> {
    let set = Set::choose(every, all_columns(), &[name.to_owned()], &[]).expect("a set");
    run(&set, every, bars, usize::MAX).remove(0)
}

#[test]
fn the_vwap_begins_anew_with_the_cash_session_in_an_unbroken_night() {
    let second = interval("1s");
    // 100 seconds before 09:30 New York at 4000, the last one 4001; then 4002 from 09:30:00 on.
    let mut bars = flat("2026-06-15T13:28:20Z", second, 100, 4000.0);
    let price = Price::nearest(4001.0);
    bars[99] = Bar { open: price, high: price, low: price, close: price, ..bars[99] };
    bars.extend(flat("2026-06-15T13:30:00Z", second, 100, 4002.0));
    let gap = column("f_vwap_gap", second, &bars);
    // The row stamped 09:30:00 still belongs to the night: V = 4000 + 1/100, so c − V = 3.96 ticks.
    assert_eq!(time::format(bars[99].ts), "2026-06-15T13:30:00Z");
    assert!(gap[99] > 0.0);
    // From 09:30:01 on every price is 4002, and so is V.
    assert!(gap[100..].iter().all(|gap| *gap == 0.0), "{:?}", &gap[100..110]);
    let slope = column("f_vwap_slope", second, &bars);
    assert!(slope[100..160].iter().all(|slope| slope.is_nan()));
    assert_eq!(slope[160], 0.0);
    // Empty rows after 09:30 leave V unknown until something trades.
    for bar in &mut bars[100..103] {
        bar.volume = 0;
    }
    let gap = column("f_vwap_gap", second, &bars);
    assert_eq!(
        gap[99..104].iter().map(|gap| gap.is_nan()).collect::<Vec<_>>(),
        [false, true, true, true, false]
    );
}

#[test]
fn the_day_is_as_long_as_the_calendar_says() {
    let minute = interval("1m");
    // The Friday after Thanksgiving 2025 closes at 13:15 New York: 19 h 15 min after 18:00.
    let bars = flat("2025-11-27T23:00:00Z", minute, 1155, 6800.0);
    let (day, to_close) = (column("f_day", minute, &bars), column("f_to_close", minute, &bars));
    assert_eq!(time::format(bars[1154].ts), "2025-11-28T18:15:00Z");
    assert_eq!((day[0], day[1154]), ((1.0_f64 / 1155.0) as f32, 1.0));
    // 09:30 ends row 929; the row after it is the first of the cash session, which lasts 225 minutes.
    assert_eq!(to_close[929], 0.0);
    assert_eq!(to_close[930], (224.0_f64 / 390.0) as f32);
    assert_eq!((to_close[1153], to_close[1154]), ((1.0_f64 / 390.0) as f32, 0.0));

    // A full day has 23 hours; 16:00 is the last row of the cash session, 16:01 is after it.
    let bars = flat("2026-06-14T22:00:00Z", minute, 1380, 6800.0);
    let (day, to_close) = (column("f_day", minute, &bars), column("f_to_close", minute, &bars));
    assert_eq!(day[1379], 1.0);
    assert_eq!(to_close[930], (389.0_f64 / 390.0) as f32);
    assert_eq!((to_close[1318], to_close[1319], to_close[1320]), ((1.0_f64 / 390.0) as f32, 0.0, 0.0));

    // On a Sunday morning there is no day.
    let bars = flat("2026-06-14T12:00:00Z", minute, 3, 6800.0);
    assert!(column("f_day", minute, &bars).iter().all(|day| day.is_nan()));
    assert_eq!(column("f_to_close", minute, &bars), [0.0; 3]);
}

#[test]
fn higher_frames_are_whole_and_over() {
    let second = interval("1s");
    // The segment begins 10 seconds into a minute, so the minute that ends on row 49 is not whole; the next ends on
    // row 109 and goes from 4000 to 4003.
    let mut bars = flat("2026-06-15T15:00:10Z", second, 171, 4000.0);
    let price = Price::nearest(4003.0);
    bars[100] = Bar { high: price, close: price, ..bars[100] };
    for bar in &mut bars[101..] {
        (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price);
    }
    let (trend, range) = (column("f_m1_trend", second, &bars), column("f_m1_range", second, &bars));
    assert!(trend[..109].iter().all(|trend| trend.is_nan()));
    let lambda = 0.988514020352896_f64;
    let weight: f64 = (0..109).map(|k| lambda.powi(k)).sum();
    let sigma = (144.0 * lambda.powi(9) / weight).sqrt();
    assert!((f64::from(trend[109]) - 12.0 / (4.0 * sigma * 60_f64.sqrt())).abs() < 1e-7);
    assert!((f64::from(range[109]) - 12.0 / (12.0 + 4.0 * sigma * 60_f64.sqrt())).abs() < 1e-7);
    // The minute after it is flat and ends on row 169.
    assert!(trend[168] > 0.0);
    assert_eq!((trend[169], range[169]), (0.0, 0.0));
}

#[test]
fn rows_with_holes_complete_the_minutes_between() {
    let second = interval("1s");
    let mut bars = flat("2026-06-15T15:00:00Z", second, 150, 4000.0);
    // After a rise in the third minute there is nothing until the ninth.
    let price = Price::nearest(4002.0);
    bars[149] = Bar { high: price, close: price, ..bars[149] };
    let later = Bar { ts: bars[149].ts + 360 * ONE, open: price, low: price, ..bars[149] };
    bars.push(later);
    let value = |name: &str| *column(name, second, &bars).last().expect("a row");
    assert_eq!((value("f_m1_trend"), value("f_m1_range")), (0.0, 0.0));
    // Five minutes before the eighth is the third, which closed at 4002 too.
    assert_eq!(value("f_m1_momentum"), 0.0);
    bars[150].ts -= 60 * ONE;
    let value = |name: &str| *column(name, second, &bars).last().expect("a row");
    assert!(value("f_m1_momentum") > 0.0);
}

#[test]
fn a_still_market_has_the_values_of_the_edge_cases() {
    let second = interval("1s");
    let mut bars = flat("2026-06-15T15:00:00Z", second, 400, 4000.0);
    bars.iter_mut().skip(1).for_each(|bar| bar.volume = 0);
    let at = |name: &str| column(name, second, &bars)[399];
    assert_eq!(at("f_sigma"), (0.1_f64 / 4.1) as f32);
    for name in
        ["f_rsi_14", "f_bb_20", "f_vol_z_30", "f_delta_bulk_30", "f_obv_roc_30", "f_body", "f_dir", "f_gk_60"]
    {
        assert_eq!(at(name), 0.0, "{name}");
    }
    assert_eq!((at("f_stoch_k"), at("f_stoch_d"), at("f_vol_ratio")), (0.5, 0.5, 0.5));
}

#[test]
fn bars_that_cannot_be_are_refused() {
    let second = interval("1s");
    let good = flat("2026-06-15T15:00:00Z", second, 3, 4000.0);
    let refused = |change: fn(&mut Bar)| {
        let mut rows = CheckedRows::new(second, Calendar::shipped());
        let mut bars = good.clone();
        change(&mut bars[2]);
        let ok = bars.iter().try_for_each(|bar| rows.next(bar).map(|_| ()));
        ok.expect_err("an error").to_string()
    };
    assert!(refused(|bar| bar.high = Price::nearest(3999.75)).contains("do not hold"));
    assert!(refused(|bar| bar.volume = -1).contains("volume (-1)"));
    assert!(refused(|bar| bar.volume = i64::MAX).contains("volume"));
    let far = |bar: &mut Bar| {
        let price = Price::nearest(9e8);
        (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price);
    };
    assert!(refused(far).contains("too far"));
    assert!(refused(|bar| bar.ts += 1).contains("not on a grid of 1s"));
    assert!(refused(|bar| bar.ts -= ONE).contains("twice"));
    assert!(refused(|bar| bar.bid = Some(Price::nearest(9e8))).contains("quote: too far"));
    assert!(
        refused(|bar| (bar.buy_volume, bar.sell_volume) = (Some(i64::MAX), Some(i64::MIN))).contains("buy")
    );
    assert!(refused(|bar| bar.bid_size = Some(-1)).contains("size"));
    assert!(refused(|bar| bar.ofi = Some(i64::MIN)).contains("ofi"));
}

#[test]
fn no_bar_makes_it_panic_or_leave_its_range() {
    let every = interval("1s");
    let set = whole_set(every);
    let mut chance = Chance(5);
    let extremes = [i64::MIN, i64::MAX, -1, 0, 1, 1 << 22, (1 << 22) + 1, 1 << 26, 1 << 32, 1 << 40, 1 << 62];
    let prices =
        [f64::MIN, f64::MAX, f64::INFINITY, f64::NAN, -0.0, 0.25, 1048576.0, -1048576.0, 1e15, 2.5e14];
    let (mut taken, mut refused) = (0, 0);
    for round in 0..400 {
        let mut bars = walk(round, "2026-06-15T13:29:00Z", every, &[70, 50]);
        for _ in 0..1 + round % 3 {
            let at = chance.below(bars.len() as i64) as usize;
            let whole = extremes[chance.below(extremes.len() as i64) as usize];
            let price = Price::of(prices[chance.below(prices.len() as i64) as usize]);
            refused += i32::from(price.is_err());
            let price = price.unwrap_or_default();
            let bar = &mut bars[at];
            match chance.below(10) {
                0 => bar.ts = whole,
                1 => (bar.high, bar.close) = (price, price),
                2 => (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price),
                3 => bar.volume = whole,
                4 => (bar.buy_volume, bar.sell_volume) = (Some(whole), Some(-1)),
                5 => (bar.bid, bar.ask) = (Some(price), Some(Price::default())),
                6 => (bar.bid_size, bar.ask_size) = (Some(whole), Some(whole)),
                7 => bar.ofi = Some(whole),
                8 => bar.seg = whole,
                _ => bar.low = price,
            }
        }
        let (mut rows, mut engine) = (CheckedRows::new(every, Calendar::shipped()), Engine::new(&set, every));
        let (mut horizon, mut known) = (Horizon::new(30 * ONE, 3.0), Vec::new());
        for bar in &bars {
            match rows.next(bar) {
                Ok(row) => {
                    engine.run(&[row]);
                    horizon.push(bar, &mut known);
                    taken += 1;
                }
                Err(_) => refused += 1,
            }
        }
        let within = |value: &f32| value.is_nan() || (-1.0..=1.0).contains(value);
        assert!(engine.take().iter().flatten().all(within), "round {round}");
    }
    assert!(taken > 10_000 && refused > 100, "{taken} bars were taken, {refused} refused");
}

#[test]
fn zero_has_no_sign() {
    let second = interval("1s");
    let mut bars = flat("2026-06-15T15:00:00Z", second, 2000, 4000.0);
    let price = Price::nearest(4001.0);
    for bar in &mut bars[1..20] {
        (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price);
    }
    // The average comes down to the price from above and is too near for 32 bits at last.
    let gap = column("f_ema_9", second, &bars);
    assert!(gap[100] < 0.0);
    assert_eq!(gap[1999].to_bits(), 0);
}
