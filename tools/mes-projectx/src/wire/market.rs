//! What the market hub and the history tell.

use serde::{Deserialize, Serialize};

use super::{Decimal, Side, Stamp, lenient, open_enum::open_enum};

/// A bar. `t` is its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    pub t: Stamp,
    pub o: Decimal,
    pub h: Decimal,
    pub l: Decimal,
    pub c: Decimal,
    #[serde(deserialize_with = "lenient::whole")]
    pub v: i64,
}

open_enum! {
    /// What a bar's length is counted in.
    Unit {
        Unspecified = 0,
        Second = 1,
        Minute = 2,
        Hour = 3,
        Day = 4,
        Week = 5,
        Month = 6,
        Tick = 7,
    }
}

/// What has changed of a quote: what is absent is as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The product, not the contract: `F.US.MES`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_bid: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_ask: Option<Decimal>,
    /// Of the session.
    #[serde(default, deserialize_with = "lenient::whole_or_null", skip_serializing_if = "Option::is_none")]
    pub volume: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Stamp>,
}

impl Quote {
    /// Puts what has changed onto what was known.
    pub fn merge(&mut self, change: &Quote) {
        let Quote { symbol, last_price, best_bid, best_ask, volume, last_updated, timestamp } = change;
        if symbol.is_some() {
            self.symbol.clone_from(symbol);
        }
        self.last_price = last_price.or(self.last_price);
        self.best_bid = best_bid.or(self.best_bid);
        self.best_ask = best_ask.or(self.best_ask);
        self.volume = volume.or(self.volume);
        self.last_updated = last_updated.or(self.last_updated);
        self.timestamp = timestamp.or(self.timestamp);
    }
}

/// A trade of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Print {
    /// The product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_id: Option<String>,
    pub price: Decimal,
    pub timestamp: Stamp,
    /// Of the one who crossed the spread.
    #[serde(rename = "type")]
    pub side: Side,
    #[serde(deserialize_with = "lenient::whole")]
    pub volume: i64,
}

open_enum! {
    /// What an entry of the depth is about.
    DepthKind {
        Unknown = 0,
        Ask = 1,
        Bid = 2,
        /// A pointer to the best price, no level: so are the next three.
        BestAsk = 3,
        BestBid = 4,
        Trade = 5,
        /// The whole book is void.
        Reset = 6,
        Low = 7,
        High = 8,
        NewBestBid = 9,
        NewBestAsk = 10,
        Fill = 11,
    }
}

/// A change of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Depth {
    pub timestamp: Stamp,
    #[serde(rename = "type")]
    pub kind: DepthKind,
    pub price: Decimal,
    #[serde(deserialize_with = "lenient::whole")]
    pub volume: i64,
    #[serde(default, deserialize_with = "lenient::whole_or_null")]
    pub current_volume: Option<i64>,
}
