//! The bars that the history tells of: of one second and of one minute, from the trades; longer ones are put together when
//! somebody asks. So many are kept, and no more.

use std::collections::VecDeque;

use mes_core::time::{HOUR, MINUTE, SECOND, Ts};

/// Five and a half hours of seconds, and a month of minutes.
const MOST: usize = 20_000;
const MOST_MINUTES: usize = 32_000;

/// A bar by its beginning. Prices are ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub ts: Ts,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i64,
}

impl Bar {
    fn join(&mut self, later: &Bar) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = self.volume.saturating_add(later.volume);
    }
}

/// The bars of a contract.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    seconds: VecDeque<Bar>,
    minutes: VecDeque<Bar>,
}

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Seconds(i64),
    Minutes(i64),
    Hours(i64),
    /// Of trading days, which begin at 17:00 Chicago: given as the hour of UTC at which this one began.
    Days(i64),
}

impl Bars {
    /// Takes a trade in.
    pub fn trade(&mut self, ts: Ts, price: i64, size: i64) {
        let add = |bars: &mut VecDeque<Bar>, length: i64, most: usize| {
            let begin = ts.div_euclid(length) * length;
            let bar = Bar { ts: begin, open: price, high: price, low: price, close: price, volume: size };
            match bars.back_mut() {
                Some(last) if last.ts >= begin => last.join(&bar),
                _ => bars.push_back(bar),
            }
            if bars.len() > most {
                bars.pop_front();
            }
        };
        add(&mut self.seconds, SECOND, MOST);
        add(&mut self.minutes, MINUTE, MOST_MINUTES);
    }

    /// Returns the bars that begin within a span, the newest first, at most so many; the one that still runs only where
    /// it is asked for. `day_begins` is an instant at which a trading day begins.
    pub fn within(
        &self,
        [from, to]: [Ts; 2],
        length: Length,
        most: usize,
        running: Option<Ts>,
        day_begins: Ts,
    ) -> Vec<Bar> {
        let (source, nanos, offset) = match length {
            Length::Seconds(count) => (&self.seconds, count.saturating_mul(SECOND), 0),
            Length::Minutes(count) => (&self.minutes, count.saturating_mul(MINUTE), 0),
            Length::Hours(count) => (&self.minutes, count.saturating_mul(HOUR), 0),
            Length::Days(count) => (&self.minutes, count.saturating_mul(24 * HOUR), day_begins),
        };
        let nanos = nanos.max(1);
        let mut bars: Vec<Bar> = Vec::new();
        for bar in source.iter().rev() {
            let begin = (bar.ts - offset).div_euclid(nanos).saturating_mul(nanos).saturating_add(offset);
            if begin >= to {
                continue;
            }
            if begin < from {
                break;
            }
            let full = bars.len() == most;
            match bars.last_mut() {
                // Backwards: this one is the earlier part.
                Some(last) if last.ts == begin => {
                    let mut whole = Bar { ts: begin, ..*bar };
                    whole.join(last);
                    *last = whole;
                }
                _ if full => break,
                _ => bars.push(Bar { ts: begin, ..*bar }),
            }
        }
        if let Some(now) = running {
            bars.retain(|bar| bar.ts.saturating_add(nanos) <= now);
        }
        bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_the_newest_first_and_of_any_length() {
        let mut bars = Bars::default();
        for (second, price) in [(0, 10), (30, 12), (61, 9), (150, 11), (3600, 20)] {
            bars.trade(second * SECOND, price, 1);
        }
        let all = [0, i64::MAX];
        let minutes = bars.within(all, Length::Minutes(1), 10, None, 0);
        assert_eq!(minutes.iter().map(|bar| bar.ts / SECOND).collect::<Vec<_>>(), [3600, 120, 60, 0]);
        let whole = Bar { ts: 0, open: 10, high: 12, low: 10, close: 12, volume: 2 };
        assert_eq!(minutes[3], whole);
        let five = bars.within(all, Length::Minutes(5), 10, None, 0);
        assert_eq!(five[1], Bar { ts: 0, open: 10, high: 12, low: 9, close: 11, volume: 4 });
        assert_eq!(bars.within(all, Length::Minutes(5), 1, None, 0).len(), 1);
        assert_eq!(bars.within([60 * SECOND, 150 * SECOND], Length::Minutes(1), 9, None, 0).len(), 2);
        // The hour that runs is left out.
        assert_eq!(bars.within(all, Length::Hours(1), 9, Some(3700 * SECOND), 0).len(), 1);
        assert_eq!(bars.within(all, Length::Seconds(i64::MAX), 9, None, 0).len(), 1);
    }
}
