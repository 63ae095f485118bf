//! What a session came to and how it was traded: the report at the end of a day on paper, in practice or for money, and
//! the same of a backtest's journal.

mod fills;
pub mod page;
pub mod terminal;

pub use fills::{Paid, Waited};

use mes_core::{broker::Kind, time, vocabulary::short};
use serde::Serialize;
use serde_json::Value;

use crate::{
    conduct::Conduct,
    expectation::{Expectation, Standing},
    facts::Facts,
    incidents::Counted,
    reached::Reached,
    summary::Summary,
    words,
};

/// Everything that is said of a session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    pub kind: &'static str,
    pub v: u32,
    /// `paper`, `exercise`, `practice`, `real` or `recorded`.
    pub account_kind: &'static str,
    pub broker: String,
    pub account: String,
    /// How it ended, in words.
    pub ended: String,
    /// What of the journal is missing, if anything.
    pub missing: Option<&'static str>,
    /// What fills cost against the costs file, by kind.
    pub slippage: Vec<Paid>,
    pub latency: Option<Waited>,
    pub commission_usd: f64,
    pub commission_by_file_usd: f64,
    /// Limits, incidents and other alerts, in their order.
    pub alerts: Vec<Said>,
    /// What went wrong, in sentences: refusals, cash nobody explains, positions without protection.
    pub errors: Vec<String>,
    pub connection_lost: u64,
    pub connection_lost_s: i64,
    /// What people and, in an error, programs said.
    pub persons: Vec<Said>,
    pub against: Option<Against>,
    pub replay: Replay,
    pub summary: Summary,
}

/// Something that was said, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    pub ts: String,
    pub text: String,
}

/// The session beside a backtest's trades.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// What it was compared with.
    pub source: String,
    pub expectation: Expectation,
    pub standing: Option<Standing>,
}

/// The same rows traded again in a backtest, by the journal's own rules, costs and fills.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replay {
    pub trades: usize,
    pub net_usd: f64,
    /// What the session made beyond it.
    pub difference_usd: f64,
    /// What `mes-bt diff` says of the two.
    pub diff: Value,
    /// The same in words.
    pub verdict: String,
    /// Why there is none.
    pub without: Option<String>,
}

impl Session {
    /// Puts together what was recorded and heard.
    pub fn of(facts: &Facts, conduct: &Conduct, against: Option<Against>, replay: Replay) -> Session {
        let summary = Summary::of(facts);
        let hello = conduct.hello.as_ref();
        let persons = conduct.persons.iter().map(|person| {
            let text = format!("{} by {}: {}", person.says.name(), person.by, person.reason);
            Said { ts: time::format(person.ts), text }
        });
        Session {
            kind: "session",
            v: 1,
            account_kind: word(conduct.kind()),
            broker: hello.map(|hello| hello.broker.clone()).unwrap_or_default(),
            account: hello.map(name).unwrap_or_default(),
            ended: ended(facts, conduct),
            missing: facts.missing.map(mes_pipe::journal::Missing::words),
            slippage: Paid::of(&conduct.executions, facts.contract().tick_value()),
            latency: Waited::of(&conduct.executions),
            commission_usd: conduct.paid.usd(),
            commission_by_file_usd: conduct.by_file.usd(),
            alerts: alerts(facts),
            errors: errors(facts, conduct),
            connection_lost: conduct.lost,
            connection_lost_s: conduct.lost_s,
            persons: persons.collect(),
            against,
            replay,
            summary,
        }
    }

    /// Says in a line what came of it.
    pub fn verdict(&self) -> String {
        let named = !self.account.is_empty() && self.account != self.account_kind;
        let account = if named { format!(" {}", self.account) } else { String::new() };
        format!("{} account{account} {}", self.account_kind, self.summary.verdict())
    }
}

/// Returns the name of a kind of account.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Paper => "paper",
        Kind::Recorded => "recorded",
        Kind::Exercise => "exercise",
        Kind::Practice => "practice",
        Kind::Real => "real",
    }
}

fn name(hello: &mes_core::broker::Hello) -> String {
    if hello.name.is_empty() { hello.account.clone() } else { hello.name.clone() }
}

fn ended(facts: &Facts, conduct: &Conduct) -> String {
    let stopped = conduct.persons.iter().rev().find(|person| person.says == mes_core::person::Says::Stop);
    let mut text = match (facts.missing, stopped) {
        (Some(missing), _) => format!("not in order: {}", missing.words()),
        (None, Some(_)) => "stopped by a person".to_owned(),
        (None, None) => "in order".to_owned(),
    };
    if conduct.left_open != 0 {
        text += &format!(
            "; {} open in the last statement",
            words::count(conduct.left_open.unsigned_abs(), "contract")
        );
    }
    text
}

fn alerts(facts: &Facts) -> Vec<Said> {
    let kinds = facts.incidents.iter().flat_map(|incident| {
        // Of what happened often the first and the worst tell enough.
        let more = (incident.worst != incident.first).then_some(&incident.worst);
        std::iter::once(&incident.first).chain(more)
    });
    let mut alerts: Vec<_> = facts.alerts.iter().chain(kinds).collect();
    alerts.sort_by_key(|alert| alert.ts);
    let said = |alert: &&crate::facts::Alert| Said {
        ts: time::format(alert.ts),
        text: Reached::of(alert).sentence(),
    };
    alerts.iter().map(said).collect()
}

fn errors(facts: &Facts, conduct: &Conduct) -> Vec<String> {
    let mut errors: Vec<String> = crate::incidents::of(facts).iter().map(Counted::sentence).collect();
    for (reason, times) in &facts.refused {
        errors.push(format!("the broker refused {}: {}", words::count(*times, "order"), short(reason)));
    }
    for (why, times) in &conduct.barred {
        errors.push(format!("{} the broker barred entries: {}", words::count(*times, "time"), short(why)));
    }
    if conduct.unprotected > 0 {
        errors.push(format!(
            "{} a position had no stop that the broker knew of",
            words::count(conduct.unprotected, "time")
        ));
    }
    if conduct.adjusted.0 != 0 {
        errors.push(format!("cash of {} that no fill explains", conduct.adjusted));
    }
    if conduct.left_open != 0 {
        errors
            .push(format!("{} open at the end", words::count(conduct.left_open.unsigned_abs(), "contract")));
    }
    errors
}

#[cfg(test)]
mod tests;
