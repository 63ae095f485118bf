//! Runs trials: in batches of a fixed size, some at a time, told in their order. So the number of threads changes
//! nothing, and what the ledger already holds is not run again.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mes_core::money::Cents;
use mes_pipe::{Error, Result, Settings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    score::{Objective, sharpe},
    search::Search,
    space::{Base, Point, Values, Vary},
};
use crate::replay::{self, Checkpoints, Days, columns::Columns, tally::Tally, walk::Skip};
use mes_judge::{
    reached::Reached,
    search::trials::{Line, Trial, TrialLedger},
    trades::doubtful,
};

/// Shares of the days after which a trial may be given up.
const CHECKPOINTS: [f64; 3] = [0.25, 0.5, 0.75];
/// Finished trials before any is given up.
const FIRST_FINISHED: usize = 8;

/// What all trials of a search share.
pub struct Study<'a> {
    pub columns: &'a Columns,
    pub base: &'a Base,
    pub vary: &'a [Vary],
    /// Trials between one look at the results and the next.
    pub batch: usize,
    pub days: Days,
    pub by: Objective,
    pub min_trades: usize,
    pub prune: bool,
    pub skip: Skip,
    pub jobs: usize,
    /// Hashes of study and rows, for the ledger.
    pub study: String,
    pub data: String,
}

/// One set of values to be tried, and the number of the trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub trial: usize,
    pub values: Map<String, Value>,
}

/// Trials to be run, in any order and anywhere, before the search can go on.
pub struct Round {
    pub trials: Vec<Asked>,
    /// The least score at each checkpoint at which they go on.
    pub limits: Vec<Option<f64>>,
}

/// How far a search has come.
#[derive(Default)]
struct Told {
    known: HashMap<String, Trial>,
    /// Those that were told, in that order.
    trials: Vec<Trial>,
    /// How many points were told.
    count: usize,
}

impl Told {
    fn of<'t>(known: impl Iterator<Item = &'t Trial>) -> Told {
        let known = known.map(|trial| (values_key(&trial.values), trial.clone())).collect();
        Told { known, ..Told::default() }
    }
}

impl Study<'_> {
    /// Runs a search to its end. `done` is told of every batch how many trials it had.
    ///
    /// # Errors
    ///
    /// What the loop fails of on the rows of a trial, and `Failed` where the ledger cannot be written.
    pub fn run(
        &self,
        search: &mut Search,
        ledger: &mut TrialLedger,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Trial>> {
        let mut told = Told::of(ledger.trials(&self.study));
        loop {
            let points = search.ask(self.batch);
            if points.is_empty() {
                return Ok(told.trials);
            }
            let round = self.round(&points, &told);
            let found = self.parallel(&round)?;
            ledger.add(found.iter().cloned().map(|trial| Line::Trial(Box::new(trial))).collect())?;
            told.known.extend(found.into_iter().map(|trial| (values_key(&trial.values), trial)));
            self.tell(&points, &mut told, search);
            done(points.len());
        }
    }

    /// Goes through a search as far as its trials are known and returns those to be run next, or nothing when it is over.
    pub fn next<'t>(&self, search: &mut Search, known: impl Iterator<Item = &'t Trial>) -> Option<Round> {
        let mut told = Told::of(known);
        loop {
            let points = search.ask(self.batch);
            if points.is_empty() {
                return None;
            }
            let round = self.round(&points, &told);
            if !round.trials.is_empty() {
                return Some(round);
            }
            self.tell(&points, &mut told, search);
        }
    }

    /// Returns what is to be run of a batch of points: each set of values that is not known, once.
    fn round(&self, points: &[Point], told: &Told) -> Round {
        let mut trials: Vec<Asked> = Vec::new();
        for point in points {
            let values = self.values(point);
            let new = !told.known.contains_key(&values_key(&values));
            if new && !trials.iter().any(|asked| asked.values == values) {
                trials.push(Asked { trial: told.known.len() + 1 + trials.len(), values });
            }
        }
        Round { limits: self.limits(&told.trials), trials }
    }

    /// Tells the search what its points came to.
    fn tell(&self, points: &[Point], told: &mut Told, search: &mut Search) {
        for point in points {
            let trial = &told.known[&values_key(&self.values(point))];
            search.tell(point, trial.rank());
            // A point asked for again is no new trial.
            if !told.trials.iter().any(|earlier| earlier.trial == trial.trial) {
                told.trials.push(trial.clone());
            }
        }
        told.count += points.len();
    }

    /// Returns the least score at every checkpoint at which a trial goes on: the median of those that finished.
    fn limits(&self, trials: &[Trial]) -> Vec<Option<f64>> {
        let finished: Vec<&Trial> =
            trials.iter().filter(|trial| trial.pruned_after.is_none() && trial.refused.is_none()).collect();
        let limit = |checkpoint: usize| {
            let score = |trial: &&Trial| trial.checkpoints.get(checkpoint).copied().flatten();
            let mut scores: Vec<f64> = finished.iter().filter_map(score).collect();
            scores.sort_by(f64::total_cmp);
            (self.prune && finished.len() >= FIRST_FINISHED)
                .then(|| scores.get(scores.len() / 2).copied())
                .flatten()
        };
        (0..CHECKPOINTS.len()).map(limit).collect()
    }

    /// Runs trials on all threads; the results come in their order.
    ///
    /// # Errors
    ///
    /// What the loop fails of on the rows of a trial.
    pub fn parallel(&self, round: &Round) -> Result<Vec<Trial>> {
        let next = AtomicUsize::new(0);
        let slots: Vec<Mutex<Option<Result<Trial>>>> =
            round.trials.iter().map(|_| Mutex::new(None)).collect();
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(slots.len()) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(slot), Some(asked)) = (slots.get(index), round.trials.get(index)) else {
                            return;
                        };
                        let trial = self.trial(asked, &round.limits);
                        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(trial);
                    }
                });
            }
        });
        let taken = |slot: Mutex<Option<Result<Trial>>>| {
            slot.into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .unwrap_or_else(|| Err(Error::failed("a trial was not run")))
        };
        slots.into_iter().map(taken).collect()
    }

    /// Returns the values of a point by their keys.
    pub fn values(&self, point: &Point) -> Map<String, Value> {
        let value = |vary: &Vary, place: f64| serde_json::to_value(vary.value(place)).unwrap_or_default();
        self.vary.iter().zip(point).map(|(vary, place)| (vary.key.clone(), value(vary, *place))).collect()
    }

    /// Returns the settings of a trial by its values.
    ///
    /// # Errors
    ///
    /// `Usage` where they break the rules.
    pub fn settings(&self, values: &Map<String, Value>) -> Result<Settings> {
        let fixed: Vec<Vary> = values
            .iter()
            .map(|(key, value)| {
                let value = toml::Value::try_from(value).map_err(Error::failed)?;
                Ok(Vary { key: key.clone(), values: Values::Listed(vec![value]) })
            })
            .collect::<Result<_>>()?;
        self.base.with(&fixed, &vec![0.0; fixed.len()])
    }

    fn trial(&self, asked: &Asked, limits: &[Option<f64>]) -> Result<Trial> {
        let mut trial = Trial {
            v: 1,
            study: self.study.clone(),
            data: self.data.clone(),
            trial: asked.trial,
            values: asked.values.clone(),
            ..Trial::default()
        };
        let settings = match self.settings(&asked.values) {
            Ok(settings) => settings,
            Err(error) => {
                trial.refused = Some(error.to_string());
                return Ok(trial);
            }
        };
        let count = self.days.to - self.days.from;
        let checkpoints = CHECKPOINTS.map(|share| ((count as f64 * share) as usize).max(1));
        let scores = Mutex::new(Vec::new());
        let stop = |checkpoint: usize, tally: &Tally| {
            let score = self.by.of(tally, checkpoints[checkpoint]);
            scores.lock().unwrap_or_else(PoisonError::into_inner).push(score);
            matches!((score, limits[checkpoint]), (Some(score), Some(limit)) if score < limit)
        };
        let ask = Checkpoints { days: &checkpoints, stop: &stop };
        let tally = replay::run(self.columns, self.days, &settings, &ask, self.skip)?;
        trial.checkpoints = scores.into_inner().unwrap_or_else(PoisonError::into_inner);
        trial.pruned_after = tally.stopped_at.map(|checkpoint| checkpoints[checkpoint]);
        self.fill(&mut trial, &tally);
        Ok(trial)
    }

    /// Writes down what a run came to.
    pub fn fill(&self, trial: &mut Trial, tally: &Tally) {
        let days = trial.pruned_after.unwrap_or(tally.days());
        let equity = tally.equity(days);
        trial.trades = tally.trades.len();
        trial.wins = tally.trades.iter().filter(|trade| trade.net_cents > Cents::ZERO).count();
        trial.score = self.by.of(tally, days).filter(|_| trial.trades >= self.min_trades);
        trial.sharpe = sharpe(&equity);
        trial.days_cents = equity.iter().map(|(start, end)| *end - *start).collect();
        // Trials are set against each other day by day: what a dead account would have made is nothing.
        trial.days_cents.resize(days, Cents::ZERO);
        trial.net_cents = trial.days_cents.iter().copied().sum();
        trial.drawdown_cents = tally.drawdown;
        // Both ends of the band are of trades: what an open one is down belongs to neither.
        let (ambiguous, best) = doubtful(&tally.trades);
        let booked: Cents = tally.trades.iter().map(|trade| trade.net_cents).sum();
        trial.ambiguous = ambiguous;
        trial.best_net_cents = Some(trial.net_cents + best - booked);
        trial.died = tally.died;
        trial.death = tally.death.as_ref().map(Reached::of);
        trial.lived = tally.died.then(|| tally.lived());
    }
}

/// Tells sets of values apart.
fn values_key(values: &Map<String, Value>) -> String {
    Value::Object(values.clone()).to_string()
}
