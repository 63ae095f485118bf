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
        collect::{cautions, kinds, mixed, there},
        cost::{self, Cost},
        input,
        line::{self, Job, Planned, SettingsLine, Task},
        place::{Done, Part, Place},
    },
    replay::{Days, columns::Columns, walk::Skip},
};
use mes_judge::{
    search::trials::{Line, StudyLine, Trial, TrialLedger},
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
    let lines = if empty(&path) { Vec::new() } else { TrialLedger::read(&path)? };
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
    jobs::print(line::numbered(jobs.collect()), guess)
}

/// Says whether a ledger has no line yet: it is not there, or who began it wrote none.
fn empty(path: &Path) -> bool {
    !path.exists() || fs::read(path).is_ok_and(|bytes| !bytes.contains(&b'\n'))
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
/// `Usage` where some are no trials.
pub fn asked(path: &Path) -> Result<Told> {
    let jobs = line::read(&[path.to_owned()])?;
    match (&jobs[0].task, jobs.iter().all(|job| matches!(job.task, Task::Trials(_)))) {
        (Task::Trials(first), true) => Ok(Told { first: first.clone(), jobs }),
        _ => Err(Error::usage("--tell: these are no trials: mes-lab collect puts them together")
            .at(path.display())),
    }
}

/// Puts the results of a round into the ledger, once all are there, and the line of its study before the first. Told again, it
/// changes nothing.
///
/// # Errors
///
/// `Usage` where some are of another search or an earlier round is missing, `Data` where a result is missing, damaged or of
/// another search, `Failed` where the ledger cannot be written.
pub fn tell(
    told: &Told,
    study: &Study,
    line: &StudyLine,
    search: &mut Search,
    ledger: &mut TrialLedger,
    answer: AnswerArgs,
) -> Result<()> {
    of_study(&told.jobs, &study.study)?;
    let done = there(&told.jobs)?;
    let mut found = found(&told.jobs, &done, &study.study)?;
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
    begin(ledger, line)?;
    ledger.add(found.into_iter().map(|trial| Line::Trial(Box::new(trial))).collect())?;
    let all = known.len() + count;
    let kinds = kinds(&done);
    let warnings: Vec<String> = mixed(&kinds).into_iter().collect();
    let text = format!("{} told, {all} in all\n{}", words::count(count as u64, "trial"), cautions(&warnings));
    let said = json!({
        "kind": "told", "v": 1, "study": study.study, "told": count, "trials": all, "processors": kinds, "warnings": warnings,
    });
    answer.give(&said, || text)
}

/// Refuses jobs of another search.
fn of_study(jobs: &[Job], study: &str) -> Result<()> {
    let ours = |job: &&Job| matches!(&job.task, Task::Trials(task) if task.study == study);
    let Some(other) = jobs.iter().find(|job| !ours(job)) else { return Ok(()) };
    Err(Error::usage("trials of another search: give the arguments, rows and tools that asked for them")
        .at(format!("--tell: {}", other.name())))
}

/// Reads the trials of jobs that are done, and refuses those of another search.
fn found(jobs: &[Job], done: &[Done], study: &str) -> Result<Vec<Trial>> {
    let mut found: Vec<Trial> = Vec::new();
    for (job, done) in jobs.iter().zip(done) {
        let text = String::from_utf8_lossy(&Place::of(job).bytes(done)?).into_owned();
        for line in text.lines() {
            let trial: Trial =
                serde_json::from_str(line).map_err(|error| Error::data(error).at(job.name()))?;
            if trial.study != study {
                let what =
                    format!("trial {} is of another search: remove it and run the job again", trial.trial);
                return Err(Error::data(what).at(job.name()));
            }
            found.push(trial);
        }
    }
    Ok(found)
}

/// Writes the line of a study into a ledger that has not got it.
///
/// # Errors
///
/// `Failed` where the ledger cannot be written.
pub fn begin(ledger: &mut TrialLedger, line: &StudyLine) -> Result<()> {
    let line = Line::Study(line.clone());
    if ledger.lines().contains(&line) { Ok(()) } else { ledger.add(vec![line]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jobs::tests, optimize::sample::trial};

    #[test]
    fn trials_of_another_search_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let job = |study: &str, name: &str| {
            let job = tests::job(&folder.path().join(name), None);
            let task = json!({
                "do": "trials", "study": study, "data": "rows", "batch": 2, "by": "net", "min_trades": 1, "every_row": false,
                "days": 3, "limits": [], "trials": [], "rows": 9,
            });
            Job { task: serde_json::from_value(task).expect("a task"), ..job }
        };
        let jobs = [job("ours", "a"), job("ours", "b")];
        assert!(of_study(&jobs, "ours").is_ok());
        let error = of_study(&[job("ours", "a"), job("theirs", "b")], "ours").expect_err("another");
        assert!(error.code() == 2 && error.to_string().contains("another search"), "{error}");
        for (job, study) in jobs.iter().zip(["ours", "theirs"]) {
            let part = Place::of(job).begin().expect("begins");
            let line = serde_json::to_string(&trial(study, 1, &[], 1.0, &[5])).expect("JSON");
            fs::write(part.path.join(RESULT), line).expect("writes");
            part.publish(RESULT, "a kind", Cost::default()).expect("publishes");
        }
        let done = there(&jobs).expect("whole");
        assert_eq!(found(&jobs[..1], &done[..1], "ours").expect("ours").len(), 1);
        assert_eq!(found(&jobs, &done, "ours").expect_err("theirs").code(), 3);
    }

    #[test]
    fn a_ledger_without_a_line_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trials.jsonl");
        assert!(empty(&path));
        for (text, none) in [("", true), ("{\"kind\"", true), ("{}\n", false)] {
            fs::write(&path, text).expect("writes");
            assert_eq!(empty(&path), none, "{text}");
        }
    }
}
