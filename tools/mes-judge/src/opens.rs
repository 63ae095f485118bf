//! The opens of all bars with trades, kept small (8 bytes a bar), so that other entries can be tried on the same bars.

use chrono::Timelike;
use mes_core::{
    bar::Bar,
    time::{HOUR, Ts},
    tz,
};

/// Prices in ticks, times in rows since the first.
#[derive(Clone, Debug, Default)]
pub struct Opens {
    interval: i64,
    first: Ts,
    at: Vec<u32>,
    open: Vec<i32>,
    /// Where the unbroken stretches begin.
    stretches: Vec<usize>,
    /// For every hour in New York the stretches of bars within it: index of the first, and how many bars of the same
    /// hour come before it.
    hours: [Vec<(usize, usize)>; 24],
    totals: [usize; 24],
    seg: i64,
    /// The UTC hour of the last bar, and the New York hour that it is.
    hour: Option<(i64, usize)>,
}

impl Opens {
    /// Begins with bars of this many nanoseconds.
    pub fn new(interval: i64) -> Opens {
        Opens { interval, ..Opens::default() }
    }

    /// Keeps a bar, unless nobody traded in it. A bar whose price or time is too far away is left out.
    pub fn push(&mut self, bar: &Bar) {
        if bar.volume == 0 {
            return;
        }
        if self.at.is_empty() {
            self.first = bar.ts;
        }
        let at = u32::try_from((bar.ts - self.first) / self.interval);
        let (Ok(at), Ok(open)) = (at, i32::try_from(bar.open.ticks())) else { return };
        if self.at.is_empty() || bar.seg != self.seg {
            self.stretches.push(self.at.len());
            self.seg = bar.seg;
        }
        // The hour of the interval, not of the stamp that ends it.
        let utc = (bar.ts - 1).div_euclid(HOUR);
        let hour = match self.hour {
            Some((known, hour)) if known == utc => hour,
            _ => {
                let hour = tz::new_york(bar.ts - 1).hour() as usize;
                self.hours[hour].push((self.at.len(), self.totals[hour]));
                self.hour = Some((utc, hour));
                hour
            }
        };
        self.totals[hour] += 1;
        self.at.push(at);
        self.open.push(open);
    }

    /// Returns how many bars an hour in New York has.
    pub fn in_hour(&self, hour: usize) -> usize {
        self.totals[hour]
    }

    /// Returns the index of the `nth` bar of an hour.
    pub fn nth(&self, hour: usize, nth: usize) -> usize {
        let stretches = &self.hours[hour];
        let found = stretches.partition_point(|(_, before)| *before <= nth) - 1;
        let (first, before) = stretches[found];
        first + nth - before
    }

    /// Returns how many ticks the price moves from the open of bar `entry` to that of the first bar `held` nanoseconds
    /// later, or of the last one before the stretch ends.
    pub fn moved(&self, entry: usize, held: i64) -> i64 {
        let next = self.stretches.partition_point(|start| *start <= entry);
        let end = self.stretches.get(next).copied().unwrap_or(self.at.len());
        let rows = u32::try_from(held / self.interval).unwrap_or(u32::MAX);
        let due = self.at[entry].saturating_add(rows);
        // There is at most one bar a row, so the exit is not further away than this.
        let end = end.min(entry.saturating_add(rows as usize) + 1);
        let exit = entry + self.at[entry..end].partition_point(|at| *at < due);
        i64::from(self.open[exit.min(end - 1)] - self.open[entry])
    }
}

#[cfg(test)]
mod tests {
    use mes_core::{dice::Draw, price::Price, time::SECOND};

    use super::*;
    use crate::sample::START;

    fn bar(ts: Ts, ticks: i64, seg: i64, volume: i64) -> Bar {
        Bar { ts, open: Price::from_ticks(20_000 + ticks), seg, volume, ..Bar::default() }
    }

    /// 09:59:58 to 10:00:04 with a hole, then another stretch.
    #[test]
    fn finds_bars_by_hour_and_moves_by_time() {
        let mut opens = Opens::new(SECOND);
        let ten = START + 29 * 60 * SECOND;
        for (second, ticks, seg, volume) in [
            (-2, 0, 0, 1),
            (-1, 1, 0, 1),
            (0, 2, 0, 1),
            (1, 3, 0, 1),
            (2, 9, 0, 0),
            (4, 5, 0, 1),
            (5, 50, 1, 1),
        ] {
            opens.push(&bar(ten + second * SECOND, ticks, seg, volume));
        }
        assert_eq!((opens.in_hour(9), opens.in_hour(10), opens.in_hour(11)), (3, 3, 0));
        assert_eq!((opens.nth(9, 0), opens.nth(9, 2), opens.nth(10, 0), opens.nth(10, 2)), (0, 2, 3, 5));
        assert_eq!((opens.moved(0, SECOND), opens.moved(0, 3 * SECOND)), (1, 3));
        // The bar at +2 had no trades: the next one counts. The stretch ends before the jump.
        assert_eq!((opens.moved(0, 4 * SECOND), opens.moved(2, 100 * SECOND)), (5, 3));
        assert_eq!((opens.moved(5, SECOND), opens.moved(1, 0)), (0, 0));
    }

    /// Against a search through all bars.
    #[test]
    fn agrees_with_a_plain_search() {
        let mut draw = Draw::new(5, 5);
        let (mut opens, mut bars) = (Opens::new(SECOND), Vec::new());
        let (mut ts, mut seg, mut price) = (START, 0, 0);
        for _ in 0..3000 {
            let hole = draw.unit() < 0.01;
            ts += SECOND * if hole { 400 } else { 1 + draw.below(3) as i64 };
            seg += i64::from(hole);
            price += draw.below(5) as i64 - 2;
            opens.push(&bar(ts, price, seg, 1));
            bars.push((ts, price, seg));
        }
        for _ in 0..2000 {
            let (entry, held) = (draw.below(bars.len()), draw.below(300) as i64 * SECOND);
            let (from, at, seg) = bars[entry];
            let mut stretch = bars[entry..].iter().filter(|bar| bar.2 == seg);
            let exit = stretch
                .clone()
                .find(|bar| bar.0 >= from + held)
                .or_else(|| stretch.next_back())
                .expect("a bar");
            assert_eq!(opens.moved(entry, held), exit.1 - at, "{entry} {held}");
        }
    }
}
