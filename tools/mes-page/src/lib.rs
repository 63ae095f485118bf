//! One page that says it all: no network, no other file, light and dark, wide and narrow. What the reports of mes-judge,
//! `mes-predict eval` and `mes-features describe` are made of. The same content makes the same bytes.
//!
//! A crate of its own because tools that do not know each other write pages, and mes-pipe, which all filters share,
//! stays free of what only reports need.

mod flaw;
pub mod html;
mod labels;
pub mod sortable;
pub mod svg;

pub use flaw::flaw;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// What tables of [`sortable`] need.
const SORTABLE: &str = include_str!("sortable.js");
/// What candles need: how prices are read, and how they are drawn.
const CANDLES: [&str; 2] = [include_str!("prices.js"), include_str!("candles.js")];

/// Writes the whole page around `body`, which is HTML; `title` is text.
pub fn page(title: &str, body: &str) -> String {
    let mut scripts = vec![SCRIPT];
    if body.contains("<div class=\"candles\"") {
        scripts.extend(CANDLES);
    }
    if body.contains("<table class=\"sortable\"") {
        scripts.push(SORTABLE);
    }
    let scripts: String = scripts.iter().map(|script| format!("<script>\n{script}</script>\n")).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n{scripts}</body>\n</html>\n",
        html::escape(title)
    )
}

/// Writes a value into a page for its scripts to read: no letter of it can end the element that holds it.
pub fn data(id: &str, json: &str) -> String {
    let json = json.replace('<', "\\u003c").replace('&', "\\u0026");
    format!("<script type=\"application/json\" id=\"{}\">{json}</script>\n", html::escape(id))
}

/// A place for candles, drawn of the prices and trades in the page's data of this id; `label` says what they show to
/// those who cannot see them.
pub fn candles(id: &str, label: &str) -> String {
    format!(
        "<div class=\"candles\" data-from=\"{}\" data-label=\"{}\"><p>Scripts draw this chart, and there are none here: the \
         table of trades says the same.</p></div>\n",
        html::escape(id),
        html::escape(label)
    )
}

/// Puts two sections side by side where there is room.
pub fn pair(left: &str, right: &str) -> String {
    format!("<div class=\"pair\">\n{left}{right}</div>\n")
}
