//! Bars taken by the run are the bars taken one by one, whatever the rows, the settings and the batches.

use mes_bars::by::time::{Settings, TimeBars};
use mes_core::{
    bar::{self, Bar},
    calendar::Calendar,
    session::Filter,
    symbol::Symbol,
    time::{self, SECOND, Ts},
};
use mes_pipe::{BarBuilder, Bars};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

/// Where rows begin: before the cash session, before its end, before the pause of 2021, before the close, on a Saturday.
const STARTS: [&str; 5] = [
    "2026-11-20T14:28:00Z",
    "2026-11-19T20:58:30Z",
    "2021-06-25T20:13:00Z",
    "2026-11-19T21:57:30Z",
    "2026-11-21T12:00:00Z",
];

fn builder(columns: &[&str]) -> BarBuilder {
    BarBuilder::new(columns.iter().copied().collect())
}

fn rows(batch: &arrow_array::RecordBatch, into: &mut Vec<Bar<f64>>) {
    let bars = Bars::of(batch).expect("bars");
    into.extend((0..bars.len()).map(|row| bars.get(row)));
}

/// Bars, and the error that ended them.
type Made = (Vec<Bar<f64>>, Option<String>);

fn one_by_one(settings: Settings, finer: &[Bar<f64>], columns: &[&str]) -> Made {
    let (mut out, mut bars) = (builder(columns), TimeBars::new(settings, Calendar::shipped()));
    let mut each = finer.iter().enumerate();
    let failed =
        each.find_map(|(row, bar)| Some(bars.bar(bar, &mut out).err()?.at(format!("row {row}")).to_string()));
    if failed.is_none() {
        bars.end(&mut out);
    }
    let mut found = Vec::new();
    rows(&out.finish().expect("a batch"), &mut found);
    (found, failed)
}

/// Makes bars of batches, and counts the batches that they came in.
fn by_the_run(settings: Settings, finer: &[Bar<f64>], columns: &[&str], batch_rows: usize) -> (Made, usize) {
    let (mut out, mut bars) = (builder(columns), TimeBars::new(settings, Calendar::shipped()));
    let (mut found, mut batches) = (Vec::new(), 0);
    let mut each = finer.chunks(batch_rows).enumerate();
    let failed = each.find_map(|(index, chunk)| {
        let mut input = builder(columns);
        chunk.iter().for_each(|bar| input.push(bar));
        let batch = input.finish().expect("a batch");
        let keep = |batch: &arrow_array::RecordBatch| {
            rows(batch, &mut found);
            batches += 1;
            Ok(())
        };
        let at = |row: usize| format!("row {}", index * batch_rows + row);
        Some(bars.batch(&batch, &mut out, at, keep).err()?.to_string())
    });
    if failed.is_none() {
        bars.end(&mut out);
    }
    rows(&out.finish().expect("a batch"), &mut found);
    ((found, failed), batches)
}

/// Seconds after the row before, volume, change of price, what is odd about the row.
type Step = (u8, u8, i8, u8);

fn seconds(start: &str, steps: &[Step]) -> Vec<Bar<f64>> {
    let mut ts: Ts = time::parse(start).expect("a time");
    let (mut quarters, mut month) = (20_000_i64, 0);
    let mut finer: Vec<Bar<f64>> = Vec::new();
    for &(gap, volume, change, odd) in steps {
        // Mostly the next second, at times the same one or one after a hole.
        ts += SECOND
            * match gap {
                0..=2 => i64::from(gap) * 170,
                3 => 2,
                4 => 0,
                _ => 1,
            };
        month += i64::from(odd == 1);
        let last = quarters;
        quarters += i64::from(change);
        let traded = volume > 80;
        // What did not trade stands still, as mes-bars would have it; now and then it does not.
        let still = if traded || odd == 2 { quarters } else { last };
        quarters = still;
        let price = |quarters: i64| quarters as f64 / 4.0;
        let count = if traded { i64::from(volume) } else { 0 };
        let symbol: Symbol = ["MESZ6", "MESH7", "MESM7"][(month as usize).min(2)].parse().expect("a symbol");
        finer.push(Bar {
            ts,
            open: price(last),
            high: price(last.max(still)),
            low: price(last.min(still)),
            close: price(still),
            volume: count,
            buy_volume: (odd != 3).then_some(count / 3),
            sell_volume: (odd != 3).then_some(count - count / 3),
            trades: Some(if odd == 4 { 1 } else { count }),
            bid: Some(price(still)),
            ask: (odd != 5).then_some(price(still + 1)),
            bid_size: Some(i64::from(volume)),
            ask_size: Some(7),
            ofi: (!(6..20).contains(&odd)).then_some(i64::from(change)),
            vwap: (traded && odd != 7).then_some(price(last) + 0.013),
            age_ms: (!(8..30).contains(&odd)).then_some(i64::from(volume)),
            seg: 0,
            symbol,
        });
    }
    finer
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000, failure_persistence: None, rng_seed: RngSeed::Fixed(11), ..ProptestConfig::default()
    })]

    #[test]
    fn runs_change_nothing(
        steps in vec((0u8..=255, 0u8..=255, -2i8..3, 0u8..=255), 1..500),
        (start, filter, interval, sparse, carry_s) in (
            0usize..STARTS.len(),
            prop::sample::select(vec![Filter::All, Filter::Rth, Filter::Eth]),
            prop::sample::select(vec!["1s", "1s", "1s", "5s", "1h"]),
            prop::bool::weighted(0.2),
            prop::sample::select(vec![0i64, 3, 300]),
        ),
        batch_rows in 30usize..300,
        (few, renamed) in (prop::bool::ANY, prop::bool::weighted(0.3)),
    ) {
        let symbol = renamed.then(|| "ES".parse().expect("a symbol"));
        let settings = Settings { interval: interval.parse().expect("an interval"), filter, carry_s, sparse, symbol };
        let columns = if few { &[][..] } else { &bar::OPTIONAL };
        let finer = seconds(STARTS[start], &steps);
        let finer: Vec<_> = if few { finer.into_iter().map(plain).collect() } else { finer };
        let wanted = one_by_one(settings, &finer, columns);
        let (found, _) = by_the_run(settings, &finer, columns, batch_rows);
        prop_assert_eq!(&found.1, &wanted.1);
        for (row, (found, wanted)) in found.0.iter().zip(&wanted.0).enumerate() {
            prop_assert_eq!(found, wanted, "row {}", row);
        }
        prop_assert_eq!(found.0.len(), wanted.0.len());
    }
}

/// Leaves a bar what every bar has.
fn plain(bar: Bar<f64>) -> Bar<f64> {
    let Bar { ts, open, high, low, close, volume, symbol, .. } = bar;
    Bar { ts, open, high, low, close, volume, symbol, ..Bar::default() }
}

/// The property above would hold of a way that is never taken.
#[test]
fn runs_are_taken() {
    let steps = vec![(9u8, 200u8, 1i8, 99u8); 400];
    let finer = seconds(STARTS[0], &steps);
    let settings = Settings {
        interval: "1s".parse().expect("an interval"),
        filter: Filter::Rth,
        carry_s: 300,
        sparse: false,
        symbol: None,
    };
    let (found, batches) = by_the_run(settings, &finer, &bar::OPTIONAL, 100);
    assert_eq!(found, one_by_one(settings, &finer, &bar::OPTIONAL));
    // 120 rows before the cash session are dropped; the first after them goes the long way.
    assert_eq!((found.0.len(), batches), (280, 4));
}

#[test]
fn a_volume_that_cannot_be_is_found_in_dropped_rows_too() {
    let mut finer = seconds(STARTS[0], &[(9, 200, 1, 99); 100]);
    finer[70].volume = -1;
    let settings = Settings {
        interval: "1s".parse().expect("an interval"),
        filter: Filter::Rth,
        carry_s: 300,
        sparse: false,
        symbol: None,
    };
    let mut input = builder(&[]);
    finer.iter().for_each(|bar| input.push(bar));
    let mut bars = TimeBars::new(settings, Calendar::shipped());
    let mut out = builder(&[]);
    let batch = input.finish().expect("a batch");
    let refused = bars.batch(&batch, &mut out, |row| format!("row {row}"), |_| Ok(()));
    assert_eq!(refused.expect_err("refused").to_string(), "row 70: a bar of volume -1");
}
