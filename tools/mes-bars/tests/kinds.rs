//! Bars by trades against a naive reading of the same ticks, which sees the whole stream at once.

use mes_bars::by::{
    By,
    trades::{Settings, TradeBars},
};
use mes_core::{
    bar::{self, Bar},
    calendar::Calendar,
    dice::Draw,
    order::Side,
    session::Filter,
    tick::Tick,
    time::{self, MILLI, SECOND, Ts},
};
use mes_pipe::{BarBuilder, Bars};

const CARRY_S: i64 = 300;
const KINDS: [(By, i64); 8] = [
    (By::Tick, 1),
    (By::Tick, 37),
    (By::Volume, 100),
    (By::Volume, 1),
    (By::Dollar, 1_000_000),
    (By::Imbalance, 1),
    (By::Imbalance, 40),
    (By::Imbalance, 400),
];

fn at(text: &str) -> Ts {
    time::parse(text).expect("a time")
}

/// When the day of [`ticks`] closes and the next one opens.
fn pause() -> (Ts, Ts) {
    (at("2026-03-04T22:00:00Z"), at("2026-03-04T23:00:00Z"))
}

fn midnight() -> Ts {
    at("2026-03-05T00:00:00Z")
}

/// Makes trades, quotes and heartbeats around a close, with holes, a roll at midnight, and sides where `sided`.
fn ticks(seed: u64, sided: bool) -> Vec<Tick> {
    let mut draw = Draw::of(seed);
    let mut below = |end: u64| draw.bits() % end;
    let (close, open) = pause();
    let mut ts = at("2026-03-04T21:00:00Z");
    let mut price = 5000.0;
    let mut lean = 50;
    let mut ticks = Vec::new();
    while ts < at("2026-03-05T01:00:00Z") {
        ts += match below(1000) {
            0 => (200 + below(300) as i64) * SECOND,
            1..300 => 0,
            _ => below(3000) as i64 * MILLI,
        };
        if (close..open).contains(&ts) {
            ticks.push(Tick { ts, ..Tick::default() });
            ts = open;
        }
        if below(500) == 0 {
            lean = 20 + below(60);
        }
        let up = below(100) < lean;
        if below(3) == 0 {
            price += if up { 0.25 } else { -0.25 };
        }
        let symbol = if ts < midnight() { "MESH6" } else { "MESM6" }.parse().expect("a symbol");
        let trade = below(5) > 0;
        let quote = below(3) == 0;
        let side = if up { Side::Buy } else { Side::Sell };
        ticks.push(Tick {
            ts,
            price: trade.then_some(price),
            size: trade.then(|| below(9) as i64),
            side: (trade && sided && below(10) > 0).then_some(side),
            bid: quote.then_some(price - 0.25),
            ask: quote.then_some(price + 0.25),
            bid_size: quote.then(|| 1 + below(50) as i64),
            ask_size: quote.then(|| 1 + below(50) as i64),
            symbol,
        });
    }
    ticks
}

/// Makes bars, taking what is done out of the builder after one record in `every`.
fn made(kind: By, size: i64, ticks: &[Tick], every: usize) -> Vec<Bar<f64>> {
    let rule = kind.rule(size).expect("a rule");
    let settings = Settings { filter: Filter::All, carry_s: CARRY_S, symbol: None };
    let mut bars = TradeBars::new(settings, Calendar::shipped(), rule);
    let mut builder = BarBuilder::new(bar::OPTIONAL.into_iter().collect());
    let mut rows = Vec::new();
    let mut take = |builder: &mut BarBuilder| {
        let batch = builder.finish().expect("a batch");
        let view = Bars::of(&batch).expect("bars");
        rows.extend((0..view.len()).map(|row| view.get(row)));
    };
    for (index, tick) in ticks.iter().enumerate() {
        bars.tick(tick, &mut builder).expect("a tick");
        if index % every == every - 1 {
            take(&mut builder);
        }
    }
    bars.end(&mut builder);
    take(&mut builder);
    rows
}

/// Splits the trades into segments by looking at neighbours.
fn segments(trades: &[Tick]) -> Vec<Vec<Tick>> {
    let (close, open) = pause();
    let mut segments: Vec<Vec<Tick>> = Vec::new();
    for (index, trade) in trades.iter().enumerate() {
        let begins = index == 0 || {
            let before = &trades[index - 1];
            before.symbol != trade.symbol
                || trade.ts - before.ts > CARRY_S * SECOND
                || (before.ts < close && trade.ts >= open)
        };
        if begins {
            segments.push(Vec::new());
        }
        segments.last_mut().expect("a segment").push(*trade);
    }
    segments
}

/// Splits segments into bars and says of each whether it is complete.
fn groups(kind: By, size: i64, segments: &[Vec<Tick>]) -> Vec<(usize, Vec<Tick>, bool)> {
    let mut groups = Vec::new();
    let mut signs: Vec<f64> = Vec::new();
    let mut counts = vec![size as f64];
    let mut squares = vec![size as f64];
    for (seg, trades) in segments.iter().enumerate() {
        let mut group: Vec<Tick> = Vec::new();
        let mut expected = threshold(kind, size, &signs, &counts, &squares);
        for (index, trade) in trades.iter().enumerate() {
            group.push(*trade);
            let change = if index == 0 {
                0.0
            } else {
                trade.price.expect("a price") - trades[index - 1].price.expect("a price")
            };
            signs.push(match trade.side {
                Some(side) => side.sign() as f64,
                None if change != 0.0 => change.signum(),
                None => signs.last().copied().unwrap_or(0.0),
            });
            let volume: i64 = group.iter().filter_map(|trade| trade.size).sum();
            let theta: f64 = signs[signs.len() - group.len()..].iter().sum();
            let dollars: f64 = group
                .iter()
                .map(|trade| trade.price.expect("a price") * 5.0 * trade.size.expect("a size") as f64)
                .sum();
            let complete = match kind {
                By::Time => false,
                By::Tick => group.len() as i64 == size,
                By::Volume => volume >= size,
                By::Dollar => dollars >= size as f64,
                By::Imbalance => theta.abs() >= expected || group.len() as i64 >= 4 * size,
            };
            if complete {
                counts.push(group.len() as f64);
                squares.push(theta * theta);
                expected = threshold(kind, size, &signs, &counts, &squares);
                groups.push((seg, std::mem::take(&mut group), true));
            }
        }
        if !group.is_empty() {
            groups.push((seg, group, false));
        }
    }
    groups
}

/// Computes the imbalance to reach from all that was seen before.
fn threshold(kind: By, size: i64, signs: &[f64], counts: &[f64], squares: &[f64]) -> f64 {
    if kind != By::Imbalance {
        return f64::MAX;
    }
    let size = size as f64;
    let mean = |values: &[f64], span: f64| {
        let keep = 1.0 - 2.0 / (span + 1.0);
        // Older ones weigh less than the last bit.
        let values = &values[values.len().saturating_sub(30 * span as usize)..];
        let weights = (0..values.len()).rev().map(|age| keep.powi(age as i32));
        let total: f64 = weights.clone().sum();
        let sum: f64 = weights.zip(values).map(|(weight, value)| weight * value).sum();
        if values.is_empty() { 0.0 } else { sum / total }
    };
    let trades = mean(counts, 20.0);
    let spread = mean(squares, 20.0) / trades;
    let expected = trades.clamp((size / 4.0).max(1.0), size * 4.0) * mean(signs, 20.0 * size).abs();
    expected.max((spread * size).sqrt()).max(1.0)
}

/// Computes what a bar of these trades must say; quotes apart.
fn naive(seg: usize, trades: &[Tick], ts: Ts) -> Bar<f64> {
    let prices: Vec<f64> = trades.iter().filter_map(|trade| trade.price).collect();
    let sizes: Vec<i64> = trades.iter().filter_map(|trade| trade.size).collect();
    let volume: i64 = sizes.iter().sum();
    let of = |wanted| {
        let known = trades.iter().filter(|trade| trade.side.is_some());
        let mut sums =
            known.map(|trade| if trade.side == Some(wanted) { trade.size.unwrap_or(0) } else { 0 });
        sums.next().map(|first| first + sums.sum::<i64>())
    };
    let value: f64 = prices.iter().zip(&sizes).map(|(price, size)| price * *size as f64).sum();
    Bar {
        ts,
        open: prices[0],
        high: prices.iter().copied().fold(f64::MIN, f64::max),
        low: prices.iter().copied().fold(f64::MAX, f64::min),
        close: prices[prices.len() - 1],
        volume,
        buy_volume: of(Side::Buy),
        sell_volume: of(Side::Sell),
        trades: Some(trades.len() as i64),
        vwap: Some(value / volume as f64),
        seg: seg as i64,
        symbol: trades[0].symbol,
        ..Bar::default()
    }
}

/// Returns when a bar that was cut short after `last` was known to be.
fn cut_at(last: &Tick, ticks: &[Tick]) -> Ts {
    let (close, _) = pause();
    let hole = last.ts + CARRY_S * SECOND;
    let end = if last.ts < close { hole.min(close) } else { hole };
    let next =
        ticks.iter().find(|tick| tick.price.is_some() && tick.symbol != last.symbol && tick.ts >= last.ts);
    let roll = next.filter(|_| last.ts < midnight()).map_or(Ts::MAX, |tick| tick.ts);
    let eof = ticks.last().expect("a tick").ts;
    end.min(roll).min(eof)
}

#[test]
fn every_kind_equals_a_naive_reading() {
    for (seed, sided) in [(1, true), (2, true), (3, false), (4, false)] {
        let ticks = ticks(seed, sided);
        let trades: Vec<Tick> = ticks.iter().filter(|tick| tick.size.unwrap_or(0) > 0).copied().collect();
        let segments = segments(&trades);
        assert!(segments.len() >= 3, "seed {seed}: {} segments", segments.len());
        for (kind, size) in KINDS {
            let made = made(kind, size, &ticks, 1000);
            let groups = groups(kind, size, &segments);
            let name = format!("seed {seed}, {} of {size}", kind.name());
            assert_eq!(made.len(), groups.len(), "{name}");
            for (row, (bar, (seg, trades, complete))) in made.iter().zip(&groups).enumerate() {
                let last = &trades[trades.len() - 1];
                let ts = if *complete { last.ts } else { cut_at(last, &ticks) };
                let wanted = naive(*seg, trades, ts);
                let bare = Bar {
                    bid: None,
                    ask: None,
                    bid_size: None,
                    ask_size: None,
                    ofi: None,
                    age_ms: None,
                    ..*bar
                };
                assert_eq!(bare, wanted, "{name}, row {row}");
            }
        }
    }
}

#[test]
fn nothing_that_was_traded_is_lost() {
    let ticks = ticks(5, true);
    let volume: i64 = ticks.iter().filter_map(|tick| tick.size).sum();
    for (kind, size) in KINDS {
        let made = made(kind, size, &ticks, 1000);
        assert_eq!(made.iter().map(|bar| bar.volume).sum::<i64>(), volume, "{} of {size}", kind.name());
        assert!(made.windows(2).all(|pair| pair[0].ts <= pair[1].ts), "{} goes back", kind.name());
    }
}

#[test]
fn batches_change_nothing() {
    let ticks = ticks(6, true);
    for (kind, size) in KINDS {
        let whole = made(kind, size, &ticks, usize::MAX);
        for every in [1, 2, 7, 1000] {
            assert!(made(kind, size, &ticks, every) == whole, "{} of {size}, every {every}", kind.name());
        }
    }
}

/// The bars of a stream that was cut anywhere are those of the whole stream, save the one that was open.
#[test]
fn no_bar_depends_on_what_comes_later() {
    let ticks = ticks(7, true);
    for (kind, size) in KINDS {
        let whole = made(kind, size, &ticks, 1000);
        for end in [1, 500, 1777, ticks.len() / 2, ticks.len() - 1] {
            let early = made(kind, size, &ticks[..end], 1000);
            let known = early.len().saturating_sub(1);
            assert_eq!(early[..known], whole[..known], "{} of {size}, {end} ticks", kind.name());
        }
    }
}

#[test]
fn quote_and_flow_of_a_bar_are_those_of_its_records() {
    let ticks = ticks(8, true);
    for bar in made(By::Tick, 20, &ticks, 1000) {
        let known = ticks.iter().take_while(|tick| tick.ts <= bar.ts).filter(|tick| tick.bid.is_some());
        // Records of the same instant that came after the bar may have changed the quote already.
        let candidates: Vec<_> = known.collect();
        let found =
            candidates.iter().rev().take(40).any(|tick| tick.bid == bar.bid && tick.ask_size == bar.ask_size);
        assert!(bar.bid.is_none() || found, "{bar:?}");
        assert!(bar.age_ms.is_some_and(|age| age >= 0));
    }
}

/// Balanced flow gives bars of about `--size` trades; neither calm nor a one-sided hour makes them collapse or explode.
#[test]
fn imbalance_bars_neither_collapse_nor_explode() {
    let mut draw = Draw::of(9);
    let start = at("2026-03-04T15:00:00Z");
    let ticks: Vec<Tick> = (0..60_000)
        .map(|index: i64| {
            let share = if (20_000..40_000).contains(&index) { 95 } else { 50 };
            let side = if draw.bits() % 100 < share { Side::Buy } else { Side::Sell };
            let ts = start + index * 100 * MILLI;
            Tick { ts, price: Some(5000.0), size: Some(1), side: Some(side), ..Tick::default() }
        })
        .collect();
    let made = made(By::Imbalance, 100, &ticks, 1000);
    let counts: Vec<i64> = made.iter().filter_map(|bar| bar.trades).collect();
    let mean = ticks.len() as i64 / counts.len() as i64;
    assert!((70..=150).contains(&mean), "{mean} trades in a bar of 100");
    assert!(counts.iter().all(|count| *count <= 400));
    // The first trades of the one-sided hour come as a surprise: shorter bars.
    let first = made.iter().find(|bar| bar.ts > ticks[20_050].ts).and_then(|bar| bar.trades);
    assert!(first.is_some_and(|trades| trades < 60), "{first:?} trades in the first one-sided bar");
}
