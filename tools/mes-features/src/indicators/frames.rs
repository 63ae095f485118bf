//! Completed bars of 1 and 5 minutes: trend clip((C − O)/(4σ√m)), momentum clip((C − C₋₅)/(4σ√(5m))), range
//! R/(R + 4σ√m) of the last bar of m seconds that lies whole inside the segment and ended at or before this row; σ is
//! that of this row, √m counts rows.
//!
//! Features: `f_m1_trend f_m1_momentum f_m1_range` (m = 60), `f_m5_…` (m = 300); trend and momentum in [-1, 1],
//! range in [0, 1). Warm-up: one whole bar, six for momentum, and σ (61 rows). Absent where the rows' interval
//! does not divide m.
//! Source: none; the same z-scores on longer bars, none of them before it is over.

use mes_core::{interval::Interval, time::SECOND};

use super::{Columns, Indicator, Kind, Place, clip, placed};
use crate::row::Row;

/// Bars that momentum looks back.
const BACK: usize = 5;

/// How the set makes it.
pub const M1: Kind = Kind { name: "m1", make: |interval, places| make(interval, places, 60) };
/// The same of five minutes.
pub const M5: Kind = Kind { name: "m5", make: |interval, places| make(interval, places, 300) };

fn make(interval: Interval, places: &[Place], seconds: i64) -> Box<dyn Columns> {
    let rows = interval.rows_in(seconds).unwrap_or(0) as f64;
    let frames = Frames {
        row_ns: interval.nanos(),
        frame_ns: seconds * SECOND,
        root: rows.sqrt(),
        long_root: (BACK as f64 * rows).sqrt(),
        ..Frames::default()
    };
    placed(frames, places)
}

#[derive(Default)]
struct Frames {
    row_ns: i64,
    frame_ns: i64,
    /// √m and √(5m), in rows.
    root: f64,
    long_root: f64,
    /// When the bar being made ends, and whether it is to be completed: the segment holds all of it.
    end: i64,
    pending: bool,
    open: i64,
    high: i64,
    low: i64,
    close: i64,
    /// Closes of the last completed bars, newest first, and how many bars there were.
    closes: [i64; BACK + 1],
    completed: usize,
    /// C − O, C − C₋₅ and R of the last completed bar; NaN while there is none.
    trend: f64,
    momentum: f64,
    range: f64,
}

impl Indicator<3> for Frames {
    #[inline]
    fn step(&mut self, row: &Row) -> [f64; 3] {
        if row.n == 1 {
            (self.trend, self.momentum, self.range, self.completed) = (f64::NAN, f64::NAN, f64::NAN, 0);
            self.begin(row);
            self.pending = row.ts - self.row_ns <= self.end - self.frame_ns;
        } else if row.ts > self.end {
            self.pass(row.ts);
            self.begin(row);
            self.pending = true;
        }
        self.high = self.high.max(row.high);
        self.low = self.low.min(row.low);
        self.close = row.close;
        if row.ts == self.end && self.pending {
            self.complete();
        }
        let typical = 4.0 * row.sigma * self.root;
        let trend = clip(self.trend * row.per_sigma / (4.0 * self.root));
        let momentum = clip(self.momentum * row.per_sigma / (4.0 * self.long_root));
        [trend, momentum, self.range / (self.range + typical)]
    }
}

impl Frames {
    /// Begins the bar that holds `row`.
    #[inline]
    fn begin(&mut self, row: &Row) {
        self.end = (row.ts - 1).div_euclid(self.frame_ns) * self.frame_ns + self.frame_ns;
        (self.open, self.high, self.low) = (row.open, row.high, row.low);
    }

    /// Completes the bars that ended before `ts` without a row at their end: the one being made and, in rows with
    /// holes, empty ones, of which no more than momentum remembers can matter.
    fn pass(&mut self, ts: i64) {
        if self.pending {
            self.complete();
        }
        (self.open, self.high, self.low) = (self.close, self.close, self.close);
        for _ in 0..(ts - 1 - self.end).div_euclid(self.frame_ns).min(BACK as i64 + 1) {
            self.complete();
        }
    }

    #[inline]
    fn complete(&mut self) {
        self.pending = false;
        self.completed += 1;
        self.closes.rotate_right(1);
        self.closes[0] = self.close;
        self.trend = (self.close - self.open) as f64;
        self.range = (self.high - self.low) as f64;
        if self.completed > BACK {
            self.momentum = (self.close - self.closes[BACK]) as f64;
        }
    }
}
