//! A job as a line of JSON that says all there is to say: what it reads, by path and by hash, under which settings, with
//! which arguments, by which build of the tools, and where its result goes. So any scheduler can run it anywhere.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use mes_pipe::{CalendarArgs, Error, Result, Settings, SettingsArgs, hash, settings::FillModel};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{cost::Cost, input::Bytes};
use crate::{optimize::TrialsTask, sessions::SessionTask, walk::FoldTask};

/// One job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub kind: JobKind,
    pub v: u32,
    /// From 1.
    pub job: usize,
    /// How many jobs its group was planned with, so that a list that lost some is found out; 0 where the plan did not say.
    #[serde(default)]
    pub of: usize,
    /// Hash of the keys of these, so that no list is put together from parts of two plans.
    #[serde(default)]
    pub plan: String,
    /// Hash of all that its result depends on: inputs, settings, task, tools, and the processor where one is pinned.
    pub key: String,
    /// The folder of its result.
    pub out: PathBuf,
    /// What is collected together: a name that becomes a folder, or nothing.
    pub group: String,
    /// Hash of the tools that it needs.
    pub tools: String,
    /// The kind of processor that it is to be run on, if it may be run on no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    pub inputs: Vec<Bytes>,
    pub settings: SettingsLine,
    pub task: Task,
    /// What it will take, about.
    pub cost: Cost,
}

/// The word `job`, so that a line of another kind is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Job,
}

/// What is to be done: one arm for each verb that plans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    Fold(FoldTask),
    Session(SessionTask),
    Trials(TrialsTask),
}

impl Task {
    /// Names the tools that it starts, this one with them.
    pub fn tools(&self) -> &'static [&'static str] {
        match self {
            Task::Fold(_) => &["mes-lab", "mes-train", "mes-predict", "mes-bt", "mes-nets"],
            Task::Session(_) => &["mes-lab", "mes-bars", "mes-features"],
            Task::Trials(_) => &["mes-lab"],
        }
    }
}

/// [`SettingsArgs`] as a line has them, and the hash of what they named when it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsLine {
    pub rules: String,
    pub costs: String,
    pub fills: String,
    pub latency: String,
    pub calendar: Option<PathBuf>,
    pub blake3: String,
}

impl SettingsLine {
    /// Writes down arguments and the settings that were read by them.
    pub fn of(args: &SettingsArgs, settings: &Settings) -> SettingsLine {
        let fills = args.fills.to_possible_value();
        SettingsLine {
            rules: args.rules.clone(),
            costs: args.costs.clone(),
            fills: fills.map(|value| value.get_name().to_owned()).unwrap_or_default(),
            latency: args.latency.clone(),
            calendar: args.calendar.calendar.clone(),
            blake3: hash_of(settings),
        }
    }

    /// Returns them as arguments again.
    ///
    /// # Errors
    ///
    /// `Usage` for a model of fills that there is none of.
    pub fn args(&self) -> Result<SettingsArgs> {
        let fills =
            FillModel::from_str(&self.fills, false).map_err(|error| Error::usage(error).at("fills"))?;
        let calendar = CalendarArgs { calendar: self.calendar.clone() };
        let (rules, costs, latency) = (self.rules.clone(), self.costs.clone(), self.latency.clone());
        Ok(SettingsArgs { rules, costs, fills, latency, calendar })
    }

    /// Reads them, and refuses others than were planned.
    ///
    /// # Errors
    ///
    /// `Usage` where a file is not there, means nothing, or is not what it was.
    pub fn read(&self) -> Result<Settings> {
        let settings = self.args()?.read()?;
        if hash_of(&settings) == self.blake3 {
            return Ok(settings);
        }
        let SettingsLine { rules, costs, .. } = self;
        Err(Error::usage(format!(
            "rules {rules}, costs {costs}, calendar or latency are not what was planned: put them back, or plan anew"
        )))
    }
}

fn hash_of(settings: &Settings) -> String {
    let Settings { rules, costs, fills, calendar } = settings;
    hash(json!([rules.blake3, costs.blake3, calendar.blake3, fills]).to_string().as_bytes())
}

impl Job {
    /// Writes a job down; `processor` pins it.
    pub fn new(task: Task, out: PathBuf, group: &str, plan: &Planned) -> Job {
        let Planned { tools, processor, inputs, settings } = plan.clone();
        let (key, group, cost) = (String::new(), group.to_owned(), Cost::default());
        let job = Job {
            kind: JobKind::Job,
            v: 1,
            job: 0,
            of: 0,
            plan: String::new(),
            key,
            out,
            group,
            tools,
            processor,
            inputs,
            settings,
            task,
            cost,
        };
        Job { key: job.key(), ..job }
    }

    /// Returns the hash of all that its result depends on. Paths are not among it.
    pub fn key(&self) -> String {
        let inputs: Vec<&str> = self.inputs.iter().map(|input| input.blake3.as_str()).collect();
        let all = json!([self.v, self.tools, self.processor, inputs, self.settings.blake3, self.task]);
        hash(all.to_string().as_bytes())
    }

    /// Returns its place in its group, from 1: that of its fold, or of its line.
    pub fn number(&self) -> usize {
        match &self.task {
            Task::Fold(task) => task.fold.fold,
            Task::Session(_) | Task::Trials(_) => self.job,
        }
    }

    /// Names it as people see it: by its folder.
    pub fn name(&self) -> String {
        self.out.display().to_string()
    }

    /// Writes it as a line.
    ///
    /// # Errors
    ///
    /// `Failed` where it has no JSON: a path that is no text.
    pub fn line(&self) -> Result<String> {
        Ok(serde_json::to_string(self).map_err(Error::failed)? + "\n")
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// `Usage` where it is no job, or was changed since it was planned.
    pub fn parse(line: &str) -> Result<Job> {
        let job: Job =
            serde_json::from_str(line).map_err(|error| Error::usage(format!("no job: {error}")))?;
        if job.v != 1 {
            return Err(Error::usage(format!("a job of version {}: plan anew", job.v)));
        }
        if job.key() != job.key {
            return Err(Error::usage(format!("{}: the line was changed since it was planned", job.name())));
        }
        Ok(job)
    }
}

/// What the jobs of a plan share.
#[derive(Clone, Debug)]
pub struct Planned {
    pub tools: String,
    pub processor: Option<String>,
    pub inputs: Vec<Bytes>,
    pub settings: SettingsLine,
}

/// Numbers the jobs of a plan, and tells each of its group: how many jobs it has, and which.
pub fn numbered(mut jobs: Vec<Job>) -> Vec<Job> {
    let mut keys: HashMap<String, Vec<String>> = HashMap::new();
    jobs.iter().for_each(|job| keys.entry(job.group.clone()).or_default().push(job.key.clone()));
    let plan = |(group, keys): (String, Vec<String>)| {
        (group, (keys.len(), hash(json!(keys).to_string().as_bytes())))
    };
    let plans: HashMap<String, (usize, String)> = keys.into_iter().map(plan).collect();
    for (index, job) in jobs.iter_mut().enumerate() {
        job.job = index + 1;
        (job.of, job.plan) = plans[&job.group].clone();
    }
    jobs
}

/// Reads all jobs of some files, each once: what a group has already is left out, wherever its result would go.
///
/// # Errors
///
/// `Usage` where a file is not there or empty, a line is no job, or two different ones want one folder.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Job>> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    for path in paths {
        let text = text(path)?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = |error: Error| error.at(format!("{}: line {}", path.display(), index + 1));
            let job = Job::parse(line).map_err(at)?;
            match places.get(&job.out) {
                Some(other) if jobs[*other].key == job.key => {}
                Some(_) => {
                    let what = format!("another job has the folder {}: collect them apart", job.name());
                    return Err(at(Error::usage(what)));
                }
                None if !seen.insert((job.group.clone(), job.key.clone())) => {}
                None => {
                    places.insert(job.out.clone(), jobs.len());
                    jobs.push(job);
                }
            }
        }
    }
    if jobs.is_empty() {
        return Err(Error::usage("no job in it: is it what a --plan wrote?"));
    }
    Ok(jobs)
}

/// Reads one job: a line of JSON, or a file of which line `number`, or the only one, is it.
///
/// # Errors
///
/// `Usage` where there is no such line or it is no job.
pub fn read_one(what: &str, number: Option<usize>) -> Result<Job> {
    if what.trim_start().starts_with('{') {
        return Job::parse(what);
    }
    let text = text(Path::new(what))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (line, place) = match number {
        Some(number) => {
            (number.checked_sub(1).and_then(|before| lines.nth(before)), format!("line {number}"))
        }
        None => (lines.next().filter(|_| lines.next().is_none()), "not one line".to_owned()),
    };
    let line = line.ok_or_else(|| {
        Error::usage(format!(
            "{what}: {place}: a job is one line of JSON, a file of one, or a line of it (--line N)"
        ))
    })?;
    Job::parse(line).map_err(|error| error.at(what))
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Error::unread(path, &error))
}
