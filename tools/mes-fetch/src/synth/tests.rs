//! Made-up markets are in session, on the grid, the same again, and as predictable as they claim.

use super::*;
use mes_core::{
    price::Price,
    session::{Part, Sessions},
    time::{MINUTE, SECOND, Ts},
};

fn market(from: &str, until: &str, edge: f64) -> Synthetic {
    let date = |text: &str| text.parse().expect("a date");
    Synthetic {
        calendar: Calendar::shipped(),
        from: date(from),
        until: date(until),
        filter: Filter::All,
        seed: 1,
        nature: Nature { contract: Contract::Mes, edge, bounce: true },
    }
}

fn bars(market: &Synthetic) -> Vec<Bar<f64>> {
    let mut bars = Vec::new();
    let keep = |bar: &Bar<f64>| {
        bars.push(*bar);
        Ok(())
    };
    market.bars(keep).expect("nothing to fail");
    bars
}

#[test]
fn the_same_seed_makes_the_same_market() {
    let one = || market("2026-11-19", "2026-11-20", 0.3);
    assert_eq!(bars(&one()), bars(&one()));
    assert_ne!(bars(&one()), bars(&Synthetic { seed: 2, ..one() }));
}

#[test]
fn a_day_does_not_depend_on_the_days_before() {
    let alone = bars(&market("2026-11-20", "2026-11-20", 0.3));
    let mut last = bars(&market("2026-11-17", "2026-11-20", 0.3));
    last.drain(..last.len() - alone.len());
    assert!(last[0].seg > alone[0].seg);
    let without_seg = |bars: &[Bar<f64>]| bars.iter().map(|bar| Bar { seg: 0, ..*bar }).collect::<Vec<_>>();
    assert_eq!(without_seg(&last), without_seg(&alone));
}

#[test]
fn the_cash_session_is_a_part_of_the_day() {
    let whole = market("2026-11-20", "2026-11-20", 0.3);
    let mut sessions = Sessions::new(Calendar::shipped());
    let expected: Vec<Bar<f64>> =
        bars(&whole).into_iter().filter(|bar| sessions.of_bar(bar.ts) == Part::Rth).collect();
    let cash = bars(&Synthetic { filter: Filter::Rth, ..whole });
    assert_eq!(expected.len(), cash.len());
    assert!(expected.iter().zip(&cash).all(|(a, b)| a.ts == b.ts && a.vwap == b.vwap));
    assert!(cash.iter().all(|bar| bar.seg == 1));
}

#[test]
fn bars_keep_the_rules() {
    // Whole weeks with the pause of 2021, an early close, holidays and both clock changes.
    for (from, until) in
        [("2021-06-23", "2021-06-29"), ("2025-11-26", "2025-12-01"), ("2026-03-05", "2026-03-10")]
    {
        let mut sessions = Sessions::new(Calendar::shipped());
        let bars = bars(&market(from, until, 0.3));
        for bar in &bars {
            assert!(!matches!(sessions.of_bar(bar.ts), Part::Closed | Part::Pause), "{bar:?}");
            let price = |price: Option<f64>| price.expect("a price");
            for price in [bar.open, bar.high, bar.low, bar.close, price(bar.bid), price(bar.ask)] {
                Price::of(price).expect("on the grid");
            }
            assert!(bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close), "{bar:?}");
            assert!((bar.low..=bar.high).contains(&price(bar.vwap)));
            assert!((1..=2).contains(&Price::of(price(bar.ask) - price(bar.bid)).expect("a spread").ticks()));
            assert_eq!(bar.buy_volume.zip(bar.sell_volume).map(|(buy, sell)| buy + sell), Some(bar.volume));
            assert!(bar.volume >= bar.trades.unwrap_or_default() && bar.trades > Some(0));
            assert!(bar.bid_size > Some(0) && bar.ask_size > Some(0) && bar.ts % SECOND == 0);
        }
        assert!(bars.windows(2).all(|pair| pair[0].ts < pair[1].ts && pair[1].seg - pair[0].seg <= 1));
    }
}

#[test]
fn ticks_are_in_order_and_trade_at_the_quote() {
    let mut last = Ts::MIN;
    let each = |end: Ts, ticks: &[Tick]| {
        for tick in ticks {
            assert!(last <= tick.ts && (end - SECOND..end).contains(&tick.ts));
            last = tick.ts;
            let (bid, ask) = tick.bid.zip(tick.ask).expect("a quote");
            assert!(bid < ask && tick.price.is_none_or(|price| price <= bid || price >= ask));
            assert!(
                tick.price.is_none() == tick.size.is_none() && tick.price.is_none() == tick.side.is_none()
            );
        }
        Ok(())
    };
    market("2026-11-20", "2026-11-20", 1.0).seconds(each).expect("nothing to fail");
}

/// What each second of a cash session ends with; prices in ticks.
#[derive(Clone, Copy, Default)]
struct End {
    mid: f64,
    last: f64,
    /// The sum of signed volume so far.
    delta: f64,
    /// Contracts at the bid less those at the ask.
    queue: f64,
}

#[derive(Default)]
struct Cash {
    ends: Vec<End>,
    traded: usize,
}

fn cash_sessions(edge: f64, bounce: bool) -> Vec<Cash> {
    let whole = market("2026-08-31", "2026-11-20", edge);
    let all =
        Synthetic { filter: Filter::Rth, nature: Nature { contract: Contract::Mes, edge, bounce }, ..whole };
    let mut sessions = Sessions::new(Calendar::shipped());
    let mut days: Vec<Cash> = Vec::new();
    let mut end = 0;
    all.bars(|bar| {
        let (open, close) = sessions.day_of_bar(bar.ts).and_then(|day| day.rth).expect("cash");
        if end != close {
            end = close;
            days.push(Cash::default());
        }
        let day = days.last_mut().expect("a day");
        let before = day.ends.last().copied().unwrap_or_default();
        day.ends.resize(((bar.ts - open) / SECOND) as usize - 1, before);
        let (bid, ask) = bar.bid.zip(bar.ask).expect("a quote");
        day.ends.push(End {
            mid: (bid + ask) * 2.0,
            last: bar.close * 4.0,
            delta: before.delta + (2 * bar.buy_volume.unwrap_or_default() - bar.volume) as f64,
            queue: (bar.bid_size.unwrap_or_default() - bar.ask_size.unwrap_or_default()) as f64,
        });
        day.traded += 1;
        Ok(())
    })
    .expect("nothing to fail");
    days
}

/// The t value of the slope of `pairs`.
fn t_value(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|p| f(p.0 - mx, p.1 - my)).sum::<f64>();
    let r = sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    r * ((n - 2.0) / (1.0 - r * r)).sqrt()
}

/// t of how far a price goes in the next `seconds` on what is known now, without overlaps.
fn foretold(days: &[Cash], seconds: usize, price: fn(&End) -> f64, known: impl Fn(&End, &End) -> f64) -> f64 {
    let mut pairs = Vec::new();
    for Cash { ends, .. } in days {
        for now in (60..ends.len() - seconds).step_by(seconds) {
            let next = price(&ends[now + seconds]) - price(&ends[now]);
            pairs.push((known(&ends[now - seconds], &ends[now]), next));
        }
    }
    t_value(&pairs)
}

/// t of the mid price's next 30 s on its last 30 s, and on the volume delta of those.
fn mid_foretold(edge: f64) -> (f64, f64) {
    let days = cash_sessions(edge, true);
    let by = |known: fn(&End) -> f64| foretold(&days, 30, |end| end.mid, |from, to| known(to) - known(from));
    (by(|end| end.mid), by(|end| end.delta))
}

#[test]
fn without_the_edge_the_past_says_nothing() {
    let (by_return, by_delta) = mid_foretold(0.0);
    assert!(by_return.abs() < 4.0 && by_delta.abs() < 4.0, "{by_return} {by_delta}");
}

#[test]
fn with_the_edge_order_flow_foretells() {
    let (by_return, by_delta) = mid_foretold(0.5);
    assert!(by_return > 4.0 && by_delta > 10.0, "{by_return} {by_delta}");
    let (_, strong) = mid_foretold(1.0);
    assert!(strong > 1.5 * by_delta, "{strong} {by_delta}");
}

/// Last prices turn back after a second because they bounce, and where they do not, nothing foretells them.
#[test]
fn without_edge_and_bounce_the_past_says_nothing_of_the_last_price() {
    let last = |end: &End| end.last;
    let turned = |days: &[Cash]| foretold(days, 1, last, |from, to| to.last - from.last);
    let bouncing = turned(&cash_sessions(0.0, true));
    assert!(bouncing < -20.0, "{bouncing}");

    let days = cash_sessions(0.0, false);
    let found = [
        turned(&days),
        foretold(&days, 1, last, |from, to| to.delta - from.delta),
        foretold(&days, 1, last, |_, to| to.queue),
        foretold(&days, 1, last, |_, to| to.mid - to.last),
        foretold(&days, 30, last, |from, to| to.last - from.last),
        foretold(&days, 30, last, |from, to| to.delta - from.delta),
        foretold(&days, 30, last, |_, to| to.queue),
        foretold(&days, 30, last, |_, to| to.mid - to.last),
    ];
    assert!(found.iter().all(|t| t.abs() < 4.0), "{found:?}");

    let planted = foretold(&cash_sessions(1.0, false), 30, last, |from, to| to.delta - from.delta);
    assert!(planted > 15.0, "{planted}");
}

#[test]
fn the_bounce_is_in_the_prices_alone() {
    let ticks = |bounce| {
        let mut all = Vec::new();
        let whole = market("2026-11-20", "2026-11-20", 0.5);
        let each = |_, ticks: &[Tick]| {
            all.extend_from_slice(ticks);
            Ok(())
        };
        let one = Synthetic {
            nature: Nature { contract: Contract::Mes, edge: 0.5, bounce },
            filter: Filter::Rth,
            ..whole
        };
        one.seconds(each).expect("nothing to fail");
        all
    };
    let (with, without) = (ticks(true), ticks(false));
    assert_eq!(with.len(), without.len());
    let far = |(one, other): (&Tick, &Tick)| {
        assert_eq!(Tick { price: None, ..*one }, Tick { price: None, ..*other });
        Some((one.price? - other.price?).abs() / mes_core::price::TICK)
    };
    let far: Vec<_> = with.iter().zip(&without).filter_map(far).collect();
    assert!(far.iter().all(|ticks| *ticks <= 2.0) && far.iter().any(|ticks| *ticks > 0.0));
}

#[test]
fn a_cash_session_is_like_life() {
    let days = cash_sessions(0.5, true);
    let seconds: f64 = days.iter().map(|day| day.ends.len() as f64).sum();
    let share = days.iter().map(|day| day.traded as f64).sum::<f64>() / seconds;
    assert!((0.45..0.75).contains(&share), "{share}");
    let moves = days.iter().flat_map(|day| day.ends.iter().zip(&day.ends[30..]).skip(30));
    let far = moves.filter(|(from, to)| (to.last - from.last).abs() > 3.0).count() as f64 / seconds;
    assert!((0.05..0.15).contains(&far), "{far}");
}

#[test]
fn the_night_is_quiet() {
    let night = bars(&Synthetic { filter: Filter::Eth, ..market("2026-11-16", "2026-11-20", 0.3) });
    let share = night.len() as f64 / (5.0 * 16.5 * 3600.0);
    assert!((0.12..0.33).contains(&share), "{share}");
    assert!(night.windows(2).any(|pair| pair[1].ts - pair[0].ts > MINUTE));
}

#[test]
fn names_the_contract_of_the_day() {
    let symbol = |date| bars(&market(date, date, 0.0))[0].symbol.to_string();
    assert_eq!(symbol("2026-11-20"), "MESZ6");
    assert_eq!(symbol("2026-12-18"), "MESH7");
}

#[test]
fn counts_sessions_by_the_calendar() {
    let span = |sessions, from: Option<&str>, until: Option<&str>| {
        let date = |text: Option<&str>| text.map(|text| text.parse().expect("a date"));
        let args = Args {
            contract: Contract::Mes,
            sessions,
            from: date(from),
            until: date(until),
            seed: 1,
            edge: 0.0,
            no_bounce: false,
            ticks: false,
            session: Session::All,
            output: OutputArgs::default(),
        };
        let found = super::span(&args, &Calendar::shipped());
        found.map(|(from, until)| format!("{from} {until}")).map_err(|error| error.code())
    };
    assert_eq!(span(Some(2), None, None), Ok("2026-11-19 2026-11-20".into()));
    // Christmas 2025 is no session, nor is a weekend.
    assert_eq!(span(Some(3), None, Some("2025-12-28")), Ok("2025-12-23 2025-12-28".into()));
    assert_eq!(span(Some(2), Some("2025-12-24"), None), Ok("2025-12-24 2025-12-26".into()));
    assert_eq!(span(None, Some("2025-12-24"), Some("2025-12-24")), Ok("2025-12-24 2025-12-24".into()));
    assert_eq!(span(Some(1), Some("2025-12-24"), Some("2025-12-24")), Err(2));
    assert_eq!(span(None, Some("2025-12-24"), Some("2025-12-23")), Err(2));
    assert_eq!(span(Some(9999), None, None), Err(2));
    assert_eq!(span(None, Some("2018-12-24"), Some("2025-12-24")), Err(2));
}
