//! The search as a page: the best trials, how much of them is the search, and the map of the two weightiest keys.

use chrono::NaiveDate;
use mes_page::{
    html::{Cell, colour, escape, facts, minus, paragraph, section, table},
    svg::{Axis, Chart},
};
use mes_pipe::Settings;

use super::{
    judged::Judged,
    map::Map,
    outcome::Outcome,
    table::{SHARES, counts, deaths, sharpe_range, values},
};
use mes_judge::{
    report::frame,
    stats::overfitting::Overfitting,
    words::{capital, or_dash, percent, signed_usd, two, usd},
};

/// More splits than this no screen shows apart.
const DOTS: usize = 400;

/// Writes the whole page.
pub fn page(outcome: &Outcome, map: Option<&Map>, settings: &Settings, last: Option<NaiveDate>) -> String {
    let mut body = header(outcome);
    body += &section("What the best is worth", &facts(&worth(outcome)));
    if let Some(found) = &outcome.overfitting {
        body += &section("In sample against out of sample", &against(found));
    }
    if !outcome.top.is_empty() {
        body += &section("Best trials", &(best_trials(&outcome.top) + CHOSEN));
    }
    if let Some(map) = map {
        body += &section("Map", &map.html());
    }
    if !outcome.importance.is_empty() {
        body += &section("What mattered", &importance(outcome));
    }
    let Settings { rules, costs, fills, .. } = settings;
    let varied = format!("Varied: {}; what is not varied is as below.", outcome.vary.join("; "));
    let said = [varied.as_str(), frame::RETURNS, frame::BAR_BY_BAR];
    body += &frame::assumptions(&rules.value, &costs.value, fills, last, &said);
    body += &frame::lineage(&outcome.lineage, &outcome.settings);
    mes_page::page("mes optimize", &body)
}

const CHOSEN: &str = "<p class=\"caption\">On the days searched on, so chosen for looking good. DSR is the chance that the \
                      true Sharpe ratio is above 0 after as many trials.</p>";

fn header(outcome: &Outcome) -> String {
    let (title, class) = match (&outcome.holdout, &outcome.best) {
        (Some(held), _) => {
            (format!("Best trial {} on days held out", signed_usd(held.net_usd)), colour(held.net_usd))
        }
        (None, Some(best)) => {
            (format!("Best trial {} on the days searched on", signed_usd(best.net_usd)), "")
        }
        (None, None) => ("No trial is ranked".to_owned(), ""),
    };
    let mut out = format!("<header>{}<h1 class=\"{class}\">", outcome.origin.badge());
    out += &(escape(&minus(&title)) + "</h1>");
    out += &paragraph(&counts(outcome));
    for line in deaths(outcome).iter().chain(&outcome.why_no_trade) {
        out += &format!("<p class=\"loss\">{}</p>\n", escape(&capital(line)));
    }
    out + &frame::notes(&outcome.warnings) + "</header>\n"
}

fn worth(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    for (name, sharpe, band, judged) in [
        ("Searched on", "Its Sharpe", "Its net, worst to best", &outcome.best),
        ("Held out", "Its Sharpe, held out", "Its net, held out, worst to best", &outcome.holdout),
    ] {
        if let Some(judged) = judged {
            let drawdown = usd(judged.max_drawdown_usd);
            rows.push((
                name,
                format!("{} in {} trades, drawdown {drawdown}", signed_usd(judged.net_usd), judged.trades),
            ));
            rows.push((sharpe, judged.rests().sentence()));
            rows.extend(judged.band().map(|text| (band, text)));
        }
    }
    if let Some(record) = &outcome.record {
        rows.push(("Record (MinBTL)", record.sentence()));
    }
    if let Some(found) = &outcome.overfitting {
        rows.push(("Overfitting (PBO)", format!("{}: {}", percent(found.pbo), found.sentence())));
    }
    rows
}

/// The best trial of each half of the days: its ratio there, and in the other half.
fn against(found: &Overfitting) -> String {
    let step = found.pairs.len().div_ceil(DOTS).max(1);
    let pairs: Vec<(f64, f64)> = found.pairs.iter().copied().step_by(step).collect();
    let ends = |of: fn(&(f64, f64)) -> f64| {
        pairs
            .iter()
            .map(of)
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (low, high) = ends(|pair| pair.0);
    let fitted = |inside: f64| found.intercept + found.slope * inside;
    let (bottom, top) = ends(|pair| pair.1);
    let line = [fitted(low), fitted(high)];
    let (bottom, top) = line.iter().fold((bottom.min(0.0), top.max(0.0)), |(b, t), y| (b.min(*y), t.max(*y)));
    // A little room, so that no dot sits on the edge.
    let room = (high - low) * 0.04;
    let across = Axis::nice(low - room, high + room, 5.0);
    let unit = |value: f64| minus(&two(value));
    let name = "Sharpe ratio a day of the best trial, chosen on one half of the days, in the other half";
    let mut chart = Chart::new(name, 260.0, Axis::nice(bottom, top, 4.0), unit);
    for (inside, outside) in &pairs {
        let title = minus(&format!("chosen at {inside:.3}, then {outside:.3}"));
        chart.dot(
            if *outside < 0.0 { "split down" } else { "split up" },
            across.share(*inside),
            *outside,
            &title,
        );
    }
    chart.line("equity", &[(across.share(low), line[0]), (across.share(high), line[1])]);
    for tick in across.ticks() {
        chart.below(across.share(tick), &unit(tick));
    }
    let words = format!(
        "Each dot halves the days in another way: across, the Sharpe ratio a day of the best trial in the half that \
         it was chosen on; up, its ratio in the other half. Line: {}.",
        found.decay()
    );
    chart.render() + &paragraph(&minus(&words))
}

fn best_trials(top: &[Judged]) -> String {
    let row = |judged: &Judged| {
        vec![
            Cell::Number(judged.trial.to_string()),
            Cell::Number(or_dash(judged.score, two)),
            Cell::Signed(signed_usd(judged.net_usd), judged.net_usd),
            Cell::Number(sharpe_range(judged)),
            Cell::Number(or_dash(judged.dsr, percent)),
            Cell::Number(usd(judged.max_drawdown_usd)),
            Cell::Number(judged.trades.to_string()),
            Cell::Text(values(judged)),
        ]
    };
    let head = [">Trial", ">Score", ">Net", ">Sharpe, 95 %", ">DSR", ">Drawdown", ">Trades", "Values"];
    table(&head, &top.iter().map(row).collect::<Vec<_>>())
}

fn importance(outcome: &Outcome) -> String {
    let row = |of: &super::importance::Importance| {
        vec![Cell::Text(of.key.clone()), Cell::Bar(of.share, 0.0), Cell::Number(percent(of.share))]
    };
    let rows: Vec<Vec<Cell>> = outcome.importance.iter().map(row).collect();
    table(&["Key", "|", ">Share"], &rows) + &format!("<p class=\"caption\">The {}</p>", escape(SHARES))
}
