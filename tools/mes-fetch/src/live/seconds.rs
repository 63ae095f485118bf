//! Bars of one second as ticks, so that mes-bars makes the same seconds of them. Pure.
//!
//! A bar tells its open, extremes, close and volume, so the ticks are at most four trades at these prices, which share the
//! volume evenly: open, high, low, close and volume come out as they went in. What a bar does not tell is absent (who
//! crossed the spread, the quote) or of these ticks and not of the market (the number of trades, the VWAP within the second).

use mes_core::{
    price::Price,
    time::{MILLI, SECOND, Ts},
};
use mes_projectx::wire::Bar;

/// More contracts than were ever traded in a second.
const MOST: i64 = 10_000_000;

/// What was traded in a second, in ticks and contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Nanoseconds since 1970, as the service counts them.
    pub begin: Ts,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i64,
}

/// A trade that a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub ts: Ts,
    pub price: Price,
    pub size: i64,
}

impl Second {
    /// Reads a bar; `None` where it cannot be.
    pub fn of(bar: &Bar) -> Option<Second> {
        let (open, high, low, close) = (bar.o.ticks()?, bar.h.ticks()?, bar.l.ticks()?, bar.c.ticks()?);
        let second = Second { begin: bar.t.ts(), open, high, low, close, volume: bar.v };
        let inside = |price: i64| (low..=high).contains(&price);
        let enough = (second.prices().len() as i64..=MOST).contains(&bar.v);
        (low > 0 && inside(open) && inside(close) && enough && second.begin % SECOND == 0).then_some(second)
    }

    /// Begins with the first trade of it.
    pub fn trade(ts: Ts, price: i64, size: i64) -> Second {
        let begin = ts.div_euclid(SECOND) * SECOND;
        Second { begin, open: price, high: price, low: price, close: price, volume: size }
    }

    /// Adds a trade: of the same second, or of a later one, which it becomes. What belongs to an earlier one changes nothing.
    pub fn add(&mut self, ts: Ts, price: i64, size: i64) {
        let other = Second::trade(ts, price, size);
        if other.begin > self.begin {
            *self = other;
        } else if other.begin == self.begin {
            self.high = self.high.max(price);
            self.low = self.low.min(price);
            self.close = price;
            self.volume = self.volume.saturating_add(size);
        }
    }

    /// Returns the trades that it is made of.
    pub fn pieces(&self) -> Vec<Piece> {
        self.cut(&self.prices(), self.volume)
    }

    /// Returns the trades that lack where `seen` of it was sent already.
    pub fn rest(&self, seen: &Second) -> Vec<Piece> {
        let lacks = self.volume - seen.volume;
        let mut prices: Vec<i64> = self.prices();
        prices.retain(|price| !(seen.low..=seen.high).contains(price));
        // The last trade is at the close, whatever was there before.
        if prices.last() != Some(&self.close) {
            prices.push(self.close);
        }
        if lacks >= prices.len() as i64 { self.cut(&prices, lacks) } else { self.cut(&[self.close], lacks) }
    }

    /// Returns open, extremes and close, each once where the one before is the same: to the close by the extreme that lies
    /// on the way.
    fn prices(&self) -> Vec<i64> {
        let (first, second) =
            if self.close >= self.open { (self.low, self.high) } else { (self.high, self.low) };
        let mut prices = vec![self.open, first, second, self.close];
        prices.dedup();
        prices
    }

    /// Shares the volume out, the last one taking what is left, a quarter of a second apart.
    fn cut(&self, prices: &[i64], volume: i64) -> Vec<Piece> {
        let count = prices.len() as i64;
        let (Some(last), Some(share)) = (count.checked_sub(1), volume.checked_div(count)) else {
            return Vec::new();
        };
        let piece = |(nth, price): (i64, &i64)| Piece {
            ts: self.begin + nth * 250 * MILLI,
            price: Price::from_ticks(*price),
            size: if nth == last { volume - share * last } else { share },
        };
        (0..).zip(prices).map(piece).filter(|piece| piece.size > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second([open, high, low, close, volume]: [i64; 5]) -> Second {
        Second { begin: 7 * SECOND, open, high, low, close, volume }
    }

    fn joined(pieces: &[Piece]) -> Option<Second> {
        let mut all: Option<Second> = None;
        for piece in pieces {
            assert!(piece.size > 0);
            let price = piece.price.ticks();
            match &mut all {
                Some(second) => second.add(piece.ts, price, piece.size),
                None => all = Some(Second::trade(piece.ts, price, piece.size)),
            }
        }
        all
    }

    #[test]
    fn the_trades_of_a_bar_make_the_bar() {
        for of in [
            [10, 12, 9, 11, 9],
            [10, 10, 10, 10, 1],
            [10, 12, 10, 12, 2],
            [12, 12, 9, 9, 3],
            [10, 13, 9, 10, 4],
        ] {
            let bar = second(of);
            assert_eq!(joined(&bar.pieces()), Some(bar));
        }
        assert_eq!(second([10, 10, 10, 10, 0]).pieces(), []);
    }

    /// Whatever part of a second was seen, the rest makes it whole.
    #[test]
    fn the_rest_of_a_second_makes_it_whole() {
        let trades = [(10, 2), (13, 1), (12, 4), (8, 1), (8, 3), (11, 1)];
        let at = 7 * SECOND;
        let of = |trades: &[(i64, i64)]| {
            let (first, rest) = trades.split_first().expect("one");
            let mut second = Second::trade(at, first.0, first.1);
            rest.iter().for_each(|(price, size)| second.add(at + 1, *price, *size));
            second
        };
        let whole = of(&trades);
        for seen in 1..trades.len() {
            let mut second = of(&trades[..seen]);
            for piece in whole.rest(&second) {
                second.add(piece.ts, piece.price.ticks(), piece.size);
            }
            assert_eq!(second, whole, "{seen} seen");
        }
        assert_eq!(whole.rest(&whole), []);
        // More was seen than the bar knows of.
        assert_eq!(whole.rest(&Second { volume: 99, ..whole }), []);
    }

    #[test]
    fn a_bar_that_cannot_be_is_none() {
        let read = |text: &str| serde_json::from_str(text).ok().and_then(|bar: Bar| Second::of(&bar));
        let bar = |[o, h, l, c]: [f64; 4], v: i64| {
            read(&format!(r#"{{"t":"2026-11-20T15:00:00+00:00","o":{o},"h":{h},"l":{l},"c":{c},"v":{v}}}"#))
        };
        assert!(bar([6800.0, 6800.5, 6799.75, 6800.25], 5).is_some());
        for (prices, volume) in [
            ([6800.0, 6800.5, 6799.75, 6801.0], 5),
            ([6800.0, 6799.5, 6801.75, 6800.0], 5),
            ([6800.1, 6800.5, 6799.75, 6800.0], 5),
            ([-1.0, 0.0, -1.0, 0.0], 5),
            ([6800.0, 6800.5, 6799.75, 6800.25], 2),
            ([6800.0, 6800.0, 6800.0, 6800.0], 0),
            ([6800.0, 6800.0, 6800.0, 6800.0], -1),
        ] {
            assert_eq!(bar(prices, volume), None, "{prices:?} {volume}");
        }
    }
}
