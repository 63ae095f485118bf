//! Other rows made of the given ones: with another future, without some segments, at the same hours of other days.

use std::ops::Range;

use chrono::{Days, NaiveDateTime};
use mes_core::{
    calendar::Calendar,
    dice::nth,
    price::TICK,
    session::{Day, Sessions},
    time::Ts,
    tz,
};

use crate::table::{Cell, Given, Row};

const PRICES: [&str; 8] = ["open", "high", "low", "close", "vwap", "price", "bid", "ask"];
const VOLUMES: [&str; 5] = ["volume", "buy_volume", "sell_volume", "trades", "size"];
/// What a row keeps, whatever else happens to it: its place in the stream.
const PLACE: [&str; 3] = ["ts", "seg", "symbol"];
/// Weeks within which a change of clocks is looked for.
const WEEKS: u64 = 30;

/// What no row held before: rows drawn from all the others, prices above every price there was, thrice the volume.
pub struct Garbage {
    kept: Vec<usize>,
    prices: Vec<usize>,
    volumes: Vec<usize>,
    lift: f64,
}

impl Garbage {
    /// Looks at which columns are there, and how far their prices reach.
    pub fn of(given: &Given) -> Garbage {
        let places = |names: &[&str]| names.iter().filter_map(|name| given.place(name)).collect::<Vec<_>>();
        let prices = places(&PRICES);
        let all = given.rows.iter().flat_map(|row| prices.iter().filter_map(|place| row[*place].number()));
        let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let spread = if high > low { ((high - low) / TICK).ceil() * TICK } else { 0.0 };
        Garbage { kept: places(&PLACE), volumes: places(&VOLUMES), lift: spread + 10.0, prices }
    }

    /// Replaces what `rows` of `given` hold, but not their places.
    pub fn put(&self, given: &mut Given, rows: Range<usize>) {
        let others: Vec<Row> = rows.clone().map(|row| self.instead(given, row)).collect();
        given.rows.splice(rows, others);
    }

    /// Returns what may stand in place of a row.
    pub fn instead(&self, given: &Given, row: usize) -> Row {
        let other = (nth(row as u64) % given.rows.len() as u64) as usize;
        self.row(&given.rows[row], &given.rows[other])
    }

    fn row(&self, place: &Row, other: &Row) -> Row {
        let mut row = other.clone();
        for &column in &self.kept {
            row[column] = place[column].clone();
        }
        for &column in &self.prices {
            if let Some(price) = row[column].number() {
                row[column] = Cell::Float(price + self.lift);
            }
        }
        for &column in &self.volumes {
            if let Cell::Int(volume) = row[column] {
                row[column] = Cell::Int(volume.saturating_mul(3));
            }
        }
        row
    }
}

/// Returns the rows of every second segment, beginning with the first or the second, and where each was.
pub fn every_second_segment(given: &Given, first: usize) -> (Given, Vec<usize>) {
    let kept: Vec<usize> = given.segments().into_iter().skip(first).step_by(2).flatten().collect();
    (given.with(kept.iter().map(|row| given.rows[*row].clone()).collect()), kept)
}

/// Moves segments by whole weeks to the other side of a change of clocks, at the same New York times. Returns them with
/// where each row was: only those that come to a day as long, with the same cash session, and later than those before.
pub fn other_side_of_the_clock_change(given: &Given) -> Option<(Given, Vec<usize>)> {
    let calendar = Calendar::shipped();
    let (mut here, mut there) = (Sessions::new(calendar.clone()), Sessions::new(calendar));
    let mut other = given.clone();
    let (mut kept, mut last) = (Vec::new(), Ts::MIN);
    for segment in given.segments() {
        let first = given.ts(segment.start);
        let mut alike = |weeks: u64| {
            let later = moved(first, weeks);
            offset(later) != offset(first)
                && later > last
                && segment.clone().all(|row| {
                    let place = place_in_day(&mut here, given.ts(row));
                    place.is_some() && place == place_in_day(&mut there, moved(given.ts(row), weeks))
                })
        };
        if let Some(weeks) = (1..=WEEKS).find(|weeks| alike(*weeks)) {
            segment.clone().for_each(|row| other.set_ts(row, moved(given.ts(row), weeks)));
            last = other.ts(segment.end - 1);
            kept.extend(segment);
        }
    }
    let rows: Vec<Row> = kept.iter().map(|row| other.rows[*row].clone()).collect();
    (!rows.is_empty()).then(|| (given.with(rows), kept))
}

/// Returns what a day looks like from its opening, and how far from there a bar ends.
fn place_in_day(sessions: &mut Sessions, ts: Ts) -> Option<(Shape, Ts)> {
    sessions.day(ts - 1).map(|day| (shape(day), ts - day.open))
}

/// Returns the same New York time so many weeks later.
fn moved(ts: Ts, weeks: u64) -> Ts {
    let there = wall(ts) + Days::new(7 * weeks);
    let whole = tz::instant(there.date(), there.time());
    whole + i64::from(there.and_utc().timestamp_subsec_nanos())
}

fn wall(ts: Ts) -> NaiveDateTime {
    tz::new_york(ts)
}

/// Returns how far New York is from UTC.
fn offset(ts: Ts) -> i64 {
    wall(ts).and_utc().timestamp() - ts.div_euclid(mes_core::time::SECOND)
}

/// What happens in a day, in nanoseconds from its opening.
type Shape = [Option<Ts>; 7];

/// Returns what a day looks like from its opening.
fn shape(day: &Day) -> Shape {
    let since = |ts: Ts| Some(ts - day.open);
    let (rth, pause, outage) = (day.rth.unzip(), day.pause.unzip(), day.outage.unzip());
    [
        since(day.close),
        rth.0.and_then(since),
        rth.1.and_then(since),
        pause.0.and_then(since),
        pause.1.and_then(since),
        outage.0.and_then(since),
        outage.1.and_then(since),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market;
    use mes_core::time;

    #[test]
    fn hours_stay_when_rows_cross_a_clock_change() {
        let ts = time::parse("2026-03-06T14:30:00.5Z").expect("a time");
        assert_eq!(time::format(moved(ts, 1)), "2026-03-13T13:30:00.500Z");
        let (given, _) = market::bars().expect("rows");
        let (other, kept) = other_side_of_the_clock_change(&given).expect("rows to move");
        assert!(kept.len() > 2000 && kept.len() < given.rows.len(), "{} rows", kept.len());
        assert!((1..kept.len()).all(|row| other.ts(row) > other.ts(row - 1)));
    }

    #[test]
    fn garbage_keeps_places_and_tops_all_prices() {
        let (given, _) = market::bars().expect("rows");
        let mut other = given.clone();
        let last = given.rows.len();
        Garbage::of(&given).put(&mut other, last - 100..last);
        let close = given.place("close").expect("closes");
        let most = given.rows.iter().filter_map(|row| row[close].number()).fold(0.0, f64::max);
        for row in last - 100..last {
            assert_eq!((other.ts(row), other.seg(row)), (given.ts(row), given.seg(row)));
            assert!(other.rows[row][close].number() > Some(most));
        }
    }
}
