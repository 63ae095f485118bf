//! The search as a page: the map of its two weightiest parameters, and what the text says.

use mes_page::html::{escape, section};

use super::map::Map;

/// Writes the whole page; `text` is that of `optimize.txt`.
pub fn page(text: &str, map: Option<&Map>) -> String {
    let head = "<header><h1>What the search found, and how much of it is the search</h1></header>\n";
    let picture = map
        .map_or_else(String::new, |map| section("Map", &format!("<div class=\"map\">{}</div>", map.svg())));
    let words = section("In words", &format!("<div class=\"scroll\"><pre>{}</pre></div>\n", escape(text)));
    mes_page::page("mes optimize", &format!("{head}{picture}{words}"))
}
