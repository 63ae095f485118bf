//! The parts of a snapshot, each out of what is kept of a row.

use mes_core::{
    ledger::Lasts,
    schedule::Today,
    statement::{Barred, Connection, Protection},
    time::{MILLI, Ts},
    vocabulary,
};
use mes_judge::words;
use mes_risk::left;

use super::{Bar, Health, Line, Step, Told, Took, clock};
use crate::{
    chart::ms,
    day::{Book, Gate, Latency, Moment, Note, Standing, State},
};

/// The most of each log that is shown.
pub const LINES: usize = 60;

/// Says which way a position is.
pub fn side(position: i64) -> &'static str {
    match position {
        0 => "flat",
        held if held > 0 => "long",
        _ => "short",
    }
}

/// Says what keeps the loss of an open position within bounds.
pub fn protection(moment: &Moment, standing: &Standing) -> String {
    match standing.protection {
        _ if moment.position == 0 => "nothing is open".into(),
        Some(Protection::Native) => "bracket at the exchange".into(),
        Some(Protection::Own) => "a stop of our own at the exchange".into(),
        Some(Protection::None { since }) => format!("NO STOP since {}", clock(since)),
        None if moment.stop.is_some() => "its stop works".into(),
        None => "NO STOP is known of".into(),
    }
}

/// Shows every limit as the judge has it.
pub fn limits(book: &Book, moment: &Moment) -> Vec<Bar> {
    let bar = |left: mes_risk::Left| {
        let (used, limit) = (left.used_cents.0 as f64, left.limit_cents.0 as f64);
        Bar {
            name: vocabulary::short(&left.rule),
            used: left.used_cents.to_string(),
            left: left.left_cents.to_string(),
            limit: left.limit_cents.to_string(),
            share: if limit > 0.0 { (used / limit).clamp(0.0, 1.0) } else { 1.0 },
            lasts: match mes_core::limits::lasts(&left.rule) {
                Some(Lasts::Day) => "stops the day",
                Some(Lasts::Review) => "stops until mes-risk review",
                Some(Lasts::Halt) | None => "stops until mes-risk reset",
            },
            rule: left.rule,
        }
    };
    left(&book.limits, &moment.facts).into_iter().map(bar).collect()
}

/// Shows the rules that keep entries away, or make them smaller.
pub fn gates(standing: &Standing) -> Vec<Told> {
    let told = |gate: &Gate| Told {
        rule: gate.rule,
        name: vocabulary::short(gate.rule),
        state: if gate.state == State::Denies { "no entries" } else { "smaller entries" },
        why: vocabulary::sentence(gate.rule, gate.value, gate.limit),
        since: clock(gate.since),
    };
    standing.gates.iter().filter(|gate| gate.state != State::Clear).map(told).collect()
}

/// Shows the last notes that are known, the last first.
pub fn lines(notes: &[Note], known: impl Fn(usize) -> bool) -> Vec<Line> {
    let line = |note: &Note| Line {
        ts: ms(note.ts),
        at: clock(note.ts),
        word: note.level.word(),
        text: note.text.clone(),
    };
    notes.iter().rev().filter(|note| known(note.at)).take(LINES).map(line).collect()
}

/// Shows how long an order took.
pub fn took(one: &Latency) -> Took {
    let told = one.told_ms.map_or_else(String::new, |ms| format!(", told {ms} ms after"));
    Took {
        at: clock(one.ts),
        what: if one.enters { "entry" } else { "exit" },
        text: format!("{} ms from decision to fill{told}", one.ms),
    }
}

/// Shows connection and age of what is known.
pub fn health((book, moment): (&Book, &Moment), standing: &Standing) -> Vec<Health> {
    let live = book.run.broker.kind.is_live();
    let account = moment.account_age / MILLI;
    let mut out = vec![
        Health {
            name: "connection",
            well: standing.connection == Connection::Up,
            text: match (standing.connection, live) {
                (Connection::Lost, _) => "LOST, being opened again".into(),
                (Connection::Up, true) => "up".into(),
                (Connection::Up, false) => "none needed: filled by the rows".into(),
            },
        },
        Health {
            name: "last trade or quote",
            well: !standing.gates.iter().any(|gate| gate.rule == "stale_ms" && gate.state != State::Clear),
            text: moment
                .age_ms
                .map_or("the rows do not say".into(), |age| format!("{} before the row", lasted(age))),
        },
    ];
    if live {
        let well =
            !standing.gates.iter().any(|gate| gate.rule == "account_stale_ms" && gate.state != State::Clear);
        out.push(Health { name: "account looked at", well, text: format!("{} before", lasted(account)) });
    }
    if let Some(barred) = standing.barred {
        let text = match barred {
            Barred::Outside => "a position or an order on the account is not ours",
            Barred::Broker => "the firm has locked or liquidated the account",
            Barred::Reconcile => "what we know and what the exchange says is being compared",
        };
        out.push(Health { name: "entries barred", well: false, text: text.into() });
    }
    out
}

fn lasted(ms: i64) -> String {
    if ms < 10_000 { format!("{ms} ms") } else { words::lasted(ms / 1000) }
}

/// Shows the steps of the day in their order.
pub fn schedule(today: &Today, now: Ts) -> Vec<Step> {
    let mut steps = vec![
        (today.end.half_size, "half size"),
        (today.end.no_entry, "no more entries"),
        (today.end.exit, "everything is closed at market"),
        (today.end.flat, "FLAT"),
        (today.day.close, "market closes"),
    ];
    if let Some((open, close)) = today.day.rth {
        steps.extend([(open, "cash session opens"), (close, "cash session closes")]);
    }
    steps.sort();
    steps.into_iter().map(|(ts, what)| Step { at: clock(ts), what, past: ts <= now }).collect()
}
