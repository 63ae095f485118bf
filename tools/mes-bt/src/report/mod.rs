//! One page that says it all: no network, no other file, light and dark, wide and narrow. The same results make the
//! same bytes.

mod charts;
pub mod html;
mod sections;
pub mod svg;

use crate::{recorder::Results, summary::Summary};

/// Begins the summary within the page.
pub const SUMMARY: &str = "<script type=\"application/json\" id=\"summary\">";
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes the whole page. Each section is a function of its own; a new one is a line here.
pub fn page(summary: &Summary, results: &Results) -> String {
    let title = format!("mes backtest: {}", summary.verdict());
    let mut body = sections::head(summary);
    body += &sections::key_figures(summary);
    if summary.metrics.trades.all.trades > 0 {
        body += &sections::equity(results);
        body += &sections::days(summary, results);
        body += &pair(&sections::histogram(results), &sections::hours(summary));
        body += &pair(&sections::exits(summary), &sections::costs(summary));
        body += &sections::figures(summary);
    }
    body += &sections::limits(summary);
    body += &sections::blocked(summary);
    body += &sections::last_trades(results);
    body += &sections::assumptions(results);
    body += &sections::lineage(summary);
    // `mes-bt verify` reads this; no letter of it can end the element.
    let json = serde_json::to_string(summary).unwrap_or_default();
    let json = json.replace('<', "\\u003c").replace('&', "\\u0026");
    document(&title, &format!("{body}{SUMMARY}{json}</script>\n"))
}

/// Wraps a body into a page of its own.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        html::escape(title)
    )
}

/// Puts two sections side by side where there is room.
fn pair(left: &str, right: &str) -> String {
    format!("<div class=\"pair\">\n{left}{right}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn of(nets: &[i64]) -> String {
        let results = sample::results(nets);
        page(&Summary::of(&results), &results)
    }

    /// Goes through the tags and returns the first that does not close the one that is open.
    fn unbalanced(page: &str) -> Option<String> {
        let mut open: Vec<&str> = Vec::new();
        let body = page.split("<script>").next().unwrap_or_default().replace("<!DOCTYPE html>", "");
        for part in body.split('<').skip(1) {
            let tag = part.split('>').next().unwrap_or_default();
            let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
            if tag.starts_with('/') {
                if open.pop() != Some(name) {
                    return Some(format!("{open:?} then <{tag}>"));
                }
            } else if !tag.ends_with('/') && name != "meta" {
                open.push(name);
            }
        }
        (open != ["html", "body"]).then(|| format!("{open:?} at the end"))
    }

    #[test]
    fn is_whole_and_loads_nothing() {
        for nets in [&[][..], &[0], &[1500], &[-1200, 1900, -1200, 50, 0, 1900, -1234], &[7; 200]] {
            let page = of(nets);
            assert_eq!(unbalanced(&page), None);
            for bad in ["http", "src=", "@import", "url(", "NaN", "Infinity", " inf", ">inf"] {
                assert!(!page.contains(bad), "{bad} with {nets:?}");
            }
        }
        assert!(unbalanced("<html><body><p><b></p>").is_some());
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
