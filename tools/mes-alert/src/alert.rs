//! One alert, and what goes out at once: one or more of them.

use mes_core::time::{self, Ts};
use serde::{Deserialize, Serialize};

use crate::kinds::Priority;

/// The version of the record that a webhook gets and that is kept.
pub const VERSION: u32 = 1;

/// Something that a person should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for the same line of the same journal, read again.
    pub id: String,
    /// When it happened, as the journal says.
    #[serde(with = "time::text")]
    pub ts: Ts,
    /// A name of `mes-alert list`.
    pub kind: String,
    pub priority: Priority,
    /// What people call the account; empty where nobody has said.
    pub account: String,
    pub text: String,
    /// What tells it from others of its kind; those with the same are one thing told again. Absent: each is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<String>,
}

/// What goes out at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// At least one.
    pub alerts: Vec<Alert>,
    /// How many more there were than it holds.
    pub left_out: u64,
    /// Where else it could not be told, and why.
    pub failed: Vec<String>,
}

impl Message {
    /// Makes one of a single alert.
    pub fn of(alert: Alert) -> Message {
        Message { alerts: vec![alert], left_out: 0, failed: Vec::new() }
    }

    /// Returns how much the most important of it matters.
    pub fn priority(&self) -> Priority {
        self.alerts.iter().map(|alert| alert.priority).max().unwrap_or(Priority::Info)
    }
}

/// A message, and the channels that it is for: the first, or else the one behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub to: Vec<String>,
    pub message: Message,
}
