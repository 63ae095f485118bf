//! A market that stands at its limit. Where every trade is at one price far below the close of the day before, only
//! buyers are missing: whoever wants to sell waits, however many trades there are. Far above it sellers are.
//!
//! It can keep a position past flat-by, and the statement says so: nobody takes the other side, and paper does not
//! pretend. Nothing is entered in it on either side, because a stop would not fill.

use serde::{Deserialize, Serialize};

use crate::{
    bar::Bar,
    order::Side,
    price::Price,
    session::clock,
    time::{HOUR, MINUTE, SECOND, TIMES, Ts},
    tz, within,
};

/// How long every trade has to be at one price.
pub const STANDS: Ts = MINUTE;
/// How far from the close of the day before, in percent; the exchange's limits lie at 5, 7, 13 and 20.
pub const FAR_PERCENT: f64 = 3.0;

/// Follows how long the price has stood, and the close of the day before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// The Globex day of the last row, 18:00 to 18:00 New York.
    from: Ts,
    to: Ts,
    /// The last trade of the day so far, and of the day before.
    close: Option<Price>,
    before: Option<Price>,
    /// The price that every trade since then was at, up to the last row.
    price: Price,
    since: Ts,
    ts: Ts,
}

impl Lock {
    /// Takes the next row, which is so long; `breaks` where nobody knows what was traded before it.
    #[inline]
    pub fn push(&mut self, bar: &Bar, breaks: bool, row_ns: i64) {
        if bar.ts > self.to || bar.ts <= self.from {
            self.begin_day(bar.ts);
        }
        self.ts = bar.ts;
        if bar.volume > 0 {
            self.close = Some(bar.close);
            let one_price = bar.high == bar.low;
            if breaks || !one_price || bar.close != self.price {
                self.price = bar.close;
                self.since = if one_price { bar.ts - row_ns } else { bar.ts };
            }
        } else if breaks {
            self.since = bar.ts;
        }
    }

    /// Says whether rows could have left this behind.
    pub(crate) fn can_be(&self) -> bool {
        // The day of a row begins before it, and ends after it.
        let time = |ts: Ts| (-48 * HOUR..TIMES.end + 48 * HOUR).contains(&ts);
        let price = |price: Price| price.points().abs() <= within::POINTS;
        [self.from, self.to, self.since, self.ts].into_iter().all(time)
            && [self.close, self.before, Some(self.price)].into_iter().flatten().all(price)
    }

    /// Returns the side that does not fill as of the last row, if the market is locked.
    #[inline]
    pub fn blocked(&self) -> Option<Side> {
        if self.ts - self.since < STANDS {
            return None;
        }
        let before = self.before?;
        let far = self.price - before;
        if 100.0 * (far.abs() as f64) < FAR_PERCENT * before.ticks() as f64 {
            return None;
        }
        Some(if far < 0 { Side::Sell } else { Side::Buy })
    }

    /// Returns for how long every trade has been at one price, in seconds.
    pub fn stood_s(&self) -> f64 {
        (self.ts - self.since) as f64 / SECOND as f64
    }

    #[cold]
    fn begin_day(&mut self, ts: Ts) {
        let label = (tz::new_york(ts - 1) + chrono::TimeDelta::hours(6)).date();
        self.from = tz::instant(label - chrono::TimeDelta::days(1), clock(18, 0));
        self.to = tz::instant(label, clock(18, 0));
        self.before = self.close.take().or(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    /// A day that closes at 5000, and from the next one's 10:00 New York on seconds at these prices.
    fn after(prices: &[(f64, i64)]) -> Lock {
        let mut lock = Lock::default();
        let bar = |ts, points, volume| {
            let price = Price::nearest(points);
            Bar { ts, open: price, high: price, low: price, close: price, volume, ..Bar::default() }
        };
        let close = time::parse("2026-11-19T22:00:00Z").expect("a time");
        lock.push(&bar(close, 5000.0, 1), true, SECOND);
        let mut ts = time::parse("2026-11-20T15:00:00Z").expect("a time");
        for (index, (price, volume)) in prices.iter().enumerate() {
            ts += SECOND;
            lock.push(&bar(ts, *price, *volume), index == 0, SECOND);
        }
        lock
    }

    #[test]
    fn sells_are_blocked_far_below_yesterday_and_buys_far_above() {
        for (price, seconds, side) in [
            (4850.0, 60, Some(Side::Sell)),
            (4850.0, 59, None),
            (4850.25, 600, None),
            (5150.0, 60, Some(Side::Buy)),
            (5149.75, 600, None),
            (5000.0, 600, None),
        ] {
            assert_eq!(after(&vec![(price, 5); seconds]).blocked(), side, "{price} for {seconds} s");
        }
    }

    #[test]
    fn another_price_ends_it_and_silence_does_not() {
        let mut rows = vec![(4800.0, 5); 100];
        rows.extend([(4800.0, 0); 100]);
        assert_eq!(after(&rows).blocked(), Some(Side::Sell));
        rows.push((4800.25, 1));
        assert_eq!(after(&rows).blocked(), None);
        rows.extend([(4800.0, 1); 60]);
        assert_eq!(after(&rows).blocked(), Some(Side::Sell));
    }

    #[test]
    fn without_a_day_before_nothing_is_known() {
        let mut lock = Lock::default();
        for second in 1..1000 {
            lock.push(&Bar { ts: second * SECOND, volume: 1, ..Bar::default() }, false, SECOND);
            assert_eq!(lock.blocked(), None);
        }
    }
}
