//! Features by session: bars and features of each trading day for themselves, joined to the very file that one run over all
//! of them would write. Nothing is held in memory but a batch of rows, however many years there are.

mod join;
mod scan;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use clap::Args;
use mes_core::time::{self, Ts};
use mes_pipe::{AnswerArgs, CalendarArgs, Error, Result, SettingsArgs, log};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::jobs::{
    self, LOG, Machine, PlanArgs,
    collect::{cautions, kinds, mixed, there},
    cost::Cost,
    input,
    line::{self, Job, Planned, SettingsLine, Task},
    place::{Done, Part},
    process::{Stage, pipe},
};
pub use join::{JoinArgs, run as join};
use scan::Scan;

/// The file of a session's result, and that of all.
const ROWS: &str = "rows.parquet";
const ALL: &str = "features.parquet";

#[derive(Args)]
pub struct SessionsArgs {
    /// Ticks or bars in the order of time: Arrow, Parquet, DBN, CSV or JSON lines, or a directory of *.parquet. A file a day
    /// is best: a job reads the files that its session lies in
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where the sessions and features.parquet go; a finished session found there is kept if nothing has changed
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Arguments for mes-bars, as one text: --bars-args='--session rth'
    #[arg(long, value_name = "ARGS", default_value = "", allow_hyphen_values = true)]
    bars_args: String,
    /// Arguments for mes-features, as one text: --features-args='--labels=horizon'
    #[arg(long, value_name = "ARGS", default_value = "", allow_hyphen_values = true)]
    features_args: String,
    #[command(flatten)]
    plan: PlanArgs,
    /// Sessions at a time; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What a session's job has to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionTask {
    pub bars_args: String,
    pub features_args: String,
    /// Rows that are read, `after < ts <= until`: from the last quote before the session, which its first bar stands on, to the
    /// first row after it, which closes its last bar.
    #[serde(with = "time::text")]
    pub after: Ts,
    #[serde(with = "time::text")]
    pub until: Ts,
    /// Rows that are kept: those of the session.
    #[serde(with = "time::text")]
    pub from: Ts,
    #[serde(with = "time::text")]
    pub to: Ts,
    /// How many rows are read, about.
    pub rows: u64,
}

/// Makes the features of all sessions and joins them, or prints a job a session.
///
/// # Errors
///
/// `Usage` for arguments that do not go together, `Data` for rows in no trading day or files out of order, what mes-bars and
/// mes-features end with, `Failed` where a file cannot be written.
pub fn run(args: &SessionsArgs) -> Result<()> {
    let jobs = plan(args)?;
    if args.plan.plan {
        return jobs::print(jobs, guess);
    }
    fs::create_dir_all(&args.out).map_err(|error| Error::from(error).at(args.out.display()))?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let count = jobs.len();
    jobs::all(&jobs, args.jobs.unwrap_or_else(cores), &Machine::here(Some(1)), |index, there| {
        let kept = if there { " (kept)" } else { "" };
        log::note(format!("session {} of {count}: {}{kept}", index + 1, jobs[index].name()));
    })?;
    collect(&jobs, &there(&jobs)?, &args.out, args.answer)
}

fn plan(args: &SessionsArgs) -> Result<Vec<Job>> {
    input::no_files("--bars-args", &args.bars_args)?;
    input::no_files("--features-args", &args.features_args)?;
    let settings_args = SettingsArgs { calendar: args.calendar.clone(), ..SettingsArgs::default() };
    let settings = settings_args.read()?;
    let scan = Scan::of(&args.files, &settings.calendar.value)?;
    let mut planned = Planned {
        tools: String::new(),
        processor: args.plan.processor(),
        inputs: Vec::new(),
        settings: SettingsLine::of(&settings_args, &settings),
    };
    let mut jobs = Vec::new();
    for session in &scan.sessions {
        let (bars_args, features_args) = (args.bars_args.clone(), args.features_args.clone());
        let scan::Session { after, until, from, to, rows, .. } = *session;
        let task = Task::Session(SessionTask { bars_args, features_args, after, until, from, to, rows });
        if planned.tools.is_empty() {
            planned.tools = input::tools(task.tools())?;
        }
        planned.inputs = scan.files[session.files.clone()].to_vec();
        jobs.push(Job::new(task, args.out.join(session.date.to_string()), "", &planned));
    }
    Ok(line::numbered(jobs))
}

/// Processor time of a million ticks, and of a session without any; what all features of a whole day of seconds take on the disk,
/// and the pipe in memory: `tests/cluster/rates`.
const TICKS_S: f64 = 3.0;
const START_S: f64 = 0.05;
const DAY_BYTES: u64 = 6_600_000;
const MEMORY_BYTES: u64 = 110_000_000;

fn guess(job: &Job) -> Cost {
    let Task::Session(task) = &job.task else { return Cost::default() };
    let rows = task.rows as f64;
    Cost {
        cpu_s: START_S + TICKS_S * rows / 1e6,
        wall_s: 0.0,
        memory_bytes: MEMORY_BYTES,
        disk_bytes: DAY_BYTES,
    }
}

/// Makes the features of one session in the folder of its job. Returns the file of its rows and the most memory that the
/// pipe held.
///
/// # Errors
///
/// What its tools end with; `Failed` where a file cannot be written.
pub fn run_session(
    job: &Job,
    task: &SessionTask,
    part: &Part,
    machine: &Machine,
) -> Result<(&'static str, u64)> {
    let slice = |after: Ts, until: Ts, to: &str| {
        let (after, until) = (time::format(after), time::format(until));
        Stage::new("mes-lab", ["slice", "-q", "--after", &after, "--until", &until, "--to", to, "--"])
    };
    let mut stages = [
        slice(task.after, task.until, "arrow").with(job.inputs.iter().map(|input| &input.path)),
        Stage::new("mes-bars", ["-q", "--to", "arrow"]).with(task.bars_args.split_whitespace()),
        Stage::new("mes-features", ["-q", "--to", "arrow"]).with(task.features_args.split_whitespace()),
        slice(task.from, task.to, "parquet"),
    ];
    if let Some(calendar) = &job.settings.calendar {
        for stage in &mut stages[1..=2] {
            stage.args.extend(["--calendar".into(), calendar.clone().into_os_string()]);
        }
    }
    if let Some(threads) = machine.threads.filter(|_| !task.features_args.contains("--threads")) {
        stages[2].args.extend(["--threads".into(), threads.min(64).to_string().into()]);
    }
    let memory = pipe(&stages, Some(&part.path.join(ROWS)), &part.path.join(LOG))?;
    Ok((ROWS, memory))
}

/// Joins sessions that are all there: a program of its own writes the file, as one run would.
///
/// # Errors
///
/// `Data` where a session's rows are damaged or do not follow each other, `Failed` where the file cannot be written.
pub fn collect(jobs: &[Job], done: &[Done], out: &Path, answer: AnswerArgs) -> Result<()> {
    fs::create_dir_all(out).map_err(|error| Error::from(error).at(out.display()))?;
    let path = out.join(ALL);
    let part = out.join(format!(".{ALL}.{}.part", mes_pipe::account::nonce()));
    let (log, list) = (part.with_extension("log"), part.with_extension("jsonl"));
    // A list of its own: what was given may be a pipe, which is read once.
    let lines: String = jobs.iter().map(Job::line).collect::<Result<_>>()?;
    mes_pipe::write::whole(&list, &lines)?;
    let join = Stage::new("mes-lab", ["join", "-q", "--to", "parquet", "--"]).with([&list]);
    let joined = pipe(&[join], Some(&part), &log).and_then(|_| Ok(fs::rename(&part, &path)?));
    for left in [&part, &log, &list] {
        // Renamed, or in nobody's way.
        let _ = fs::remove_file(left);
    }
    joined.map_err(|error| error.at(path.display()))?;
    let (sessions, size, kinds) = (jobs.len(), fs::metadata(&path)?.len(), kinds(done));
    let warnings: Vec<String> = mixed(&kinds).into_iter().collect();
    let told = json!({
        "kind": "lab_features", "v": 1, "sessions": sessions, "bytes": size, "path": path, "processors": kinds,
        "warnings": warnings,
    });
    answer.give(&told, || format!("{sessions} sessions in {}\n{}", path.display(), cautions(&warnings)))
}
