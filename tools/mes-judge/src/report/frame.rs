//! What every page of the lab begins and ends with: whether the data were made up, what to beware of, the assumptions
//! and where it all comes from.

use std::fmt::Write as _;

use chrono::NaiveDate;
use mes_core::{costs::Costs, fills::Fills, rules::Rules};
use serde::Serialize;
use serde_json::Value;

use super::html::{escape, facts, paragraph, section};
use crate::words::{self, usd};

/// How the Sharpe ratio and its kin are made.
pub const RETURNS: &str = "Sharpe, Sortino and Calmar are of daily returns of equity, days without a trade included, days after \
                           an account's death not, Calmar by the greatest fall of equity bar by bar, \
                           252 days a year, no risk-free rate. From 20 days on intervals are of 2,000 stationary \
                           resamples of whole sessions (bias-corrected and accelerated, 95 %); with fewer days a Sharpe \
                           has its standard error, √((1 + SR²/2)/T) of the daily ratio (Lo 2002), brought to a year.";
/// How a drawdown is measured where every bar is at hand.
pub const BAR_BY_BAR: &str = "Drawdown is bar by bar, open trades marked at what closing them would cost.";

/// Lists what to beware of; nothing if there is nothing.
pub fn notes(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let item = |warning: &String| format!("<li>{}</li>", escape(&words::capital(warning)));
    format!("<ul class=\"notes\">{}</ul>\n", warnings.iter().map(item).collect::<String>())
}

/// What was traded by, in the section of [`assumptions`].
pub fn account(rules: &Rules) -> Vec<(&'static str, String)> {
    let limits = &rules.limits;
    vec![
        ("Capital", usd(rules.capital_usd)),
        ("Daily loss", usd(limits.daily_loss_usd)),
        ("Daily drawdown", usd(limits.daily_drawdown_usd)),
        ("Account drawdown", usd(limits.account_drawdown_usd)),
        ("Kill switch", usd(limits.kill_loss_usd)),
        ("Minimum balance", usd(limits.minimum_balance_usd)),
        ("Risk per trade, at most", usd(limits.per_trade_usd)),
        ("Confidence to enter", rules.entries.confidence.to_string()),
        ("Stop, target", words::bracket(&rules.exits)),
        ("Flat by, New York", rules.day_end.flat_by.format("%H:%M").to_string()),
    ]
}

/// Rules, costs and how fills were made; `more` says how the page's own figures came about, and the costs are those of
/// the `last` day.
pub fn assumptions(
    rules: &Rules,
    costs: &Costs,
    fills: &Fills,
    last: Option<NaiveDate>,
    more: &[&str],
) -> String {
    let side = last.map(|date| costs.rate(date).side() * 2).unwrap_or_default();
    let mut rows = account(rules);
    rows.extend(words::limit(&rules.entries).map(|limit| ("Entries", limit)));
    rows.extend([
        ("Round turn per contract", side.to_string()),
        ("Fills", format!("{:?}", fills.model).to_lowercase()),
        ("Latency", fills.latency.to_string()),
        ("Slippage", words::slippage(costs.slippage)),
    ]);
    let words = std::iter::once(words::fills(fills.model)).chain(more.iter().copied());
    section("Assumptions", &(words.map(paragraph).collect::<String>() + &facts(&rows)))
}

/// The chain of what made the rows, and the hashes of what judged them; `settings` has the keys of a summary's.
pub fn lineage(lineage: &Value, settings: &impl Serialize) -> String {
    let settings = serde_json::to_value(settings).unwrap_or_default();
    let mut body = String::from("<ol>\n");
    for link in lineage.as_array().map(Vec::as_slice).unwrap_or_default() {
        let tool = link["tool"].as_str().unwrap_or("?");
        let input = link.get("input").map(|input| format!(" input {input}")).unwrap_or_default();
        let _ = writeln!(
            body,
            "<li>{} <code>{}{}</code></li>",
            escape(tool),
            escape(&link["settings"].to_string()),
            escape(&input)
        );
    }
    for name in ["rules", "costs", "calendar"] {
        let text = |key: &str| settings[key].as_str().unwrap_or_default().to_owned();
        let (value, hash) = (text(name), text(&format!("{name}_blake3")));
        let _ = writeln!(body, "<li>{name} {} <code>{}</code></li>", escape(&value), escape(&hash));
    }
    body += "</ol>\n";
    section("Where it comes from", &body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_chain_is_told_link_by_link() {
        let chain = json!([{"tool": "mes-fetch", "settings": {"synthetic": true}}, {"tool": "mes-bt", "settings": null, "input": ["ab"]}]);
        let text = lineage(
            &chain,
            &json!({"rules": "mes-1k", "rules_blake3": "cd", "costs": "o", "costs_blake3": "ef"}),
        );
        for part in
            ["mes-fetch <code>", "input [&quot;ab&quot;]", "<li>rules mes-1k <code>cd", "<li>calendar "]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(notes(&[]), "");
    }
}
