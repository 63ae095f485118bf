//! Orders.

use serde::{Deserialize, Serialize};

use super::{Decimal, Place, Stamp, lenient, open_enum::open_enum};

open_enum! {
    /// Which way an order trades.
    Side {
        /// A purchase.
        Bid = 0,
        /// A sale.
        Ask = 1,
    }
}

impl Side {
    /// Returns the side in the house's words; `None` for one that nobody has documented.
    pub fn known(self) -> Option<mes_core::order::Side> {
        match self {
            Side::Bid => Some(mes_core::order::Side::Buy),
            Side::Ask => Some(mes_core::order::Side::Sell),
            Side::Other(_) => None,
        }
    }
}

impl From<mes_core::order::Side> for Side {
    fn from(side: mes_core::order::Side) -> Side {
        match side {
            mes_core::order::Side::Buy => Side::Bid,
            mes_core::order::Side::Sell => Side::Ask,
        }
    }
}

open_enum! {
    /// What an order waits for.
    OrderKind {
        Unknown = 0,
        Limit = 1,
        Market = 2,
        StopLimit = 3,
        /// At market, once its price is touched.
        Stop = 4,
        TrailingStop = 5,
        JoinBid = 6,
        JoinAsk = 7,
    }
}

open_enum! {
    /// What became of an order. Partly filled is Open.
    OrderStatus {
        None = 0,
        Open = 1,
        Filled = 2,
        Cancelled = 3,
        Expired = 4,
        Rejected = 5,
        Pending = 6,
        PendingCancellation = 7,
        /// A leg of a bracket whose entry is not filled.
        Suspended = 8,
    }
}

impl OrderStatus {
    /// Those of an order that may still fill.
    pub const ALIVE: [OrderStatus; 4] =
        [OrderStatus::Open, OrderStatus::Pending, OrderStatus::PendingCancellation, OrderStatus::Suspended];

    /// Says whether it is the last that is ever said of an order.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected
        )
    }

    /// Returns how far along an order is: stamps do not say which of two records is the later one.
    pub fn rank(self) -> u8 {
        match self {
            OrderStatus::None | OrderStatus::Other(_) => 0,
            OrderStatus::Suspended => 1,
            OrderStatus::Pending => 2,
            OrderStatus::Open => 3,
            OrderStatus::PendingCancellation => 4,
            OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => 5,
        }
    }
}

open_enum! {
    /// Which way a position lies.
    PositionKind {
        /// Closed.
        Undefined = 0,
        Long = 1,
        Short = 2,
    }
}

/// A leg that the exchange attaches to an entry. A long's stop lies a negative number of ticks away and its target a
/// positive one, a short's the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    #[serde(deserialize_with = "lenient::whole")]
    pub ticks: i64,
    #[serde(rename = "type")]
    pub kind: OrderKind,
}

/// An order, as REST and the user hub tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    #[serde(alias = "orderId", deserialize_with = "lenient::whole")]
    pub id: i64,
    #[serde(deserialize_with = "lenient::whole")]
    pub account_id: i64,
    pub contract_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_id: Option<String>,
    pub creation_timestamp: Stamp,
    /// Neither the time of a fill nor rising with it.
    #[serde(default)]
    pub update_timestamp: Option<Stamp>,
    pub status: OrderStatus,
    #[serde(rename = "type")]
    pub kind: OrderKind,
    pub side: Side,
    #[serde(deserialize_with = "lenient::whole")]
    pub size: i64,
    #[serde(default)]
    pub limit_price: Option<Decimal>,
    #[serde(default)]
    pub stop_price: Option<Decimal>,
    #[serde(default, deserialize_with = "lenient::whole_or_null")]
    pub fill_volume: Option<i64>,
    #[serde(default)]
    pub filled_price: Option<Decimal>,
    #[serde(default)]
    pub custom_tag: Option<String>,
    #[serde(default, deserialize_with = "lenient::whole_or_null", skip_serializing_if = "Option::is_none")]
    pub trail_distance: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Decimal>,
    /// Of a leg: its entry.
    #[serde(default, deserialize_with = "lenient::whole_or_null", skip_serializing_if = "Option::is_none")]
    pub parent_order_id: Option<i64>,
    /// Of a target: its stop.
    #[serde(default, deserialize_with = "lenient::whole_or_null", skip_serializing_if = "Option::is_none")]
    pub linked_order_id: Option<i64>,
}

impl Order {
    /// Returns how many contracts of it are filled.
    pub fn filled(&self) -> i64 {
        self.fill_volume.unwrap_or(0)
    }

    /// Says whether this record is of a later state than another of the same order: by status, then by what is filled,
    /// for a fill leaves the stamps as they were. What is final stays.
    pub fn is_later_than(&self, other: &Order) -> bool {
        let place = |order: &Order| (order.status.rank(), order.filled());
        !other.status.is_final() && place(self) > place(other)
    }
}

impl Place {
    /// Returns the order that this becomes, before anything else is known of it.
    pub fn as_order(&self, id: i64, made: Stamp) -> Order {
        Order {
            id,
            account_id: self.account_id,
            contract_id: self.contract_id.clone(),
            symbol_id: None,
            creation_timestamp: made,
            update_timestamp: None,
            status: OrderStatus::Pending,
            kind: self.kind,
            side: self.side,
            size: self.size,
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            fill_volume: None,
            filled_price: None,
            custom_tag: self.custom_tag.clone(),
            trail_distance: None,
            trail_price: None,
            parent_order_id: None,
            linked_order_id: None,
        }
    }
}
