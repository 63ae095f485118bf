//! Jobs: what a plan cuts its work into. A job is a line, a process runs it, its result is a folder; so any scheduler can
//! run them, in any order, anywhere that shares the disk. In one process they are run by the very same code.

pub mod collect;
pub mod cost;
pub mod input;
pub mod line;
pub mod place;
pub mod process;
pub mod status;
#[cfg(test)]
pub mod tests;

use std::{
    io::{Write, stdout},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use clap::Args;
use mes_pipe::{Error, Result, log};

use crate::{optimize, sessions, walk};
use cost::{Cost, Meter};
use line::{Job, Task};
use place::{Part, Place};

/// The file in a job's folder that its tools speak into.
pub const LOG: &str = "log.txt";

#[derive(Args)]
pub struct JobArgs {
    /// The job: a line of JSON, or a file of which it is the only line
    #[arg(value_name = "LINE|FILE")]
    job: String,
    /// The line of FILE, from 1: the task of an array
    #[arg(long, value_name = "N")]
    line: Option<usize>,
    /// Threads of the tools that it starts; without it they take all cores that they see. Changes no byte
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What all jobs of a process share.
#[derive(Clone, Debug)]
pub struct Machine {
    pub threads: Option<u16>,
    pub processor: String,
}

impl Machine {
    /// Takes this machine, with so many threads a tool.
    pub fn here(threads: Option<u16>) -> Machine {
        Machine { threads, processor: input::processor() }
    }
}

/// Runs one job, if nothing that it depends on has changed since it was planned.
///
/// # Errors
///
/// `Failed` where another try may help; `Usage` for a line that is no job, other settings, another build of the tools or
/// another processor; `Data` for other bytes; what its tools end with.
pub fn run(args: &JobArgs) -> Result<()> {
    let job = line::read_one(&args.job, args.line)?;
    let machine = Machine::here(args.threads);
    let checked = check(&job, &machine);
    let there = match checked {
        Ok(()) => work(&job, &machine)?,
        // Whoever looks at the jobs later wants to know of it as well.
        Err(error) => return Err(Place::of(&job).fail(error.at(job.name()), Vec::new())),
    };
    log::note(format!("{}: {}", job.name(), if there { "there already" } else { "done" }));
    Ok(())
}

/// Refuses a job whose inputs, settings, tools or processor are not those of its line.
fn check(job: &Job, machine: &Machine) -> Result<()> {
    if let Some(processor) = job.processor.as_ref().filter(|pinned| **pinned != machine.processor) {
        let here = &machine.processor;
        return Err(Error::usage(format!(
            "planned for processors of the kind \"{processor}\"; this is \"{here}\""
        )));
    }
    same_tools(job)?;
    unchanged(job)
}

/// Refuses a job whose inputs or settings are not those of its line.
fn unchanged(job: &Job) -> Result<()> {
    job.inputs.iter().try_for_each(input::Bytes::check)?;
    job.settings.read().map(drop)
}

/// Refuses a job of another build of the tools.
///
/// # Errors
///
/// `Usage` where they are not those that planned it, `Failed` where one is not there.
pub fn same_tools(job: &Job) -> Result<()> {
    if input::tools(job.task.tools())? == job.tools {
        return Ok(());
    }
    Err(Error::usage("planned by another build of the tools: results of two builds are not mixed; plan anew"))
}

/// Does a job, unless its result is there. Says whether it was.
///
/// # Errors
///
/// What its tools end with; `Failed` where a file cannot be written.
pub fn work(job: &Job, machine: &Machine) -> Result<bool> {
    let place = Place::of(job);
    if place.done().is_some() {
        return Ok(true);
    }
    let part = place.begin()?;
    let done = task(job, &part, machine);
    // Another run of the same job, which was quicker, has cleared ours away.
    if place.done().is_some() {
        place.clear();
        return Ok(done.is_err());
    }
    done.map_err(|error| place.fail(error.at(job.name()), part.said()))?;
    Ok(false)
}

fn task(job: &Job, part: &Part, machine: &Machine) -> Result<()> {
    let meter = Meter::begin();
    let (result, peak) = match &job.task {
        Task::Fold(fold) => walk::run_fold(job, fold, part, machine)?,
        Task::Session(session) => sessions::run_session(job, session, part, machine)?,
        Task::Trials(trials) => optimize::run_trials(job, trials, part, machine)?,
    };
    let cost = meter.cost(peak);
    // Other tools have read the files by their names: what they saw is what was planned if it is so still.
    unchanged(job)?;
    part.publish(result, &machine.processor, cost)
}

/// Does jobs, some at a time, and tells of each: its place in the list, and whether it was there. After a failure none is
/// begun; of several that of the earliest job is told, whichever came first.
///
/// # Errors
///
/// Those of [`work`].
pub fn all(jobs: &[Job], at_once: usize, machine: &Machine, mut tell: impl FnMut(usize, bool)) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (send, results) = mpsc::channel();
    let mut first_error: Option<(usize, Error)> = None;
    thread::scope(|scope| {
        for _ in 0..at_once.max(1).min(jobs.len()) {
            let (send, next, failed) = (send.clone(), &next, &failed);
            scope.spawn(move || {
                while let Some((index, job)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|index| Some((index, jobs.get(index)?)))
                {
                    if failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let result = work(job, machine);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    // Whoever collects the results outlives this.
                    let _ = send.send((index, result));
                }
            });
        }
        drop(send);
        for (index, result) in results {
            match result {
                Ok(there) => tell(index, there),
                Err(error) if first_error.as_ref().is_none_or(|(first, _)| index < *first) => {
                    first_error = Some((index, error));
                }
                Err(_) => {}
            }
        }
    });
    first_error.map_or(Ok(()), |(_, error)| Err(error))
}

/// Prints a plan: a line a job, with what each will take by `guess`, of which the sum is told.
///
/// # Errors
///
/// `Failed` where stdout cannot be written or a path is no text.
pub fn print(mut jobs: Vec<Job>, guess: impl Fn(&Job) -> Cost) -> Result<()> {
    cost::estimate(&mut jobs, guess);
    let mut out = stdout().lock();
    for job in &jobs {
        out.write_all(job.line()?.as_bytes())?;
    }
    Ok(out.flush()?)
}

/// Arguments of every verb that plans.
#[derive(Args, Clone, Debug)]
pub struct PlanArgs {
    /// Print the jobs, a line each, and what they will take, and run none: mes-lab job runs one, mes-lab collect puts all
    /// together
    #[arg(long)]
    pub plan: bool,
    /// Have the jobs run on processors of this machine's kind alone: bytes are promised for one kind
    #[arg(long, requires = "plan")]
    pub pin_processor: bool,
}

impl PlanArgs {
    /// Returns the kind of processor that is pinned.
    pub fn processor(&self) -> Option<String> {
        self.pin_processor.then(input::processor)
    }
}
