//! What the rows come to: every score of the model beside two guesses that know nothing, with intervals, by class,
//! by stated probability, by hour, session, month and fold.

use std::collections::BTreeMap;

use mes_core::time::{self, Ts};
use mes_pipe::{Error, Result};
use serde::Serialize;
use serde_json::Value;

use super::{
    bootstrap::{Draws, Estimate},
    estimates::Found,
    rows::{LabelledRows, Place},
    verdict::{Skill, verdict},
};
use crate::{
    model::card::{Conformal, Label},
    scores::{
        ENTRY, Scores,
        tally::{BINS, Class, TOP, Tally},
    },
};

/// The version of this document.
const VERSION: u64 = 2;

const FLAT: [f64; 3] = [0.0, 1.0, 0.0];

/// What is known of the rows beside themselves.
#[derive(Debug, Default)]
pub struct About {
    pub label: Option<Label>,
    pub model: Option<ModelName>,
    /// Rows that the model was fitted on are among those judged.
    pub in_sample: bool,
    /// Where the prices came from.
    pub origin: mes_pipe::Origin,
    pub prior: Option<Prior>,
    pub lineage: Value,
}

/// The model that was judged.
#[derive(Clone, Debug, Serialize)]
pub struct ModelName {
    pub family: Option<String>,
    pub blake3: String,
}

/// The shares of down, flat, up that the prior guesses.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Prior {
    pub from: Origin,
    pub p: [f64; 3],
}

/// Where the shares of the prior come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The rows that the model was fitted on.
    Training,
    /// The command line.
    Flag,
    /// The judged rows themselves: the hardest constant to beat, since it knows what was to come.
    Hindsight,
}

/// Everything, as it is written down.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    pub v: u64,
    pub rows: u64,
    pub unpredicted: u64,
    pub unlabelled: u64,
    pub sessions: usize,
    #[serde(serialize_with = "instant")]
    pub first: Option<Ts>,
    #[serde(serialize_with = "instant")]
    pub last: Option<Ts>,
    pub label: Option<Label>,
    pub model_file: Option<ModelName>,
    pub in_sample: bool,
    /// Whether the prices were made up; null where nobody knows.
    pub synthetic: Option<bool>,
    pub origin: mes_pipe::Origin,
    pub prior: Prior,
    pub draws: Draws,
    pub model: Figures,
    pub baselines: Baselines,
    /// Mean log-loss of the better baseline less the model's, nats a row.
    pub gain: Gain,
    /// The same over the rows that moved, given that they did: up or down? Against the prior.
    pub direction: Estimate,
    /// The same against always saying the shares of the two that came, the hardest constant to beat: that the market rose,
    /// or that the prior was wrong about it, is no skill.
    pub direction_gate: Estimate,
    /// The share of those rows whose side was the likelier one.
    pub direction_right: Estimate,
    pub skill: Skill,
    pub verdict: String,
    pub classes: [Class; 3],
    /// Rows by what happened and by what was called.
    pub confusion: [[u64; 3]; 3],
    pub calls: Calls,
    /// Where the model has conformal sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sets: Option<Sets>,
    /// Of down, flat, up and the likeliest of them.
    pub calibration: [Vec<Reliability>; 4],
    pub hours: Vec<Group>,
    pub by_session: Vec<Group>,
    pub months: Vec<Group>,
    /// Empty without a column `fold`.
    pub folds: Vec<Group>,
    pub lineage: Value,
}

/// The scores of the predictions, each with its interval.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub log_loss: Estimate,
    pub brier: Estimate,
    pub accuracy: Estimate,
    pub balanced_accuracy: Estimate,
    pub mcc: Estimate,
    pub ece: Estimate,
}

/// The scores of two constants: the prior, and always flat.
#[derive(Debug, Serialize)]
pub struct Baselines {
    pub prior: Scores,
    pub flat: Scores,
}

/// How much better than the better constant, in nats a row.
#[derive(Debug, Serialize)]
pub struct Gain {
    pub over: &'static str,
    #[serde(flatten)]
    pub nats: Estimate,
}

/// How often calls of this confidence and above were right.
#[derive(Debug, Serialize)]
pub struct Calls {
    pub confidence: f64,
    pub rows: u64,
    pub right: u64,
}

/// Conformal sets: how often they held what happened, and how many classes they named.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sets {
    /// The share that they may miss.
    pub alpha: f64,
    pub quantile: f64,
    pub coverage: Estimate,
    pub mean_size: Estimate,
}

/// Rows for which about the same probability was stated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reliability {
    pub from: f64,
    pub to: f64,
    pub rows: u64,
    pub stated: f64,
    pub happened: f64,
}

/// Some of the rows, by themselves.
#[derive(Debug, Serialize)]
pub struct Group {
    pub name: String,
    pub rows: u64,
    pub sessions: usize,
    /// Shares of down, flat, up.
    pub happened: [f64; 3],
    pub scores: Scores,
    /// The same guesses as of all rows, on these.
    pub baselines: Baselines,
    pub ece: f64,
    pub gain: Estimate,
}

impl Evaluation {
    /// Judges the rows; an error when there is nothing to judge.
    ///
    /// # Errors
    ///
    /// `Data` where no row has both a prediction and a label, `Usage` for a prior that gives no chance to what happened.
    pub fn of(rows: &LabelledRows, about: About, draws: Draws) -> Result<Evaluation> {
        rows.some()?;
        let sessions = grouped(rows, |place| place.session);
        let sessions: Vec<Tally> = sessions.into_values().map(|parts| Tally::sum(parts.values())).collect();
        let whole = Tally::sum(&sessions);
        let prior = prior(about.prior, &whole)?;
        let baselines = Baselines::of(&whole, prior.p);
        let (over, guess) = better(&baselines, prior.p);
        let Found { model, gain, direction, direction_gate, direction_right } =
            Found::of(&sessions, &draws, [guess, prior.p], &whole);
        let gain = Gain { over, nats: gain };
        let skill = Skill::of(direction_gate, gain.nats, whole.moved());
        let verdict = verdict(skill, &gain, [direction_gate, direction_right], &whole, sessions.len());
        let group = |key: &dyn Fn(&Place) -> String| groups(rows, &draws, [guess, prior.p], key);
        let folds = rows.tallies.keys().any(|place| !place.fold.is_empty());
        Ok(Evaluation {
            v: VERSION,
            rows: whole.rows(),
            unpredicted: rows.unpredicted,
            unlabelled: rows.unlabelled,
            sessions: sessions.len(),
            first: rows.first,
            last: rows.last,
            label: about.label,
            model_file: about.model,
            in_sample: about.in_sample,
            synthetic: about.origin.synthetic(),
            origin: about.origin,
            prior,
            draws,
            model,
            baselines,
            gain,
            direction,
            direction_gate,
            direction_right,
            skill,
            verdict,
            classes: whole.per_class(),
            confusion: whole.confusion,
            calls: Calls { confidence: ENTRY, rows: whole.calls, right: whole.calls_right },
            sets: rows.conformal.map(|conformal| sets(conformal, &sessions, &draws)),
            calibration: std::array::from_fn(|class| reliability(&whole, class)),
            hours: group(&|place| format!("{:02}", place.hour)),
            by_session: group(&|place| place.session.to_string()),
            months: group(&|place| place.session.format("%Y-%m").to_string()),
            folds: if folds { group(&|place| place.fold.clone()) } else { Vec::new() },
            lineage: about.lineage,
        })
    }

    /// Returns the likeliest class's reliability table.
    pub fn reliability(&self) -> &[Reliability] {
        &self.calibration[TOP]
    }
}

impl Baselines {
    fn of(tally: &Tally, prior: [f64; 3]) -> Baselines {
        Baselines { prior: tally.scores_of_constant(prior), flat: tally.scores_of_constant(FLAT) }
    }
}

/// Sums the tallies of each key by session.
fn grouped<K: Ord>(
    rows: &LabelledRows,
    key: impl Fn(&Place) -> K,
) -> BTreeMap<K, BTreeMap<chrono::NaiveDate, Tally>> {
    let mut groups: BTreeMap<K, BTreeMap<_, Tally>> = BTreeMap::new();
    for (place, tally) in &rows.tallies {
        groups.entry(key(place)).or_default().entry(place.session).or_default().merge(tally);
    }
    groups
}

/// Takes the prior that is known, else the judged rows' own shares; one that rules out what happened is an error.
fn prior(known: Option<Prior>, whole: &Tally) -> Result<Prior> {
    let classes = whole.classes();
    let own = classes.map(|rows| rows as f64 / whole.rows() as f64);
    let prior = known.unwrap_or(Prior { from: Origin::Hindsight, p: own });
    match (0..3).find(|&k| classes[k] > 0 && prior.p[k] <= 0.0) {
        None => Ok(prior),
        Some(k) => Err(Error::usage(format!(
            "the prior gives {} no chance, and it happened: give another with --prior",
            ["down", "flat", "up"][k]
        ))),
    }
}

/// Returns the baseline of the lower log-loss and what it says. FLAT is infinitely wrong once a row moves.
fn better(baselines: &Baselines, prior: [f64; 3]) -> (&'static str, [f64; 3]) {
    match (baselines.flat.log_loss, baselines.prior.log_loss) {
        (Some(flat), Some(of_prior)) if flat < of_prior => ("flat", FLAT),
        _ => ("prior", prior),
    }
}

/// Estimates what conformal sets do.
fn sets(conformal: Conformal, sessions: &[Tally], draws: &Draws) -> Sets {
    let [coverage, mean_size] = draws.estimate(sessions, [[0.0, 1.0], [0.0, 3.0]], |drawn| {
        let sum = |of: fn(&Tally) -> u64| drawn.iter().map(|one| of(one)).sum::<u64>() as f64;
        let rows = sum(Tally::rows);
        [Some(sum(|one| one.covered) / rows), Some(sum(|one| one.named) / rows)]
    });
    Sets { alpha: conformal.alpha, quantile: conformal.quantile, coverage, mean_size }
}

/// Judges each group of rows. The guesses: the better one of all rows, and the prior.
fn groups(
    rows: &LabelledRows,
    draws: &Draws,
    [guess, prior]: [[f64; 3]; 2],
    key: impl Fn(&Place) -> String,
) -> Vec<Group> {
    let group = |(name, sessions): (String, BTreeMap<_, Tally>)| {
        let sessions: Vec<Tally> = sessions.into_values().collect();
        let whole = Tally::sum(&sessions);
        // Sums alone are drawn: a group is one of many.
        let gains: Vec<(f64, f64)> = sessions
            .iter()
            .map(|one| {
                let rows = one.rows() as f64;
                (one.gain_over(guess).unwrap_or(f64::NEG_INFINITY) * rows, rows)
            })
            .collect();
        let [gain] = draws.estimate(&gains, [[f64::NEG_INFINITY, f64::INFINITY]], |drawn| {
            let (sum, rows) = drawn.iter().fold((0.0, 0.0), |(sum, rows), one| (sum + one.0, rows + one.1));
            [Some(sum / rows).filter(|gain: &f64| gain.is_finite())]
        });
        Group {
            name,
            rows: whole.rows(),
            sessions: sessions.len(),
            happened: whole.classes().map(|rows| rows as f64 / whole.rows() as f64),
            scores: whole.scores(),
            baselines: Baselines::of(&whole, prior),
            ece: whole.ece(),
            gain,
        }
    };
    grouped(rows, key).into_iter().map(group).collect()
}

/// Returns the bins of a class that have rows.
fn reliability(whole: &Tally, class: usize) -> Vec<Reliability> {
    let width = 1.0 / BINS as f64;
    let bins = whole.bins[class].iter().enumerate().filter(|(_, bin)| bin.rows > 0);
    bins.map(|(index, bin)| {
        let rows = bin.rows as f64;
        let (from, to) = (index as f64 * width, (index + 1) as f64 * width);
        Reliability {
            from,
            to,
            rows: bin.rows,
            stated: bin.sum / rows,
            happened: bin.came_true as f64 / rows,
        }
    })
    .collect()
}

fn instant<S: serde::Serializer>(ts: &Option<Ts>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&ts.map(time::format).unwrap_or_default())
}
