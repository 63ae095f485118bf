//! What became of a call, in three words where it changes something: done, refused, unknown.

use std::{fmt, time::Duration};

use mes_web::Fault;

use crate::wire::Code;

/// Why something was not done, for certain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal<C: Code> {
    /// The service says no.
    #[error("{code}{}", message.as_deref().map(|message| format!(": {message}")).unwrap_or_default())]
    Code {
        code: C,
        message: Option<String>,
        /// What it has recorded as rejected.
        order: Option<i64>,
    },
    /// 401: the token is not, or no longer, one.
    #[error("401: the token is not taken")]
    Unauthorized,
    /// 429.
    #[error("429: too many calls")]
    Busy { asked: Option<Duration> },
    /// The budget is used up; nothing was sent.
    #[error("the budget of calls is used up for {} s; nothing was sent", .wait.as_secs_f64().ceil())]
    Held { wait: Duration },
    /// Another status from 400 to 499.
    #[error("{status}: {body}")]
    Status { status: u16, body: String },
    /// Nothing left this machine.
    #[error("{0}")]
    Unsent(String),
    /// There is no token to send it with.
    #[error("not logged in: {0}")]
    NoToken(String),
}

/// What became of a call that changes something. It is never made again by itself.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T, C: Code> {
    Done(T),
    Refused(Refusal<C>),
    /// Nobody knows: look for its tag among orders and trades before anything else.
    Unknown(String),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure<C: Code> {
    #[error(transparent)]
    Refused(#[from] Refusal<C>),
    /// No answer, or none that makes sense.
    #[error("{0}")]
    Unanswered(String),
}

impl<C: Code> Failure<C> {
    /// Sorts what went wrong on the way.
    pub(crate) fn of(fault: Fault) -> Failure<C> {
        let what = fault.to_string();
        match fault {
            // Its body may be anything, and is not to be relied on.
            Fault::Status(refusal) if refusal.status == 401 => Refusal::Unauthorized.into(),
            Fault::Limited(refusal) => Refusal::Busy { asked: refusal.retry_after }.into(),
            Fault::Unsent { .. } | Fault::Untrusted { .. } => Refusal::Unsent(what).into(),
            Fault::Status(refusal) if !Fault::Status(refusal.clone()).may_have_happened() => {
                Refusal::Status { status: refusal.status, body: one_line(&refusal.body) }.into()
            }
            _ => Failure::Unanswered(what),
        }
    }
}

impl<T, C: Code> Outcome<T, C> {
    /// Says of an answer to a call that changes something what became of it.
    pub(crate) fn of(answered: Result<T, Failure<C>>) -> Outcome<T, C> {
        match answered {
            Ok(done) => Outcome::Done(done),
            Err(Failure::Refused(Refusal::Code { code, message, .. })) if code.leaves_open() => {
                Outcome::Unknown(format!(
                    "{code}{}",
                    message.map(|message| format!(": {message}")).unwrap_or_default()
                ))
            }
            Err(Failure::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Failure::Unanswered(what)) => Outcome::Unknown(what),
        }
    }
}

impl<T, C: Code> fmt::Display for Outcome<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Outcome::Done(_) => f.write_str("done"),
            Outcome::Refused(refusal) => write!(f, "refused: {refusal}"),
            Outcome::Unknown(what) => write!(f, "unknown: {what}"),
        }
    }
}

fn one_line(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(200).collect()
}
