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
use mes_pipe::{Error, Result};
use serde_json::{Map, Value};

use super::{
    score::{Objective, sharpe},
    search::Search,
    space::{Base, Point, Vary},
};
use crate::replay::{self, Checkpoints, Days, columns::Columns, tally::Tally, walk::Skip};
use mes_judge::{
    reached::Reached,
    search::trials::{Line, Trial, TrialLedger},
    trades::doubtful,
};

/// Trials between one look at the results and the next.
const BATCH: usize = 16;
/// Shares of the days after which a trial may be given up.
const CHECKPOINTS: [f64; 3] = [0.25, 0.5, 0.75];
/// Finished trials before any is given up.
const FIRST_FINISHED: usize = 8;

/// What all trials of a search share.
pub struct Study<'a> {
    pub columns: &'a Columns,
    pub base: &'a Base,
    pub vary: &'a [Vary],
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

impl Study<'_> {
    /// Runs a search to its end. `done` is told after every batch how many trials there are.
    ///
    /// # Errors
    ///
    /// What the loop fails of on the rows of a trial, and `Failed` where the ledger cannot be written.
    pub fn run(
        &self,
        search: &mut Search,
        ledger: &mut TrialLedger,
        done: &dyn Fn(usize),
    ) -> Result<Vec<Trial>> {
        let mut known: HashMap<String, Trial> =
            ledger.trials(&self.study).map(|trial| (values_key(&trial.values), trial.clone())).collect();
        let mut trials: Vec<Trial> = Vec::new();
        let mut told = 0;
        loop {
            let points = search.ask(BATCH);
            if points.is_empty() {
                return Ok(trials);
            }
            let keys: Vec<String> = points.iter().map(|point| values_key(&self.values(point))).collect();
            let mut new: Vec<&Point> = Vec::new();
            for (index, point) in points.iter().enumerate() {
                if !known.contains_key(&keys[index]) && !keys[..index].contains(&keys[index]) {
                    new.push(point);
                }
            }
            let limits = self.limits(&trials);
            let first = known.len() + 1;
            let found = self.parallel(&new, first, &limits)?;
            ledger.add(found.iter().cloned().map(|trial| Line::Trial(Box::new(trial))).collect())?;
            known.extend(found.into_iter().map(|trial| (values_key(&trial.values), trial)));
            for (point, key) in points.iter().zip(&keys) {
                let trial = &known[key];
                search.tell(point, trial.rank());
                // A point asked for again is no new trial.
                if !trials.iter().any(|earlier| earlier.trial == trial.trial) {
                    trials.push(trial.clone());
                }
            }
            told += points.len();
            done(told);
        }
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

    /// Runs points on all threads; the results come in the order of the points.
    fn parallel(&self, points: &[&Point], first: usize, limits: &[Option<f64>]) -> Result<Vec<Trial>> {
        let next = AtomicUsize::new(0);
        let slots: Vec<Mutex<Option<Result<Trial>>>> = points.iter().map(|_| Mutex::new(None)).collect();
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(points.len()) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(slot), Some(point)) = (slots.get(index), points.get(index)) else { return };
                        let trial = self.trial(point, first + index, limits);
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

    fn trial(&self, point: &Point, number: usize, limits: &[Option<f64>]) -> Result<Trial> {
        let mut trial = Trial {
            v: 1,
            study: self.study.clone(),
            data: self.data.clone(),
            trial: number,
            values: self.values(point),
            score: None,
            sharpe: None,
            trades: 0,
            wins: 0,
            net_cents: Cents::ZERO,
            drawdown_cents: Cents::ZERO,
            ambiguous: 0,
            best_net_cents: None,
            died: false,
            death: None,
            lived: None,
            pruned_after: None,
            refused: None,
            days_cents: Vec::new(),
            checkpoints: Vec::new(),
        };
        let settings = match self.base.with(self.vary, point) {
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
