//! History from Databento: what it will cost, then month by month onto the disk, then as Parquet.
//!
//! Every request for data is billed, so nothing that was whole is asked for again: a ledger says what is stored, and
//! a download that a kill left without its line there is found and taken. One directory holds one series:
//! `ledger.jsonl`, `raw/*.dbn.zst` as they came, `year=2024/month=01/part.parquet` made from them.

mod client;
mod fetch;
mod guard;
mod key;
mod ledger;
mod partition;
mod plan;
mod refusal;
mod series;
mod span;

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::NaiveDate;
use mes_pipe::{Error, Result, log};
use serde_json::Value;

use client::{Client, Patience};
use fetch::Fetch;
use key::Key;
use ledger::Ledger;
use plan::Piece;
use series::{Records, Series, SymbolType};
use span::{Span, day};

/// Fetches bars, trades or quotes from Databento, which costs money, into a directory
///
/// Prints what is missing and what it will cost, and fetches it with --yes. What is there is never fetched again: run
/// it anew after any interruption, or with a later --until. The key comes from DATABENTO_API_KEY.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  mes-fetch history --symbol MES.v.0 --schema ohlcv-1s --from 2024-01-01 --until 2024-03-01 --to-dir data/mes-1s
  mes-fetch history --symbol MES.v.0 --schema ohlcv-1s --from 2024-01-01 --until 2024-03-01 --to-dir data/mes-1s \\
    --max-cost 10 --yes && mes-bars data/mes-1s | mes-features

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
    /// Never ask for more than this in all, failed tries counted
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_cost: Option<f64>,
    /// Fetch without asking
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Only print the plan
    #[arg(long)]
    plan: bool,
    /// Fetch months again whose days were published again
    #[arg(long)]
    refresh: bool,
    /// Server; http only on this machine
    #[arg(
        long,
        env = "MES_FETCH_BASE_URL",
        value_name = "URL",
        default_value = "https://hist.databento.com"
    )]
    base_url: String,
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    retry_wait: Duration,
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    stall: Duration,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Plans, asks, fetches.
pub fn run(args: &Args) -> Result<()> {
    let base = key::base_url(&args.base_url)?;
    let asked = Span { from: args.from, until: args.until };
    if asked.from >= asked.until {
        return Err(Error::usage(format!("--from {} is not before --until {}", args.from, args.until)));
    }
    let series = Series::new(&args.dataset, args.schema, &args.symbol, args.symbol_type)?;
    let patience = Patience { first_wait: args.retry_wait, stall: args.stall };
    let client = Client::new(base, Key::from_env()?, patience);
    let raw = args.to_dir.join("raw");
    let mut ledger = Ledger::read(&args.to_dir, &series)?;

    let span = plan::clamp(&client, &series, asked)?;
    let conditions = plan::conditions(&client, &series, span)?;
    tell("days that are not as they should be", &plan::impaired(&conditions));
    let (had, stale) = had(&ledger, &raw, &conditions, args.refresh.then_some(span));
    let missing: Vec<_> = span.months().into_iter().flat_map(|month| month.without(&had)).collect();
    let pieces = plan::estimate(&client, &series, &missing, &raw, &stale)?;
    if !consent(args, &pieces)? {
        return Ok(());
    }

    std::fs::create_dir_all(&raw).map_err(|error| Error::from(error).at(raw.display()))?;
    ledger.lock()?;
    let spent_usd = pieces.iter().map(|piece| ledger.wasted_usd(piece.span)).sum();
    let mut fetch = Fetch {
        client: &client,
        series: &series,
        ledger: &mut ledger,
        raw: &raw,
        conditions: &conditions,
        most_usd: args.max_cost,
        spent_usd,
    };
    for piece in pieces {
        fetch.run(piece)?;
    }
    if args.schema.is_table() {
        partition::run(&args.to_dir, &raw, &series, &mut ledger)?;
    }
    Ok(())
}

/// Returns the stretches that need not be fetched, and those that are there but shall be fetched again. Says which days
/// the server has published again since.
fn had(ledger: &Ledger, raw: &Path, conditions: &[Value], within: Option<Span>) -> (Vec<Span>, Vec<Span>) {
    let (mut had, mut stale, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (span, entry) in ledger.stored() {
        let size =
            entry["file"].as_str().and_then(|name| raw.join(name).metadata().ok()).map(|file| file.len());
        if size != entry["bytes"].as_u64() {
            log::note(format!("{span}: {} is gone or has another size", entry["file"]));
            continue;
        }
        let before = entry["days"].as_array().map(Vec::as_slice).unwrap_or_default();
        let days = plan::republished(before, conditions);
        // A chunk that only in part was asked for cannot be replaced by that part.
        let again = !days.is_empty() && within.is_some_and(|asked| asked.holds(span));
        if again { &mut stale } else { &mut had }.push(span);
        changed.extend(days);
    }
    tell("days published again since they were fetched (--refresh fetches their chunks again)", &changed);
    (had, stale)
}

fn tell(what: &str, days: &[String]) {
    if !days.is_empty() {
        log::note(format!("{what}: {}", days.join(", ")));
    }
}

/// Prints the plan and says whether to go on.
fn consent(args: &Args, pieces: &[Piece]) -> Result<bool> {
    let usd = plan::due_usd(pieces);
    let nothing_due = pieces.iter().all(|piece| piece.here.is_some());
    if pieces.is_empty() {
        log::note("nothing is missing");
    } else {
        let mut out = std::io::stdout().lock();
        out.write_all(plan::table(pieces).as_bytes())?;
        out.flush()?;
    }
    if let Some(most) = args.max_cost.filter(|most| usd > *most) {
        return Err(Error::stopped(format!("{usd:.4} USD is over --max-cost {most}: nothing was fetched")));
    }
    if args.plan {
        return Ok(false);
    }
    if args.yes || nothing_due {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        log::note("this is the plan; --yes fetches it");
        return Ok(false);
    }
    log::error(format!("fetch this for {usd:.4} USD? (yes/no)"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(true) } else { Err(Error::stopped("nothing was fetched")) }
}

fn usd(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(usd) if (0.0..1e9).contains(&usd) => Ok(usd),
        _ => Err("not an amount of USD".to_owned()),
    }
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
