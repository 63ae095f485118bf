//! What risk needs to know of the market: its minutes, the volume of the last 60 seconds, and when it last traded.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    bar::Bar,
    minutes::Minutes,
    time::{self, MILLI, MINUTE, Ts},
    within,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Market {
    #[serde(flatten)]
    pub minutes: Minutes,
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
    let recent = market.recent.iter().all(|(ts, volume)| within::TIMES.contains(ts) && is_volume(volume));
    if recent && is_volume(&market.recent_volume) && market.minutes.can_be() {
        return Ok(market);
    }
    Err(D::Error::custom("what is remembered of the market is beyond all that a market does"))
}

/// Says whether so much can trade in what is remembered; half of it may come on top.
pub(crate) fn is_volume(volume: &i64) -> bool {
    (0..i64::MAX / 2).contains(volume)
}

impl Market {
    /// Takes the next row, which is so long.
    #[inline]
    pub fn push(&mut self, bar: &Bar, row_ns: i64) {
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
