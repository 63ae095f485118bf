//! The session for a person at a terminal.

use std::fmt::Write as _;

use super::Session;
use crate::{facts::Facts, terminal, words};

/// Writes it: how it ended, against what was to be expected, fills, alerts, then what it came to.
pub fn text(session: &Session, facts: &Facts) -> String {
    let mut out = format!("{}; ended {}\n\n", words::capital(&session.verdict()), session.ended);
    for (name, value) in lines(session) {
        let _ = writeln!(out, "  {name:<18} {value}");
    }
    out.push('\n');
    out + &terminal::text(&session.summary, facts)
}

/// Returns what stands before the summary, each with its name.
pub fn lines(session: &Session) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    match &session.against {
        None => line("expected", "unknown: name a backtest by --against RUN".to_owned()),
        Some(against) => {
            line("expected", format!("{}, of {}", against.expectation.sentence(), against.source));
            let none = || "no trade to compare".to_owned();
            line("against it", against.standing.as_ref().map_or_else(none, super::Standing::sentence));
        }
    }
    line("replayed", replayed(session));
    if session.slippage.is_empty() {
        line("fills", "none".to_owned());
    }
    for paid in &session.slippage {
        line(paid.how.words(), paid.sentence());
    }
    line("commission", commission(session));
    line("latency", latency(session));
    line("connection", connection(session));
    for said in &session.alerts {
        line("alert", format!("{}  {}", said.ts, said.text));
    }
    for said in &session.persons {
        line("said", format!("{}  {}", said.ts, said.text));
    }
    for error in &session.errors {
        line("error", error.clone());
    }
    lines
}

/// Says what a backtest of the same rows made.
pub fn replayed(session: &Session) -> String {
    let replay = &session.replay;
    match &replay.without {
        Some(why) => format!("not: {why}"),
        None => format!(
            "the same rows in a backtest: {} in {}; {} beside it, {}",
            words::signed_usd(replay.net_usd),
            words::count(replay.trades as u64, "trade"),
            words::signed_usd(replay.difference_usd),
            replay.verdict
        ),
    }
}

/// Says what was charged, and what the costs file had let expect.
pub fn commission(session: &Session) -> String {
    let (paid, by_file) = (session.commission_usd, session.commission_by_file_usd);
    let same = if paid == by_file {
        "as the costs file says".to_owned()
    } else {
        format!("{} by the costs file", words::usd(by_file))
    };
    format!("{}, {same}", words::usd(paid))
}

/// Says how long orders took; on paper that is the model's, since a fill bears the stamp of its row.
pub fn latency(session: &Session) -> String {
    let Some(waited) = &session.latency else { return "no order at market was filled".to_owned() };
    let by = if session.account_kind == "paper" {
        ", by the rows: a fill on paper bears the stamp of its row"
    } else {
        ""
    };
    format!("{}{by}; modelled {}", waited.sentence(), session.summary.settings.terms.fills.latency)
}

/// Says what became of the line to the broker.
pub fn connection(session: &Session) -> String {
    match (session.account_kind, session.connection_lost) {
        ("paper" | "recorded", _) => "none to lose".to_owned(),
        (_, 0) => "never lost".to_owned(),
        (_, times) => format!(
            "lost {}, {} in all",
            words::count(times, "time"),
            words::lasted(session.connection_lost_s)
        ),
    }
}
