//! A search in rounds: asked for as jobs, run anywhere, told to the ledger. What is asked next hangs on the rounds before and
//! on nothing else, so one worker and sixty-four make the same trials. Only who tells writes the ledger.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use mes_pipe::{AnswerArgs, Error, InputArgs, Result, Settings};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::OptimizeArgs,
    score::Objective,
    search::Search,
    space::Base,
    study::{Asked, Round, Study},
};
use crate::{
    jobs::{
        self, Machine,
        collect::there,
        cost::{self, Cost},
        input,
        line::{self, Job, Planned, SettingsLine, Task},
        place::{Part, Place},
    },
    replay::{Days, columns::Columns, walk::Skip},
};
use mes_judge::{
    search::trials::{Line, Trial, TrialLedger},
    words,
};

/// The file of a job's result.
const RESULT: &str = "trials.jsonl";

/// What a job of a round has to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialsTask {
    /// Hashes of study and rows, for the ledger.
    pub study: String,
    pub data: String,
    /// Trials of a round.
    pub batch: usize,
    pub by: String,
    pub min_trades: usize,
    pub every_row: bool,
    /// Days that are traded, from the first on.
    pub days: usize,
    /// The least score at each checkpoint at which a trial goes on.
    pub limits: Vec<Option<f64>>,
    pub trials: Vec<Asked>,
    /// How many rows there are.
    pub rows: u64,
}

/// Prints the jobs of the next round; nothing when the search is over.
///
/// # Errors
///
/// `Usage` without files, `Data` where the ledger cannot be read, `Failed` where stdout cannot be written.
pub fn ask(args: &OptimizeArgs, study: &Study, search: &mut Search, settings: &Settings) -> Result<()> {
    if args.input.files.is_empty() {
        return Err(Error::usage("--ask: jobs read their rows again: give files"));
    }
    let path = args.ledger();
    let lines = if path.exists() { TrialLedger::read(&path)? } else { Vec::new() };
    let known = lines.iter().filter_map(|line| match line {
        Line::Trial(trial) if trial.study == study.study => Some(trial.as_ref()),
        _ => None,
    });
    let Some(Round { trials, limits }) = study.next(search, known) else { return Ok(()) };
    let task = |trials: &[Asked]| {
        Task::Trials(TrialsTask {
            study: study.study.clone(),
            data: study.data.clone(),
            batch: study.batch,
            by: study.by.name(),
            min_trades: study.min_trades,
            every_row: args.every_row,
            days: study.days.to,
            limits: limits.clone(),
            trials: trials.to_vec(),
            rows: study.columns.len() as u64,
        })
    };
    let plan = Planned {
        tools: input::tools(task(&[]).tools())?,
        processor: args.pin_processor.then(input::processor),
        inputs: input::all(&args.input.files)?,
        settings: SettingsLine::of(&args.settings, settings),
    };
    let place = |first: usize| args.out.join("trials").join(format!("{}-{first:05}", &study.study[..8]));
    let jobs = trials.chunks(args.per_job).map(|few| Job::new(task(few), place(few[0].trial), "", &plan));
    jobs::print(jobs.collect(), guess)
}

/// Processor time of a million rows to read, and to trade once; memory of a row: measured by `make bench GROUPS=lab`.
const READ_S: f64 = 0.25;
const TRADE_S: f64 = 0.1;
const ROW_BYTES: u64 = 31;
const MEMORY_BYTES: u64 = 40_000_000;

fn guess(job: &Job) -> Cost {
    let Task::Trials(task) = &job.task else { return Cost::default() };
    let millions = task.rows as f64 / 1e6;
    Cost {
        cpu_s: millions * (READ_S + TRADE_S * task.trials.len() as f64),
        wall_s: 0.0,
        memory_bytes: MEMORY_BYTES + ROW_BYTES * task.rows,
        disk_bytes: 20_000 * task.trials.len() as u64,
    }
}

/// Runs the trials of a job in its folder. Returns the file of their results and the most memory that was held.
///
/// # Errors
///
/// What reading and the loop fail of, `Failed` where the file cannot be written.
pub fn run_trials(
    job: &Job,
    task: &TrialsTask,
    part: &Part,
    machine: &Machine,
) -> Result<(&'static str, u64)> {
    let settings = job.settings.read()?;
    let files: Vec<PathBuf> = job.inputs.iter().map(|input| input.path.clone()).collect();
    let columns = Columns::read(&InputArgs { files, ..InputArgs::default() }, &settings)?;
    let base = Base::new(&settings)?;
    let by = Objective::from_str(&task.by, false).map_err(|error| Error::usage(error).at("by"))?;
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let study = Study {
        columns: &columns,
        base: &base,
        vary: &[],
        batch: task.batch,
        days: Days { from: 0, to: task.days },
        by,
        min_trades: task.min_trades,
        // The limits say it.
        prune: false,
        skip: if task.every_row { Skip::No } else { Skip::Yes },
        jobs: machine.threads.map_or_else(cores, usize::from),
        study: task.study.clone(),
        data: task.data.clone(),
    };
    let found = study.parallel(&Round { trials: task.trials.clone(), limits: task.limits.clone() })?;
    let lines = found.iter().map(|trial| Ok(serde_json::to_string(trial).map_err(Error::failed)? + "\n"));
    let path = part.path.join(RESULT);
    fs::write(&path, lines.collect::<Result<String>>()?)
        .map_err(|error| Error::from(error).at(path.display()))?;
    Ok((RESULT, cost::held("self")))
}

/// The jobs of a round, as they were asked for.
pub struct Told {
    jobs: Vec<Job>,
    /// As all of them have it.
    first: TrialsTask,
}

impl Told {
    /// Returns how many trials a round of the search has.
    pub fn batch(&self) -> usize {
        self.first.batch
    }
}

/// Reads the jobs of a round.
///
/// # Errors
///
/// `Usage` where they are no trials.
pub fn asked(path: &Path) -> Result<Told> {
    let jobs = line::read(&[path.to_owned()])?;
    match &jobs[0].task {
        Task::Trials(first) => Ok(Told { first: first.clone(), jobs }),
        Task::Fold(_) | Task::Session(_) => {
            Err(Error::usage("--tell: these are no trials: mes-lab collect puts them together")
                .at(path.display()))
        }
    }
}

/// Puts the results of a round into the ledger, once all are there. Told again, it changes nothing.
///
/// # Errors
///
/// `Usage` where they are of another search or an earlier round is missing, `Data` where a result is missing or damaged,
/// `Failed` where the ledger cannot be written.
pub fn tell(
    told: &Told,
    study: &Study,
    search: &mut Search,
    ledger: &mut TrialLedger,
    answer: AnswerArgs,
) -> Result<()> {
    if told.first.study != study.study {
        return Err(Error::usage(
            "--tell: trials of another search: give the arguments, rows and tools that asked for them",
        ));
    }
    let mut found: Vec<Trial> = Vec::new();
    for (job, done) in told.jobs.iter().zip(&there(&told.jobs)?) {
        let text = String::from_utf8_lossy(&Place::of(job).bytes(done)?).into_owned();
        for line in text.lines() {
            found.push(serde_json::from_str(line).map_err(|error| Error::data(error).at(job.name()))?);
        }
    }
    found.sort_by_key(|trial| trial.trial);
    let known: Vec<Trial> = ledger.trials(&study.study).cloned().collect();
    found.retain(|trial| !known.contains(trial));
    let next = study.next(search, known.iter()).map(|round| round.trials).unwrap_or_default();
    let asked = found.iter().map(|trial| (trial.trial, &trial.values));
    if !found.is_empty() && !asked.eq(next.iter().map(|asked| (asked.trial, &asked.values))) {
        return Err(Error::usage(
            "--tell: these are not the trials that come next: tell the rounds in their order, whole",
        ));
    }
    let count = found.len();
    ledger.add(found.into_iter().map(|trial| Line::Trial(Box::new(trial))).collect())?;
    let all = known.len() + count;
    let said = json!({ "kind": "told", "v": 1, "study": study.study, "told": count, "trials": all });
    answer.give(&said, || format!("{} told, {all} in all\n", words::count(count as u64, "trial")))
}
