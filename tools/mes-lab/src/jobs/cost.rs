//! What jobs take: asked before it costs, measured when it is done.

use std::fs;

use mes_pipe::{clock::Clock, log};
use serde::{Deserialize, Serialize};

use super::{line::Job, place::Place};
use mes_judge::words;

/// Ticks of the processor's time in /proc, on every Linux there is.
const TICKS: f64 = 100.0;

/// What one job takes or took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Of processors' time, all cores together.
    pub cpu_s: f64,
    /// By the clock; 0 before it was run.
    #[serde(default)]
    pub wall_s: f64,
    /// The most that its programs held at one time.
    pub memory_bytes: u64,
    /// What it leaves behind.
    pub disk_bytes: u64,
}

/// Measures a job that is being run.
pub struct Meter {
    clock: Clock,
    began: i64,
    /// Processor time of children that have ended, before it began.
    before: f64,
}

impl Meter {
    /// Begins to measure.
    pub fn begin() -> Meter {
        let clock = Clock::machine();
        Meter { began: clock.now().steady, clock, before: children() }
    }

    /// Returns what it took so far; `peak` is what the pipes said of memory.
    pub fn cost(&self, peak: u64) -> Cost {
        let wall_s = (self.clock.now().steady - self.began) as f64 / 1e9;
        Cost { cpu_s: children() - self.before, wall_s, memory_bytes: peak, disk_bytes: 0 }
    }
}

/// Returns the processor time of this process and its ended children, in seconds; 0 where nobody tells.
fn children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, which may hold anything, ends with the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (11..=14).map(ticks).sum::<f64>() / TICKS
}

/// Returns the most memory that a process and those below it have held, in bytes.
pub fn peak(pid: u32) -> u64 {
    let below = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let below = below.split_whitespace().filter_map(|pid| pid.parse().ok()).map(peak).sum::<u64>();
    held(&pid.to_string()) + below
}

/// Returns the most memory that a process, such as `self`, has held, in bytes; 0 where nobody tells.
pub fn held(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let most =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
    most.unwrap_or(0_u64) * 1024
}

/// Sets what each job will take by a guess from measured rates, and corrects it by what finished jobs of the same group took.
/// Says what all of them come to.
pub fn estimate(jobs: &mut [Job], guess: impl Fn(&Job) -> Cost) {
    let measured: Vec<(String, Cost, Cost)> = jobs
        .iter()
        .filter(|job| Place::of(job).recorded().is_some())
        .filter_map(|job| Some((job.group.clone(), guess(job), Place::of(job).cost()?)))
        .collect();
    for job in jobs.iter_mut() {
        let same = || measured.iter().filter(|(group, ..)| *group == job.group);
        let ratio = |of: fn(&Cost) -> f64| {
            let (took, guessed) =
                same().fold((0.0, 0.0), |sum, (_, guess, took)| (sum.0 + of(took), sum.1 + of(guess)));
            if guessed > 0.0 && took > 0.0 { took / guessed } else { 1.0 }
        };
        let cost = guess(job);
        let scaled = |bytes: u64, ratio: f64| (bytes as f64 * ratio) as u64;
        job.cost = Cost {
            cpu_s: (cost.cpu_s * ratio(|cost| cost.cpu_s) * 10.0).round() / 10.0,
            wall_s: 0.0,
            memory_bytes: scaled(cost.memory_bytes, ratio(|cost| cost.memory_bytes as f64)),
            disk_bytes: scaled(cost.disk_bytes, ratio(|cost| cost.disk_bytes as f64)),
        };
    }
    let by = match measured.len() {
        0 => "by the rates of the machine of make bench".to_owned(),
        done => format!("by what {} took", words::count(done as u64, "finished job")),
    };
    log::note(format!("{}, {by}", sum(jobs.iter())));
}

/// Says what some jobs take: how many, processor time, most memory of one, disk of all.
pub fn sum<'a>(jobs: impl Iterator<Item = &'a Job>) -> String {
    let (mut count, mut cpu_s, mut memory, mut disk) = (0, 0.0, 0, 0);
    for job in jobs {
        count += 1;
        cpu_s += job.cost.cpu_s;
        memory = job.cost.memory_bytes.max(memory);
        disk += job.cost.disk_bytes;
    }
    format!(
        "{}: about {:.2} CPU-hours, {} of memory a job, {} of disk",
        words::count(count, "job"),
        cpu_s / 3600.0,
        size(memory),
        size(disk)
    )
}

/// Says a number of bytes.
pub fn size(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    match mb {
        ..10.0 => format!("{mb:.1} MB"),
        ..10_000.0 => format!("{mb:.0} MB"),
        _ => format!("{:.1} GB", mb / 1000.0),
    }
}
