//! What a person says to risk, and mes-exec with its last breath: halt, resume, review, reset; and that it was stopped. With
//! reason and time.

use serde::{Deserialize, Serialize};

use crate::time::{self, Ts};

/// One thing said. It takes effect on the row that follows it in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// When it was said, by the clock of whoever said it; the order of a journal is not that of these times.
    #[serde(with = "time::text")]
    pub ts: Ts,
    pub says: Says,
    pub reason: String,
    /// `person`, or the program that spoke.
    pub by: String,
    /// BLAKE3 of the rules from now on, where a person agrees to others than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
}

/// What trading is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Close everything and enter nothing until `resume`.
    Halt,
    /// Lift a halt.
    Resume,
    /// Go on after the drawdown of the account: its peak is now the current equity.
    Review,
    /// Go on after the kill switch: start and peak are now the current equity.
    Reset,
    /// The day ends here: ^C, TERM or HUP to a tool of the pipe. Cancel, close, and nothing after it.
    Stop,
}

impl Says {
    /// Returns the name as written in records and typed by people.
    pub fn name(self) -> &'static str {
        match self {
            Says::Halt => "halt",
            Says::Resume => "resume",
            Says::Review => "review",
            Says::Reset => "reset",
            Says::Stop => "stop",
        }
    }
}
