//! When the exchange was asked last, what for, and when next.

use mes_core::{
    money::Cents,
    price::Price,
    time::{MILLI, MINUTE, Now, SECOND, Ts},
};

/// Between looks: the first few that something urgent asks for, those after, and at most while nothing agrees.
const URGENT: i64 = 300 * MILLI;
const CALM: i64 = SECOND;
const PATIENT: i64 = 5 * SECOND;
/// Looks in a row that are as close as that; then the budget of calls counts for more.
const HURRIES: u32 = 2;

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// The position, and what may still fill.
    Now,
    /// Besides, what was made lately and what was filled.
    Past,
    /// Besides, the balance.
    All,
}

/// A look that is under way.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub began: Now,
    pub scope: Scope,
    /// Questions without an answer.
    pub open: u32,
    pub failed: bool,
    pub fills: usize,
    pub exposure: i64,
    pub position: Option<i64>,
    /// The tick nearest to what it was paid with.
    pub paid: Option<Price>,
    pub elsewhere: bool,
    pub balance: Option<Cents>,
}

/// When was looked, and what for.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    pub look: Option<Look>,
    pub wanted: Option<Scope>,
    /// It is about a position without a stop, or one that is to be closed.
    pub urgent: bool,
    /// Something happened of which it is not known what it came to.
    pub doubted: bool,
    /// When the last one began that was answered, and that agreed, on the steady clock; and the latter by UTC.
    pub answered: Option<i64>,
    pub past: Option<i64>,
    pub agreed: Option<i64>,
    pub agreed_utc: Option<Ts>,
    pub began: Option<i64>,
    /// When all was asked for last.
    pub all: i64,
    /// Looks since one agreed.
    pub tries: u32,
    pub not_before: i64,
    pub shows: i64,
    /// What the one before saw and did not agree with.
    pub difference: Option<(i64, i64, i64)>,
    pub cash: Option<Cents>,
    /// Fills are asked for from here on.
    pub from: Ts,
}

impl Looks {
    pub fn new(now: Now) -> Looks {
        Looks {
            look: None,
            wanted: Some(Scope::All),
            urgent: false,
            doubted: true,
            answered: None,
            past: None,
            agreed: None,
            agreed_utc: None,
            began: None,
            all: now.steady,
            tries: 0,
            not_before: now.steady,
            shows: 0,
            difference: None,
            cash: None,
            from: now.utc,
        }
    }

    /// Wants a look; with `doubt` nothing is entered before it agrees.
    pub fn want(&mut self, doubt: bool) {
        self.wanted = self.wanted.max(Some(if doubt { Scope::Past } else { Scope::Now }));
        self.doubted |= doubt;
    }

    /// Wants to see everything: nobody knows what was missed.
    pub fn want_all(&mut self) {
        self.wanted = Some(Scope::All);
        self.doubted = true;
    }

    /// Wants a look before anything else.
    pub fn want_now(&mut self) {
        self.want(false);
        self.urgent = true;
    }

    /// Believes nothing until the next look has agreed.
    pub fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Says whether a look that began then or later was answered.
    pub fn asked_since(&self, steady: i64) -> bool {
        self.answered.is_some_and(|began| began >= steady)
    }

    /// Says whether fills were asked for then or later, and came.
    pub fn past_since(&self, steady: i64) -> bool {
        self.past.is_some_and(|began| began >= steady)
    }

    /// Says whether a look that began then or later agreed.
    pub fn agreed_since(&self, steady: i64) -> bool {
        self.agreed.is_some_and(|began| began >= steady)
    }

    /// Says whether the last look saw an open position.
    pub fn shows_open(&self) -> bool {
        self.shows != 0
    }

    /// Returns when the account was last as it is known, by UTC.
    pub fn agreed_utc(&self) -> Option<Ts> {
        self.agreed_utc
    }

    /// Returns when the next look is due.
    pub fn due(&self, now: i64) -> i64 {
        match (&self.look, self.wanted) {
            (Some(_), _) => i64::MAX,
            (None, Some(_)) => self.free().max(now),
            (None, None) => self.all + MINUTE,
        }
    }

    /// Returns when the next look may begin.
    fn free(&self) -> i64 {
        let apart = match self.tries {
            tries if self.urgent && tries <= HURRIES => URGENT,
            0..4 => CALM,
            _ if self.urgent => 3 * CALM / 2,
            tries => (CALM << (tries - 3).min(3)).min(PATIENT),
        };
        self.began.map_or(i64::MIN, |began| began + apart).max(self.not_before)
    }
}
