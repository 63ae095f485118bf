//! One fold: train on its rows, trade the rows that it was fitted on and those that nothing has seen.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use clap::ValueEnum;
use mes_core::{money::Cents, time};
use mes_pipe::{Error, Origin, Result, SettingsArgs, answer::pretty};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    folds::{Fold, Span},
    jobs::{
        LOG, Machine,
        line::Job,
        place::Part,
        process::{Stage, pipe},
    },
};
use mes_judge::{
    evidence::FEWEST_SESSIONS,
    facts::DayResult,
    files,
    metrics::{blocked::Blocked, ratio},
    reached::Reached,
};

/// What a fold's job has to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldTask {
    /// What mes-train shall train, and what it is told beside.
    pub family: String,
    pub train_args: String,
    /// Opens a new account after every death.
    pub refill: bool,
    /// The chain of the rows, as the outcome will have it.
    pub lineage: Value,
    pub fold: Fold,
}

/// The file of a fold's result.
pub const RESULT: &str = "fold.json";

/// What trading one span came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub days: usize,
    pub trades: usize,
    pub trades_per_day: Option<f64>,
    pub net_usd: f64,
    pub net_per_day_usd: Option<f64>,
    pub expectancy_usd: Option<f64>,
    pub costs_usd: f64,
    /// Absent below [`FEWEST_SESSIONS`] days, as are those after it up to the Sortino ratio: of so few they say nothing.
    pub sharpe: Option<f64>,
    pub sharpe_se: Option<f64>,
    pub psr: Option<f64>,
    pub sortino: Option<f64>,
    pub win_ratio: Option<f64>,
    pub profit_factor: Option<f64>,
    pub max_drawdown_usd: f64,
    /// Trades whose bar touched stop and target, their share of the bars with a position, and the net had each of
    /// them reached its target.
    pub ambiguous: usize,
    pub ambiguous_ratio: Option<f64>,
    pub best_net_usd: f64,
    /// The limit that ended the account, if one did: days after it are no days of it. With new accounts, the first.
    pub account_died: Option<Reached>,
    pub deaths: usize,
    pub days_dead: usize,
    /// What stood between rows and trades.
    pub blocked: Blocked,
}

/// A day of an account that began anew with the fold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    pub date: NaiveDate,
    pub start_cents: Cents,
    pub end_cents: Cents,
    pub high_cents: Cents,
    pub low_cents: Cents,
    /// Greatest fall from the day's peak so far, bar by bar, and the same as a share of that peak.
    pub drawdown_cents: Cents,
    pub drawdown_ratio: f64,
}

impl From<&Day> for DayResult {
    fn from(day: &Day) -> DayResult {
        let Day { date, start_cents, end_cents, high_cents, low_cents, drawdown_cents, drawdown_ratio } =
            *day;
        let overnight = false;
        DayResult {
            date,
            start_cents,
            end_cents,
            high_cents,
            low_cents,
            drawdown_cents,
            drawdown_ratio,
            overnight,
        }
    }
}

/// What a fold came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    pub kind: String,
    pub v: u32,
    /// Hash of all that the result depends on.
    pub key: String,
    /// The kind of processor that it was made on.
    pub processor: String,
    pub fold: Fold,
    /// The span it was fitted on.
    pub in_sample: Side,
    /// The span that nothing had seen.
    pub out_of_sample: Side,
    /// The days of the latter.
    pub days: Vec<Day>,
    /// Of the latter's rows.
    #[serde(default)]
    pub origin: Origin,
}

impl Side {
    /// Reads a summary.
    fn of(summary: &Value) -> Side {
        let count = |value: &Value| value.as_u64().unwrap_or(0) as usize;
        let (all, trades, returns) = (&summary["trades"]["all"], &summary["trades"], &summary["returns"]);
        let days = count(&summary["span"]["days"]);
        let enough = |value: &Value| value.as_f64().filter(|_| days >= FEWEST_SESSIONS);
        let net_usd = summary["account"]["net_usd"].as_f64().unwrap_or(0.0);
        Side {
            days,
            trades: count(&all["trades"]),
            trades_per_day: trades["per_day"].as_f64(),
            net_usd,
            net_per_day_usd: ratio(net_usd, days as f64),
            expectancy_usd: all["expectancy_usd"].as_f64(),
            costs_usd: summary["costs"]["total_usd"].as_f64().unwrap_or(0.0),
            sharpe: enough(&returns["sharpe"]),
            sharpe_se: enough(&returns["sharpe_se"]),
            psr: enough(&summary["evidence"]["sharpe"]["psr"]),
            sortino: enough(&returns["sortino"]),
            win_ratio: all["win_ratio"].as_f64(),
            profit_factor: all["profit_factor"].as_f64(),
            max_drawdown_usd: summary["drawdown"]["max_usd"].as_f64().unwrap_or(0.0),
            ambiguous: count(&trades["ambiguous"]),
            ambiguous_ratio: trades["ambiguous_ratio"].as_f64(),
            best_net_usd: trades["best_net_usd"].as_f64().unwrap_or(0.0),
            account_died: Reached::deserialize(&summary["account_died"]).ok(),
            deaths: count(&summary["deaths"]),
            days_dead: count(&summary["span"]["days_dead"]),
            blocked: Blocked::deserialize(&summary["blocked"]).unwrap_or_default(),
        }
    }

    /// Says the Sharpe ratio with its error, which it is not shown without.
    pub fn sharpe_words(&self) -> String {
        let known = self.sharpe.zip(self.sharpe_se);
        known.map_or_else(|| "-".to_owned(), |(sharpe, error)| format!("{sharpe:.2} ± {error:.2}"))
    }
}

/// Runs a fold in the folder of its job. Returns the file of its result and the most memory that a pipe of tools held.
///
/// # Errors
///
/// What its tools end with, by their exit codes; `Failed` where a file cannot be written, `Data` where what they wrote
/// cannot be read.
pub fn run_fold(job: &Job, task: &FoldTask, part: &Part, machine: &Machine) -> Result<(&'static str, u64)> {
    let files = job.inputs.iter().map(|input| input.path.clone()).collect();
    let settings = job.settings.args()?;
    let mut work = Work { task, files, settings, machine, folder: part.path.clone(), memory: 0 };
    let result = work.run(&job.key)?;
    let path = part.path.join(RESULT);
    fs::write(&path, pretty(&result)?).map_err(|error| Error::from(error).at(path.display()))?;
    Ok((RESULT, work.memory))
}

/// A fold being worked on.
struct Work<'a> {
    task: &'a FoldTask,
    files: Vec<PathBuf>,
    settings: SettingsArgs,
    machine: &'a Machine,
    folder: PathBuf,
    /// The most that a pipe of tools held so far, in bytes.
    memory: u64,
}

impl Work<'_> {
    fn run(&mut self, key: &str) -> Result<FoldResult> {
        let fold = &self.task.fold;
        let model = self.folder.join("model.onnx");
        let rows = Span { to: fold.validate.to, ..fold.train };
        self.pipe(&[self.slice(&rows), self.train(&model)], None)?;
        let predict = |flag: &str| {
            Stage::new("mes-predict", ["-q", flag, "--to"]).with(["arrow", "--model"]).with([&model])
        };
        let inside = [self.slice(&fold.train), predict("--allow-in-sample"), self.backtest("in-sample", &[])];
        self.pipe(&inside, None)?;
        let predictions = self.folder.join("predictions.arrow");
        self.pipe(&[self.slice(&fold.test), predict("--skip-in-sample")], Some(&predictions))?;
        self.pipe(&[self.backtest("out-of-sample", std::slice::from_ref(&predictions))], None)?;
        let (in_sample, _) = self.side("in-sample")?;
        let (out_of_sample, origin) = self.side("out-of-sample")?;
        let days = self.days()?;
        let (kind, key, processor) = ("fold_result".into(), key.to_owned(), self.machine.processor.clone());
        let fold = fold.clone();
        Ok(FoldResult { kind, v: 2, key, processor, fold, in_sample, out_of_sample, days, origin })
    }

    fn pipe(&mut self, stages: &[Stage], out: Option<&Path>) -> Result<()> {
        let memory = pipe(stages, out, &self.folder.join(LOG))?;
        self.memory = self.memory.max(memory);
        Ok(())
    }

    fn train(&self, model: &Path) -> Stage {
        let args: Vec<&str> = self.task.train_args.split_whitespace().collect();
        let mut train = Stage::new("mes-train", ["-q", &self.task.family]);
        // Whoever planned with a number of threads meant it.
        if let Some(threads) =
            self.machine.threads.filter(|_| !args.iter().any(|arg| arg.starts_with("--threads")))
        {
            train = train.with(["--threads", &threads.to_string()]);
        }
        train.with(["--until", &time::format(self.task.fold.until), "--out"]).with([model]).with(args)
    }

    fn slice(&self, span: &Span) -> Stage {
        let (from, to) = (time::format(span.from), time::format(span.to));
        let flags = ["slice", "-q", "--to", "arrow", "--after", &from, "--until", &to, "--"];
        Stage::new("mes-lab", flags).with(&self.files)
    }

    fn backtest(&self, name: &str, files: &[PathBuf]) -> Stage {
        let SettingsArgs { rules, costs, fills, latency, calendar } = &self.settings;
        let fills = fills.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let flags =
            ["-q", "--rules", rules, "--costs", costs, "--fills", &fills, "--latency", latency, "--out"];
        let mut stage = Stage::new("mes-bt", flags).with([self.folder.join(name)]);
        if let Some(calendar) = &calendar.calendar {
            stage = stage.with(["--calendar".as_ref(), calendar.as_os_str()]);
        }
        if self.task.refill {
            stage = stage.with(["--refill"]);
        }
        stage.with(files)
    }

    /// Reads the summary of a span, and where its data came from.
    fn side(&self, name: &str) -> Result<(Side, Origin)> {
        let path = self.folder.join(name).join("summary.json");
        let at = |error: Error| error.at(path.display());
        let text = fs::read(&path).map_err(|error| at(error.into()))?;
        let summary: Value = serde_json::from_slice(&text).map_err(|error| at(Error::data(error)))?;
        Ok((Side::of(&summary), Origin::of(&summary["lineage"])))
    }

    fn days(&self) -> Result<Vec<Day>> {
        let path = self.folder.join("out-of-sample").join("days.csv");
        let text = fs::read_to_string(&path).map_err(|error| Error::from(error).at(path.display()))?;
        if text.lines().next() != Some(files::DAYS) {
            return Err(
                Error::data("columns of another version of mes: build all tools anew").at(path.display())
            );
        }
        let days: Option<Vec<Day>> = text.lines().skip(1).map(day).collect();
        days.ok_or_else(|| Error::data("a line that is not a day").at(path.display()))
    }
}

/// Reads a line of days.csv.
fn day(line: &str) -> Option<Day> {
    let fields: Vec<&str> = line.split(',').collect();
    let usd = |place: usize| Some(Cents::from_usd(fields.get(place)?.parse().ok()?));
    Some(Day {
        date: fields.first()?.parse().ok()?,
        start_cents: usd(1)?,
        end_cents: usd(2)?,
        high_cents: usd(3)?,
        low_cents: usd(4)?,
        drawdown_cents: usd(10)?,
        drawdown_ratio: fields.get(11)?.parse().ok()?,
    })
}
