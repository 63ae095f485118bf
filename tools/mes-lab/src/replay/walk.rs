//! Gives rows to the loop, and those that change nothing only to the memory of the market.
//!
//! While the account is flat and nothing is on its way, neither risk nor the paper account carries anything from a row
//! to the next but what risk remembers of the market and what the next row that matters sets anew: equity stands still,
//! so peaks do too. A row matters then
//! only if it may be entered on (a direction, and the confidence that the rules ask for) or if a day or a cash session
//! begins or ends with it, because limits look at those. After a limit that ends trading for good no row matters. The
//! tests trade all rows and those that matter, and compare.

use std::cell::RefCell;

use mes_core::row::Row;
use mes_pipe::{Result, Settings};
use mes_risk::trade::{Next, Rows};

use super::{Checkpoints, Days, columns::Columns, tally::Tally};

/// Whether rows that change nothing are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    Yes,
    No,
}

/// The rows of some days, given to the loop.
pub struct Walk<'a> {
    columns: &'a Columns,
    tally: &'a RefCell<Tally>,
    checkpoints: &'a Checkpoints<'a>,
    checkpoint: usize,
    skip: Skip,
    confidence: f32,
    next: usize,
    end: usize,
    day: usize,
    first_day: usize,
    /// Places in the lists of rows that matter.
    turn: usize,
    directed: usize,
    row: Row,
}

impl<'a> Walk<'a> {
    /// Begins at the first row of `days`.
    pub fn new(
        columns: &'a Columns,
        days: Days,
        settings: &Settings,
        tally: &'a RefCell<Tally>,
        checkpoints: &'a Checkpoints<'a>,
        skip: Skip,
    ) -> Walk<'a> {
        Walk {
            columns,
            tally,
            checkpoints,
            checkpoint: 0,
            skip,
            confidence: settings.rules.value.entries.confidence,
            next: columns.start_of(days.from),
            end: columns.start_of(days.to),
            day: days.from,
            first_day: days.from,
            turn: 0,
            directed: 0,
            row: Row::default(),
        }
    }

    /// Returns the first row from `next` on that matters to a flat account; the end if there is none.
    fn wake(&mut self) -> usize {
        let (turns, directed) = (self.columns.turns(), self.columns.directed());
        while turns.get(self.turn).is_some_and(|row| *row < self.next) {
            self.turn += 1;
        }
        let weak = |row: usize| row < self.next || self.columns.confidence(row) < self.confidence;
        while directed.get(self.directed).is_some_and(|row| weak(*row)) {
            self.directed += 1;
        }
        let row = |list: &[usize], place: usize| list.get(place).copied().unwrap_or(self.end);
        row(turns, self.turn).min(row(directed, self.directed)).min(self.end)
    }

    /// Says whether the run is given up at a checkpoint that this row lies behind.
    fn stops(&mut self, row: usize) -> bool {
        while let Some(&days) = self.checkpoints.days.get(self.checkpoint) {
            if row < self.columns.start_of(self.first_day + days) {
                return false;
            }
            let stop = (self.checkpoints.stop)(self.checkpoint, &self.tally.borrow());
            if stop {
                self.tally.borrow_mut().stopped_at = Some(self.checkpoint);
                return true;
            }
            self.checkpoint += 1;
        }
        false
    }
}

impl Rows for Walk<'_> {
    fn next(&mut self) -> Result<Next<'_>> {
        let (busy, died) = {
            let tally = self.tally.borrow();
            (tally.busy, tally.died)
        };
        let skips = self.skip == Skip::Yes && !busy;
        if skips && !died && self.next < self.wake() {
            self.row = self.columns.row(self.next);
            self.next += 1;
            return Ok(Next::Watch(&self.row));
        }
        let row = if skips && died { self.end } else { self.next };
        // Only a flat account is given up: nothing is closed that would not have been.
        if row >= self.end || !busy && !died && self.stops(row) {
            return Ok(Next::End);
        }
        self.next = row + 1;
        while self.columns.start_of(self.day + 1) <= row {
            self.day += 1;
        }
        self.tally.borrow_mut().begin(self.day);
        self.row = self.columns.row(row);
        Ok(Next::Row(&self.row))
    }
}
