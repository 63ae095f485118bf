//! The session as a page.

use mes_page::{
    data,
    html::{Cell, colour, escape, minus, paragraph, section, table},
    pair,
};

use super::{Said, Session, terminal};
use crate::{
    facts::Facts,
    report::{charts, frame, prices, sections},
    words::{self, or_dash, signed_usd},
};

/// Writes the whole page.
pub fn page(session: &Session, facts: &Facts) -> String {
    let summary = &session.summary;
    let mut body = head(session);
    body += &sections::key_figures(summary);
    body += &expected(session);
    body += &prices::prices(facts);
    body += &prices::trades(facts);
    if !facts.trades.is_empty() {
        body += &section("Equity", &charts::equity(facts));
    }
    body += &pair(&fills(session), &line(session));
    body += &said("Alerts", &session.alerts);
    body += &said("What people and programs said", &session.persons);
    body += &wrong(session);
    body += &sections::limits(summary);
    body += &sections::blocked(summary);
    if let Some(run) = &facts.run {
        let last = facts.days.last().map(|day| day.date);
        body += &frame::assumptions(
            &run.rules.value,
            &run.costs.value,
            &run.fills,
            last,
            &[frame::RETURNS, frame::BAR_BY_BAR],
        );
    }
    body += &frame::lineage(&summary.lineage, &summary.settings);
    body += &data("session", &serde_json::to_string(session).unwrap_or_default());
    mes_page::page(&format!("mes session: {}", session.verdict()), &body)
}

fn head(session: &Session) -> String {
    let summary = &session.summary;
    let died =
        if summary.account_died.is_some() { "<span class=\"badge died\">Account died</span>" } else { "" };
    let kind = escape(&words::capital(session.account_kind));
    let whole = if session.missing.is_some() { "<span class=\"badge died\">Not whole</span>" } else { "" };
    let span = &summary.span;
    let line = format!(
        "{} to {} · {} bars of {} · rules {} · costs {} · ended {}",
        span.first.as_deref().unwrap_or("-"),
        span.last.as_deref().unwrap_or("-"),
        words::grouped(span.rows),
        span.interval,
        summary.settings.terms.rules,
        summary.settings.terms.costs,
        session.ended
    );
    format!(
        "<header>\n<span class=\"badge\">{kind}</span>{died}{whole}{}<h1 class=\"{}\">{}</h1>\n{}{}</header>\n",
        summary.origin.badge(),
        colour(summary.account.net_usd),
        escape(&minus(&words::capital(&session.verdict()))),
        paragraph(&line),
        frame::notes(&summary.warnings)
    )
}

fn expected(session: &Session) -> String {
    let mut body = String::new();
    match &session.against {
        None => body += &paragraph("No backtest was named to compare with: mes-bt session --against RUN."),
        Some(against) => {
            let expected = against.expectation.sentence();
            body += &paragraph(&format!("Expected: {}, of {}.", minus(&expected), against.source));
            let none = || "No trade to compare.".to_owned();
            let standing = against
                .standing
                .as_ref()
                .map_or_else(none, |standing| format!("Made {}.", standing.sentence()));
            body += &paragraph(&minus(&standing));
        }
    }
    body += &paragraph(&minus(&format!("Replayed: {}.", terminal::replayed(session))));
    body += &differences(session);
    section("Against the backtest", &body)
}

/// A row for each stage of `mes-bt diff`.
fn differences(session: &Session) -> String {
    let diff = &session.replay.diff;
    let stages = diff["differing_rows"].as_object().filter(|_| !diff["first"].is_null());
    let Some(stages) = stages else { return String::new() };
    let count = |value: &serde_json::Value| words::grouped(value.as_u64().unwrap_or_default());
    let mut rows: Vec<Vec<Cell>> = ["bars", "predictions", "fills", "risk"]
        .into_iter()
        .filter_map(|stage| Some(vec![Cell::Text(stage.into()), Cell::Number(count(stages.get(stage)?))]))
        .collect();
    for (name, key) in [("rows only in the session", "only_one"), ("rows only in the backtest", "only_other")]
    {
        rows.push(vec![Cell::Text(name.into()), Cell::Number(count(&diff[key]))]);
    }
    format!("<div class=\"wrap\">{}</div>", table(&["Differs in", ">Rows"], &rows))
}

fn fills(session: &Session) -> String {
    let rows: Vec<Vec<Cell>> = session
        .slippage
        .iter()
        .map(|paid| {
            vec![
                Cell::Text(words::capital(paid.how.words())),
                Cell::Number(paid.fills.to_string()),
                Cell::Number(or_dash(paid.mean_ticks, |ticks| format!("{ticks:+.2}"))),
                Cell::Number(paid.worst_ticks.map_or("-".into(), |ticks| format!("{ticks:+}"))),
                Cell::Number(format!("{:.2}", paid.expected_ticks)),
                Cell::Signed(signed_usd(-paid.beyond_usd), -paid.beyond_usd),
            ]
        })
        .collect();
    let body = match rows.is_empty() {
        true => paragraph("No fill."),
        false => table(&["Fills", ">Count", ">Ticks", ">Worst", ">File", ">Beyond"], &rows),
    };
    let text = "Ticks worse than the open of the row that an order at market fell into, or than its stop or limit; beside it \
                what the costs file takes in a calm market.";
    section("What fills cost", &(body + &format!("<p class=\"caption\">{}</p>\n", escape(text))))
}

fn line(session: &Session) -> String {
    let rows = [
        ("Broker", session.broker.clone()),
        ("Account", session.account.clone()),
        ("Commission", terminal::commission(session)),
        ("Latency", terminal::latency(session)),
        ("Connection", terminal::connection(session)),
        ("Ended", session.ended.clone()),
    ];
    let rows: Vec<Vec<Cell>> =
        rows.into_iter().map(|(name, value)| vec![Cell::Text(name.into()), Cell::Text(value)]).collect();
    section("Account and line", &format!("<div class=\"wrap words\">{}</div>", table(&["", ""], &rows)))
}

fn said(heading: &str, said: &[Said]) -> String {
    let when = |said: &Said| mes_core::time::parse(&said.ts).map(words::new_york_second).unwrap_or_default();
    let row = |said: &Said| vec![Cell::Text(when(said)), Cell::Text(said.text.clone())];
    let rows: Vec<Vec<Cell>> = said.iter().map(row).collect();
    match rows.is_empty() {
        true => section(heading, &paragraph("None.")),
        false => {
            section(heading, &format!("<div class=\"wrap words\">{}</div>", table(&["New York", ""], &rows)))
        }
    }
}

fn wrong(session: &Session) -> String {
    let errors: String =
        session.errors.iter().map(|error| paragraph(&format!("{}.", words::capital(error)))).collect();
    section("What went wrong", &if errors.is_empty() { paragraph("Nothing.") } else { errors })
}
