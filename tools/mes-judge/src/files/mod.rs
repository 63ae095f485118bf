//! What `--out` leaves behind. Every file is written under another name and renamed when it is whole.

mod days;
pub mod equity;
mod trades;

pub use days::HEADER as DAYS;
pub use trades::{HEADER as TRADES, nets};

use std::path::Path;

use mes_core::money::Cents;
use mes_pipe::{Result, answer::pretty, write::whole};

use crate::{facts::Facts, report, summary::Summary, terminal};

/// Writes trades, summary and report; the equity file was written as the bars passed.
///
/// # Errors
///
/// `Failed` where the disk does not take one of them.
pub fn write(directory: &Path, facts: &Facts, summary: &Summary) -> Result<()> {
    trades::parquet(&directory.join("trades.parquet"), facts)?;
    whole(&directory.join("trades.csv"), &trades::csv(facts))?;
    whole(&directory.join("days.csv"), &days::csv(facts))?;
    whole(&directory.join("summary.json"), &pretty(summary)?)?;
    whole(&directory.join("summary.txt"), &terminal::text(summary, facts))?;
    whole(&directory.join("report.html"), &report::page(summary, facts))
}

/// Writes an amount as a number with cents: `-1234.50`.
pub fn dollars(amount: Cents) -> String {
    let sign = if amount < Cents::ZERO { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.0.unsigned_abs() / 100, amount.0.unsigned_abs() % 100)
}
