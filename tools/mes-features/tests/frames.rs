//! Golden days of the higher time frames: at every row the features tell the bar of a minute, or of five, that was
//! whole and over by then, around the open of 09:30, on days on which clocks change, and where a half day ends.

mod walk;

use mes_core::{bar::Bar, price::Price, time};
use mes_features::set::Set;
use walk::{all_columns, interval, run};

/// Ticks that minute k of a market gains: no two neighbours alike.
const GAINS: [i64; 12] = [3, -2, 1, -3, 2, 0, -1, 3, -3, 1, 2, -2];

/// Bars of 1 s from the second after `start`. Every minute of the clock gains its share of [`GAINS`] in its second 30,
/// and stands one tick higher for its second 10.
fn market(start: &str, rows: i64, seg: i64) -> Vec<Bar> {
    let start = time::parse(start).expect("a time");
    let mut close = 16_000;
    let mut bars = Vec::new();
    for k in 1..=rows {
        let ts = start + k * time::SECOND;
        let second = (ts / time::SECOND - 1).rem_euclid(60);
        let open = close;
        if second == 30 {
            close += gain(ts);
        }
        let price = Price::from_ticks;
        let (high, low) = (open.max(close) + i64::from(second == 10), open.min(close));
        bars.push(Bar {
            ts,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: 1,
            seg,
            ..Bar::default()
        });
    }
    bars
}

/// What the minute that holds the bar stamped `ts` gains.
fn gain(ts: i64) -> i64 {
    let minute = (ts - 1).div_euclid(time::MINUTE);
    GAINS[minute.rem_euclid(12) as usize]
}

/// What the features say in ticks, by row: C − O and R of the last minute, C − O of the last five; `None` is null.
fn told(bars: &[Bar]) -> Vec<[Option<i64>; 3]> {
    let second = interval("1s");
    let names = ["f_sigma", "f_m1_trend", "f_m1_range", "f_m5_trend"].map(str::to_owned);
    let set = Set::choose(second, all_columns(), &names, &[]).expect("a set");
    let columns = run(&set, second, bars, usize::MAX);
    let rows = 0..bars.len();
    rows.map(|row| {
        let [sigma, trend, range, long] = [0, 1, 2, 3].map(|column| f64::from(columns[column][row]));
        let typical = 4.0 * (4.0 * sigma / (1.0 - sigma));
        let whole = |x: f64| {
            (!x.is_nan()).then(|| {
                assert!((x - x.round()).abs() < 0.01, "row {row}: {x} ticks");
                x.round() as i64
            })
        };
        let minute = typical * 60_f64.sqrt();
        [whole(trend * minute), whole(range / (1.0 - range) * minute), whole(long * typical * 300_f64.sqrt())]
    })
    .collect()
}

/// What is true at a row: the gains of the minutes that were whole in the segment and over.
fn truth(bars: &[Bar], row: usize) -> [Option<i64>; 3] {
    // σ is the yardstick and takes 61 rows.
    if row < 60 {
        return [None; 3];
    }
    let begun = bars[0].ts - time::SECOND;
    let over = |length: i64| {
        let end = bars[row].ts.div_euclid(length) * length;
        (end - length >= begun).then_some(end)
    };
    let minute = over(time::MINUTE).map(gain);
    // The tick above the open of second 10, or more where the minute gains.
    let range = minute.map(|gain| if gain > 0 { gain } else { 1 - gain });
    let five = over(5 * time::MINUTE).map(|end| (0..5).map(|k| gain(end - k * time::MINUTE)).sum());
    [minute, range, five]
}

/// Checks every row, and the rows of `golden`: stamp, minute, range, five minutes, worked out by hand from [`GAINS`].
fn holds(bars: &[Bar], golden: &[(&str, [Option<i64>; 3])]) {
    let told = told(bars);
    for (row, told) in told.iter().enumerate() {
        assert_eq!(*told, truth(bars, row), "row {row}, {}", time::format(bars[row].ts));
    }
    for (stamp, wanted) in golden {
        let ts = time::parse(stamp).expect("a time");
        let row = bars.iter().position(|bar| bar.ts == ts).expect("the row");
        assert_eq!(told[row], *wanted, "{stamp}");
    }
}

#[test]
fn the_night_runs_into_the_open() {
    // 09:20 to 09:42 New York in one segment, as without a session filter. Minute 13:28 UTC is number 28 of the hour,
    // and 60 divides by 12, so it gains GAINS[28 % 12 = 4] = 2.
    let bars = market("2026-06-15T13:20:00Z", 1320, 1);
    holds(
        &bars,
        &[
            ("2026-06-15T13:29:59Z", [Some(2), Some(2), Some(1)]),
            // The minute from 09:29 is over, and so are the five from 09:25: -2 + 1 - 3 + 2 + 0 = -2.
            ("2026-06-15T13:30:00Z", [Some(0), Some(1), Some(-2)]),
            ("2026-06-15T13:30:59Z", [Some(0), Some(1), Some(-2)]),
            ("2026-06-15T13:31:00Z", [Some(-1), Some(2), Some(-2)]),
            ("2026-06-15T13:35:00Z", [Some(2), Some(2), Some(2)]),
        ],
    );
}

#[test]
fn the_cash_session_begins_anew() {
    // The first row ends at 09:30:01; its first minute is whole, at 09:31:00, but σ needs one row more.
    let bars = market("2026-06-15T13:30:00Z", 700, 1);
    holds(
        &bars,
        &[
            ("2026-06-15T13:31:00Z", [None, None, None]),
            ("2026-06-15T13:31:01Z", [Some(-1), Some(2), None]),
            ("2026-06-15T13:34:59Z", [Some(1), Some(1), None]),
            ("2026-06-15T13:35:00Z", [Some(2), Some(2), Some(2)]),
        ],
    );
    // A segment that begins late has no minute before its first whole one.
    let bars = market("2026-06-15T13:30:20Z", 400, 1);
    holds(
        &bars,
        &[("2026-06-15T13:31:59Z", [None, None, None]), ("2026-06-15T13:32:00Z", [Some(3), Some(3), None])],
    );
}

#[test]
fn the_sessions_of_days_on_which_clocks_change() {
    // 18:00 New York is 22:00 UTC on the Sunday in March and 23:00 on that in November.
    for (start, first, five) in [
        ("2026-03-08T22:00:00Z", "2026-03-08T22:01:01Z", "2026-03-08T22:05:00Z"),
        ("2026-11-01T23:00:00Z", "2026-11-01T23:01:01Z", "2026-11-01T23:05:00Z"),
    ] {
        let bars = market(start, 660, 1);
        // Minutes 0 to 4: 3 - 2 + 1 - 3 + 2 = 1.
        holds(&bars, &[(first, [Some(3), Some(3), None]), (five, [Some(2), Some(2), Some(1)])]);
    }
}

#[test]
fn a_half_day_ends_with_its_last_bar_and_nothing_of_it_stays() {
    // 13:00 to 13:15 New York on the day after Thanksgiving; Sunday's session is another segment.
    let mut bars = market("2025-11-28T18:00:00Z", 900, 1);
    holds(
        &bars,
        &[
            ("2025-11-28T18:14:59Z", [Some(-2), Some(3), Some(0)]),
            // Minutes 10 to 14: 2 - 2 + 3 - 2 + 1 = 2.
            ("2025-11-28T18:15:00Z", [Some(1), Some(1), Some(2)]),
        ],
    );
    let sunday = market("2025-11-30T23:00:00Z", 400, 2);
    holds(&sunday, &[("2025-11-30T23:01:01Z", [Some(3), Some(3), None])]);
    bars.extend(sunday);
    let told = told(&bars);
    assert!(told[900..960].iter().all(|told| *told == [None; 3]));
    assert_eq!(told[960], [Some(3), Some(3), None]);
}
