//! Every call there is: its path, its body, its answer and its codes. An endpoint is its request.
//!
//! All answers but that of the ping come in one envelope: `success`, `errorCode`, `errorMessage` and one field with what
//! was asked for.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Account, AuthCode, Bar, Bracket, CancelCode, CloseCode, Code, Contract, Decimal, LogoutCode, LookCode,
    ModifyCode, Order, OrderKind, OrderLookCode, OrderStatus, PartialCloseCode, PlaceCode, Position,
    RetrieveCode, Side, Stamp, Trade, Unit, ValidateCode, lenient,
};

/// A call, by its request.
pub trait Endpoint: Serialize {
    /// Below the base: `api/Order/place`.
    const PATH: &'static str;
    /// The field of the envelope that holds what was asked for, with a `?` where it may be absent; empty where there is none.
    const FIELD: &'static str;
    type Answer: DeserializeOwned;
    type Code: Code;
}

/// What an envelope holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope<T, C> {
    Done(T),
    Refused {
        code: C,
        message: Option<String>,
        /// An order that is rejected may have an id all the same.
        order: Option<i64>,
    },
}

/// Nothing is asked for but success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "serde::de::IgnoredAny")]
pub struct Absent;

impl From<serde::de::IgnoredAny> for Absent {
    fn from(_: serde::de::IgnoredAny) -> Absent {
        Absent
    }
}

impl<T: DeserializeOwned, C: Code> Envelope<T, C> {
    /// Reads an envelope whose payload is in `field`.
    ///
    /// # Errors
    ///
    /// What does not make sense: no JSON object, no verdict, a verdict against its code, a success without what was asked
    /// for. Null in place of a list is no empty list.
    pub fn read(bytes: &[u8], field: &str) -> Result<Envelope<T, C>, String> {
        let mut envelope: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| format!("not an object of JSON: {error}"))?;
        let success = envelope.get("success").and_then(Value::as_bool).ok_or("no success in it")?;
        let number = envelope.remove("errorCode").ok_or("no errorCode in it")?;
        let number: i64 = lenient::whole(number).map_err(|error| format!("errorCode: {error}"))?;
        if success != (number == 0) {
            return Err(format!("success is {success}, and errorCode is {number}"));
        }
        let (field, optional) =
            field.strip_suffix('?').map_or((field, field.is_empty()), |field| (field, true));
        let payload = envelope.remove(field).filter(|payload| !payload.is_null());
        if !success {
            let message = envelope.get("errorMessage").and_then(Value::as_str).map(str::to_owned);
            let order = envelope.get("orderId").or(payload.as_ref().filter(|_| field == "orderId"));
            return Ok(Envelope::Refused {
                code: C::of(number),
                message,
                order: order.and_then(Value::as_i64),
            });
        }
        let payload = match payload {
            Some(payload) => payload,
            None if optional => Value::Null,
            None => return Err(format!("success without {field}")),
        };
        serde_json::from_value(payload).map(Envelope::Done).map_err(|error| format!("{field}: {error}"))
    }
}

/// Declares an endpoint: its request, path, field of the answer, answer and codes.
macro_rules! endpoint {
    ($request:ty, $path:literal, $field:literal, $answer:ty, $code:ty) => {
        impl Endpoint for $request {
            const PATH: &'static str = concat!("api/", $path);
            const FIELD: &'static str = $field;
            type Answer = $answer;
            type Code = $code;
        }
    };
}

/// Logs in with a key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    pub user_name: String,
    pub api_key: String,
}
endpoint!(Login, "Auth/loginKey", "token", String, AuthCode);

/// Makes a new token of the one it is sent with.
#[derive(Serialize, Deserialize)]
pub struct Validate {}
// No new token means that the old one stays.
endpoint!(Validate, "Auth/validate", "newToken?", Option<String>, ValidateCode);

/// Ends the session of the token it is sent with.
#[derive(Serialize, Deserialize)]
pub struct Logout {}
endpoint!(Logout, "Auth/logout", "", Absent, LogoutCode);

/// Lists accounts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    pub only_active_accounts: bool,
}
endpoint!(Accounts, "Account/search", "accounts", Vec<Account>, LookCode);

/// Finds contracts whose names look like a text, at most 20.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchContracts {
    pub search_text: String,
    /// The live subscription's; false is the simulation's, which is what traders at TopstepX have.
    pub live: bool,
}
endpoint!(SearchContracts, "Contract/search", "contracts", Vec<Contract>, RetrieveCode);

/// Lists the contracts that can be traded now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AvailableContracts {
    pub live: bool,
}
endpoint!(AvailableContracts, "Contract/available", "contracts", Vec<Contract>, RetrieveCode);

/// Finds a contract, also one that has expired.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractById {
    pub contract_id: String,
}
endpoint!(ContractById, "Contract/searchById", "contract", Contract, RetrieveCode);

/// Asks for bars, of which the newest come first: at most 20,000, the last ones of the span.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bars {
    pub contract_id: String,
    pub live: bool,
    pub start_time: Stamp,
    pub end_time: Stamp,
    pub unit: Unit,
    pub unit_number: i64,
    pub limit: i64,
    pub include_partial_bar: bool,
}
endpoint!(Bars, "History/retrieveBars", "bars", Vec<Bar>, RetrieveCode);

/// Places an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub account_id: i64,
    pub contract_id: String,
    #[serde(rename = "type")]
    pub kind: OrderKind,
    pub side: Side,
    pub size: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Decimal>,
    /// Never used again on the account, also if the order is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss_bracket: Option<Bracket>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit_bracket: Option<Bracket>,
}
endpoint!(Place, "Order/place", "orderId", i64, PlaceCode);

impl Place {
    /// Makes an order at market, with a tag and without legs.
    pub fn market(
        account_id: i64,
        contract_id: &str,
        side: Side,
        size: i64,
        tag: impl Into<String>,
    ) -> Place {
        Place {
            account_id,
            contract_id: contract_id.to_owned(),
            kind: OrderKind::Market,
            side,
            size,
            limit_price: None,
            stop_price: None,
            trail_price: None,
            custom_tag: Some(tag.into()),
            stop_loss_bracket: None,
            take_profit_bracket: None,
        }
    }
}

/// Changes an order; what is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modify {
    pub account_id: i64,
    pub order_id: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Decimal>,
}
endpoint!(Modify, "Order/modify", "", Absent, ModifyCode);

/// Cancels an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancel {
    pub account_id: i64,
    pub order_id: i64,
}
endpoint!(Cancel, "Order/cancel", "", Absent, CancelCode);

/// Asks for the orders made within a span of time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrdersOf {
    pub account_id: i64,
    pub start_timestamp: Stamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<Stamp>,
}
endpoint!(OrdersOf, "Order/search", "orders", Vec<Order>, LookCode);

/// Asks for the orders with status Open: legs that wait for their entry are not among them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenOrders {
    pub account_id: i64,
}
endpoint!(OpenOrders, "Order/searchOpen", "orders", Vec<Order>, LookCode);

/// Asks for one order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderById {
    pub account_id: i64,
    pub order_id: i64,
}
endpoint!(OrderById, "Order/searchById", "order", Order, OrderLookCode);

/// Asks for orders of some statuses, by pages of at most 100: the one that tells of all that may still fill.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    pub filter: OrderFilter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
    /// In rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_offset: Option<i64>,
    /// 0 by the time of creation, 1 by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<i64>,
    /// 0 rising, 1 falling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_direction: Option<i64>,
    #[serde(default)]
    pub include_total_count: bool,
}
endpoint!(Orders, "Order/v2/query", "orders", Vec<Order>, LookCode);

/// Which orders are asked for. The filter by contract was seen to do nothing, so there is none here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFilter {
    pub account_id: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Vec<OrderStatus>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Stamp>,
}

/// Asks for open positions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Positions {
    pub account_id: i64,
}
endpoint!(Positions, "Position/searchOpen", "positions", Vec<Position>, LookCode);

/// Closes all that is open in a contract, at market. Its legs stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Close {
    pub account_id: i64,
    pub contract_id: String,
}
endpoint!(Close, "Position/closeContract", "", Absent, CloseCode);

/// Closes so many contracts, at market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialClose {
    pub account_id: i64,
    pub contract_id: String,
    pub size: i64,
}
endpoint!(PartialClose, "Position/partialCloseContract", "", Absent, PartialCloseCode);

/// Asks for fills within a span of time; the newest come first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trades {
    pub account_id: i64,
    pub start_timestamp: Stamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<Stamp>,
}
endpoint!(Trades, "Trade/search", "trades", Vec<Trade>, LookCode);

#[cfg(test)]
mod tests {
    use super::*;

    type Answered<E> = Result<Envelope<<E as Endpoint>::Answer, <E as Endpoint>::Code>, String>;

    fn read<E: Endpoint>(text: &str) -> Answered<E> {
        Envelope::read(text.as_bytes(), E::FIELD)
    }

    #[test]
    fn an_absent_list_is_no_empty_list() {
        let none = r#"{"orders":[],"success":true,"errorCode":0,"errorMessage":null}"#;
        assert_eq!(read::<OpenOrders>(none), Ok(Envelope::Done(vec![])));
        for bad in [
            r#"{"orders":null,"success":true,"errorCode":0,"errorMessage":null}"#,
            r#"{"success":true,"errorCode":0}"#,
            r#"{"orders":[],"success":true,"errorCode":1}"#,
            r#"{"orders":[],"success":false,"errorCode":0}"#,
            r#"{"orders":[],"success":true}"#,
            r#"{"orders":[{}],"success":true,"errorCode":0}"#,
            "[]",
            "",
            "<html>",
        ] {
            assert!(read::<OpenOrders>(bad).is_err(), "{bad}");
        }
        let refused = r#"{"orders":null,"success":false,"errorCode":1,"errorMessage":null}"#;
        let code = LookCode::AccountNotFound;
        assert_eq!(read::<OpenOrders>(refused), Ok(Envelope::Refused { code, message: None, order: None }));
    }

    #[test]
    fn a_rejected_order_may_have_an_id_and_is_no_order() {
        let text = r#"{"orderId":9,"success":false,"errorCode":2,"errorMessage":"Specified custom tag is already in use"}"#;
        let Ok(Envelope::Refused { code, message, order }) = read::<Place>(text) else {
            unreachable!("refused")
        };
        assert_eq!((code, order), (PlaceCode::OrderRejected, Some(9)));
        assert!(message.is_some_and(|message| message.contains("tag")));
        assert_eq!(read::<Place>(r#"{"orderId":9,"success":true,"errorCode":0}"#), Ok(Envelope::Done(9)));
        assert!(read::<Place>(r#"{"orderId":null,"success":true,"errorCode":0}"#).is_err());
        assert_eq!(read::<Cancel>(r#"{"success":true,"errorCode":0}"#), Ok(Envelope::Done(Absent)));
    }

    #[test]
    fn a_request_says_what_it_says_and_nothing_else() {
        let place = Place {
            stop_loss_bracket: Some(Bracket { ticks: -8, kind: OrderKind::Stop }),
            ..Place::market(7, "CON.F.US.MES.Z26", Side::Bid, 1, "t")
        };
        assert_eq!(
            serde_json::to_string(&place).expect("JSON"),
            r#"{"accountId":7,"contractId":"CON.F.US.MES.Z26","type":2,"side":0,"size":1,"customTag":"t","stopLossBracket":{"ticks":-8,"type":4}}"#
        );
    }
}
