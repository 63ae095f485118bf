//! Walk-forward: for every fold train, predict and trade with the real tools, each as its own process; put together what
//! came of the rows that nothing had seen.

mod fold;
mod outcome;
mod page;
mod process;
mod table;

use std::{
    fs,
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use clap::Args;
use mes_pipe::{
    AnswerArgs, Error, InputArgs, Result, SettingsArgs,
    answer::{pretty, print},
    log,
    write::whole,
};
use serde_json::json;

use crate::folds::{self, Covered, CutArgs, Fold};
use fold::{FoldResult, Plan, plan_hash};
use mes_judge::{terms::Terms, words};
use outcome::Outcome;

#[derive(Args)]
pub struct WalkArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Where folds and results go; a finished fold found there is kept if nothing that it depends on has changed
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What mes-train shall train
    #[arg(long, value_name = "FAMILY", default_value = "logistic")]
    family: String,
    /// More arguments for mes-train, as one text: --train-args='--balanced --without f_spread'
    #[arg(long, value_name = "ARGS", default_value = "", allow_hyphen_values = true)]
    train_args: String,
    #[command(flatten)]
    cut: CutArgs,
    /// Run only this fold, a line of mes-lab folds, and print its result; for schedulers
    #[arg(long, value_name = "JSON")]
    fold: Option<String>,
    /// Folds at a time; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Open a new account after every death, on the next trading day, as mes-bt --refill does
    #[arg(long)]
    refill: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Runs all folds that are not there yet, or the one that was asked for.
///
/// # Errors
///
/// `Usage` where arguments do not go together or no fold fits, `Data` where rows are none, what a fold's tools end
/// with, `Failed` where a file cannot be written.
pub fn run(args: &WalkArgs) -> Result<()> {
    if args.input.files.is_empty() {
        return Err(Error::usage("walk-forward reads its rows again for every fold: give files"));
    }
    let settings = args.settings.read()?;
    let input = folds::open(&args.input)?;
    let chain = input.meta().lineage.then("mes-lab", serde_json::Value::Null).to_json();
    let made = json!({ "verb": "walk-forward", "family": args.family, "train_args": args.train_args, "refill": args.refill });
    let lineage = input.meta().lineage.then("mes-lab", made).to_json();
    let family = [args.family.as_str(), args.train_args.as_str(), if args.refill { "refill" } else { "" }];
    let hash = plan_hash(&chain, &family, &settings)?;
    fs::create_dir_all(&args.out).map_err(|error| Error::from(error).at(args.out.display()))?;
    let plan = Plan {
        files: args.input.files.clone(),
        family: args.family.clone(),
        train_args: args.train_args.split_whitespace().map(str::to_owned).collect(),
        settings: args.settings.clone(),
        refill: args.refill,
        out: args.out.clone(),
        hash,
    };
    if let Some(line) = &args.fold {
        let fold: Fold = serde_json::from_str(line).map_err(|error| Error::usage(error).at("--fold"))?;
        let (result, _) = plan.run(&fold)?;
        return print(pretty(&result)?);
    }
    let covered = Covered::of(input, &settings.calendar.value)?;
    let folds = folds::folds(&args.cut, &covered, &settings.calendar.value)?;
    let outcome = Outcome::of(all(&plan, &folds, jobs(args))?, Terms::of(&settings), lineage);
    let text = table::text(&outcome);
    whole(&args.out.join("walk-forward.json"), &pretty(&outcome)?)?;
    whole(&args.out.join("walk-forward.txt"), &text)?;
    whole(&args.out.join("report.html"), &page::page(&outcome, &settings))?;
    whole(&args.out.join("folds.csv"), &table::folds_csv(&outcome))?;
    whole(&args.out.join("equity.csv"), &table::equity_csv(&outcome))?;
    args.answer.give(&outcome, || text)
}

fn jobs(args: &WalkArgs) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    args.jobs.unwrap_or_else(cores).max(1)
}

/// Runs the folds, some at a time, and returns their results in order. After a failure none is begun.
fn all(plan: &Plan, folds: &[Fold], jobs: usize) -> Result<Vec<FoldResult>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (send, results) = mpsc::channel();
    let mut done: Vec<Option<FoldResult>> = vec![None; folds.len()];
    // Of several failures that of the earliest fold is told, whichever came first.
    let mut first_error: Option<(usize, Error)> = None;
    thread::scope(|scope| {
        for _ in 0..jobs.min(folds.len()) {
            let (send, next, failed) = (send.clone(), &next, &failed);
            scope.spawn(move || {
                while let Some(index) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < folds.len())
                {
                    if failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let result = plan.run(&folds[index]);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    // Whoever collects the results outlives this.
                    let _ = send.send((index, result));
                }
            });
        }
        drop(send);
        for (index, result) in results {
            match result {
                Ok((result, kept)) => {
                    tell(&result, folds.len(), kept);
                    done[index] = Some(result);
                }
                Err(error) if first_error.as_ref().is_none_or(|(first, _)| index < *first) => {
                    first_error = Some((index, error));
                }
                Err(_) => {}
            }
        }
    });
    match first_error {
        Some((_, error)) => Err(error),
        None => Ok(done.into_iter().flatten().collect()),
    }
}

fn tell(result: &FoldResult, count: usize, kept: bool) {
    let side = &result.out_of_sample;
    let (trades, net) = (words::count(side.trades as u64, "trade"), words::signed_usd(side.net_usd));
    let kept = if kept { " (kept)" } else { "" };
    let died = result.died().map_or_else(String::new, |died| format!("; the account died {died}"));
    log::note(format!("fold {} of {count}: {trades}, {net} out of sample{died}{kept}", result.fold.fold));
}
