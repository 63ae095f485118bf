//! What the hubs say, read: wrapped in `{action, data}` or bare, one or a list, padded with nulls.
//!
//! What `action` means is not documented, so nothing is concluded from it: the data say what is.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::wire::{Account, Depth, Order, Position, Print, Quote, Trade};

/// What happened on the account. Doubled, reordered and late as it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserEvent {
    Account(Account),
    Order(Box<Order>),
    Position(Position),
    Trade(Trade),
}

/// What happened in the market of a contract.
#[derive(Clone, Debug, PartialEq)]
pub enum MarketEvent {
    /// What has changed of the quote.
    Quote {
        contract: String,
        change: Quote,
    },
    Print {
        contract: String,
        print: Print,
    },
    /// In the order of the message.
    Depth {
        contract: String,
        changes: Vec<Depth>,
    },
}

/// What a hub called.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    User(Vec<UserEvent>),
    Market(Vec<MarketEvent>),
    /// The session was thrown out, most likely by another one.
    Logout,
    /// A target that nobody has documented.
    Unknown(String),
}

/// Reads a call of a hub. Of a list that holds what makes no sense the rest is read: the second part says what was wrong.
pub fn read(target: &str, arguments: Vec<Value>) -> (Call, Vec<String>) {
    let mut wrong = Vec::new();
    let call = match target {
        "GatewayUserAccount" => user(arguments, UserEvent::Account, &mut wrong),
        "GatewayUserOrder" => user(arguments, |order| UserEvent::Order(Box::new(order)), &mut wrong),
        "GatewayUserPosition" => user(arguments, UserEvent::Position, &mut wrong),
        "GatewayUserTrade" => user(arguments, UserEvent::Trade, &mut wrong),
        "GatewayQuote" => {
            market(arguments, &mut wrong, |contract, change| MarketEvent::Quote { contract, change })
        }
        "GatewayTrade" => {
            market(arguments, &mut wrong, |contract, print| MarketEvent::Print { contract, print })
        }
        "GatewayDepth" => {
            let mut arguments = arguments.into_iter();
            match (arguments.next(), arguments.next()) {
                (Some(Value::String(contract)), Some(data)) => {
                    let changes = each(data, &mut wrong);
                    Call::Market(vec![MarketEvent::Depth { contract, changes }])
                }
                _ => bad("GatewayDepth", &mut wrong),
            }
        }
        "GatewayLogout" => Call::Logout,
        other => Call::Unknown(other.chars().take(60).collect()),
    };
    let wrong = wrong
        .into_iter()
        .map(|why| format!("{}: {why}", target.chars().take(60).collect::<String>()))
        .collect();
    (call, wrong)
}

fn bad(what: &str, wrong: &mut Vec<String>) -> Call {
    wrong.push("no contract and data".to_owned());
    Call::Unknown(what.to_owned())
}

fn user<T: DeserializeOwned>(
    arguments: Vec<Value>,
    event: impl Fn(T) -> UserEvent,
    wrong: &mut Vec<String>,
) -> Call {
    let unwrapped =
        arguments.into_iter().flat_map(|argument| each::<Value>(argument, wrong)).collect::<Vec<_>>();
    let mut events = Vec::new();
    for mut record in unwrapped {
        let data = record.get_mut("data").map(Value::take).unwrap_or(record);
        events.extend(each(data, wrong).into_iter().map(&event));
    }
    Call::User(events)
}

fn market<T: DeserializeOwned>(
    arguments: Vec<Value>,
    wrong: &mut Vec<String>,
    event: impl Fn(String, T) -> MarketEvent,
) -> Call {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next()) {
        (Some(Value::String(contract)), Some(data)) => {
            let events = each(data, wrong).into_iter();
            Call::Market(events.map(|data| event(contract.clone(), data)).collect())
        }
        _ => bad("contract", wrong),
    }
}

/// Reads one, or each of a list but its nulls.
fn each<T: DeserializeOwned>(data: Value, wrong: &mut Vec<String>) -> Vec<T> {
    let list = match data {
        Value::Array(list) => list,
        one => vec![one],
    };
    let mut read = Vec::new();
    for one in list.into_iter().filter(|one| !one.is_null()) {
        match serde_json::from_value(one) {
            Ok(one) => read.push(one),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{OrderStatus, PositionKind};

    fn one(target: &str, arguments: Value) -> UserEvent {
        let Value::Array(arguments) = arguments else { unreachable!("a list") };
        let (Call::User(mut events), wrong) = read(target, arguments) else { unreachable!("of the user") };
        assert_eq!((events.len(), wrong), (1, vec![]));
        events.remove(0)
    }

    #[test]
    fn all_dialects_of_an_order_are_the_order() {
        let order = json!({"id": 3425270858_i64, "accountId": 7, "contractId": "CON.F.US.MNQ.U26", "symbolId": "F.US.MNQ",
            "creationTimestamp": "2026-08-19T20:49:25.3938333+00:00", "updateTimestamp": "2026-08-19T20:49:25.3962105+00:00",
            "status": 5, "type": 2, "side": 1, "size": 1, "fillVolume": 0, "customTag": "glt-33fa"});
        let text = json!({"orderId": "3425270858", "accountId": "7", "contractId": "CON.F.US.MNQ.U26",
            "symbolId": "F.US.MNQ", "creationTimestamp": "2026-08-19T20:49:25.393833+00:00",
            "updateTimestamp": "2026-08-19T20:49:25.39621+00:00", "status": "5", "type": "2", "side": "1", "size": "1",
            "fillVolume": "0", "customTag": "glt-33fa", "limitPrice": null});
        let of = |arguments| one("GatewayUserOrder", arguments);
        let plain = of(json!([order]));
        let UserEvent::Order(read) = &plain else { unreachable!("an order") };
        assert_eq!((read.status, read.id), (OrderStatus::Rejected, 3_425_270_858));
        assert_eq!(of(json!([{"action": 1, "data": order}])), plain);
        assert_eq!(of(json!([[null, {"action": 1, "data": [order, null]}]])), plain);
        assert_eq!(of(json!([text])), plain);
    }

    #[test]
    fn a_closed_position_is_none() {
        let closed = json!([{"action": 2, "data": {"id": 825245547, "accountId": 7, "contractId": "CON.F.US.MNQ.U26",
            "contractDisplayName": "MNQU26", "creationTimestamp": "2026-08-19T14:15:48.611387+00:00", "type": 0, "size": 0,
            "averagePrice": 29398.5}}]);
        let UserEvent::Position(position) = one("GatewayUserPosition", closed) else {
            unreachable!("a position")
        };
        assert_eq!((position.contracts(), position.kind), (Some(0), PositionKind::Undefined));
    }

    #[test]
    fn what_makes_no_sense_does_not_take_the_rest_with_it() {
        let quote = json!({"symbol": "F.US.MES", "bestBid": 7000.25, "lastUpdated": "2026-08-19T20:51:31.4347534+00:00"});
        let (call, wrong) = read(
            "GatewayQuote",
            vec![json!("CON.F.US.MES.Z26"), json!([null, quote, {"bestBid": {}}, null])],
        );
        let Call::Market(events) = call else { unreachable!("of the market") };
        assert_eq!((events.len(), wrong.len()), (1, 1));
        assert_eq!(read("GatewayLogout", vec![json!({"x": 1})]).0, Call::Logout);
        assert_eq!(read("Gateway", vec![]).0, Call::Unknown("Gateway".into()));
        for odd in [json!(null), json!(1), json!([]), json!({}), json!({"data": 1}), json!("x")] {
            for target in
                ["GatewayUserOrder", "GatewayUserTrade", "GatewayQuote", "GatewayTrade", "GatewayDepth"]
            {
                let _ = (read(target, vec![odd.clone()]), read(target, vec![json!("x"), odd.clone()]));
            }
        }
    }
}
