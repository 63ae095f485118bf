//! Puts the results of jobs together, once all are there. It runs none by itself: whoever has a cluster wants to know that
//! something is missing, not to wait for it here.

use std::{collections::BTreeMap, path::PathBuf};

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
/// `Data`, with names, where a result is missing or damaged; `Usage` for jobs of several kinds or of another build of the
/// tools; `Failed` where a file cannot be written.
pub fn run(args: &CollectArgs) -> Result<()> {
    let jobs = line::read(&args.jobs)?;
    let kind = std::mem::discriminant(&jobs[0].task);
    if jobs.iter().any(|job| std::mem::discriminant(&job.task) != kind) {
        return Err(Error::usage("jobs of several kinds: collect each kind apart"));
    }
    let mut tools: Vec<&str> = Vec::new();
    for job in &jobs {
        if !tools.contains(&job.tools.as_str()) {
            same_tools(job)?;
            tools.push(&job.tools);
        }
    }
    let done = there(&jobs)?;
    match jobs[0].task {
        Task::Fold(_) => walk::collect(&jobs, &done, &args.out, args.answer),
        Task::Session(_) => sessions::collect(&args.jobs, jobs.len(), &args.out, args.answer),
        Task::Trials(_) => Err(Error::usage(
            "trials go into the ledger of their search: mes-lab optimize ... --tell JOBS, with its arguments",
        )),
    }
}

/// Returns the results of all jobs, in their order.
///
/// # Errors
///
/// `Data`, with the names of those that are missing.
pub fn there(jobs: &[Job]) -> Result<Vec<Done>> {
    let found: Vec<(&Job, Option<Done>)> = jobs.iter().map(|job| (job, Place::of(job).done())).collect();
    let missing: Vec<String> =
        found.iter().filter(|(_, done)| done.is_none()).map(|(job, _)| job.name()).collect();
    if missing.is_empty() {
        return Ok(found.into_iter().filter_map(|(_, done)| done).collect());
    }
    let names = missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Error::data(format!(
        "{} of {} results are missing: {names}{more}; mes-lab status says why",
        missing.len(),
        jobs.len()
    )))
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
