//! Every feature against its formula, computed the slow way from all rows of the segment.

mod reference_values;
mod walk;

use mes_features::set::{Named, Range, TABLE};
use walk::{interval, run, walk, whole_set};

const CASES: [(u64, &str, &str, &[usize]); 5] = [
    // Across 09:30 New York, where the VWAP begins anew; breaks of all lengths around the warm-ups.
    (1, "2026-06-15T13:00:00Z", "1s", &[2500, 1, 61, 62, 14, 200, 1700]),
    (2, "2026-06-15T22:00:07Z", "1s", &[400, 90, 2100]),
    (3, "2026-06-15T12:00:00Z", "5s", &[1500, 70, 800]),
    (4, "2026-06-15T12:00:00Z", "1m", &[700, 30]),
    (5, "2026-06-15T12:00:00Z", "500ms", &[1500, 700]),
];

#[test]
fn every_feature_is_its_formula() {
    for (seed, start, every, segments) in CASES {
        let interval = interval(every);
        let set = whole_set(interval);
        let bars = walk(seed, start, interval, segments);
        let columns = run(&set, interval, &bars, usize::MAX);
        let expected = reference_values::all(&bars, interval);
        for (feature, column) in set.features().iter().zip(&columns) {
            let reference =
                expected.get(feature.name).unwrap_or_else(|| panic!("{}: no reference", feature.name));
            for (row, (&found, &wanted)) in column.iter().zip(reference).enumerate() {
                let place = format!("{} in row {row} of case {seed}: {found} for {wanted}", feature.name);
                assert_eq!(found.is_nan(), wanted.is_nan(), "{place}");
                let f32_rounding = wanted.abs() * 2_f64.powi(-24);
                assert!(
                    found.is_nan() || (f64::from(found) - wanted).abs() <= 1e-12 + f32_rounding,
                    "{place}"
                );
                let least = if feature.range == Range::Unit { 0.0 } else { -1.0 };
                assert!(found.is_nan() || (least..=1.0).contains(&found), "{place}");
            }
        }
    }
}

#[test]
fn features_whose_seconds_the_interval_does_not_divide_are_absent() {
    let names = |text: &str| -> Vec<_> {
        whole_set(interval(text)).features().iter().map(|feature| feature.name).collect()
    };
    assert_eq!(names("1s").len(), TABLE.len());
    let missing = |text| {
        let there = names(text);
        TABLE.iter().map(|feature| feature.name).filter(|name| !there.contains(name)).collect::<Vec<_>>()
    };
    assert_eq!(missing("5s"), ["f_ret_1"]);
    assert_eq!(missing("1m"), ["f_ret_1", "f_ret_5", "f_ret_10", "f_ret_30"]);
    assert_eq!(
        missing("5m"),
        [
            "f_ret_1",
            "f_ret_5",
            "f_ret_10",
            "f_ret_30",
            "f_ret_60",
            "f_m1_trend",
            "f_m1_momentum",
            "f_m1_range"
        ]
    );
}

#[test]
fn the_live_set_needs_no_sizes_of_quotes() {
    let interval = interval("1s");
    let set = whole_set(interval).within(Named::Live);
    let names: Vec<_> = set.features().iter().map(|feature| feature.name).collect();
    let left: Vec<_> =
        TABLE.iter().map(|feature| feature.name).filter(|name| !names.contains(name)).collect();
    assert_eq!(left, ["f_queue", "f_ofi_30", "f_micro"]);
    assert_ne!(set.hash(), whole_set(interval).hash());
}

#[test]
fn warm_up_ends_on_the_row_that_the_table_says() {
    for (every, start, offset) in [
        ("1s", "2026-06-15T14:00:00Z", 0),
        ("1s", "2026-06-15T14:01:30Z", 90),
        ("5s", "2026-06-15T14:02:00Z", 120),
    ] {
        let interval = interval(every);
        let set = whole_set(interval);
        // Whole in every column: what is null is null for want of rows.
        let mut bars = walk(9, start, interval, &[2600]);
        for bar in &mut bars {
            bar.volume = bar.volume.max(1);
            (bar.buy_volume, bar.sell_volume) = (Some(bar.volume), Some(0));
            (bar.bid, bar.ask) = (Some(bar.close), Some(bar.close + 1));
            (bar.bid_size, bar.ask_size, bar.ofi) = (Some(3), Some(4), Some(1));
        }
        for (feature, column) in set.features().iter().zip(run(&set, interval, &bars, 100)) {
            let known = column.iter().position(|value| !value.is_nan()).map(|row| row + 1);
            assert_eq!(known, feature.warm_row(interval, offset), "{} at {every} from {start}", feature.name);
            let later = known.map(|row| column[row..].iter().all(|value| !value.is_nan()));
            assert_eq!(later, Some(true), "{} is null again", feature.name);
        }
    }
}

#[test]
fn a_segment_knows_nothing_of_the_one_before() {
    let interval = interval("1s");
    let set = whole_set(interval);
    let bars = walk(4, "2026-06-15T15:00:00Z", interval, &[700, 900]);
    let both = run(&set, interval, &bars, usize::MAX);
    let alone = run(&set, interval, &bars[700..], usize::MAX);
    for (feature, (both, alone)) in set.features().iter().zip(both.iter().zip(&alone)) {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&both[700..]), bits(alone), "{}", feature.name);
    }
}

#[test]
fn no_row_knows_a_later_one_and_batches_change_nothing() {
    let interval = interval("1s");
    let set = whole_set(interval);
    let bars = walk(6, "2026-06-15T13:10:00Z", interval, &[1300, 80, 900]);
    let whole = run(&set, interval, &bars, usize::MAX);
    let same = |columns: &[Vec<f32>], what: &str| {
        for (feature, (column, whole)) in set.features().iter().zip(columns.iter().zip(&whole)) {
            let differs = column.iter().zip(whole).position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(differs, None, "{} with {what}", feature.name);
        }
    };
    for batch in [1, 7, 63, 64, 65, 1000] {
        same(&run(&set, interval, &bars, batch), &format!("batches of {batch}"));
    }
    let mut chance = walk::Chance(77);
    for _ in 0..25 {
        let k = chance.below(bars.len() as i64) as usize;
        let mut garbage = bars[..k].to_vec();
        garbage.extend(walk(chance.below(1000) as u64, "2027-01-04T15:00:00Z", interval, &[30]));
        for bar in &mut garbage[k..] {
            bar.seg += 1_000;
        }
        let mut columns = run(&set, interval, &garbage, 50);
        columns.iter_mut().for_each(|column| column.truncate(k));
        same(&columns, &format!("garbage after row {k}"));
    }
}
