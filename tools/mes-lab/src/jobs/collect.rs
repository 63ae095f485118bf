//! Puts the results of jobs together, once all are there. It runs none by itself: whoever has a cluster wants to know that
//! something is missing, not to wait for it here.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;
use mes_pipe::{AnswerArgs, Error, Result};

use super::{
    line::{self, Job, Task},
    place::{Done, Place},
    same_tools,
};
use crate::{sessions, walk};

/// More names than these nobody reads.
const NAMED: usize = 10;

#[derive(Args)]
pub struct CollectArgs {
    /// What a --plan wrote
    #[arg(value_name = "JOBS", required = true)]
    jobs: Vec<PathBuf>,
    /// Where what comes of them all goes
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Collects the results of jobs of one kind.
///
/// # Errors
///
/// `Data`, with names, where a job or its result is missing or damaged; `Usage` for jobs of several kinds, of several plans
/// in one group, or of another build of the tools; `Failed` where a file cannot be written.
pub fn run(args: &CollectArgs) -> Result<()> {
    let jobs = line::read(&args.jobs)?;
    let kind = std::mem::discriminant(&jobs[0].task);
    if jobs.iter().any(|job| std::mem::discriminant(&job.task) != kind) {
        return Err(Error::usage("jobs of several kinds: collect each kind apart"));
    }
    complete(&jobs)?;
    let mut tools: Vec<&str> = Vec::new();
    for job in &jobs {
        if !tools.contains(&job.tools.as_str()) {
            same_tools(job)?;
            tools.push(&job.tools);
        }
    }
    match jobs[0].task {
        // Each is checked as it is read; where one is damaged, all are looked at to name them.
        Task::Fold(_) => walk::collect(&jobs, &recorded(&jobs)?, &args.out, args.answer)
            .map_err(|error| there(&jobs).err().unwrap_or(error)),
        Task::Session(_) => sessions::collect(&jobs, &there(&jobs)?, &args.out, args.answer),
        Task::Trials(_) => Err(Error::usage(
            "trials go into the ledger of their search: mes-lab optimize ... --tell JOBS, with its arguments",
        )),
    }
}

/// Refuses a list that lost jobs of a group since it was planned, or has some of another plan.
///
/// # Errors
///
/// `Data`, with their numbers, where jobs are missing; `Usage` where there are more than were planned.
pub fn complete(jobs: &[Job]) -> Result<()> {
    for (group, of) in groups(jobs, |job| (job.of, &job.plan))? {
        let first = &jobs[of[0]];
        let at = |error: Error| if group.is_empty() { error } else { error.at(group) };
        let there: BTreeSet<usize> = of.iter().map(|index| jobs[*index].number()).collect();
        let what = if matches!(first.task, Task::Fold(_)) { "fold" } else { "job" };
        let missing: Vec<String> = (1..=first.of)
            .filter(|number| !there.contains(number))
            .map(|number| format!("{what} {number}"))
            .collect();
        if !missing.is_empty() {
            let (count, planned, names) = (missing.len(), first.of, named(&missing));
            let what = format!(
                "{count} of {planned} planned jobs are not in the list: {names}; give the whole plan"
            );
            return Err(at(Error::data(what)));
        }
        if first.of > 0 && of.len() > first.of {
            let what = format!("{} jobs where {} were planned", of.len(), first.of);
            return Err(at(Error::usage(format!("{what}: collect each plan into a folder of its own"))));
        }
    }
    Ok(())
}

/// Returns the first of some names, and how many more there are.
fn named(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns what is said to be there of all jobs, for whoever checks each as he reads it.
fn recorded(jobs: &[Job]) -> Result<Vec<Done>> {
    let all: Option<Vec<Done>> = jobs.iter().map(|job| Place::of(job).recorded()).collect();
    all.map_or_else(|| there(jobs), Ok)
}

/// Returns the results of all jobs, in their order, each of them whole.
///
/// # Errors
///
/// `Data`, with the names of those that are missing or damaged.
pub fn there(jobs: &[Job]) -> Result<Vec<Done>> {
    let (mut found, mut missing, mut damaged) = (Vec::with_capacity(jobs.len()), Vec::new(), Vec::new());
    for job in jobs {
        let place = Place::of(job);
        match place.recorded() {
            None => missing.push(job.name()),
            Some(done) if place.is_whole(&done) => found.push(done),
            Some(done) => damaged.push(job.out.join(&done.result).display().to_string()),
        }
    }
    let say = |names: &[String], what: &str, do_what: &str| {
        let of = format!("{} of {} results are {what}", names.len(), jobs.len());
        (!names.is_empty()).then(|| format!("{of}: {}; {do_what}", named(names)))
    };
    let wrong = [
        say(&missing, "missing", "mes-lab status says why"),
        say(&damaged, "damaged", "run their jobs again, which makes them anew"),
    ];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() { Ok(found) } else { Err(Error::data(wrong.join("; "))) }
}

/// Returns the kinds of processors that results were made on, each once.
pub fn kinds(done: &[Done]) -> Vec<&str> {
    let kinds: BTreeSet<&str> = done.iter().map(|done| done.processor.as_str()).collect();
    kinds.into_iter().collect()
}

/// Warns of results of more than one kind.
pub fn mixed(kinds: &[&str]) -> Option<String> {
    let all = kinds.join("; ");
    (kinds.len() > 1).then(|| {
        format!(
            "results were made on {} kinds of processors ({all}): made anew on one, last digits may differ; --pin-processor",
            kinds.len()
        )
    })
}

/// Sets warnings under a text, a line each.
pub fn cautions(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("\n  ! {warning}\n")).collect()
}

/// Gathers jobs by group, in the order of their lines.
///
/// # Errors
///
/// `Usage` where jobs of one group are of different plans, by what `same` tells of them.
pub fn groups<'a, K: PartialEq>(
    jobs: &'a [Job],
    same: impl Fn(&'a Job) -> K,
) -> Result<Vec<(&'a str, Vec<usize>)>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        let place = *places.entry(&job.group).or_insert_with(|| {
            groups.push((&job.group, Vec::new()));
            groups.len() - 1
        });
        let of = &mut groups[place].1;
        if of.first().is_some_and(|first| same(&jobs[*first]) != same(job)) {
            let what = "of another plan than those before it in its group: collect each plan into a folder of its own";
            return Err(Error::usage(format!("{}: {what}", job.name())));
        }
        of.push(index);
    }
    Ok(groups)
}
