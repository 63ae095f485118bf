//! What the core hears and what it asks for: one line each in the journal of mes-exec, from which a day is run again.

use std::time::Duration;

use mes_core::{
    order::{ExitReason, Order},
    price::Price,
};
use mes_projectx::{
    Failure, Outcome, Purpose, Refusal,
    hub::UserEvent,
    wire::{self, Cancel, Close, Code, Modify, Place, Stamp},
};
use serde::{Deserialize, Serialize};

/// What happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Risk or the guard wants something.
    Order { order: Order },
    /// An order was refused before it came here: its id is used up.
    Used { order: u64 },
    /// The market's best prices, from the market hub or a row.
    Quote { bid: Price, ask: Price },
    /// A row has come: its close.
    Row { close: Price },
    /// The account at the exchange.
    User { user: UserEvent },
    /// The user hub is subscribed to, again if `gap`.
    Up { gap: bool },
    /// The user hub is lost.
    Down { why: String },
    /// Something on the user hub made no sense: it may have been a fill.
    Malformed { what: String },
    /// The session was thrown out.
    Logout,
    /// What became of a call.
    Answer { call: u64, answer: Answer },
    /// Nothing is to be entered any more.
    Halt,
    /// A person has looked: entries again.
    Resume,
    /// Everything is to be closed.
    Flatten { reason: ExitReason },
    /// Time has passed.
    Timer,
}

/// What the core asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Call {
        call: u64,
        purpose: Purpose,
        request: Request,
    },
    /// For the person who watches.
    Alert {
        text: String,
    },
}

/// A call to the exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    Place {
        place: Box<Place>,
        entry: bool,
    },
    Modify {
        modify: Modify,
    },
    Cancel {
        cancel: Cancel,
    },
    Close {
        close: Close,
    },
    /// All orders that may still fill.
    Alive {
        account: i64,
    },
    /// All orders made since, whatever became of them.
    Recent {
        account: i64,
        since: Stamp,
    },
    Positions {
        account: i64,
    },
    Trades {
        account: i64,
        since: Stamp,
    },
    Account {
        account: i64,
    },
}

impl Request {
    /// Says whether it only asks.
    pub fn is_question(&self) -> bool {
        !matches!(
            self,
            Request::Place { .. } | Request::Modify { .. } | Request::Cancel { .. } | Request::Close { .. }
        )
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Placed {
        id: i64,
    },
    Done,
    Orders {
        orders: Vec<wire::Order>,
    },
    Positions {
        positions: Vec<wire::Position>,
    },
    Trades {
        trades: Vec<wire::Trade>,
    },
    Account {
        account: Option<wire::Account>,
    },
    /// Not done, for certain.
    Refused {
        why: Why,
        text: String,
    },
    /// Nobody knows.
    Unknown {
        text: String,
    },
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It never came to be judged: too many calls, no token, no line. It may be tried again so much later.
    Later {
        ms: u64,
    },
    Funds,
    /// Brackets cannot be used in the account's mode.
    Brackets,
    /// There is no such order or position.
    Gone,
    /// The account may not trade.
    Account,
    Other,
}

/// What the platform says where its own mode of brackets is set.
const BRACKETS: &str = "Brackets cannot be used";
/// Between tries of what could not be sent.
const RETRY_MS: u64 = 1_000;

impl Answer {
    /// Reads the outcome of an action.
    pub fn of_action<T, C: Code>(outcome: Outcome<T, C>, done: impl FnOnce(T) -> Answer) -> Answer {
        match outcome {
            Outcome::Done(value) => done(value),
            Outcome::Refused(refusal) => Answer::refused(&refusal),
            Outcome::Unknown(text) => Answer::Unknown { text },
        }
    }

    /// Reads the answer to a question.
    pub fn of_question<T, C: Code>(asked: Result<T, Failure<C>>, done: impl FnOnce(T) -> Answer) -> Answer {
        match asked {
            Ok(value) => done(value),
            Err(Failure::Refused(refusal)) => Answer::refused(&refusal),
            Err(Failure::Unanswered(text)) => Answer::Unknown { text },
        }
    }

    fn refused<C: Code>(refusal: &Refusal<C>) -> Answer {
        let ms = |wait: &Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).clamp(1, 60_000);
        let why = match refusal {
            Refusal::Held { wait } => Why::Later { ms: ms(wait) },
            Refusal::Busy { asked } => Why::Later { ms: asked.as_ref().map_or(RETRY_MS, ms) },
            Refusal::Unauthorized | Refusal::Unsent(_) | Refusal::NoToken(_) => Why::Later { ms: RETRY_MS },
            Refusal::Status { .. } => Why::Other,
            Refusal::Code { code, message, .. } => {
                let brackets = message.as_ref().is_some_and(|message| message.contains(BRACKETS));
                if brackets { Why::Brackets } else { meaning(&code.to_string()) }
            }
        };
        Answer::Refused { why, text: refusal.to_string() }
    }
}

/// Says what a code means, whichever endpoint it is of: the names are those of the service.
fn meaning(code: &str) -> Why {
    match code {
        "InsufficientFunds" => Why::Funds,
        "OrderNotFound" | "PositionNotFound" => Why::Gone,
        "AccountViolation" | "AccountRejected" | "AccountNotFound" => Why::Account,
        _ => Why::Other,
    }
}
