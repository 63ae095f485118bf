//! Searches rules and costs for what trades best, and says how much of the best is the search.
//!
//! Trials are judged on the first days; the last ones are held out and looked at once, by the best trial alone.

mod idle;
mod importance;
mod judged;
mod map;
mod outcome;
mod page;
mod record;
#[cfg(test)]
mod sample;
mod score;
mod search;
mod space;
mod study;
mod table;

use std::{
    fs,
    io::{IsTerminal, stderr},
    path::PathBuf,
    thread,
};

use chrono::NaiveDate;
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use mes_core::dice::Draw;
use mes_pipe::{
    AnswerArgs, Error, InputArgs, Origin, Result, Settings, SettingsArgs, answer::pretty, hash, log,
    write::whole,
};
use serde_json::{Value, json};

use crate::replay::{self, Checkpoints, Days, columns::Columns, walk::Skip};
use judged::Judged;
use map::Map;
use mes_judge::{
    search::{
        overfit,
        trials::{Line, Look, StudyLine, Trial, TrialLedger, searched},
    },
    terms::Terms,
    words,
};
use outcome::{Counts, Outcome, SHOWN, ranked};
use record::Record;
use score::Objective;
use search::{Method, Search};
use space::{Base, Vary};
use study::Study;

#[derive(Args)]
#[command(group(ArgGroup::new("method").required(true).multiple(false)))]
pub struct OptimizeArgs {
    #[command(flatten)]
    input: InputArgs,
    /// A key of the rules, or of the costs after costs., and its values: exits.stop_ticks=4,6,8 or =4..16 or
    /// entries.confidence=0.6..0.8/0.05; tier.*.risk_percent sets all tiers. Repeat for more keys
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    vary: Vec<Vary>,
    /// Try every combination
    #[arg(long, group = "method")]
    grid: bool,
    /// Try N points anywhere
    #[arg(long, value_name = "N", group = "method")]
    random: Option<usize>,
    /// Try N points: two in five anywhere, then ever nearer to the best
    #[arg(long, value_name = "N", group = "method")]
    adaptive: Option<usize>,
    /// Try N points where a tree of Parzen estimators expects the best (TPE)
    #[arg(long, value_name = "N", group = "method")]
    tpe: Option<usize>,
    /// What trials are ranked by
    #[arg(long, value_enum, value_name = "SCORE", default_value = "sharpe")]
    by: Objective,
    /// Fewer trades are not ranked
    #[arg(long, value_name = "N", default_value_t = 30)]
    min_trades: usize,
    /// Share of the days, the last ones, that only the best trial sees; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    holdout: f64,
    /// Give up a trial whose score so far, after 1/4, 1/2 or 3/4 of the days, is below the median of those that finished
    #[arg(long)]
    prune: bool,
    /// Seed of all that is random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Threads; as many as there are cores if not given. Changes no result
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Trade every row, also those that provably change nothing: slower, the same results
    #[arg(long)]
    every_row: bool,
    /// Where results go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The ledger of trials, if it is not to be trials.jsonl in --out
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=0.9).contains(share));
    share.ok_or_else(|| format!("{text:?} is not from 0 to 0.9"))
}

impl OptimizeArgs {
    fn method(&self) -> (Method, usize) {
        let counted =
            [(Method::Random, self.random), (Method::Adaptive, self.adaptive), (Method::Tpe, self.tpe)];
        let found = counted.into_iter().find_map(|(method, count)| Some((method, count?)));
        found.unwrap_or((Method::Grid, 0))
    }
}

/// Searches, judges the best on the rows held out, and writes it all down.
pub fn run(args: &OptimizeArgs) -> Result<()> {
    let settings = args.settings.read()?;
    let base = Base::new(&settings)?;
    check(args, &base)?;
    let (method, count) = args.method();
    let mut search = Search::new(method, &args.vary, count, args.seed).map_err(Error::usage)?;
    fs::create_dir_all(&args.out).map_err(|error| Error::from(error).at(args.out.display()))?;
    let columns = Columns::read(&args.input, &settings)?;
    let (days, holdout) = split(&columns, args.holdout)?;
    let chain = columns.stream().lineage.then("mes-lab", json!(null)).to_json();
    let data = hash(chain.to_string().as_bytes());
    let line = StudyLine {
        v: 1,
        study: study_hash(args, &settings, &data, search.count()),
        data: data.clone(),
        method: method.name().to_owned(),
        by: args.by.name(),
        vary: args.vary.iter().map(words_of).collect(),
        days: days.to,
        holdout_days: holdout.to - holdout.from,
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let study = Study {
        columns: &columns,
        base: &base,
        vary: &args.vary,
        days,
        by: args.by,
        min_trades: args.min_trades,
        prune: args.prune,
        skip: if args.every_row { Skip::No } else { Skip::Yes },
        jobs: args.jobs.unwrap_or(cores).max(1),
        study: line.study.clone(),
        data,
    };
    let mut ledger =
        TrialLedger::open(&args.ledger.clone().unwrap_or_else(|| args.out.join("trials.jsonl")))?;
    if !ledger.lines().contains(&Line::Study(line.clone())) {
        ledger.add(vec![Line::Study(line.clone())])?;
    }
    let bar = progress(search.count(), args);
    let trials = study.run(&mut search, &mut ledger, &|done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let best = ranked(&trials).first().map(|trial| (*trial).clone());
    let held_out = match &best {
        Some(best) if holdout.to > holdout.from => Some(look(&study, best, holdout, &mut ledger)?),
        _ => None,
    };
    let mut outcome = judge(&study, &line, &trials, held_out, &ledger, &settings, &search);
    outcome.why_no_trade = idle::why(&study, &trials, &outcome, holdout)?;
    if let Some(best) = &best {
        write_best(args, &study, best)?;
    }
    write(args, &outcome, &trials, &settings, columns.days().last().map(|day| day.date))
}

/// Refuses keys that mean nothing before any row is read, and keys given twice.
fn check(args: &OptimizeArgs, base: &Base) -> Result<()> {
    for (index, vary) in args.vary.iter().enumerate() {
        if args.vary[..index].iter().any(|other| other.key == vary.key) {
            return Err(Error::usage(format!("--vary {} twice", vary.key)));
        }
        // One value that the rules accept is enough: others may be bad together with another key.
        let places: Vec<f64> = match vary.count() {
            Some(count) => (0..count).map(|place| place as f64).collect(),
            None => vec![vary.draw(&mut Draw::new(1, 1))],
        };
        let tried = places.iter().map(|place| base.with(std::slice::from_ref(vary), &[*place]));
        let mut errors = Vec::new();
        for settings in tried {
            match settings {
                Ok(_) => break,
                Err(error) => errors.push(error),
            }
        }
        if errors.len() == places.len()
            && let Some(error) = errors.pop()
        {
            return Err(error.at(format!("--vary {}", vary.key)));
        }
    }
    Ok(())
}

/// Cuts the days into those to search on and those held out.
fn split(columns: &Columns, share: f64) -> Result<(Days, Days)> {
    let count = columns.days().len();
    let held = (count as f64 * share).round() as usize;
    if count < held + 2 {
        return Err(Error::data(format!(
            "{} are too few to search on",
            words::count(count as u64, "trading day")
        )));
    }
    Ok((Days { from: 0, to: count - held }, Days { from: count - held, to: count }))
}

/// Returns the hash of all that a search's trials depend on beside their values.
fn study_hash(args: &OptimizeArgs, settings: &Settings, data: &str, count: usize) -> String {
    let (method, _) = args.method();
    let vary: Vec<String> = args.vary.iter().map(words_of).collect();
    // How long the search is changes only what one that narrows asks; others may be prolonged.
    let count = (method == Method::Adaptive).then_some(count);
    let all = json!([
        data,
        vary,
        method.name(),
        count,
        args.by.name(),
        args.min_trades,
        args.holdout,
        args.prune,
        args.seed,
        settings.rules.blake3,
        settings.costs.blake3,
        settings.calendar.blake3,
        settings.fills
    ]);
    hash(all.to_string().as_bytes())
}

fn words_of(vary: &Vary) -> String {
    let values = match vary.count() {
        Some(count) => {
            let list: Vec<String> = (0..count)
                .map(|place| {
                    importance::text(&serde_json::to_value(vary.value(place as f64)).unwrap_or_default())
                })
                .collect();
            list.join(",")
        }
        None => match &vary.values {
            space::Values::Between(low, high) => format!("{low}..{high}"),
            space::Values::Listed(_) => String::new(),
        },
    };
    format!("{}={values}", vary.key)
}

/// Trades the rows held out by the best trial's values. The same look of the same search counts once.
fn look(study: &Study, best: &Trial, holdout: Days, ledger: &mut TrialLedger) -> Result<Trial> {
    let settings = settings_of(study, best)?;
    let never = |_: usize, _: &replay::tally::Tally| false;
    let tally =
        replay::run(study.columns, holdout, &settings, &Checkpoints { days: &[], stop: &never }, study.skip)?;
    let mut judged = best.clone();
    study.fill(&mut judged, &tally);
    let (study, data) = (study.study.clone(), study.data.clone());
    let look =
        Look { v: 1, study, data, trial: best.trial, score: judged.score, net_cents: judged.net_cents };
    if !ledger.lines().contains(&Line::Holdout(look.clone())) {
        ledger.add(vec![Line::Holdout(look)])?;
    }
    Ok(judged)
}

/// Returns the settings of a trial by its values.
fn settings_of(study: &Study, trial: &Trial) -> Result<Settings> {
    let fixed: Vec<Vary> = trial
        .values
        .iter()
        .map(|(key, value)| {
            let value = toml::Value::try_from(value).map_err(Error::failed)?;
            Ok(Vary { key: key.clone(), values: space::Values::Listed(vec![value]) })
        })
        .collect::<Result<_>>()?;
    study.base.with(&fixed, &vec![0.0; fixed.len()])
}

fn judge(
    study: &Study,
    line: &StudyLine,
    trials: &[Trial],
    held_out: Option<Trial>,
    ledger: &TrialLedger,
    settings: &Settings,
    search: &Search,
) -> Outcome {
    let searched = searched(ledger.lines(), Some(&study.data));
    let capital = settings.rules.value.capital();
    let judged = |trial: &Trial| Judged::of(trial, searched, capital);
    let scored = ranked(trials);
    let top: Vec<Judged> = scored.iter().take(SHOWN).map(|trial| judged(trial)).collect();
    let best = top.first().cloned();
    let origin = Origin::of(&study.columns.stream().lineage.to_json());
    let mut outcome = Outcome {
        kind: "optimization",
        v: 1,
        synthetic: origin.synthetic(),
        origin,
        method: search.method().name(),
        by: line.by.clone(),
        vary: line.vary.clone(),
        counts: Counts::of(trials),
        days: line.days,
        holdout_days: line.holdout_days,
        record: searched.zip(best.as_ref()).and_then(|(searched, best)| Record::of(searched, best)),
        best,
        top,
        // Rows held out were not searched on: nothing to deflate, unless they were looked at before.
        holdout: held_out.map(|trial| Judged { dsr: None, ..judged(&trial) }),
        searched,
        overfitting: overfit::of(&scored),
        importance: importance::of(&scored),
        why_no_trade: Vec::new(),
        warnings: Vec::new(),
        settings: Terms::of(settings),
        lineage: study.columns.stream().lineage.then("mes-lab", searched_by(line)).to_json(),
    };
    outcome.warnings = outcome.cautions(study.min_trades, ledger.looks(&study.data), search);
    outcome
}

/// Says in a link of the chain how it was searched.
fn searched_by(line: &StudyLine) -> Value {
    json!({ "verb": "optimize", "method": line.method, "by": line.by, "vary": line.vary, "study": line.study })
}

/// Writes rules and costs of the best trial as files for `--rules` and `--costs`.
fn write_best(args: &OptimizeArgs, study: &Study, best: &Trial) -> Result<()> {
    let settings = settings_of(study, best)?;
    whole(&args.out.join("best-rules.toml"), &space::document(&settings.rules.value)?)?;
    whole(&args.out.join("best-costs.toml"), &space::document(&settings.costs.value)?)
}

fn write(
    args: &OptimizeArgs,
    outcome: &Outcome,
    trials: &[Trial],
    settings: &Settings,
    last: Option<NaiveDate>,
) -> Result<()> {
    let scored = ranked(trials);
    let map = match outcome.importance.as_slice() {
        [first, second, ..] => Some(Map::of(&scored, &first.key, &second.key)),
        _ => None,
    };
    let text = table::of(outcome, map.as_ref());
    whole(&args.out.join("optimize.json"), &pretty(outcome)?)?;
    whole(&args.out.join("optimize.txt"), &text)?;
    whole(&args.out.join("report.html"), &page::page(outcome, map.as_ref(), settings, last))?;
    whole(&args.out.join("trials.csv"), &outcome::csv(trials))?;
    if let Some(map) = &map {
        whole(&args.out.join("map.svg"), &map.svg())?;
    }
    log::note(format!("results in {}", args.out.display()));
    args.answer.give(outcome, || text)
}

/// Makes a bar that shows only where a person looks.
fn progress(count: usize, args: &OptimizeArgs) -> ProgressBar {
    if args.quiet || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} trials  {eta} left") {
        bar.set_style(style);
    }
    bar
}
