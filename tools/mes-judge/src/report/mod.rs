//! The report of a backtest: one page that says it all.

mod calibration;
pub mod charts;
pub mod frame;
mod months;
pub mod prices;
pub mod sections;

use mes_page::{html, pair, svg};

use crate::{facts::Facts, summary::Summary};

/// Begins the summary within the page.
pub const SUMMARY: &str = "<script type=\"application/json\" id=\"summary\">";

/// Writes the whole page. Each section is a function of its own; a new one is a line here.
pub fn page(summary: &Summary, facts: &Facts) -> String {
    let title = format!("mes backtest: {}", summary.verdict());
    let mut body = sections::head(summary);
    body += &sections::key_figures(summary);
    body += &prices::prices(facts);
    body += &prices::trades(facts);
    if summary.metrics.trades.all.trades > 0 {
        body += &sections::equity(facts);
        body += &sections::days(summary, facts);
        body += &months::months(facts);
        body += &months::rolling(facts);
        body += &pair(&sections::histogram(facts), &sections::hours(summary));
        body += &calibration::calibration(facts);
        body += &pair(&sections::exits(summary), &sections::costs(summary));
        body += &sections::figures(summary);
    }
    body += &sections::limits(summary);
    body += &sections::incidents(summary);
    body += &sections::blocked(summary);
    if let Some(run) = &facts.run {
        let last = facts.days.last().map(|day| day.date);
        let said = [frame::RETURNS, frame::BAR_BY_BAR];
        body += &frame::assumptions(&run.rules.value, &run.costs.value, &run.fills, last, &said);
    }
    body += &frame::lineage(&summary.lineage, &summary.settings);
    // `mes-bt verify` reads this; no letter of it can end the element.
    let json = serde_json::to_string(summary).unwrap_or_default();
    let json = json.replace('<', "\\u003c").replace('&', "\\u0026");
    mes_page::page(&title, &format!("{body}{SUMMARY}{json}</script>\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn of(nets: &[i64]) -> String {
        let facts = sample::facts(nets);
        page(&Summary::of(&facts), &facts)
    }

    #[test]
    fn is_whole_and_loads_nothing() {
        for nets in [&[][..], &[0], &[1500], &[-1200, 1900, -1200, 50, 0, 1900, -1234], &[7; 200]] {
            assert_eq!(mes_page::flaw(&of(nets)), None, "with {nets:?}");
        }
    }

    #[test]
    fn is_the_same_again() {
        let nets: Vec<i64> = (0..300).map(|index| index * 7919 % 3001 - 1500).collect();
        assert_eq!(of(&nets), of(&nets));
        assert!(of(&nets).len() < 500_000);
    }

    #[test]
    fn escapes_what_the_chain_says() {
        let page = of(&[100]);
        assert!(!page.contains("<b>&") && page.contains("&lt;b&gt;&amp;"));
    }
}
