//! The budget of calls, which all processes of one user share. Pure: rolling windows, below what the service allows, and a
//! part of each that only exits may use.

use std::{collections::VecDeque, time::Duration};

use mes_core::time::SECOND;
use serde::{Deserialize, Serialize};

/// Which of the service's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// All but the history: 200 in 60 s.
    Calls,
    /// The history: 50 in 30 s.
    History,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A question.
    Look,
    /// It opens or changes something.
    Trade,
    /// It closes, protects or cancels: the reserve is for these, and a 429 holds back none of them.
    Exit,
}

/// Counts calls.
#[derive(Debug)]
pub struct Limiter {
    calls: Rolling,
    history: Rolling,
}

#[derive(Debug)]
struct Rolling {
    /// Nanoseconds.
    span: i64,
    most: usize,
    /// Of `most`.
    reserve: usize,
    /// When calls were made, on the steady clock.
    made: VecDeque<i64>,
    /// No questions and no entries before: the service has said that it is too much.
    barred_until: i64,
}

impl Default for Limiter {
    /// Nine tenths of what the service allows: its windows may lie elsewhere than ours.
    fn default() -> Limiter {
        let rolling = |seconds: i64, most, reserve| Rolling {
            span: seconds * SECOND,
            most,
            reserve,
            made: VecDeque::new(),
            barred_until: i64::MIN,
        };
        Limiter { calls: rolling(60, 180, 40), history: rolling(30, 45, 0) }
    }
}

impl Limiter {
    fn rolling(&mut self, window: Window) -> &mut Rolling {
        match window {
            Window::Calls => &mut self.calls,
            Window::History => &mut self.history,
        }
    }

    /// Takes one call out of the budget, at `now` on the steady clock.
    ///
    /// # Errors
    ///
    /// How long to wait where there is none left.
    pub fn take(&mut self, window: Window, purpose: Purpose, now: i64) -> Result<(), Duration> {
        let rolling = self.rolling(window);
        while rolling.made.front().is_some_and(|made| now.saturating_sub(*made) >= rolling.span) {
            rolling.made.pop_front();
        }
        let (most, barred_until) = match purpose {
            Purpose::Exit => (rolling.most, i64::MIN),
            Purpose::Look | Purpose::Trade => (rolling.most - rolling.reserve, rolling.barred_until),
        };
        let full_until = match rolling.made.len().checked_sub(most) {
            Some(over) => rolling.made.get(over).map_or(now, |made| made.saturating_add(rolling.span)),
            None => now,
        };
        let free = full_until.max(barred_until);
        if free > now {
            return Err(Duration::from_nanos(free.saturating_sub(now).unsigned_abs()));
        }
        rolling.made.push_back(now);
        Ok(())
    }

    /// Takes in that the service has answered 429, and how long it asks to wait; it may not say, then a whole window.
    pub fn refused(&mut self, window: Window, asked: Option<Duration>, now: i64) {
        let rolling = self.rolling(window);
        let asked = asked.map(|asked| i64::try_from(asked.as_nanos()).unwrap_or(i64::MAX));
        // A server cannot silence us for longer than ten of its windows.
        let wait = asked.unwrap_or(rolling.span).clamp(SECOND, 10 * rolling.span);
        rolling.barred_until = rolling.barred_until.max(now.saturating_add(wait));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exits_have_a_reserve_and_a_429_holds_them_not() {
        let mut limiter = Limiter::default();
        let mut take = |purpose, now| limiter.take(Window::Calls, purpose, now);
        assert_eq!((0..140).filter(|_| take(Purpose::Look, 0).is_ok()).count(), 140);
        assert_eq!(take(Purpose::Trade, SECOND), Err(Duration::from_secs(59)));
        assert_eq!((0..50).filter(|_| take(Purpose::Exit, SECOND).is_ok()).count(), 40);
        assert_eq!(take(Purpose::Look, 60 * SECOND), Ok(()));
        limiter.refused(Window::Calls, None, 60 * SECOND);
        assert_eq!(limiter.take(Window::Calls, Purpose::Look, 61 * SECOND), Err(Duration::from_secs(59)));
        assert_eq!(limiter.take(Window::Calls, Purpose::Exit, 61 * SECOND), Ok(()));
        assert_eq!(limiter.take(Window::History, Purpose::Look, 61 * SECOND), Ok(()));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_service_allows(steps in proptest::collection::vec((0_i64..3, 0..3_u8), 0..2000)) {
            let (mut limiter, mut now, mut made) = (Limiter::default(), 0, Vec::new());
            for (pause, purpose) in steps {
                now += pause * SECOND / 7;
                let purpose = [Purpose::Look, Purpose::Trade, Purpose::Exit][usize::from(purpose)];
                if limiter.take(Window::Calls, purpose, now).is_ok() {
                    made.push(now);
                }
                prop_assert!(made.iter().filter(|at| now - **at < 60 * SECOND).count() <= 180);
            }
        }
    }
}
