//! Accounts, contracts, positions and trades.

use serde::{Deserialize, Serialize};

use super::{Decimal, PositionKind, Side, Stamp, lenient};

/// An account. Of equity, open profit and limits the service says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    #[serde(deserialize_with = "lenient::whole")]
    pub id: i64,
    pub name: String,
    /// Of closed trades, net of fees.
    pub balance: Decimal,
    pub can_trade: bool,
    pub is_visible: bool,
    /// Of the venue, not of the programme: true for practice, combine and funded accounts alike.
    pub simulated: bool,
}

/// A contract that is, or was, traded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// `CON.F.US.MES.Z26`.
    pub id: String,
    /// `MESZ6`.
    pub name: String,
    pub description: String,
    pub tick_size: Decimal,
    pub tick_value: Decimal,
    pub active_contract: bool,
    /// `F.US.MES`.
    pub symbol_id: String,
}

/// All that is open in one contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    #[serde(deserialize_with = "lenient::whole")]
    pub id: i64,
    #[serde(deserialize_with = "lenient::whole")]
    pub account_id: i64,
    pub contract_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_display_name: Option<String>,
    pub creation_timestamp: Stamp,
    #[serde(rename = "type")]
    pub kind: PositionKind,
    /// Never negative.
    #[serde(deserialize_with = "lenient::whole")]
    pub size: i64,
    /// May lie between two ticks.
    pub average_price: Decimal,
}

impl Position {
    /// Returns contracts, negative when short; `None` for a kind that nobody has documented.
    pub fn contracts(&self) -> Option<i64> {
        match self.kind {
            PositionKind::Long => Some(self.size),
            PositionKind::Short => Some(-self.size),
            PositionKind::Undefined => (self.size == 0).then_some(0),
            PositionKind::Other(_) => None,
        }
    }
}

/// One fill. It bears no tag: what asked for it is found by `order_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trade {
    #[serde(deserialize_with = "lenient::whole")]
    pub id: i64,
    #[serde(deserialize_with = "lenient::whole")]
    pub account_id: i64,
    pub contract_id: String,
    pub creation_timestamp: Stamp,
    pub price: Decimal,
    /// Before costs, of the contracts it closed; absent where it opened some.
    #[serde(default)]
    pub profit_and_loss: Option<Decimal>,
    #[serde(default)]
    pub fees: Option<Decimal>,
    /// On the hub beside the fees; by REST not always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commissions: Option<Decimal>,
    pub side: Side,
    #[serde(deserialize_with = "lenient::whole")]
    pub size: i64,
    /// Taken back by the exchange.
    #[serde(default)]
    pub voided: bool,
    #[serde(deserialize_with = "lenient::whole")]
    pub order_id: i64,
}
