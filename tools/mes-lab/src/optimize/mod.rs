//! Searches rules and costs for what trades best, and says how much of the best is the search.
//!
//! Trials are judged on the first days; the last ones are held out and looked at once, by the best trial alone.

mod args;
mod idle;
mod importance;
mod judged;
mod map;
mod outcome;
mod page;
mod record;
mod rounds;
#[cfg(test)]
mod sample;
mod score;
mod search;
mod space;
mod study;
mod table;

use std::{fs, thread};

use chrono::NaiveDate;
use mes_pipe::{
    Error, Origin, Result, Settings, answer::pretty, hash, log, progress::Progress, write::whole,
};
use serde_json::{Value, json};

use crate::replay::{self, Checkpoints, Days, columns::Columns, walk::Skip};
pub use args::OptimizeArgs;
use args::{check, study_hash, words_of};
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
pub use rounds::{TrialsTask, run_trials};
use search::Search;
use space::Base;
use study::Study;

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
    let told = args.tell.as_ref().map(|path| rounds::asked(path)).transpose()?;
    let batch = told.as_ref().map_or(args.ask.unwrap_or(args.batch), rounds::Told::batch);
    let chain = columns.stream().lineage.then("mes-lab", json!(null)).to_json();
    let data = hash(chain.to_string().as_bytes());
    let line = StudyLine {
        v: 1,
        study: study_hash(args, &settings, &data, (search.count(), batch))?,
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
        batch,
        days,
        by: args.by,
        min_trades: args.min_trades,
        prune: args.prune,
        skip: if args.every_row { Skip::No } else { Skip::Yes },
        jobs: args.jobs.unwrap_or(cores).max(1),
        study: line.study.clone(),
        data,
    };
    if args.ask.is_some() {
        return rounds::ask(args, &study, &mut search, &settings);
    }
    let mut ledger = TrialLedger::open(&args.ledger())?;
    if let Some(told) = &told {
        return rounds::tell(told, &study, &line, &mut search, &mut ledger, args.answer);
    }
    rounds::begin(&mut ledger, &line)?;
    let mut progress = Progress::begin(search.count() as u64, "trials");
    let trials = study.run(&mut search, &mut ledger, &mut |more| progress.add(more as u64))?;
    progress.end();
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

/// Trades the rows held out by the best trial's values. The same look of the same search counts once.
fn look(study: &Study, best: &Trial, holdout: Days, ledger: &mut TrialLedger) -> Result<Trial> {
    let settings = study.settings(&best.values)?;
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
    let settings = study.settings(&best.values)?;
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
