//! `mes-predict eval`: says how good predictions were, beside guesses that know nothing, and whether that is skill.

mod bootstrap;
mod estimates;
mod evaluation;
mod page;
mod rows;
mod terminal;
mod verdict;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use mes_pipe::{AnswerArgs, Error, Event, Input, InputArgs, Kind, Meta, Result, log::note};

use crate::{
    InSample, Predictor,
    model::{Model, card::Label},
    served::Served,
};
use bootstrap::Draws;
use evaluation::{About, Evaluation, ModelName, Origin, Prior};
use rows::LabelledRows;
use verdict::Skill;

/// Say how good predictions were, beside two guesses that know nothing
///
/// Reads rows with p_* and y_dir columns (mes-features --labels | mes-predict), or with --model labelled features,
/// which it then predicts itself. Writes a table to a terminal, one JSON object elsewhere: log-loss, Brier score,
/// accuracy, balanced accuracy, MCC and calibration error with 95 % intervals, precision and recall of each class,
/// confusion, reliability, and the gain over the better guess by hour, session, month and (where there is a column
/// of that name) fold. Skill is one of three: direction, how far only, none; only the first can be traded. Intervals draw whole sessions anew: labels of one session overlap.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  mes-predict eval --model models/default.onnx --skip-in-sample data/features.parquet
  mes-predict eval --require-skill --html report.html predictions.parquet | jq .gain

Exit codes: 0 done, 1 failed or, with --require-skill, no skill in direction, 2 wrong arguments or model, 3 bad data.")]
pub struct EvalArgs {
    /// Predict the rows with this model first; else they must hold p_* already
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Judge rows that the model was fitted on too, which proves nothing; they are refused otherwise
    #[arg(long, requires = "model")]
    allow_in_sample: bool,
    /// Leave rows out that the model was fitted on
    #[arg(long, requires = "model", conflicts_with = "allow_in_sample")]
    skip_in_sample: bool,
    /// Shares of down, flat, up that the prior guesses; else those of the model's training rows, else of the rows judged
    #[arg(long, value_name = "D,F,U", value_parser = shares)]
    prior: Option<[f64; 3]>,
    /// End with 1 unless skill in direction is shown: up against down, where it moved, better than any constant guess
    #[arg(long)]
    require_skill: bool,
    /// Write a page with pictures too: one file that opens offline
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Sets of sessions drawn for the intervals
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(40..=100_000))]
    resamples: u32,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Judges predictions by what came after and prints the verdict.
///
/// # Errors
///
/// `Usage` for a model that does not fit the rows, `Data` for rows that cannot be judged, `Failed` where the page cannot be
/// written, or skill was demanded and is not there.
pub fn run(args: &EvalArgs) -> Result<()> {
    let (rows, about) = match &args.model {
        Some(path) => predicted(args, Model::load(path)?)?,
        None => given(args)?,
    };
    let about = About { prior: args.prior.map(|p| Prior { from: Origin::Flag, p }).or(about.prior), ..about };
    let draws = Draws { resamples: args.resamples as usize, seed: args.seed };
    let evaluation = Evaluation::of(&rows, about, draws)?;
    if let Some(path) = &args.html {
        let page = page::page(&evaluation);
        std::fs::write(path, page).map_err(|error| Error::from(error).at(path.display()))?;
        note(format!("{}: {}", path.display(), evaluation.verdict));
    }
    args.answer.give(&evaluation, || terminal::text(&evaluation))?;
    if args.require_skill && evaluation.skill != Skill::Direction {
        return Err(Error::failed(evaluation.verdict));
    }
    Ok(())
}

/// Reads rows that hold predictions.
fn given(args: &EvalArgs) -> Result<(LabelledRows, About)> {
    let mut input = Input::open_columns(&args.input, &[Kind::Prediction], wanted)?;
    rows::check(input.schema(), true)?;
    let mut rows = LabelledRows::default();
    each(&mut input, |batch| rows.add(batch))?;
    let settings = input.meta().lineage.settings("mes-predict");
    let hash = settings.and_then(|settings| settings["model"].as_str());
    let model = hash.map(|hash| ModelName { family: None, blake3: hash.to_owned() });
    let in_sample = settings.is_some_and(|settings| settings["in_sample"] == "allow");
    Ok((rows, About { model, in_sample, ..about(input.meta()) }))
}

/// Predicts rows and reads what comes of it.
fn predicted(args: &EvalArgs, model: Model) -> Result<(LabelledRows, About)> {
    let mut input = Input::open(&args.input, &[Kind::Feature])?;
    rows::check(input.schema(), false)?;
    let in_sample = InSample::asked(args.allow_in_sample, args.skip_in_sample);
    let name = ModelName { family: Some(model.card.family.clone()), blake3: model.hash.clone() };
    let prior = model.card.prior.map(|p| Prior { from: Origin::Training, p });
    let label = model.card.label.clone();
    let conformal = model.card.conformal;
    let mut served = Served::new(model, input.schema(), input.meta(), in_sample)?;
    let about = about(input.meta());
    let rule = if about.label.is_none() { Some(label) } else { None };
    let mut rows = LabelledRows::of(conformal, rule);
    each(&mut input, |batch| rows.add_predicted(batch, &served.predict(batch)?))?;
    let label = about.label.clone().or_else(|| taken_for(&rows));
    let in_sample = in_sample == InSample::Allow;
    Ok((rows, About { label, model: Some(name), in_sample, prior, ..about }))
}

/// Returns the model's label rule where rows that do not say theirs were held against it; what is not known is said.
fn taken_for(rows: &LabelledRows) -> Option<Label> {
    let rule = rows.rule.as_ref()?;
    let words = rule.words();
    if rows.held > 0 {
        note(format!("the rows do not say how they were labelled; y_dir and y_move fit the model's {words}"));
        return Some(rule.clone());
    }
    note(format!(
        "the rows do not say how they were labelled, and have no y_move to tell by; the model's is {words}"
    ));
    None
}

fn each(input: &mut Input, mut f: impl FnMut(&arrow_array::RecordBatch) -> Result<()>) -> Result<()> {
    loop {
        match input.next()? {
            Event::Batch(batch) => f(&batch)?,
            Event::Idle => {}
            Event::End => return Ok(()),
        }
    }
}

/// Says what the chain of the rows tells of them.
fn about(meta: &Meta) -> About {
    let lineage = meta.lineage.to_json();
    let rule = meta.lineage.settings("mes-features").map(|settings| settings["labels"].clone());
    About {
        label: rule.and_then(|rule| serde_json::from_value::<Label>(rule).ok()),
        origin: mes_pipe::Origin::of(&lineage),
        lineage,
        ..About::default()
    }
}

/// What is judged, and the columns that every table of bars has.
fn wanted(name: &str) -> bool {
    let bar = ["ts", "open", "high", "low", "close", "volume", "seg", "symbol"];
    bar.contains(&name) || name == "y_dir" || name == "fold" || name.starts_with("p_")
}

/// Reads three shares that sum to 1.
///
/// # Errors
///
/// What is wrong with the text.
pub(crate) fn shares(text: &str) -> std::result::Result<[f64; 3], String> {
    let numbers: Vec<f64> = text
        .split(',')
        .map(|one| one.trim().parse().map_err(|_| format!("{one:?} is no number")))
        .collect::<std::result::Result<_, _>>()?;
    let shares: [f64; 3] = numbers.try_into().map_err(|_| "give three: down,flat,up")?;
    let whole = shares.iter().all(|share| (0.0..=1.0).contains(share))
        && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6;
    if whole { Ok(shares) } else { Err("the three are not shares of 1".into()) }
}
