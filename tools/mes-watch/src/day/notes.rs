//! What happened, in words: decisions, fills, refusals, alerts, what a person said.

use mes_core::{
    order::Side,
    person::{Person, Says},
    price::Price,
    round_trip::RoundTrip,
    statement::{Connection, Fill, Refusal},
    time::Ts,
    verdict::Verdict,
    vocabulary,
};
use serde::Serialize;

/// The longest text of a stranger that is shown.
const LONGEST: usize = 200;

/// How much a note matters, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Order,
    Fill,
    Deny,
    Hold,
    /// A person spoke.
    Person,
    /// What a person should know.
    Alert,
    /// Trading has stopped.
    Stop,
    /// What was wrong is right again.
    Good,
}

impl Level {
    /// Names it in a word, so that no colour has to.
    pub fn word(self) -> &'static str {
        match self {
            Level::Order => "order",
            Level::Fill => "fill",
            Level::Deny => "denied",
            Level::Hold => "waits",
            Level::Person => "person",
            Level::Alert => "ALERT",
            Level::Stop => "STOP",
            Level::Good => "again",
        }
    }
}

/// One line of a log.
#[derive(Clone, Debug)]
pub struct Note {
    /// The moment from which on it is known.
    pub at: usize,
    pub ts: Ts,
    pub level: Level,
    pub text: String,
}

/// An execution on the chart.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub at: usize,
    pub ts: Ts,
    pub price: Price,
    pub side: Side,
    pub contracts: i64,
    /// Why the position was closed; absent for an entry.
    pub exit: Option<&'static str>,
    /// What the trade that it ended came to, in cents.
    pub net_cents: Option<i64>,
}

/// How long an order took from its decision to its fill.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub at: usize,
    pub ts: Ts,
    /// It opened a position.
    pub enters: bool,
    pub ms: i64,
    /// From the fill to the statement that told it, where the broker has a clock.
    pub told_ms: Option<i64>,
}

impl Mark {
    /// Draws a fill, and the trade that it ended.
    pub fn of(at: usize, fill: &Fill, ended: Option<&RoundTrip>) -> Mark {
        Mark {
            at,
            ts: fill.ts,
            price: fill.price,
            side: fill.side,
            contracts: fill.contracts,
            exit: fill.exit.map(|exit| exit.name()),
            net_cents: ended.map(|trade| trade.net_cents.0),
        }
    }
}

/// Keeps what can be shown of a text that came from anywhere.
pub fn plain(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { '·' } else { letter };
    let mut short: String = text.chars().take(LONGEST).map(shown).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Says a fill.
pub fn filled(at: usize, fill: &Fill) -> Note {
    let side = if fill.side == Side::Buy { "bought" } else { "sold" };
    let why = fill.exit.map_or_else(String::new, |exit| {
        let net = fill.gross_cents - fill.commission_cents;
        format!(": {}, {net}", vocabulary::short(exit.name()))
    });
    let text = format!("{side} {} at {:.2}{why}", fill.contracts, fill.price);
    Note { at, ts: fill.ts, level: Level::Fill, text }
}

/// Says why an order was not taken.
pub fn refused(at: usize, ts: Ts, refusal: &Refusal) -> Note {
    let why = plain(&vocabulary::short(&refusal.reason));
    Note { at, ts, level: Level::Deny, text: format!("order {} refused: {why}", refusal.order) }
}

/// Says a verdict as `mes-risk explain` does.
pub fn verdict(at: usize, verdict: &Verdict) -> Note {
    let (ts, level) = match verdict {
        Verdict::Order(order) => (order.ts, Level::Order),
        Verdict::Deny { ts, .. } => (*ts, Level::Deny),
        Verdict::Hold { ts, .. } => (*ts, Level::Hold),
        Verdict::Alert { ts, .. } => (*ts, Level::Alert),
    };
    let said = mes_risk::said(verdict);
    Note { at, ts, level, text: plain(said.trim_start_matches("ALERT ")) }
}

/// Says what a person said.
pub fn person(at: usize, person: &Person) -> Note {
    let level = match person.says {
        Says::Halt | Says::Stop => Level::Stop,
        Says::Resume | Says::Review | Says::Reset => Level::Person,
    };
    let (by, reason) = (plain(&person.by), plain(&person.reason));
    Note { at, ts: person.ts, level, text: format!("{} by {by}: {reason}", person.says.name()) }
}

/// Says that the broker is heard of again, or not any more.
pub fn connection(now: Connection) -> (Level, &'static str) {
    match now {
        Connection::Up => (Level::Good, "the broker hears of the account again"),
        Connection::Lost => {
            (Level::Alert, "the connection to the account is lost, and is being opened again")
        }
    }
}
