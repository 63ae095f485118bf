//! What is searched, and how: arguments, and the hash of them that tells searches apart.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use mes_core::dice::Draw;
use mes_pipe::{AnswerArgs, Error, InputArgs, Result, Settings, SettingsArgs, hash};
use serde_json::json;

use super::{
    importance,
    score::Objective,
    search::Method,
    space::{self, Base, Vary},
};
use crate::jobs::input;

#[derive(Args)]
#[command(group(ArgGroup::new("method").required(true).multiple(false)))]
pub struct OptimizeArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// A key of the rules, or of the costs after costs., and its values: exits.stop_ticks=4,6,8 or =4..16 or
    /// entries.confidence=0.6..0.8/0.05; tier.*.risk_percent sets all tiers. Repeat for more keys
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    pub vary: Vec<Vary>,
    /// Try every combination
    #[arg(long, group = "method")]
    pub grid: bool,
    /// Try N points anywhere
    #[arg(long, value_name = "N", group = "method")]
    pub random: Option<usize>,
    /// Try N points: two in five anywhere, then ever nearer to the best
    #[arg(long, value_name = "N", group = "method")]
    pub adaptive: Option<usize>,
    /// Try N points where a tree of Parzen estimators expects the best (TPE)
    #[arg(long, value_name = "N", group = "method")]
    pub tpe: Option<usize>,
    /// What trials are ranked by
    #[arg(long, value_enum, value_name = "SCORE", default_value = "sharpe")]
    pub by: Objective,
    /// Fewer trades are not ranked
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub min_trades: usize,
    /// Share of the days, the last ones, that only the best trial sees; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub holdout: f64,
    /// Give up a trial whose score so far, after 1/4, 1/2 or 3/4 of the days, is below the median of those that finished
    #[arg(long)]
    pub prune: bool,
    /// Seed of all that is random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Trials between one look at the results and the next: part of what the search is
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = at_least_one, conflicts_with_all = ["ask", "tell"])]
    pub batch: usize,
    /// Print the next trials as jobs, rounds of N, and run none; nothing once the search is over
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub ask: Option<usize>,
    /// With --ask, trials that one job runs: each reads all rows
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one, requires = "ask")]
    pub per_job: usize,
    /// Put the results of the jobs that --ask printed into the ledger
    #[arg(long, value_name = "JOBS", conflicts_with = "ask")]
    pub tell: Option<PathBuf>,
    /// With --ask, have the jobs run on processors of this machine's kind alone
    #[arg(long, requires = "ask")]
    pub pin_processor: bool,
    /// Threads; as many as there are cores if not given. Changes no result
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Trade every row, also those that provably change nothing: slower, the same results
    #[arg(long)]
    pub every_row: bool,
    /// Where results go
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The ledger of trials, if it is not to be trials.jsonl in --out
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(flatten)]
    pub answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    pub quiet: bool,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=0.9).contains(share));
    share.ok_or_else(|| format!("{text:?} is not from 0 to 0.9"))
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| format!("{text:?} is not from 1 to 1000000"))
}

impl OptimizeArgs {
    /// Returns how points are chosen, and how many; 0 for as many as there are.
    pub fn method(&self) -> (Method, usize) {
        let counted =
            [(Method::Random, self.random), (Method::Adaptive, self.adaptive), (Method::Tpe, self.tpe)];
        let found = counted.into_iter().find_map(|(method, count)| Some((method, count?)));
        found.unwrap_or((Method::Grid, 0))
    }

    /// Returns where the ledger of trials is.
    pub fn ledger(&self) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| self.out.join("trials.jsonl"))
    }
}

/// Refuses keys that mean nothing before any row is read, and keys given twice.
///
/// # Errors
///
/// `Usage`, with the key.
pub fn check(args: &OptimizeArgs, base: &Base) -> Result<()> {
    for (index, vary) in args.vary.iter().enumerate() {
        if args.vary[..index].iter().any(|other| other.key == vary.key) {
            return Err(Error::usage(format!("--vary {} twice", vary.key)));
        }
        // One value that the rules accept is enough: others may be bad together with another key.
        let places: Vec<f64> = match vary.count() {
            Some(count) => (0..count).map(|place| place as f64).collect(),
            None => vec![vary.draw(&mut Draw::new(1, 1))],
        };
        let tried = places.iter().map(|place| base.with(std::slice::from_ref(vary), &[*place]));
        let mut errors = Vec::new();
        for settings in tried {
            match settings {
                Ok(_) => break,
                Err(error) => errors.push(error),
            }
        }
        if errors.len() == places.len()
            && let Some(error) = errors.pop()
        {
            return Err(error.at(format!("--vary {}", vary.key)));
        }
    }
    Ok(())
}

/// Returns the hash of all that a search's trials depend on beside their values: rows, settings, arguments, the
/// tool itself.
///
/// # Errors
///
/// `Failed` where the tool cannot be read.
pub fn study_hash(
    args: &OptimizeArgs,
    settings: &Settings,
    data: &str,
    (count, batch): (usize, usize),
) -> Result<String> {
    let (method, _) = args.method();
    let vary: Vec<String> = args.vary.iter().map(words_of).collect();
    // How long the search is changes only what one that narrows asks; others may be prolonged.
    let count = (method == Method::Adaptive).then_some(count);
    let all = json!([
        data,
        vary,
        method.name(),
        count,
        args.by.name(),
        args.min_trades,
        args.holdout,
        args.prune,
        args.seed,
        batch,
        input::tools(&["mes-lab"])?,
        settings.rules.blake3,
        settings.costs.blake3,
        settings.calendar.blake3,
        settings.fills
    ]);
    Ok(hash(all.to_string().as_bytes()))
}

/// Writes a key and its values as in flags.
pub fn words_of(vary: &Vary) -> String {
    let values = match vary.count() {
        Some(count) => {
            let list: Vec<String> = (0..count)
                .map(|place| {
                    importance::text(&serde_json::to_value(vary.value(place as f64)).unwrap_or_default())
                })
                .collect();
            list.join(",")
        }
        None => match &vary.values {
            space::Values::Between(low, high) => format!("{low}..{high}"),
            space::Values::Listed(_) => String::new(),
        },
    };
    format!("{}={values}", vary.key)
}
