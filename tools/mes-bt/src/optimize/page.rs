//! The search as a page: the map of its two weightiest parameters, and what the text says.

use chrono::NaiveDate;
use mes_page::html::{escape, section};
use mes_pipe::Settings;

use super::{map::Map, outcome::Outcome};
use crate::report::frame;

/// Writes the whole page; `text` is that of `optimize.txt`.
pub fn page(
    outcome: &Outcome,
    text: &str,
    map: Option<&Map>,
    settings: &Settings,
    last: Option<NaiveDate>,
) -> String {
    let mut body = format!("<header>{}", frame::badge(outcome.synthetic));
    body += "<h1>What the search found, and how much of it is the search</h1>";
    body += &(frame::notes(&outcome.warnings) + "</header>\n");
    if let Some(map) = map {
        body += &section("Map", &format!("<div class=\"map\">{}</div>", map.svg()));
    }
    body += &section("In words", &format!("<div class=\"scroll\"><pre>{}</pre></div>\n", escape(text)));
    let Settings { rules, costs, fills, .. } = settings;
    body +=
        &frame::assumptions(&rules.value, &costs.value, fills, last, &[frame::RETURNS, frame::BAR_BY_BAR]);
    body += &frame::lineage(&outcome.lineage, &outcome.settings);
    mes_page::page("mes optimize", &body)
}
