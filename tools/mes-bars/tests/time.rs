//! Time bars: carry-forward, segments, sessions, rolls, and that bars of bars are bars of ticks.

use mes_bars::by::time::{Settings, TimeBars};
use mes_core::{
    bar::{self, Bar},
    calendar::Calendar,
    order::Side,
    session::Filter,
    tick::Tick,
    time::{self, SECOND, Ts},
};
use mes_pipe::{BarBuilder, Bars, Error};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

fn settings(interval: &str) -> Settings {
    let interval = interval.parse().expect("an interval");
    Settings { interval, filter: Filter::All, carry_s: 300, sparse: false, symbol: None }
}

fn at(text: &str) -> Ts {
    time::parse(text).expect("a time")
}

/// A quiet Friday noon; the cash session of 2026-11-20 runs from 14:30 to 21:00 UTC.
fn noon() -> Ts {
    at("2026-11-20T17:00:00Z")
}

fn trade(ts: Ts, price: f64, size: i64) -> Tick {
    let symbol = "MESZ6".parse().expect("a symbol");
    Tick { ts, price: Some(price), size: Some(size), symbol, ..Tick::default() }
}

fn heartbeat(ts: Ts) -> Tick {
    Tick { ts, ..Tick::default() }
}

fn builder() -> BarBuilder {
    BarBuilder::new(bar::OPTIONAL.into_iter().collect())
}

fn rows(mut out: BarBuilder) -> Vec<Bar<f64>> {
    let batch = out.finish().expect("a batch");
    let bars = Bars::of(&batch).expect("bars");
    (0..bars.len()).map(|row| bars.get(row)).collect()
}

fn of_ticks(settings: Settings, ticks: &[Tick]) -> Result<Vec<Bar<f64>>, Error> {
    let (mut out, mut bars) = (builder(), TimeBars::new(settings, Calendar::shipped()));
    ticks.iter().try_for_each(|tick| bars.tick(tick, &mut out))?;
    bars.end(&mut out);
    Ok(rows(out))
}

fn of_bars(settings: Settings, finer: &[Bar<f64>]) -> Vec<Bar<f64>> {
    let (mut out, mut bars) = (builder(), TimeBars::new(settings, Calendar::shipped()));
    finer.iter().for_each(|bar| bars.bar(bar, &mut out).expect("a bar"));
    bars.end(&mut out);
    rows(out)
}

fn made(settings: Settings, ticks: &[Tick]) -> Vec<Bar<f64>> {
    of_ticks(settings, ticks).expect("bars")
}

#[test]
fn carries_for_300_s_and_stops() {
    let t = noon();
    for (hole, rows, seg) in [(299, 301, 0), (300, 302, 0), (301, 302, 1), (3600, 302, 1)] {
        // The first bar ends at t + 1 s; the next trade comes so many seconds after.
        let found = made(settings("1s"), &[trade(t, 1.0, 1), trade(t + (1 + hole) * SECOND, 2.0, 1)]);
        assert_eq!((found.len(), found[found.len() - 1].seg), (rows, seg), "after {hole} s");
        for (index, bar) in found[..found.len() - 1].iter().enumerate() {
            assert_eq!(bar.ts, t + (1 + index as i64) * SECOND, "after {hole} s, row {index}");
            assert_eq!((bar.volume, bar.close, bar.seg), (i64::from(index == 0), 1.0, 0));
        }
    }
}

#[test]
fn rows_never_depend_on_what_comes_later() {
    let t = noon();
    let late = made(settings("1s"), &[trade(t, 1.0, 1), heartbeat(t + 1000 * SECOND)]);
    let early = made(settings("1s"), &[trade(t, 1.0, 1), heartbeat(t + 10 * SECOND)]);
    assert_eq!((late.len(), early.len()), (301, 10));
    assert_eq!(late[..10], early[..]);
    assert_eq!(made(settings("1s"), &[heartbeat(t), heartbeat(t + SECOND)]), [], "heartbeats begin nothing");
}

#[test]
fn a_trade_on_the_grid_begins_the_next_bar() {
    let t = noon();
    let found = made(settings("5s"), &[trade(t + 5 * SECOND - 1, 1.0, 1), trade(t + 5 * SECOND, 2.0, 3)]);
    let short: Vec<_> = found.iter().map(|bar| (bar.ts - t, bar.volume, bar.open)).collect();
    assert_eq!(short, [(5 * SECOND, 1, 1.0), (10 * SECOND, 3, 2.0)]);
}

#[test]
fn segments_begin_where_the_market_does() {
    for (before, after, filter, seg) in [
        ("2026-11-20T14:29:59Z", "2026-11-20T14:30:00Z", Filter::All, 0),
        ("2026-11-20T20:59:59Z", "2026-11-20T21:00:00Z", Filter::All, 0),
        ("2021-06-28T20:14:59Z", "2021-06-28T20:16:00Z", Filter::All, 0),
        ("2021-06-25T20:14:59Z", "2021-06-25T20:30:00Z", Filter::All, 1),
        ("2026-11-19T21:59:59Z", "2026-11-19T23:00:00Z", Filter::All, 1),
        ("2026-11-19T20:59:59Z", "2026-11-20T14:30:00Z", Filter::Rth, 1),
        ("2026-11-20T14:29:59Z", "2026-11-20T21:00:00Z", Filter::Eth, 1),
    ] {
        for carry_s in [300, 86_400] {
            let settings = Settings { filter, carry_s, ..settings("1s") };
            let found = made(settings, &[trade(at(before), 1.0, 1), trade(at(after), 1.0, 1)]);
            let last = found[found.len() - 1];
            assert_eq!((last.volume, last.seg), (1, seg), "{before} to {after}, carry {carry_s}");
            // Nothing is carried over a break: its last row is stamped at the end of the session.
            assert!(seg == 0 || found.len() == 2, "{before} to {after}, carry {carry_s}: {found:?}");
        }
    }
    let open = at("2026-11-20T14:30:00Z");
    let ticks = [trade(open - SECOND, 1.0, 1), trade(open, 2.0, 1)];
    let rth = made(Settings { filter: Filter::Rth, ..settings("1s") }, &ticks);
    assert_eq!(rth.iter().map(|bar| (bar.ts, bar.open)).collect::<Vec<_>>(), [(open + SECOND, 2.0)]);
    let eth = made(Settings { filter: Filter::Eth, ..settings("1s") }, &ticks);
    assert_eq!(eth.iter().map(|bar| (bar.ts, bar.open)).collect::<Vec<_>>(), [(open, 1.0)]);
}

#[test]
fn a_roll_begins_a_segment_and_never_goes_back() {
    let t = noon();
    let of = |second: i64, symbol: &str| Tick {
        symbol: symbol.parse().expect("a symbol"),
        ..trade(t + second * SECOND, 1.0, 1)
    };
    let found = made(settings("1s"), &[of(0, "MESZ6"), of(2, "MESH7")]);
    let short: Vec<_> = found.iter().map(|bar| (bar.seg, bar.symbol.as_str())).collect();
    assert_eq!(short, [(0, "MESZ6"), (0, "MESZ6"), (1, "MESH7")]);
    let refused = |ticks: &[Tick]| of_ticks(settings("1s"), ticks).expect_err("refused").to_string();
    let turns = refused(&[of(0, "MESZ6"), of(2, "MESH7"), of(4, "MESZ6")]);
    assert_eq!(turns, "MESZ6 and MESH7 take turns: one instrument a stream");
    let within = refused(&[of(0, "MESZ6"), Tick { ts: t + 1, ..of(0, "MESH7") }]);
    assert_eq!(within, "MESZ6 and MESH7 within one bar: one instrument a stream");
}

#[test]
fn sizes() {
    let t = noon();
    for size in [-1, i64::MIN, i64::MAX] {
        let refused = of_ticks(settings("1s"), &[trade(t, 1.0, size)]).expect_err("refused");
        assert_eq!(refused.to_string(), format!("a trade of size {size}"));
    }
    assert_eq!(made(settings("1s"), &[trade(t, 1.0, 0)]), [], "nothing traded");
    let found = made(settings("1s"), &[trade(t, 1.0, 2), trade(t, 9.0, 0)]);
    assert_eq!((found[0].high, found[0].volume, found[0].trades), (1.0, 2, Some(1)));
}

#[test]
fn vwap_is_the_quotient_rounded_once() {
    let t = noon();
    let quarters = |k: i64| 20_000 + k * k % 17;
    let ticks: Vec<_> = (0..999).map(|k| trade(t + k, quarters(k) as f64 / 4.0, 1 + k % 13)).collect();
    let value: i64 = (0..999).map(|k| quarters(k) * (1 + k % 13)).sum();
    let volume: i64 = (0..999).map(|k| 1 + k % 13).sum();
    assert_eq!(made(settings("1s"), &ticks)[0].vwap, Some(value as f64 / (4 * volume) as f64));
}

#[test]
fn flow_of_intervals_without_a_row_is_in_no_row() {
    let quote = |ts: Ts, size: i64| Tick {
        bid: Some(1.0),
        ask: Some(2.0),
        bid_size: Some(size),
        ask_size: Some(1),
        ..heartbeat(ts)
    };
    let open = at("2026-11-20T14:30:00Z");
    // All night the bid grows; the cash session's first second sees it grow by 2 twice.
    let mut ticks: Vec<_> = (0..100).map(|k| quote(open - (200 - k) * SECOND, k)).collect();
    ticks.extend([quote(open + 1, 101), quote(open + 2, 103), trade(open + 3, 1.0, 1)]);
    let found = made(Settings { filter: Filter::Rth, ..settings("1s") }, &ticks);
    assert_eq!(found[0].ofi, Some(4));
}

/// The queues of the contract before are no part of the flow of the next one.
#[test]
fn flow_begins_anew_at_a_roll() {
    let t = noon();
    let of = |second: i64, symbol: &str, bid: f64, size: i64| Tick {
        symbol: symbol.parse().expect("a symbol"),
        bid: Some(bid),
        ask: Some(bid + 0.25),
        bid_size: Some(size),
        ask_size: Some(1),
        ..trade(t + second * SECOND, bid, 1)
    };
    let quote = |tick: Tick| Tick { price: None, size: None, ..tick };
    let ticks = [
        of(0, "MESZ6", 1.0, 10),
        of(1, "MESH7", 9.0, 70),
        quote(of(1, "", 9.0, 72)),
        of(2, "MESH7", 9.0, 75),
    ];
    let flows: Vec<_> = made(settings("1s"), &ticks).iter().map(|bar| bar.ofi).collect();
    assert_eq!(flows, [Some(0), Some(2), Some(3)]);
}

#[test]
fn absurd_queues_are_refused() {
    let t = noon();
    for size in [-1, i64::MIN, i64::MAX] {
        let quote =
            Tick { bid: Some(1.0), ask: Some(1.25), bid_size: Some(1), ask_size: Some(size), ..heartbeat(t) };
        let refused = of_ticks(settings("1s"), &[quote, quote]).expect_err("refused");
        assert_eq!(refused.to_string(), format!("a quote of size {size}"));
    }
}

#[test]
fn age_is_that_of_the_last_word() {
    let t = noon();
    let quote = Tick { bid: Some(1.0), ask: Some(1.25), ..heartbeat(t + 1_600_000_000) };
    let found = made(settings("1s"), &[trade(t + 250_000_000, 1.0, 1), quote, heartbeat(t + 4 * SECOND)]);
    let ages: Vec<_> = found.iter().map(|bar| bar.age_ms).collect();
    assert_eq!(ages, [Some(750), Some(400), Some(1400), Some(2400)]);
}

#[test]
fn sparse_leaves_out_what_did_not_trade_and_keeps_segments() {
    let ticks = [0, 5, 400, 401].map(|second| trade(noon() + second * SECOND, 1.0, 1));
    let full = made(settings("1s"), &ticks);
    let sparse = made(Settings { sparse: true, ..settings("1s") }, &ticks);
    assert_eq!(sparse, full.into_iter().filter(|bar| bar.volume > 0).collect::<Vec<_>>());
    assert_eq!(sparse.iter().map(|bar| bar.seg).collect::<Vec<_>>(), [0, 0, 1, 1]);
}

#[test]
fn what_trades_outside_sessions_is_kept_under_all_and_counted() {
    let saturday = at("2026-11-21T12:00:00Z");
    let ticks = [trade(saturday, 1.0, 1), trade(saturday + 5 * SECOND, 1.0, 1)];
    for (filter, rows) in [(Filter::All, 2), (Filter::Rth, 0), (Filter::Eth, 0)] {
        let mut out = builder();
        let mut bars = TimeBars::new(Settings { filter, ..settings("1s") }, Calendar::shipped());
        ticks.iter().for_each(|tick| bars.tick(tick, &mut out).expect("a tick"));
        bars.end(&mut out);
        assert_eq!((out.len(), bars.outside()), (rows, rows as u64), "{}", filter.name());
    }
}

type Step = (i64, u8, i64, i64, u8);

/// Ticks with quotes and sides, some after holes well within the carry or well beyond it. (Seconds stop to be carried
/// up to an interval before coarser bars do; a quote in between is seen by the coarser bar alone.)
fn walk(steps: Vec<Step>) -> Vec<Tick> {
    let (mut ts, mut quarters) = (at("2026-11-20T14:20:00.123Z"), 20_000);
    let steps = steps.into_iter().map(|(millis, jump, step, size, what)| {
        ts += millis * 1_000_000 + [100, 700].get(usize::from(jump)).map_or(0, |hole| hole * SECOND);
        quarters += step;
        // A trade ends a hole, for no second carries a quote within one.
        let (size, what) = if jump < 2 { (size + 1, what % 2) } else { (size, what) };
        let price = quarters as f64 / 4.0;
        let quote = Tick {
            bid: Some(price - 0.25),
            ask: Some(price),
            bid_size: Some(size + 1),
            ask_size: Some(21 - size),
            ..heartbeat(ts)
        };
        let traded = trade(ts, price, size);
        match what {
            0 => Tick { side: Some(Side::Buy), ..traded },
            1 => Tick { side: Some(Side::Sell), ..traded },
            2 => Tick { price: Some(price), size: Some(size), symbol: traded.symbol, ..quote },
            _ => quote,
        }
    });
    steps.collect()
}

/// Quotes before a segment's first traded second are in no second; the coarser bar has seen them.
fn without_first_flow(mut bars: Vec<Bar<f64>>) -> Vec<Bar<f64>> {
    let mut seg = None;
    for bar in &mut bars {
        if seg.replace(bar.seg) != Some(bar.seg) {
            bar.ofi = None;
        }
    }
    bars
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default()
    })]

    #[test]
    fn bars_of_bars_are_bars_of_ticks(
        steps in vec((0i64..2_500, 0u8..60, -3i64..4, 0i64..20, 0u8..4), 1..400),
        filter in prop::sample::select(vec![Filter::All, Filter::Rth]),
    ) {
        let mut ticks = walk(steps);
        // Closes the last second, which an input that just ends would leave to the coarser bar alone.
        ticks.push(heartbeat(ticks[ticks.len() - 1].ts + 400 * SECOND));
        let of = |interval| Settings { filter, ..settings(interval) };
        let seconds = made(of("1s"), &ticks);
        prop_assert_eq!(&of_bars(of("1s"), &seconds), &seconds, "bars of bars of the same length");
        for interval in ["5s", "15s", "1m", "5m", "15m"] {
            let direct = without_first_flow(made(of(interval), &ticks));
            let indirect = without_first_flow(of_bars(of(interval), &seconds));
            // After the last row of all, only the ticks or only the seconds may still say that time passed.
            let whole = direct.len().min(indirect.len()).saturating_sub(1);
            prop_assert!(direct.len().abs_diff(indirect.len()) <= 1, "{}", interval);
            for row in 0..whole {
                prop_assert_eq!(&direct[row], &indirect[row], "{}, row {}", interval, row);
            }
        }
    }
}
