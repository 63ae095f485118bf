//! What has become of jobs: done, failed and why, begun, still to do; what they took and what is left.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use mes_pipe::{AnswerArgs, Result};
use serde::Serialize;

use super::{
    cost::{self, Cost},
    line::{self, Job},
    place::{Failure, Place},
};

#[derive(Args)]
pub struct StatusArgs {
    /// What a --plan wrote
    #[arg(value_name = "JOBS", required = true)]
    jobs: Vec<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What has become of some jobs.
#[derive(Serialize)]
struct Status {
    kind: &'static str,
    v: u32,
    jobs: usize,
    done: usize,
    failed: usize,
    /// Runs that began after any failure and neither ended nor said why: running now, or killed.
    begun: usize,
    waiting: usize,
    /// Of those that are done: processor time, most memory, disk.
    took: Cost,
    /// Processor time of those that are not done, by the plan.
    left_cpu_s: f64,
    failures: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    job: usize,
    name: String,
    #[serde(flatten)]
    failure: Failure,
}

/// Says what has become of jobs.
///
/// # Errors
///
/// `Usage` where the lines are no jobs.
pub fn run(args: &StatusArgs) -> Result<()> {
    let jobs = line::read(&args.jobs)?;
    let status = Status::of(&jobs);
    args.answer.give(&status, || status.words(&jobs))
}

impl Status {
    fn of(jobs: &[Job]) -> Status {
        let mut status = Status {
            kind: "lab_status",
            v: 1,
            jobs: jobs.len(),
            done: 0,
            failed: 0,
            begun: 0,
            waiting: 0,
            took: Cost::default(),
            left_cpu_s: 0.0,
            failures: Vec::new(),
        };
        for job in jobs {
            status.add(job);
        }
        status
    }

    fn add(&mut self, job: &Job) {
        let place = Place::of(job);
        if place.done().is_some() {
            self.done += 1;
            let took = place.cost().unwrap_or_default();
            self.took.cpu_s += took.cpu_s;
            self.took.wall_s += took.wall_s;
            self.took.memory_bytes = self.took.memory_bytes.max(took.memory_bytes);
            self.took.disk_bytes += took.disk_bytes;
            return;
        }
        self.left_cpu_s += job.cost.cpu_s;
        let begun = place.begun();
        match place.failure() {
            Some(failure) => {
                self.failed += 1;
                self.failures.push(Failed { job: job.job, name: job.name(), failure });
            }
            None if begun > 0 => self.begun += 1,
            None => self.waiting += 1,
        }
    }

    fn words(&self, jobs: &[Job]) -> String {
        let Status { done, failed, begun, waiting, took, .. } = self;
        let mut out = format!(
            "{done} of {} done, {failed} failed, {begun} running or killed, {waiting} to do\n",
            jobs.len()
        );
        let _ = writeln!(
            out,
            "took {:.2} CPU-hours, at most {} of memory a job, {} of disk; about {:.2} CPU-hours left",
            took.cpu_s / 3600.0,
            cost::size(took.memory_bytes),
            cost::size(took.disk_bytes),
            self.left_cpu_s / 3600.0
        );
        for Failed { job, name, failure } in &self.failures {
            let again = if failure.code == 1 { "; try it again" } else { "; another try will not help" };
            let _ = writeln!(out, "\njob {job}, exit {}{again}: {}", failure.code, failure.what);
            for line in failure.said.iter().filter(|line| !failure.what.ends_with(line.as_str())) {
                let _ = writeln!(out, "    {line}");
            }
            if !failure.what.starts_with(name) {
                let _ = writeln!(out, "    {name}");
            }
        }
        out
    }
}
