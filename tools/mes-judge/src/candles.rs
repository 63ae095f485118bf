//! The prices that a page shows: the whole time in minutes, and seconds where something happened. Both are bounded,
//! whatever the length of the run, and the same rows make the same candles.

use std::collections::VecDeque;

use mes_core::{
    bar::Bar,
    time::{MILLI, Ts},
};

/// More candles than this and the coarse ones are put together to longer ones.
const COARSE: usize = 120_000;
/// How long coarse candles may be, in milliseconds.
const LENGTHS: [i64; 6] = [60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000];
/// No more rows than this are kept whole.
const WHOLE: usize = 100_000;
/// No more rows than this are kept around trades; then the first trades lose theirs.
const AROUND: usize = 120_000;
/// Milliseconds kept before an entry and after the exit.
const MARGIN: i64 = 120_000;

/// One candle; prices in ticks, its end in milliseconds of Unix time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candle {
    pub end_ms: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i64,
}

impl Candle {
    fn of(bar: &Bar) -> Candle {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(|price| price.ticks());
        Candle { end_ms: bar.ts.div_euclid(MILLI), open, high, low, close, volume: bar.volume }
    }

    /// Takes in one that follows it within the same stretch.
    fn join(&mut self, later: &Candle) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = self.volume.saturating_add(later.volume);
    }
}

/// Keeps what is to be shown of the rows that pass.
#[derive(Clone, Debug)]
pub struct Candles {
    /// Length of a row and of a coarse candle, in milliseconds.
    row_ms: i64,
    coarse_ms: i64,
    coarse: Vec<Candle>,
    /// All rows, while they are few.
    whole: Option<Vec<Candle>>,
    /// The last rows, and stretches around trades with how many rows they have together.
    recent: VecDeque<Candle>,
    around: VecDeque<Vec<Candle>>,
    rows: usize,
    /// Rows up to here belong to the last stretch.
    until: i64,
    /// Stretches that had no room.
    left_out: usize,
}

impl Candles {
    /// Begins with rows of this many nanoseconds.
    pub fn new(interval: i64) -> Candles {
        let row_ms = (interval / MILLI).max(1);
        let coarse_ms = LENGTHS.into_iter().find(|length| *length >= row_ms).unwrap_or(row_ms);
        Candles {
            row_ms,
            coarse_ms,
            coarse: Vec::new(),
            whole: Some(Vec::new()),
            recent: VecDeque::new(),
            around: VecDeque::new(),
            rows: 0,
            until: i64::MIN,
            left_out: 0,
        }
    }

    /// Takes a bar; one in which nobody traded shows nothing.
    pub fn row(&mut self, bar: &Bar) {
        if bar.volume == 0 {
            return;
        }
        let candle = Candle::of(bar);
        self.thicken(candle);
        if let Some(whole) = &mut self.whole {
            whole.push(candle);
        }
        self.whole = self.whole.take().filter(|whole| whole.len() <= WHOLE);
        if candle.end_ms <= self.until
            && let Some(last) = self.around.back_mut()
        {
            last.push(candle);
            self.rows += 1;
        } else {
            self.recent.push_back(candle);
            while self.recent.front().is_some_and(|first| first.end_ms < candle.end_ms - MARGIN) {
                self.recent.pop_front();
            }
        }
        while self.rows > AROUND && self.around.len() > 1 {
            self.rows -= self.around.pop_front().map_or(0, |first| first.len());
            self.left_out += 1;
        }
    }

    /// Is told after a row whether there is a position, or was one within it.
    pub fn traded(&mut self, ts: Ts, in_trade: bool) {
        if !in_trade {
            return;
        }
        let now = ts.div_euclid(MILLI);
        if now > self.until {
            let begun: Vec<Candle> = self.recent.drain(..).collect();
            self.rows += begun.len();
            self.around.push_back(begun);
        }
        self.until = now + MARGIN;
    }

    /// Adds a row to the coarse candles.
    fn thicken(&mut self, row: Candle) {
        let end = |at: i64, length: i64| -(-at).div_euclid(length) * length;
        let end_ms = end(row.end_ms, self.coarse_ms);
        match self.coarse.last_mut() {
            Some(last) if last.end_ms == end_ms => last.join(&row),
            _ => self.coarse.push(Candle { end_ms, ..row }),
        }
        let longer = LENGTHS.into_iter().find(|length| *length > self.coarse_ms);
        if let Some(length) = longer.filter(|_| self.coarse.len() > COARSE) {
            self.coarse_ms = length;
            let mut joined: Vec<Candle> = Vec::with_capacity(self.coarse.len() / 2);
            for candle in self.coarse.drain(..) {
                let end_ms = end(candle.end_ms, length);
                match joined.last_mut() {
                    Some(last) if last.end_ms == end_ms => last.join(&candle),
                    _ => joined.push(Candle { end_ms, ..candle }),
                }
            }
            self.coarse = joined;
        }
    }

    /// Returns the coarse candles and their length in milliseconds.
    pub fn coarse(&self) -> (&[Candle], i64) {
        (&self.coarse, self.coarse_ms)
    }

    /// Returns the rows that are kept one by one, in their order, and the length of one in milliseconds.
    pub fn fine(&self) -> (Vec<Candle>, i64) {
        let rows = match &self.whole {
            Some(whole) => whole.clone(),
            None => self.around.iter().flatten().copied().collect(),
        };
        (rows, self.row_ms)
    }

    /// Says whether every row is kept one by one.
    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Counts the stretches around trades that had no room.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use mes_core::{price::Price, time::SECOND};

    use super::*;

    fn bar(second: i64, ticks: i64, volume: i64) -> Bar {
        let [open, high, low, close] = [0, 2, -1, 1].map(|more| Price::from_ticks(20_000 + ticks + more));
        Bar { ts: second * SECOND, open, high, low, close, volume, ..Bar::default() }
    }

    #[test]
    fn minutes_end_where_they_end_and_empty_bars_show_nothing() {
        let mut candles = Candles::new(SECOND);
        for second in 1..=121 {
            candles.row(&bar(second, second, i64::from(second != 60)));
        }
        let (coarse, length) = candles.coarse();
        assert_eq!((length, coarse.len()), (60_000, 3));
        let want =
            Candle { end_ms: 60_000, open: 20_001, high: 20_061, low: 20_000, close: 20_060, volume: 59 };
        assert_eq!(coarse[0], want);
        assert_eq!((coarse[1].open, coarse[1].end_ms, coarse[2].end_ms), (20_061, 120_000, 180_000));
        assert_eq!((candles.fine().0.len(), candles.is_whole()), (120, true));
    }

    /// Of a long run seconds are kept around the trades, and of these the last: memory has an end.
    #[test]
    fn a_long_run_keeps_the_seconds_of_its_last_trades() {
        let mut candles = Candles::new(SECOND);
        let (mut trades, mut last) = (0, 0);
        for second in 0..1_500_000 {
            candles.row(&bar(second, 0, 1));
            if second % 1000 == 500 {
                (trades, last) = (trades + 1, second);
                candles.traded(second * SECOND, true);
            }
        }
        let (rows, _) = candles.fine();
        assert!(!candles.is_whole() && rows.len() <= AROUND, "{}", rows.len());
        assert_eq!(rows.last().map(|row| row.end_ms), Some((last + 120) * 1000));
        // Two minutes before, two after, and the second itself.
        assert_eq!(candles.around.back().map(Vec::len), Some(241));
        assert_eq!(candles.around.len() + candles.left_out(), trades);
        assert!(rows.windows(2).all(|pair| pair[0].end_ms < pair[1].end_ms));
    }

    #[test]
    fn many_minutes_become_longer_ones() {
        let mut candles = Candles::new(60 * SECOND);
        let minutes = COARSE as i64 + 3;
        (1..=minutes).for_each(|minute| candles.row(&bar(minute * 60, 0, 1)));
        let (coarse, length) = candles.coarse();
        assert_eq!((length, coarse.len() as i64), (300_000, (minutes + 4) / 5));
        assert_eq!(coarse.iter().map(|candle| candle.volume).sum::<i64>(), minutes);
    }
}
