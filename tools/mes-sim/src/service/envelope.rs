//! What goes around a call: its body read as the service reads it, its answer in the envelope of the service.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::exchange::refusal::Refusal;

/// What a call comes to.
pub struct Said {
    pub status: u16,
    pub body: Value,
}

/// Both ways it ends are an answer.
pub type Called = Result<Said, Said>;

/// Fields that hold numbers: the service refuses text in their place.
const NUMBERS: [&str; 18] = [
    "accountId",
    "orderId",
    "type",
    "side",
    "size",
    "limitPrice",
    "stopPrice",
    "trailPrice",
    "ticks",
    "unit",
    "unitNumber",
    "limit",
    "statuses",
    "pageSize",
    "pageOffset",
    "sortBy",
    "sortDirection",
    "linkedOrderId",
];

/// Reads a request. Fields that nobody knows are passed over.
///
/// # Errors
///
/// 400, for what is no such request.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Said> {
    let value: Value = serde_json::from_slice(body).map_err(|_| bad("The request field is required."))?;
    let mut texts = Vec::new();
    texts_for_numbers(&value, &mut texts);
    if let Some(field) = texts.first() {
        return Err(bad(&format!(
            "The JSON value could not be converted. Path: $.{field}. The request field is required."
        )));
    }
    serde_json::from_value(value).map_err(|error| bad(&error.to_string()))
}

fn texts_for_numbers(value: &Value, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let is_text = |value: &Value| {
            value.is_string() || value.as_array().is_some_and(|list| list.iter().any(Value::is_string))
        };
        if NUMBERS.contains(&name.as_str()) && is_text(value) {
            found.push(name.clone());
        }
        texts_for_numbers(value, found);
    }
}

/// 400, as ASP.NET tells it.
pub fn bad(detail: &str) -> Said {
    let body = json!({
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "detail": detail,
        "instance": null,
    });
    Said { status: 400, body }
}

/// Says that it is done, with what was asked for.
pub fn done(field: &str, payload: impl Serialize) -> Said {
    let mut body = Map::new();
    if !field.is_empty() {
        body.insert(field.to_owned(), serde_json::to_value(payload).unwrap_or_default());
    }
    body.insert("success".to_owned(), true.into());
    body.insert("errorCode".to_owned(), 0.into());
    body.insert("errorMessage".to_owned(), Value::Null);
    Said { status: 200, body: Value::Object(body) }
}

/// Says what came of a call.
pub fn envelope<T: Serialize>(field: &str, result: Result<T, Refusal>) -> Said {
    match result {
        Ok(payload) => done(field, payload),
        Err(refusal) => refused(field, &refusal),
    }
}

/// Says no.
pub fn refused(field: &str, refusal: &Refusal) -> Said {
    let mut said = done(field, Value::Null);
    if field == "orderId" {
        said.body["orderId"] = refusal.order.into();
    }
    said.body["success"] = false.into();
    said.body["errorCode"] = refusal.code.into();
    said.body["errorMessage"] = refusal.message.clone().into();
    said
}
