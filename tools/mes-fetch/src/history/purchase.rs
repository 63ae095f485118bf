//! The part that all who buy share: terms, plan, consent, downloads, Parquet.

use std::{io::IsTerminal, path::Path, time::Duration};

use mes_core::calendar::Calendar;
use mes_pipe::{Error, Result, answer::print, log};
use mes_web::Base;
use serde_json::Value;

use super::{
    bought::Purchases,
    client::{Client, Patience},
    fetch::Fetch,
    key, partition,
    plan::{self, Piece},
    series::Series,
    span::{Chunk, Span},
};

/// On what terms something is bought.
#[derive(clap::Args)]
pub struct Terms {
    /// Never ask for more than this in all, failed tries counted
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_cost: Option<f64>,
    /// Fetch without asking
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Only print the plan
    #[arg(long)]
    plan: bool,
    /// Largest download, since one that breaks off is paid for again [default: month; week for trades, tbbo and bbo-1s, day
    /// for mbp-1]
    #[arg(long, value_name = "SPAN")]
    chunk: Option<Chunk>,
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
    /// The longest that one request may take, its download included
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    deadline: Duration,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What shall be fetched, and where to.
pub struct Order<'a> {
    pub dir: &'a Path,
    pub series: &'a Series,
    pub conditions: &'a [Value],
    pub missing: &'a [Span],
    /// Chunks that are there but shall be fetched again.
    pub stale: &'a [Span],
}

impl Terms {
    /// Returns the client; the key and the address are checked before any request.
    ///
    /// # Errors
    ///
    /// `Usage` where the address or the key cannot be one.
    pub fn client(&self) -> Result<Client> {
        let base = Base::parse(&self.base_url).map_err(|bad| Error::usage(format!("--base-url {bad}")))?;
        let patience = Patience { first_wait: self.retry_wait, stall: self.stall, deadline: self.deadline };
        Ok(Client::new(base, key::from_env()?, patience))
    }

    /// Plans, asks, fetches, and makes Parquet of it.
    ///
    /// # Errors
    ///
    /// `Stopped` where it costs more than may be spent or nobody agrees, `Usage` where the server refuses, `Data` where
    /// what came is damaged, `Failed` where server or disk do not do it.
    pub fn buy(&self, client: &Client, order: &Order, ledger: &mut Purchases) -> Result<()> {
        let (dir, series) = (order.dir, order.series);
        let raw = dir.join("raw");
        let chunk = self.chunk.unwrap_or(series.records.chunk());
        let calendar = Calendar::shipped();
        let missing: Vec<_> = order.missing.iter().flat_map(|span| span.cut(chunk, &calendar)).collect();
        let pieces = plan::estimate(client, series, &missing, &raw, order.stale)?;
        if !self.consent(&pieces)? {
            return Ok(());
        }
        std::fs::create_dir_all(&raw).map_err(|error| Error::from(error).at(raw.display()))?;
        ledger.lock()?;
        let spent_usd = pieces.iter().map(|piece| ledger.wasted_usd(piece.span)).sum();
        let (conditions, most_usd) = (order.conditions, self.max_cost);
        let mut fetch = Fetch { client, series, ledger, raw: &raw, conditions, most_usd, spent_usd };
        for piece in pieces {
            fetch.run(piece)?;
        }
        if series.records.is_table() { partition::run(dir, &raw, series, ledger) } else { Ok(()) }
    }

    /// Prints the plan and says whether to go on.
    fn consent(&self, pieces: &[Piece]) -> Result<bool> {
        let usd = plan::due_usd(pieces);
        let nothing_due = pieces.iter().all(|piece| piece.here.is_some());
        if pieces.is_empty() {
            log::note("nothing is missing");
        } else {
            print(plan::table(pieces))?;
        }
        if let Some(most) = self.max_cost.filter(|most| usd > *most) {
            return Err(Error::stopped(format!(
                "{usd:.4} USD is over --max-cost {most}: nothing was fetched"
            )));
        }
        if self.plan {
            return Ok(false);
        }
        if self.yes || nothing_due {
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
}

/// Says something about days, if there are any.
pub fn tell(what: &str, days: &[String]) {
    if !days.is_empty() {
        log::note(format!("{what}: {}", days.join(", ")));
    }
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
