//! One page that says it all: no network, no other file, light and dark, wide and narrow. What the reports of mes-judge,
//! `mes-predict eval` and `mes-features describe` are made of. The same content makes the same bytes.
//!
//! A crate of its own because tools that do not know each other write pages, and mes-pipe, which all filters share,
//! stays free of what only reports need.

mod flaw;
pub mod html;
mod labels;
pub mod svg;

pub use flaw::flaw;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes the whole page around `body`, which is HTML; `title` is text.
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        html::escape(title)
    )
}

/// Puts two sections side by side where there is room.
pub fn pair(left: &str, right: &str) -> String {
    format!("<div class=\"pair\">\n{left}{right}</div>\n")
}
