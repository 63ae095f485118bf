//! How events are written on the hubs, in the ways that were seen.

use mes_projectx::{
    hub::{MarketEvent, UserEvent},
    wire::{Stamp, signalr::Message},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialect {
    pub numbers_as_text: bool,
    pub order_id_for_id: bool,
    pub nulls_in_quotes: bool,
    /// Added to every stamp, in nanoseconds.
    pub skew: i64,
}

/// Fields that hold an instant.
const STAMPS: [&str; 5] = ["creationTimestamp", "updateTimestamp", "timestamp", "lastUpdated", "t"];

impl Dialect {
    /// Writes what happened on an account: wrapped, without nulls.
    pub fn user(self, action: i64, event: &UserEvent) -> String {
        let (target, data) = match event {
            UserEvent::Account(data) => ("GatewayUserAccount", value(data)),
            UserEvent::Order(data) => ("GatewayUserOrder", value(data)),
            UserEvent::Position(data) => ("GatewayUserPosition", value(data)),
            UserEvent::Trade(data) => ("GatewayUserTrade", value(data)),
        };
        let mut data = self.on_time(without_nulls(data));
        if self.order_id_for_id
            && target == "GatewayUserOrder"
            && let Value::Object(fields) = &mut data
            && let Some(id) = fields.remove("id")
        {
            fields.insert("orderId".to_owned(), id);
        }
        if self.numbers_as_text {
            data = numbers_as_text(data);
        }
        call(target, vec![json!({"action": action, "data": data})])
    }

    /// Writes what happened in a market: trades and depth as lists, with a null now and then.
    pub fn market(self, event: &MarketEvent, odd: bool) -> String {
        let null = || odd.then_some(Value::Null);
        let (target, contract, data) = match event {
            MarketEvent::Quote { contract, change } => {
                let quote = without_nulls(value(change));
                let quote = if self.nulls_in_quotes { json!([null, quote, null]) } else { quote };
                ("GatewayQuote", contract, quote)
            }
            MarketEvent::Print { contract, print } => {
                ("GatewayTrade", contract, [value(print)].into_iter().chain(null()).collect())
            }
            MarketEvent::Depth { contract, changes } => {
                ("GatewayDepth", contract, null().into_iter().chain(changes.iter().map(value)).collect())
            }
        };
        call(target, vec![contract.as_str().into(), self.on_time(data)])
    }

    /// Moves the stamps of an answer or an event.
    pub fn on_time(self, data: Value) -> Value {
        if self.skew == 0 {
            return data;
        }
        let moved = |text: &Value| {
            let stamp: Stamp = serde_json::from_value(text.clone()).ok()?;
            Some(Value::String(Stamp::of(stamp.ts() + self.skew).text()))
        };
        match data {
            Value::Array(list) => list.into_iter().map(|one| self.on_time(one)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let shifted = STAMPS.contains(&name.as_str()).then(|| moved(&value)).flatten();
                    let value = shifted.unwrap_or_else(|| self.on_time(value));
                    (name, value)
                });
                Value::Object(fields.collect::<Map<_, _>>())
            }
            other => other,
        }
    }
}

fn call(target: &str, arguments: Vec<Value>) -> String {
    Message::Invocation { id: None, target: target.to_owned(), arguments }.write()
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

fn without_nulls(mut data: Value) -> Value {
    if let Value::Object(fields) = &mut data {
        fields.retain(|_, value| !value.is_null());
    }
    data
}

fn numbers_as_text(data: Value) -> Value {
    match data {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(list) => list.into_iter().map(numbers_as_text).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, numbers_as_text(value))).collect())
        }
        other => other,
    }
}
