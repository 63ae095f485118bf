//! What goes into a [`Line`](super::line::Line) and comes out of it.

use std::fmt;

use mes_core::time::{SECOND, Ts};
use mes_projectx::{hub::HubEvent, wire::Bar};

use super::feed::Record;

/// How much of the past is sent before the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    None,
    /// Nanoseconds.
    Span(i64),
    /// From the opening of the Globex day on.
    Day,
}

impl fmt::Display for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            WarmUp::None => f.write_str("0"),
            WarmUp::Span(nanos) => write!(f, "{}s", nanos / SECOND),
            WarmUp::Day => f.write_str("day"),
        }
    }
}

/// Something that has come.
#[derive(Debug)]
pub enum Event {
    Hub(HubEvent),
    /// The answer to [`Want::Bars`], by its number.
    Bars(u32, Result<Vec<Bar>, String>),
    /// The answer to [`Want::Newest`]: when the newest bar begins.
    Newest(Result<Option<Ts>, String>),
    /// The answer to [`Want::Contract`]: whether ours is still the one, or else which is.
    Contract(Result<Option<String>, String>),
}

/// Something that is to be asked or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All bars of one second that begin within a span, in the service's time.
    Bars { number: u32, span: [Ts; 2] },
    /// The newest bar of a span.
    Newest([Ts; 2]),
    /// Whether the contract is still the one that can be traded.
    Contract,
    /// The connection is to be cut: it comes back by itself.
    Cut,
}

/// Something for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    Note(String),
    /// Not to be kept quiet.
    Alert(String),
}

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Step {
    pub records: Vec<Record>,
    pub wants: Vec<Want>,
    pub says: Vec<Say>,
    /// The feed ends here, for this reason.
    pub end: Option<String>,
}
