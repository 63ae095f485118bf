//! What a fold takes, by rates that were measured on one core of the machine of `make bench`, with mes-train's own defaults,
//! on 10 and 20 days: `tests/cluster/rates` prints what they rest on. What finished folds took corrects them.

use crate::jobs::{
    cost::Cost,
    line::{Job, Task},
};

/// What a family takes beside what all do.
struct Rate {
    family: &'static str,
    /// Processor time of mes-train for a million rows to train on.
    train_s: f64,
    /// Memory of a fold: with few rows, and for each row more.
    memory_bytes: f64,
    row_bytes: f64,
}

const fn rate(family: &'static str, train_s: f64, memory_mb: f64, row_bytes: f64) -> Rate {
    Rate { family, train_s, memory_bytes: memory_mb * 1e6, row_bytes }
}

/// One line a family of mes-train. A plan has no others; a line of another build is taken for the last.
const RATES: [Rate; 7] = [
    rate("logistic", 1.9, 80.0, 50.0),
    rate("boosted", 2.4, 80.0, 50.0),
    rate("forest", 6.2, 80.0, 50.0),
    rate("mlp", 1.6, 80.0, 50.0),
    rate("lstm", 222.0, 190.0, 50.0),
    rate("hybrid", 299.0, 205.0, 50.0),
    rate("transformer", 302.0, 225.0, 50.0),
];

/// Names the families that mes-train has: each has its rates here.
pub fn families() -> impl Iterator<Item = &'static str> {
    RATES.iter().map(|rate| rate.family)
}

/// Processor time for a million rows to slice, predict and trade, and of a fold without any.
const TRADE_S: f64 = 4.0;
const START_S: f64 = 0.1;
/// What a fold leaves behind: of each row that it tests on, and beside.
const TEST_ROW_BYTES: f64 = 325.0;
const REST_BYTES: f64 = 100_000.0;

/// Guesses what a fold takes where a trading day has so many rows.
pub fn guess(job: &Job, rows_a_day: f64) -> Cost {
    let Task::Fold(task) = &job.task else { return Cost::default() };
    let rate = RATES.iter().find(|rate| rate.family == task.family).unwrap_or(&RATES[RATES.len() - 1]);
    let rows = |sessions: usize| sessions as f64 * rows_a_day;
    let (train, test) =
        (rows(task.fold.train.sessions + task.fold.validate.sessions), rows(task.fold.test.sessions));
    let traded = rows(task.fold.train.sessions) + test;
    Cost {
        cpu_s: START_S + (rate.train_s * train + TRADE_S * traded) / 1e6,
        wall_s: 0.0,
        memory_bytes: (rate.memory_bytes + rate.row_bytes * train) as u64,
        disk_bytes: (REST_BYTES + TEST_ROW_BYTES * test) as u64,
    }
}
