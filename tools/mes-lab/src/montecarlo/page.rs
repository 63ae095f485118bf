//! The lives as a page: where equity may go, and the chances beside it.

use mes_core::rules::Rules;
use mes_page::{
    html::{Cell, facts, paragraph, section, table},
    svg::{Axis, Chart},
};

use super::{
    closed::{ClosedForm, LEAVES_OUT},
    outcome::{DRAWS, Outcome, SHARES},
};
use mes_judge::{
    report::{charts, frame},
    words::{self, usd},
};

/// Writes the whole page.
pub fn page(outcome: &Outcome, rules: &Rules) -> String {
    let mut body = format!("<header>{}<h1>What else could have come</h1>", outcome.origin.badge());
    body += &paragraph(&outcome.head());
    let origin = outcome.origin.caution().map(str::to_owned);
    body += &frame::notes(&origin.into_iter().chain(outcome.caution()).collect::<Vec<_>>());
    body += "</header>\n";
    body += &section("Equity", &(fan(outcome) + CAPTION));
    body += &section("Chances", &chances(outcome));
    if !outcome.closed_forms.is_empty() {
        body += &section("Sanity check", &closed_forms(outcome));
    }
    body += &section("Spread", &spreads(outcome));
    body += &assumptions(outcome, rules);
    body += &frame::lineage(&outcome.lineage, &outcome.settings);
    mes_page::page("mes Monte Carlo", &body)
}

const CAPTION: &str =
    "<p class=\"caption\">Half of the lives run within the inner band, nine of ten within both</p>";
const HOW: &str = "Whole sessions of the backtest are drawn with replacement, so trades of one day stay together and \
                   days without a trade count. Limits act after every closed trade; what a trade was down before it \
                   closed is not known here, and its stop bounds it. A life that ends stays where it ended. Reordered \
                   trades keep their sum and meet no limit.";

/// The rules that lives were lived by, and those by which the trades came about.
fn assumptions(outcome: &Outcome, rules: &Rules) -> String {
    let settings = &outcome.settings;
    let text = |key: &str| settings[key].as_str().unwrap_or("-").to_owned();
    let mut rows = frame::account(rules);
    let fills = settings["fills"]["model"].as_str().unwrap_or("-").to_owned();
    rows.extend([
        ("Traded by", text("traded_by")),
        ("Costs of the trades", text("costs")),
        ("Fills of the trades", fills),
    ]);
    section("Assumptions", &(paragraph(HOW) + &facts(&rows)))
}

fn fan(outcome: &Outcome) -> String {
    let count = outcome.fan.len() as f64;
    let start = outcome.start_usd;
    let low = outcome.fan.iter().map(|(_, at)| at[0]).fold(start, f64::min);
    let high = outcome.fan.iter().map(|(_, at)| at[4]).fold(start, f64::max);
    let mut chart = Chart::new(
        "Equity over sessions, as bands of lives",
        280.0,
        Axis::nice(low, high, 5.0),
        charts::dollars,
    );
    let line = |share: usize| {
        let points = outcome.fan.iter().enumerate();
        let points = points.map(|(index, (_, at))| ((index + 1) as f64 / count, at[share]));
        std::iter::once((0.0, start)).chain(points).collect::<Vec<_>>()
    };
    chart.area("band", &line(4), &line(0));
    chart.area("band", &line(3), &line(1));
    chart.line("equity", &line(2));
    chart.level("level", start, "start");
    chart.below(0.0, "session 1");
    chart.below(1.0, &outcome.days.to_string());
    let tips = outcome.fan.iter().map(|(day, at)| {
        format!("session {day}: {} middle, {} to {} nine of ten", usd(at[2]), usd(at[0]), usd(at[4]))
    });
    chart.tips(tips.collect());
    chart.render()
}

fn chances(outcome: &Outcome) -> String {
    let row = |chance: &super::outcome::Chance| {
        vec![
            Cell::Text(chance.of.trim().to_owned()),
            Cell::Bar(chance.share, 0.0),
            Cell::Number(chance.happened(outcome.runs)),
            Cell::Number(chance.interval()),
        ]
    };
    let rows: Vec<Vec<Cell>> = outcome.chances.iter().map(row).collect();
    let table = table(&["Lives with", "|", ">Share", ">95 % interval"], &rows);
    format!("<div class=\"wrap\">{table}</div>\n<p class=\"caption\">{}</p>\n", words::capital(DRAWS))
}

fn closed_forms(outcome: &Outcome) -> String {
    let row = |form: &ClosedForm| {
        vec![
            Cell::Text(form.of.to_owned()),
            Cell::Bar(form.share, 0.0),
            Cell::Number(words::chance(form.share)),
        ]
    };
    let rows: Vec<Vec<Cell>> = outcome.closed_forms.iter().map(row).collect();
    let words = format!("Passing by closed forms, {LEAVES_OUT}.");
    let apart = outcome.apart().map(|text| paragraph(&(words::capital(&text) + "."))).unwrap_or_default();
    paragraph(&words) + &apart + &table(&["Of", "|", ">Chance"], &rows)
}

/// A line a share, so that a phone shows all of them.
fn spreads(outcome: &Outcome) -> String {
    let rows = outcome.rows();
    let names: Vec<String> =
        rows.iter().map(|(name, ..)| format!(">{}", words::capital(name.trim()))).collect();
    let head: Vec<&str> = std::iter::once("Lives below").chain(names.iter().map(String::as_str)).collect();
    let line = |(index, share): (usize, f64)| {
        let mut cells = vec![Cell::Text(format!("{:.0} %", share * 100.0))];
        cells.extend(rows.iter().map(|(_, values, unit)| Cell::Number(unit(values[index]))));
        cells
    };
    let lines: Vec<Vec<Cell>> = SHARES.into_iter().enumerate().map(line).collect();
    format!("<div class=\"wrap\">{}</div>\n", table(&head, &lines))
}
