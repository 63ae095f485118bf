//! What the guard of a live account goes by: the clock, not the rows. No rows, no heartbeats and a clock that is set anew
//! still end flat.

use mes_core::{
    order::ExitReason,
    schedule::Today,
    session::Part,
    statement::{Role, Statement},
    time::{MINUTE, Now, SECOND, Ts},
};
use mes_pipe::clock::Clock;

/// How long before flat-by the guard closes what risk has not closed.
pub const OWN_EXIT: i64 = MINUTE;
/// Between two looks at the clock. Nothing is computed ahead, so that it may be set at any time.
const LOOK: i64 = SECOND;
/// The oldest row that an entry is decided on.
const ROW_AGE: i64 = 2 * SECOND;
/// Without a row for so long, nothing is entered, and what waits to be is cancelled.
const SILENCE: i64 = 5 * SECOND;
/// How long rows have to come again before anything is entered, once silence has closed everything.
const FRESH: i64 = MINUTE;

/// The time of a live account, and what has come of it. All but the day's end is steady time.
pub struct Live {
    clock: Clock,
    dead_man: i64,
    /// The last row, or the beginning of the run.
    row: i64,
    looked: i64,
    /// The first row after everything was closed by silence.
    fresh: Option<i64>,
    /// Something may be open or waiting to be.
    pub exposed: bool,
    position: i64,
    /// What this silence has led to.
    cancelled: bool,
    dead: bool,
    /// The day whose end has been seen to.
    ended: Option<Ts>,
}

impl Live {
    /// Begins now. After `dead_man_s` seconds in session without a row everything is closed.
    pub fn new(clock: Clock, dead_man_s: u32) -> Live {
        let now = clock.now().steady;
        Live {
            clock,
            dead_man: i64::from(dead_man_s) * SECOND,
            row: now,
            looked: now,
            fresh: None,
            exposed: false,
            position: 0,
            cancelled: false,
            dead: false,
            ended: None,
        }
    }

    /// Returns the time by UTC.
    pub fn utc(&self) -> Ts {
        self.clock.now().utc
    }

    /// Takes in that a row has come, or that rows are about to.
    pub fn row(&mut self) {
        self.row = self.clock.now().steady;
        if self.dead {
            self.fresh = Some(self.row);
        }
        (self.cancelled, self.dead) = (false, false);
    }

    /// Takes in the account.
    pub fn sees(&mut self, statement: &Statement) {
        let waits = statement.working.iter().any(|order| order.role == Role::Entry);
        self.position = statement.position;
        self.exposed = statement.position != 0 || waits;
    }

    /// Takes in what is open now, which no row may have said yet: what an earlier process left behind, a late fill.
    pub fn holds(&mut self, exposure: i64) {
        if exposure != 0 {
            (self.position, self.exposed) = (exposure, true);
        }
    }

    /// Says why nothing may be entered on a row of `ts` now, if so.
    pub fn objection(&self, ts: Ts) -> Option<&'static str> {
        let now = self.clock.now();
        if now.steady - self.row >= SILENCE || self.fresh.is_some_and(|fresh| now.steady - fresh < FRESH) {
            return Some("guard_silence");
        }
        (now.utc - ts > ROW_AGE).then_some("guard_row_age")
    }

    /// Returns when to look at the clock again, on the steady clock.
    pub fn due(&self) -> i64 {
        self.looked + LOOK
    }

    /// Lets time pass; returns why everything is to be closed now, if it is. Once for each reason: the broker repeats a
    /// close by itself.
    pub fn tick(&mut self, now: Now, today: Option<&Today>) -> Option<ExitReason> {
        self.looked = now.steady;
        if !self.exposed {
            return None;
        }
        let over = today.is_none_or(|today| now.utc >= today.end.flat - OWN_EXIT);
        let day = today.map_or(0, |today| today.end.flat);
        if over {
            let first = self.ended != Some(day);
            self.ended = Some(day);
            return first.then_some(ExitReason::EodFlatten);
        }
        let open = today.is_some_and(|today| today.part_of_bar(now.utc) != Part::Closed);
        let silent = now.steady - self.row;
        if open && silent >= self.dead_man && !self.dead {
            self.dead = true;
            return Some(ExitReason::DataGap);
        }
        // The stop of an open position rests at the exchange meanwhile.
        if open && silent >= SILENCE && !self.cancelled && self.position == 0 {
            self.cancelled = true;
            return Some(ExitReason::DataGap);
        }
        None
    }
}
