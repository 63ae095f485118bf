//! Walk-forward: for every fold train, predict and trade with the real tools, each as its own process; put together what
//! came of the rows that nothing had seen. A fold is a job; run here or anywhere, it is the same one.

mod fold;
mod outcome;
mod page;
mod rates;
mod table;

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    thread,
};

use clap::Args;
use mes_pipe::{
    AnswerArgs, Error, InputArgs, Result, SettingsArgs,
    account::nonce,
    answer::{pretty, print},
    log,
    suggest::meant,
    write::whole,
};
use serde_json::{Value, json};

use crate::{
    folds::{self, Covered, CutArgs},
    jobs::{
        self, Machine, PlanArgs,
        collect::{groups, there},
        input,
        line::{self, Job, Planned, SettingsLine, Task},
        place::{Done, Place},
    },
};
use fold::FoldResult;
pub use fold::{FoldTask, run_fold};
use mes_judge::{terms::Terms, words};
use outcome::Outcome;

#[derive(Args)]
pub struct WalkArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Where folds and results go; a finished fold found there is kept if nothing that it depends on has changed
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What mes-train shall train; of several, each gets a folder of its own
    #[arg(long, value_name = "FAMILY,...", default_value = "logistic", value_delimiter = ',')]
    family: Vec<String>,
    /// More arguments for mes-train, as one text: --train-args='--balanced --without f_spread'
    #[arg(long, value_name = "ARGS", default_value = "", allow_hyphen_values = true)]
    train_args: String,
    #[command(flatten)]
    cut: CutArgs,
    #[command(flatten)]
    plan: PlanArgs,
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

/// Runs all folds that are not there yet, or prints them as jobs.
///
/// # Errors
///
/// `Usage` where arguments do not go together or no fold fits, `Data` where rows are none, what a fold's tools end
/// with, `Failed` where a file cannot be written.
pub fn run(args: &WalkArgs) -> Result<()> {
    let (jobs, rows) = plan(args)?;
    if args.plan.plan {
        return jobs::print(jobs, |job| rates::guess(job, rows));
    }
    fs::create_dir_all(&args.out).map_err(|error| Error::from(error).at(args.out.display()))?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let count = jobs.len();
    jobs::all(&jobs, args.jobs.unwrap_or_else(cores), &Machine::here(None), |index, there| {
        tell(&jobs[index], count, there);
    })?;
    collect(&jobs, &there(&jobs)?, &args.out, args.answer)
}

/// Returns a job a family and fold, and how many rows a trading day has.
fn plan(args: &WalkArgs) -> Result<(Vec<Job>, f64)> {
    if args.input.files.is_empty() {
        return Err(Error::usage("walk-forward reads its rows again for every fold: give files"));
    }
    input::no_files("--train-args", &args.train_args)?;
    args.family.iter().try_for_each(|family| known(family))?;
    let settings = args.settings.read()?;
    let input = folds::open(&args.input)?;
    let lineage = input.meta().lineage.clone();
    let covered = Covered::of(input, &settings.calendar.value)?;
    let rows = covered.rows as f64 / covered.sessions.len().max(1) as f64;
    let cut = folds::folds(&args.cut, &covered, &settings.calendar.value)?;
    let mut jobs = Vec::new();
    let mut planned = Planned {
        tools: String::new(),
        processor: args.plan.processor(),
        inputs: input::all(&args.input.files)?,
        settings: SettingsLine::of(&args.settings, &settings),
    };
    for (index, family) in args.family.iter().enumerate() {
        if args.family[..index].contains(family) {
            return Err(Error::usage(format!("--family {family} twice")));
        }
        let made = json!({
            "verb": "walk-forward", "family": family, "train_args": args.train_args, "refill": args.refill,
        });
        let lineage = lineage.then("mes-lab", made).to_json();
        let group = if args.family.len() == 1 { "" } else { family.as_str() };
        for fold in &cut {
            let (family, train_args) = (family.clone(), args.train_args.clone());
            let (refill, lineage) = (args.refill, lineage.clone());
            let task = Task::Fold(FoldTask { family, train_args, refill, lineage, fold: fold.clone() });
            if planned.tools.is_empty() {
                planned.tools = input::tools(task.tools())?;
            }
            let out = args.out.join(group).join(format!("fold-{:03}", fold.fold));
            jobs.push(Job::new(task, out, group, &planned));
        }
    }
    Ok((line::numbered(jobs), rows))
}

/// Refuses a family that mes-train has not got, before anything is planned.
fn known(family: &str) -> Result<()> {
    if rates::families().any(|name| name == family) {
        return Ok(());
    }
    let all = rates::families().collect::<Vec<_>>().join(", ");
    let what = format!("no family of mes-train ({all}){}", meant(family, rates::families()));
    Err(Error::usage(what).at(format!("--family {family:?}")))
}

/// Puts folds together, those of each group for itself, and says what came of them.
///
/// # Errors
///
/// `Usage` where folds of one group are of different plans or settings are not what they were, `Data` where a result is
/// damaged, `Failed` where a file cannot be written.
pub fn collect(jobs: &[Job], done: &[Done], out: &Path, answer: AnswerArgs) -> Result<()> {
    let plan =
        |job: &Job| (job.tools.clone(), job.inputs.clone(), job.settings.clone(), lineage(job).clone());
    let groups = groups(jobs, plan)?;
    let mut lines = Vec::new();
    let mut text = String::new();
    for (group, of) in &groups {
        let outcome = gather(jobs, done, of)?;
        let words = write(&jobs[of[0]], &outcome, &out.join(group))?;
        if let [_] = groups.as_slice() {
            return answer.give(&outcome, || words);
        }
        text += &format!("{group}: {}\n", outcome.verdict());
        lines.push(outcome.line(group));
    }
    let caution = format!("{} were tried: the best of them is chosen for looking good", groups.len());
    let all = json!({ "kind": "walk_forwards", "v": 1, "groups": lines, "warnings": [caution] });
    whole(&out.join("walk-forwards.json"), &pretty(&all)?)?;
    if answer.is_json() { print(pretty(&all)?) } else { print(format!("{text}\n  ! {caution}\n")) }
}

fn lineage(job: &Job) -> &Value {
    match &job.task {
        Task::Fold(task) => &task.lineage,
        Task::Session(_) | Task::Trials(_) => &Value::Null,
    }
}

/// Returns the number that two of some sorted folds have.
fn twice(folds: &[FoldResult]) -> Option<usize> {
    let number = |fold: &FoldResult| fold.fold.fold;
    folds.windows(2).find(|pair| number(&pair[0]) == number(&pair[1])).map(|pair| number(&pair[0]))
}

/// Reads the folds of a group and sorts them.
///
/// # Errors
///
/// As [`collect`].
fn gather(jobs: &[Job], done: &[Done], of: &[usize]) -> Result<Outcome> {
    let mut folds: Vec<FoldResult> = Vec::with_capacity(of.len());
    for index in of {
        let job = &jobs[*index];
        let bytes = Place::of(job).bytes(&done[*index])?;
        folds.push(serde_json::from_slice(&bytes).map_err(|error| Error::data(error).at(job.name()))?);
    }
    folds.sort_by_key(|fold| fold.fold.fold);
    let first = &jobs[of[0]];
    if let Some(number) = twice(&folds) {
        let what = format!("fold {number} twice, by two plans: collect each plan into a folder of its own");
        return Err(Error::usage(what).at(first.name()));
    }
    Ok(Outcome::of(folds, Terms::of(&first.settings.read()?), lineage(first).clone()))
}

/// Writes what came of a group. Returns it as text.
fn write(job: &Job, outcome: &Outcome, out: &Path) -> Result<String> {
    let text = table::text(outcome);
    whole(&out.join("walk-forward.txt"), &text)?;
    streamed(&out.join("walk-forward.json"), |file| {
        serde_json::to_writer_pretty(&mut *file, outcome)?;
        file.write_all(b"\n")
    })?;
    whole(&out.join("report.html"), &page::page(outcome, &job.settings.read()?))?;
    whole(&out.join("folds.csv"), &table::folds_csv(outcome))?;
    streamed(&out.join("equity.csv"), |file| table::equity_csv(outcome, file))?;
    Ok(text)
}

/// Writes a file whole or not at all, without holding its text, which of thousands of folds is long.
fn streamed(path: &Path, text: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<()> {
    let part = path.with_extension(format!("{}.part", nonce()));
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&part)?);
        text(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(|error| {
        // What cannot be removed is no result by its name.
        let _ = fs::remove_file(&part);
        Error::failed(error).at(path.display())
    })
}

/// Tells of a fold that is done.
fn tell(job: &Job, count: usize, kept: bool) {
    let place = Place::of(job);
    let result = place
        .recorded()
        .and_then(|done| serde_json::from_slice::<FoldResult>(&place.bytes(&done).ok()?).ok());
    // One that cannot be read is found out when all are put together.
    let Some(result) = result else { return };
    let side = &result.out_of_sample;
    let (trades, net) = (words::count(side.trades as u64, "trade"), words::signed_usd(side.net_usd));
    let kept = if kept { " (kept)" } else { "" };
    let died = result.died().map_or_else(String::new, |died| format!("; the account died {died}"));
    let group = if job.group.is_empty() { String::new() } else { format!("{}, ", job.group) };
    log::note(format!(
        "{group}fold {} of {count}: {trades}, {net} out of sample{died}{kept}",
        result.fold.fold
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_families_that_are_there_are_planned() {
        assert!(known("logistic").is_ok() && known("transformer").is_ok());
        for (family, told) in [("logistc", "is logistic meant?"), ("../x", "no family"), ("", "no family")] {
            let error = known(family).expect_err(family);
            assert!(error.code() == 2 && error.to_string().contains(told), "{error}");
        }
    }
}
