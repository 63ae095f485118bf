//! What `--out` leaves behind. Every file is written under another name and renamed when it is whole.

mod days;
pub mod equity;
mod trades;

pub use trades::side;

use std::path::Path;

use mes_core::money::Cents;
use mes_pipe::{Error, Result};

use crate::{recorder::Results, report, summary::Summary, terminal};

/// Writes trades, summary and report; the equity file was written as the bars passed.
pub fn write(directory: &Path, results: &Results, summary: &Summary) -> Result<()> {
    trades::parquet(&directory.join("trades.parquet"), &results.trades)?;
    whole(&directory.join("trades.csv"), &trades::csv(&results.trades))?;
    whole(&directory.join("days.csv"), &days::csv(results))?;
    whole(&directory.join("summary.json"), &json(summary)?)?;
    whole(&directory.join("summary.txt"), &terminal::text(summary, results))?;
    whole(&directory.join("report.html"), &report::page(summary, results))
}

/// Writes the summary as JSON for people and programs.
pub fn json(summary: &Summary) -> Result<String> {
    let mut text = serde_json::to_string_pretty(summary).map_err(Error::failed)?;
    text.push('\n');
    Ok(text)
}

/// Writes an amount as a number with cents: `-1234.50`.
pub fn dollars(amount: Cents) -> String {
    let sign = if amount < Cents::ZERO { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.0.unsigned_abs() / 100, amount.0.unsigned_abs() % 100)
}

/// Writes a file that is there whole or not at all.
pub fn whole(path: &Path, text: &str) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        // On a full disk half a file would only be in the way.
        let _ = std::fs::remove_file(&part);
        Error::from(error).at(path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.html");
        // A file cannot take the place of a folder that holds something.
        std::fs::create_dir_all(path.join("full")).expect("a folder");
        let error = whole(&path, "text").expect_err("in the way");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        assert!(!folder.path().join("report.html.part").exists());
    }
}
