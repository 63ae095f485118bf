//! The market in units against a naive computation that looks at all rows so far, and its state written down and taken
//! up again.

use mes_core::{
    bar::Bar,
    market::Market,
    minutes::{MINUTES, Minute, Minutes, Swing},
    price::Price,
    time::{MINUTE, SECOND, Ts},
};
use proptest::{prelude::*, test_runner::RngSeed};

/// A row as it follows from the one before: so many seconds later, perhaps after a break.
#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    breaks: bool,
    up: i64,
    down: i64,
    close: i64,
    volume: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![300 => Just(1_i64), 10 => 2..90_i64, 1 => 90..700_i64];
    (seconds, 0..2000_i32, 0..4_i64, 0..4_i64, -3..4_i64, 0..50_i64).prop_map(
        |(seconds, breaks, up, down, close, volume)| Step {
            seconds,
            breaks: breaks == 0,
            up,
            down,
            close,
            volume,
        },
    )
}

/// Rows of `length` times a second, on that grid.
fn bars(steps: &[Step], start: i64, length: i64) -> Vec<Bar> {
    let mut ts = (1_760_000_000 + start) / length * length * SECOND;
    let (mut ticks, mut seg) = (20_000, 7);
    let mut bars = Vec::new();
    for step in steps {
        ts += step.seconds * length * SECOND;
        seg += i64::from(step.breaks);
        let close = ticks + step.close;
        let (high, low) = (ticks.max(close) + step.up, ticks.min(close) - step.down);
        let [open, high, low, close] = [ticks, high, low, close].map(Price::from_ticks);
        bars.push(Bar { ts, open, high, low, close, volume: step.volume, seg, ..Bar::default() });
        ticks += step.close;
    }
    bars
}

/// The unbroken stretches of rows.
fn stretches(bars: &[Bar]) -> Vec<&[Bar]> {
    bars.chunk_by(|a, b| a.seg == b.seg && b.ts - a.ts <= 5 * MINUTE).collect()
}

/// Every whole minute of a stretch whose end is known at its last row, with the close before where a minute has none.
fn minutes(rows: &[Bar], row_ns: i64) -> Vec<Minute> {
    let (first, last) = (rows[0].ts - row_ns, rows[rows.len() - 1].ts);
    let mut begin = (first + MINUTE - 1).div_euclid(MINUTE) * MINUTE;
    let mut minutes = Vec::new();
    while begin + MINUTE <= last {
        let within = |row: &&Bar| begin < row.ts && row.ts <= begin + MINUTE;
        let inside: Vec<_> = rows.iter().filter(within).collect();
        // A minute without a row at its end is over when a later row comes.
        let ended = inside.last().is_some_and(|row| row.ts == begin + MINUTE) || last > begin + MINUTE;
        if ended {
            let before = rows.iter().rev().find(|row| row.ts <= begin).map_or(0, |row| row.close.ticks());
            let of =
                |value: fn(&Bar) -> Price| inside.iter().map(|row| value(row).ticks()).collect::<Vec<_>>();
            minutes.push(Minute {
                high: of(|row| row.high).into_iter().max().unwrap_or(before),
                low: of(|row| row.low).into_iter().min().unwrap_or(before),
                close: of(|row| row.close).last().copied().unwrap_or(before),
                volume: inside.iter().map(|row| row.volume).sum(),
            });
        }
        begin += MINUTE;
    }
    minutes
}

/// All averages of a stretch: a plain mean of 14 true ranges, then Wilder's recursion.
fn averages(minutes: &[Minute]) -> Vec<f64> {
    let range = |k: usize| {
        let Minute { high, low, .. } = minutes[k];
        let before = if k == 0 { high } else { minutes[k - 1].close };
        let reach = if k == 0 { 0 } else { (high - before).abs().max((low - before).abs()) };
        (high - low).max(reach) as f64
    };
    let mut averages = Vec::new();
    for k in 13..minutes.len() {
        averages.push(match averages.last() {
            None => (0..14).map(range).sum::<f64>() / 14.0,
            Some(last) => (last * 13.0 + range(k)) / 14.0,
        });
    }
    averages
}

fn close_to(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-5,
        (a, b) => a == b,
    }
}

fn check(market: &Market, bars: &[Bar], row_ns: i64) {
    let stretches = stretches(bars);
    let now = stretches[stretches.len() - 1];
    let here = minutes(now, row_ns);
    let mut all: Vec<f64> = stretches.iter().flat_map(|rows| averages(&minutes(rows, row_ns))).collect();
    assert!(close_to(market.minutes.atr_ticks(), averages(&here).last().copied()));
    let latest = all.split_off(all.len().saturating_sub(390));
    let normal = (latest.len() >= 30).then(|| latest.iter().sum::<f64>() / latest.len() as f64);
    assert!(
        close_to(market.minutes.atr_normal_ticks(), normal),
        "{:?} {normal:?}",
        market.minutes.atr_normal_ticks()
    );

    let last: Ts = bars[bars.len() - 1].ts;
    let sum = now.iter().filter(|row| row.ts > last - MINUTE).map(|row| row.volume).sum::<i64>();
    let begun = now[0].ts - row_ns;
    assert_eq!(market.volume(), (last - begun >= MINUTE).then_some(sum));
    let every: Vec<_> = stretches.iter().flat_map(|rows| minutes(rows, row_ns)).collect();
    let recent = &every[every.len().saturating_sub(MINUTES)..];
    let usual = recent.iter().map(|minute| minute.volume).sum::<i64>() as f64 / MINUTES as f64;
    assert_eq!(market.minutes.volume_normal(), (recent.len() == MINUTES).then_some(usual));

    let whole = here.last().map(|minute| Swing { low: minute.low, high: minute.high });
    assert_eq!(market.minutes.last_minute(), whole);
    for length in [1, 5] {
        let swing = (here.len() >= length).then(|| {
            // The rows of the minutes asked for and of the minute that has begun.
            let ended = (last - 1).div_euclid(MINUTE) * MINUTE;
            let ended = if last % MINUTE == 0 { last } else { ended };
            let rows = now.iter().filter(|row| row.ts > ended);
            let rows = rows.map(|row| (row.low.ticks(), row.high.ticks()));
            let minutes = here[here.len() - length..].iter().map(|minute| (minute.low, minute.high));
            let none = (i64::MAX, i64::MIN);
            let (low, high) = rows.chain(minutes).fold(none, |(l, h), (low, high)| (l.min(low), h.max(high)));
            Swing { low, high }
        });
        assert_eq!(market.minutes.swing(length), swing, "{length} minutes");
    }
}

fn walk(steps: &[Step], start: i64, length: i64, every: usize) {
    let bars = bars(steps, start, length);
    let mut market = Market::default();
    for (k, bar) in bars.iter().enumerate() {
        market.push(bar, length * SECOND);
        if k % every == every - 1 || k + 1 == bars.len() {
            check(&market, &bars[..=k], length * SECOND);
            let text = serde_json::to_string(&market).expect("text");
            assert_eq!(serde_json::from_str::<Market>(&text).expect("a market"), market, "written down");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn is_what_a_look_at_all_rows_gives(
        steps in prop::collection::vec(step(), 1..1500),
        start in 0..120_i64,
        length in prop::sample::select(vec![1_i64, 5, 30, 60]),
    ) {
        walk(&steps, start, length, 97);
    }
}

/// Hours without a break, so that the normal is full and lets go of its oldest.
#[test]
fn a_day_of_minutes() {
    let steps: Vec<_> = (0..600_i64)
        .map(|k| Step { seconds: 1, breaks: k == 500, up: k % 7, down: k % 5, close: k % 3 - 1, volume: k })
        .collect();
    walk(&steps, 0, 60, 50);
}

#[test]
fn rows_that_do_not_fill_a_minute_evenly_say_nothing() {
    let mut market = Market::default();
    for row in 1..1000 {
        let bar = Bar { ts: row * 7 * SECOND, volume: 1, ..Bar::default() };
        market.push(&bar, 7 * SECOND);
    }
    assert_eq!(market.minutes, Minutes::default());
    assert_eq!((market.minutes.atr_ticks(), market.volume()), (None, None));
}
