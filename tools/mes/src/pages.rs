//! `mes help TOPIC`: short pages on what no single tool's help can say; and the man pages of verbs.

use std::{fs, path::Path};

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

/// Writes `mes-fetch-synth.1` and the like into a folder.
///
/// # Errors
///
/// `Failed` where one cannot be written.
pub(crate) fn verbs(folder: &Path, tools: impl Iterator<Item = (&'static str, clap::Command)>) -> Result<()> {
    for (tool, mut command) in tools {
        command = command
            .name(tool)
            .bin_name(tool)
            .version(env!("CARGO_PKG_VERSION"))
            .disable_help_subcommand(true);
        // Passes on to each verb whose it is.
        command.build();
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let name = format!("{tool}-{}", verb.get_name());
            let mut page = Vec::new();
            clap_mangen::Man::new(verb.clone()).title(name.clone()).render(&mut page)?;
            let path = folder.join(format!("{name}.1"));
            fs::write(&path, page).map_err(|error| Error::from(error).at(path.display()))?;
        }
    }
    Ok(())
}
