//! What risk says to a row: an order, a denial, a hold, an alert. A row without a verdict is a hold whose reason
//! has not changed.

use serde::{Deserialize, Serialize};

use crate::{
    order::{Order, Signal},
    time::{self, Ts},
};

/// A verdict on a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    Order(Order),
    /// A signal that a rule refused. Units end the rule's name; `value` broke `limit`.
    Deny {
        #[serde(with = "time::text")]
        ts: Ts,
        signal: Signal,
        rule: String,
        value: f64,
        limit: f64,
    },
    /// Nothing to do, and why; written when the reason changes.
    Hold {
        #[serde(with = "time::text")]
        ts: Ts,
        reason: String,
    },
    /// A limit was reached. A person should know.
    Alert {
        #[serde(with = "time::text")]
        ts: Ts,
        rule: String,
        value: f64,
        limit: f64,
    },
}
