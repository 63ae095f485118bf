//! How far a long file is read, for a person who waits.

use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};

use crate::log;

/// Makes a bar that shows only where a person looks and the length is known.
pub fn bar(rows: u64, more_files: usize) -> ProgressBar {
    let shown = stderr().is_terminal() && !stdout().is_terminal() && !log::quiet();
    if !shown || rows == 0 || more_files > 0 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {per_sec}  {eta} left");
    let bar = ProgressBar::new(rows);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
