//! What risk and the paper account need to know of the market: whether its prices can be believed, whether it stands at
//! its limit, its minutes, the volume of the last 60 seconds, and when it last traded.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    bar::Bar,
    lock::Lock,
    minutes::{Minutes, is_volume},
    plausible::{BREAK, Prices, Quotation, Seen},
    price::Price,
    time::{self, MILLI, MINUTE, Ts},
};

/// The market as of the last row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Market {
    #[serde(flatten)]
    pub minutes: Minutes,
    #[serde(default)]
    pub prices: Prices,
    #[serde(default)]
    pub lock: Lock,
    /// Segment and instant of the last row.
    #[serde(default)]
    last: Option<(i64, Ts)>,
    /// The rows of the last 60 seconds of this segment, and their volume.
    recent: VecDeque<(Ts, i64)>,
    recent_volume: i64,
    /// The last row that traded; before any did, the first row.
    #[serde(default, with = "time::text_or_null")]
    traded: Option<Ts>,
}

/// Reads a market whose numbers can be worked with.
pub(crate) fn checked<'de, D: Deserializer<'de>>(json: D) -> Result<Market, D::Error> {
    let market = Market::deserialize(json)?;
    let recent = market.recent.iter().all(|(ts, volume)| time::TIMES.contains(ts) && is_volume(volume));
    let last = market.last.is_none_or(|(_, ts)| time::TIMES.contains(&ts));
    if recent && last && is_volume(&market.recent_volume) && market.minutes.can_be() && market.lock.can_be() {
        return Ok(market);
    }
    Err(D::Error::custom("what is remembered of the market is beyond all that a market does"))
}

impl Market {
    /// Takes the next row, which is so long, and says whether it is to be believed; one that is not changes nothing else.
    #[inline]
    pub fn push(&mut self, bar: &Bar, row_ns: i64) -> Seen {
        let seen = self.see(bar, row_ns);
        self.follow(seen, bar, row_ns);
        seen
    }

    /// Takes the first half of a row, what its own fills depend on: whether it is to be believed, and whether the market
    /// is locked in it.
    #[inline]
    pub fn see(&mut self, bar: &Bar, row_ns: i64) -> Seen {
        let breaks = self.last.is_none_or(|(seg, ts)| bar.seg != seg || bar.ts - ts > BREAK);
        self.last = Some((bar.seg, bar.ts));
        let [low, high, close] = [bar.low, bar.high, bar.close].map(Price::points);
        let seen = self.prices.push(Quotation { low, high, close, traded: bar.volume > 0 }, breaks, row_ns);
        match seen {
            Seen::Plausible => self.lock.push(bar, breaks, row_ns),
            Seen::Implausible(_) => {}
            // What came before were other prices.
            Seen::Confirmed { .. } => {
                self.lock = Lock::default();
                self.minutes.end_segment();
            }
        }
        seen
    }

    /// Takes the rest of a row: minutes and volumes, which the rows after it are measured by.
    #[inline]
    pub fn follow(&mut self, seen: Seen, bar: &Bar, row_ns: i64) {
        if seen.is_implausible() {
            return;
        }
        if bar.volume > 0 || self.traded.is_none() {
            self.traded = Some(bar.ts);
        }
        let Some(begins) = self.minutes.push(bar, row_ns) else { return };
        if begins {
            self.recent.clear();
            self.recent_volume = 0;
        }
        self.recent.push_back((bar.ts, bar.volume));
        self.recent_volume += bar.volume;
        while let Some((ts, volume)) = self.recent.front().copied()
            && ts <= bar.ts - MINUTE
        {
            self.recent.pop_front();
            self.recent_volume -= volume;
        }
    }

    /// Returns how long before `ts` the last row with a trade ended, in milliseconds.
    pub fn age_ms(&self, ts: Ts) -> Option<i64> {
        self.traded.map(|traded| (ts - traded) / MILLI)
    }

    /// Returns the contracts traded in the last 60 seconds.
    pub fn volume(&self) -> Option<i64> {
        (self.minutes.age() >= MINUTE).then_some(self.recent_volume)
    }
}
