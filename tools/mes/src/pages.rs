//! `mes help TOPIC`: short pages on what no single tool's help can say.

use mes_pipe::{Error, Result, answer, suggest};

/// Names, and what they say.
const PAGES: [(&str, &str); 3] = [
    ("pipe", include_str!("pages/pipe.txt")),
    ("columns", include_str!("pages/columns.txt")),
    ("money", include_str!("pages/money.txt")),
];

/// Returns the names of the pages.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(name, _)| *name)
}

/// Prints a page.
///
/// # Errors
///
/// `Usage` where there is none of that name, and which is meant.
pub(crate) fn show(topic: &str, tools: impl Iterator<Item = &'static str>) -> Result<()> {
    match PAGES.iter().find(|(name, _)| *name == topic) {
        Some((_, text)) => answer::print(text),
        None => {
            let meant = suggest::meant(topic, names().chain(tools));
            let pages: Vec<_> = names().collect();
            Err(Error::usage(format!(
                "help {topic}: there is no such page: {}, or a tool{meant}",
                pages.join(", ")
            )))
        }
    }
}
