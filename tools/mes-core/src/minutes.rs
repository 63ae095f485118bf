//! Minutes of trading, made row by row: the average true range of 1-minute bars and what is normal for it, the usual
//! volume of a minute, the swing of the last ones. In ticks and contracts.
//!
//! A pure step from row to row at constant cost, with a state that can be written down and taken up again. A current
//! value never crosses a break: after one it is unknown until enough minutes have passed. What is normal is a memory
//! of the last minutes known, wherever they were, or a hole would blind the breakers when they are needed most.
//!
//! ATR, the last minute's volume and the swing are current values. What they are compared with, the last 390 ATRs and
//! the last 30 minutes of volume, is normal: forgotten after each hole, the ATR breaker would be blind for 44 minutes,
//! and in rows of the cash session every morning. The usual volume is the mean of 30 whole minutes, in place of 1,800
//! overlapping sums: the same mean from 30 numbers.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    bar::Bar,
    plausible::BREAK,
    time::{MINUTE, TIMES, Ts},
    within,
};

/// Says whether so much can trade in what is remembered; half of it may come on top.
pub(crate) fn is_volume(volume: &i64) -> bool {
    (0..i64::MAX / 2).contains(volume)
}

/// Completed minutes that are kept: those of the normal volume, and the longest swing.
pub const MINUTES: usize = 30;
/// Average true ranges that the normal one is the mean of, and how many there have to be.
const RANGES: usize = 390;
const RANGES_LEAST: usize = 30;
/// Averages are summed in whole millionths of a tick, so that their mean never drifts.
const MILLION: f64 = 1e6;
/// Before every row by more than a break, and far from where a difference would overflow.
const BEFORE_ALL: Ts = -2 * BREAK;

/// Wilder's average of 14, seeded with the mean of the first 14.
/// Source: Wilder, New Concepts in Technical Trading Systems (1978).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wilder {
    /// Fourteen times the average, and while it warms up the plain sum.
    sum: f64,
    count: u32,
}

impl Wilder {
    /// Over how many values it averages.
    pub const LENGTH: u32 = 14;

    /// Adds a value and returns the average; `None` for the first 13.
    #[inline]
    pub fn push(&mut self, value: i64) -> Option<f64> {
        if self.count < Self::LENGTH {
            self.count += 1;
        } else {
            self.sum *= f64::from(Self::LENGTH - 1) / f64::from(Self::LENGTH);
        }
        self.sum += value as f64;
        self.average()
    }

    /// Returns the average; `None` before 14 values.
    #[inline]
    pub fn average(&self) -> Option<f64> {
        (self.count == Self::LENGTH).then(|| self.sum * (1.0 / f64::from(Self::LENGTH)))
    }
}

/// A minute of trading, in ticks and contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i64,
}

impl Minute {
    const NOTHING: Minute = Minute { high: i64::MIN, low: i64::MAX, close: 0, volume: 0 };

    fn add(&mut self, row: Minute) {
        self.high = self.high.max(row.high);
        self.low = self.low.min(row.low);
        self.close = row.close;
        self.volume += row.volume;
    }
}

/// The low and the high of a stretch of time, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swing {
    pub low: i64,
    pub high: i64,
}

/// See the head of this file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minutes {
    /// The segment and the instant of the last row, and when the segment began.
    seg: i64,
    ts: Ts,
    since: Ts,
    /// The minute being made, when it ends, and whether the segment holds all of it.
    making: Minute,
    end: Ts,
    whole: bool,
    /// Minutes that this segment has completed.
    completed: usize,
    atr: Wilder,
    /// The last averages in millionths of a tick, and their sum.
    ranges: VecDeque<i64>,
    ranges_sum: i64,
    /// The last completed minutes, and their volume.
    minutes: VecDeque<Minute>,
    minutes_volume: i64,
}

impl Default for Minutes {
    fn default() -> Self {
        Minutes {
            seg: 0,
            ts: BEFORE_ALL,
            since: 0,
            making: Minute::NOTHING,
            end: 0,
            whole: false,
            completed: 0,
            atr: Wilder::default(),
            ranges: VecDeque::new(),
            ranges_sum: 0,
            minutes: VecDeque::new(),
            minutes_volume: 0,
        }
    }
}

impl Minutes {
    /// Takes the next row, which is so long, and says whether a segment began with it; `None` of rows that do not fill a
    /// minute evenly: of those nothing is ever known.
    #[inline]
    pub fn push(&mut self, bar: &Bar, row_ns: i64) -> Option<bool> {
        if MINUTE % row_ns != 0 {
            return None;
        }
        let begins = bar.seg != self.seg || bar.ts - self.ts > BREAK;
        if begins {
            self.begin(bar, row_ns);
        } else if bar.ts > self.end {
            self.pass(bar.ts);
        }
        self.ts = bar.ts;
        self.making.add(Minute {
            high: bar.high.ticks(),
            low: bar.low.ticks(),
            close: bar.close.ticks(),
            volume: bar.volume,
        });
        if bar.ts == self.end && self.whole {
            self.complete(self.making);
        }
        Some(begins)
    }

    /// Makes the next row begin a segment.
    pub fn end_segment(&mut self) {
        self.ts = BEFORE_ALL;
    }

    /// Says whether rows could have left this behind: numbers that further rows can be added to.
    pub(crate) fn can_be(&self) -> bool {
        let time = |ts: Ts| ts == Minutes::default().ts || TIMES.contains(&ts);
        let level = |ticks: i64| ticks.unsigned_abs() <= within::TICKS.unsigned_abs();
        let levels = |m: &Minute| level(m.high) && level(m.low) && level(m.close) && is_volume(&m.volume);
        let mean = |millionths: &i64| millionths.unsigned_abs() / 1_000_000 <= within::TICKS.unsigned_abs();
        let sum: i128 = self.ranges.iter().map(|average| i128::from(*average)).sum();
        let volume: i128 = self.minutes.iter().map(|minute| i128::from(minute.volume)).sum();
        time(self.ts)
            && time(self.since)
            && time(self.end)
            && (self.making == Minute::NOTHING || levels(&self.making))
            && self.minutes.len() <= MINUTES
            && self.minutes.iter().all(levels)
            && is_volume(&self.minutes_volume)
            && i128::from(self.minutes_volume) == volume
            && self.ranges.len() <= RANGES
            && self.ranges.iter().all(mean)
            && i128::from(self.ranges_sum) == sum
            && self.completed < usize::MAX / 2
    }

    /// Returns how long this segment has lasted, in nanoseconds.
    pub fn age(&self) -> i64 {
        self.ts - self.since
    }

    /// Returns the average true range of 14 completed 1-minute bars, in ticks.
    pub fn atr_ticks(&self) -> Option<f64> {
        self.atr.average()
    }

    /// Returns the mean of the last 390 such averages, in ticks; `None` before the 30th.
    pub fn atr_normal_ticks(&self) -> Option<f64> {
        let count = self.ranges.len();
        (count >= RANGES_LEAST).then(|| self.ranges_sum as f64 / count as f64 / MILLION)
    }

    /// Returns the volume of the last completed minute of this segment.
    pub fn last_volume(&self) -> Option<i64> {
        self.last().map(|minute| minute.volume)
    }

    /// Returns the mean volume of the last 30 completed minutes.
    pub fn volume_normal(&self) -> Option<f64> {
        (self.minutes.len() == MINUTES).then(|| self.minutes_volume as f64 / MINUTES as f64)
    }

    /// Returns the low and high of the last `minutes` completed minutes, up to [`MINUTES`], and of the one being made.
    pub fn swing(&self, minutes: usize) -> Option<Swing> {
        if self.completed < minutes {
            return None;
        }
        let all = self.minutes.iter().rev().take(minutes).chain([&self.making]);
        let none = Swing { low: i64::MAX, high: i64::MIN };
        Some(all.fold(none, |s, m| Swing { low: s.low.min(m.low), high: s.high.max(m.high) }))
    }

    /// Returns the low and high of the last completed minute of this segment.
    pub fn last_minute(&self) -> Option<Swing> {
        let minute = self.last()?;
        Some(Swing { low: minute.low, high: minute.high })
    }

    fn last(&self) -> Option<&Minute> {
        self.minutes.back().filter(|_| self.completed > 0)
    }

    /// Begins a segment.
    fn begin(&mut self, bar: &Bar, row_ns: i64) {
        self.seg = bar.seg;
        self.since = bar.ts - row_ns;
        self.begin_minute(bar.ts);
        self.whole = self.since <= self.end - MINUTE;
        (self.completed, self.atr) = (0, Wilder::default());
    }

    /// Begins the minute that holds the row stamped `ts`.
    fn begin_minute(&mut self, ts: Ts) {
        self.end = (ts - 1).div_euclid(MINUTE) * MINUTE + MINUTE;
        self.making = Minute::NOTHING;
    }

    /// Completes the minutes that ended before `ts` without a row at their end: the one being made and, in rows with
    /// holes, empty ones.
    fn pass(&mut self, ts: Ts) {
        if self.whole {
            self.complete(self.making);
        }
        let close = self.making.close;
        let empty = Minute { high: close, low: close, close, volume: 0 };
        for _ in 0..(ts - 1 - self.end).div_euclid(MINUTE) {
            self.complete(empty);
        }
        self.begin_minute(ts);
        self.whole = true;
    }

    fn complete(&mut self, minute: Minute) {
        self.whole = false;
        let range = match self.last() {
            Some(before) => minute.high.max(before.close) - minute.low.min(before.close),
            None => minute.high - minute.low,
        };
        self.completed += 1;
        self.minutes.push_back(minute);
        self.minutes_volume += minute.volume;
        if self.minutes.len() > MINUTES {
            self.minutes_volume -= self.minutes.pop_front().map_or(0, |old| old.volume);
        }
        if let Some(average) = self.atr.push(range) {
            let average = (average * MILLION).round() as i64;
            self.ranges.push_back(average);
            self.ranges_sum += average;
            if self.ranges.len() > RANGES {
                self.ranges_sum -= self.ranges.pop_front().unwrap_or(0);
            }
        }
    }
}
