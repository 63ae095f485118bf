//! History from Databento: what it will cost, then chunk by chunk onto the disk, then as Parquet.
//!
//! Every request for data is billed, so nothing that was whole is asked for again: a ledger says what is stored, and
//! a download that a kill left without its line there is found and taken. One directory holds one series:
//! `ledger.jsonl`, `raw/*.dbn.zst` as they came, `year=2024/month=01/part.parquet` made from them.

pub mod backfill;
mod bought;
mod client;
mod download;
mod fetch;
mod key;
mod partition;
mod plan;
mod purchase;
mod refusal;
mod series;
mod span;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use mes_pipe::{Error, Result, log};
use serde_json::Value;

use bought::Purchases;
use purchase::{Order, Terms, tell};
use series::{Records, Series, SymbolType};
use span::{Span, day};

/// Fetches bars, trades or quotes from Databento, which costs money, into a directory
///
/// Prints what is missing and what it will cost, and fetches it with --yes. What is there is never fetched again: run
/// it anew after any interruption, or with a later --until. The key comes from DATABENTO_API_KEY.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch history --symbol MES.v.0 --schema ohlcv-1s --from 2024-01-01 --until 2024-03-01 \\
      --to-dir data/mes-1s
  mes-fetch history --symbol MES.v.0 --schema ohlcv-1s --from 2024-01-01 --until 2024-03-01 \\
      --to-dir data/mes-1s --max-cost 10 --yes && mes-bars data/mes-1s | mes-features

Exit codes: 0 done, 1 failed and a retry may help, 2 arguments or key, 3 data, 4 stopped by --max-cost")]
pub struct Args {
    /// One symbol: MES.v.0 (leading contract), MESH4 (one contract), MES.FUT (all)
    #[arg(long)]
    symbol: String,
    #[arg(long)]
    schema: Records,
    /// First day, UTC
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: NaiveDate,
    /// The day after the last, UTC
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: NaiveDate,
    /// Where the series is kept
    #[arg(long, value_name = "DIR")]
    to_dir: PathBuf,
    #[arg(long, default_value = "GLBX.MDP3")]
    dataset: String,
    /// How to read the symbol, where its look misleads
    #[arg(long, value_name = "TYPE")]
    symbol_type: Option<SymbolType>,
    /// Fetch chunks again whose days were published again
    #[arg(long)]
    refresh: bool,
    #[command(flatten)]
    terms: Terms,
}

/// Plans, asks, fetches.
///
/// # Errors
///
/// `Usage` where the flags do not go together, the folder holds another series or the server refuses, `Stopped` where
/// it costs too much or nobody agrees, `Data` where what came is damaged, `Failed` where server or disk do not do it.
pub fn run(args: &Args) -> Result<()> {
    let client = args.terms.client()?;
    let asked = Span { from: args.from, until: args.until };
    if asked.from >= asked.until {
        return Err(Error::usage(format!("--from {} is not before --until {}", args.from, args.until)));
    }
    let series = Series::new(&args.dataset, args.schema, &args.symbol, args.symbol_type)?;
    let raw = args.to_dir.join("raw");
    let mut ledger = Purchases::read(&args.to_dir, &series)?;

    let span = plan::clamp(&client, &series, asked)?;
    let conditions = plan::conditions(&client, &series, span)?;
    tell("days that are not as they should be", &plan::impaired(&conditions));
    let (had, stale) = had(&ledger, &raw, &conditions, args.refresh.then_some(span));
    let order = Order {
        dir: &args.to_dir,
        series: &series,
        conditions: &conditions,
        missing: &span.without(&had),
        stale: &stale,
    };
    args.terms.buy(&client, &order, &mut ledger)
}

/// Returns the stretches that need not be fetched, and those that are there but shall be fetched again. Says which days
/// the server has published again since.
fn had(ledger: &Purchases, raw: &Path, conditions: &[Value], within: Option<Span>) -> (Vec<Span>, Vec<Span>) {
    let (mut had, mut stale, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (span, entry) in ledger.stored() {
        let size =
            entry["file"].as_str().and_then(|name| raw.join(name).metadata().ok()).map(|file| file.len());
        if size != entry["bytes"].as_u64() {
            log::note(format!("{span}: {} is gone or has another size", entry["file"]));
            continue;
        }
        let before = plan::days_of(entry["days"].as_array().map(Vec::as_slice).unwrap_or_default(), span);
        let days = plan::republished(&before, conditions);
        // A chunk that only in part was asked for cannot be replaced by that part.
        let again = !days.is_empty() && within.is_some_and(|asked| asked.holds(span));
        if again { &mut stale } else { &mut had }.push(span);
        changed.extend(days);
    }
    tell("days published again since they were fetched (--refresh fetches their chunks again)", &changed);
    (had, stale)
}

/// Returns the days that the series around a path has and that were not as they should be: `2024-01-17 (degraded)`.
/// A path without a ledger above it has none.
///
/// # Errors
///
/// `Data` where the ledger is damaged, `Failed` where it cannot be read.
pub fn impaired_days(path: &Path) -> Result<Vec<String>> {
    let Some(dir) = path.ancestors().take(4).find(|dir| dir.join(bought::NAME).is_file()) else {
        return Ok(Vec::new());
    };
    let (ledger, _) = Purchases::open(dir)?;
    let stored = ledger.stored();
    let days = stored.iter().flat_map(|(span, entry)| {
        plan::days_of(entry["days"].as_array().map(Vec::as_slice).unwrap_or_default(), *span)
    });
    Ok(plan::impaired(&days.collect::<Vec<_>>()))
}
