//! The same rows traded again and again under other rules: decoded once, shared by threads, and walked through without
//! the rows that provably change nothing.

pub mod columns;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod walk;

use std::cell::RefCell;

use mes_pipe::{Result, Settings};
use mes_risk::trade::trade;

use columns::Columns;
use tally::{Listener, Tally};
use walk::{Skip, Walk};

use mes_judge::{facts::Facts, recorder::Recorder};

/// Which days of the rows are traded: `from <= day < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub from: usize,
    pub to: usize,
}

/// Asks, with the number of the checkpoint and what came so far, whether to stop there.
pub type Stop<'a> = &'a dyn Fn(usize, &Tally) -> bool;

/// Days after which [`Stop`] is asked, and whom to ask.
pub struct Checkpoints<'a> {
    pub days: &'a [usize],
    pub stop: Stop<'a>,
}

/// Trades some days with a new account, by the very loop that trades.
pub fn run(
    columns: &Columns,
    days: Days,
    settings: &Settings,
    checkpoints: &Checkpoints,
    skip: Skip,
) -> Result<Tally> {
    let mut broker = mes_exec::paper(settings)?;
    let tally = RefCell::new(Tally::new(settings, days));
    let mut rows = Walk::new(columns, days, settings, &tally, checkpoints, skip);
    let mut listener = Listener(&tally);
    trade(&mut rows, &mut broker, &mut listener, settings, columns.stream(), None)?;
    Ok(tally.into_inner())
}

/// Trades some days with a new account, every row of them, and keeps all that a backtest keeps: to explain one trial.
pub fn recorded(columns: &Columns, days: Days, settings: &Settings) -> Result<Facts> {
    let mut broker = mes_exec::paper(settings)?;
    let tally = RefCell::new(Tally::new(settings, days));
    let never = |_: usize, _: &Tally| false;
    let nowhere = Checkpoints { days: &[], stop: &never };
    let mut rows = Walk::new(columns, days, settings, &tally, &nowhere, Skip::No);
    let mut recorder = Recorder::new(settings.calendar.value.clone(), None);
    trade(&mut rows, &mut broker, &mut recorder, settings, columns.stream(), None)?;
    recorder.finish()
}
