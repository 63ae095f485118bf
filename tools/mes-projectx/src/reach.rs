//! Whether the service can be reached, and what time it is there: by the one call that needs neither key nor token and
//! counts against nothing.

use std::time::Duration;

use chrono::DateTime;
use mes_core::time::{SECOND, Ts};
use mes_pipe::{Error, Result};
use mes_web::{Call, Limits};

use crate::ServiceArgs;

const PING: &str = "api/Status/ping";
const ANSWER_BYTES: u64 = 1 << 10;

/// An answer to a ping.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// Half-way between question and answer, on our clock.
    pub at: Ts,
    /// From question to answer on our clock, in nanoseconds.
    pub took: i64,
    /// What the service says that the time is, cut to the second; it need not say it.
    pub theirs: Option<Ts>,
}

impl Reached {
    /// Returns how far our clock is ahead of theirs, in nanoseconds, and how far that may be wrong: they say whole seconds,
    /// and nobody knows when in `took` they said it.
    pub fn ahead(&self) -> Option<(i64, i64)> {
        let theirs = self.theirs?.saturating_add(SECOND / 2);
        Some((self.at.saturating_sub(theirs), SECOND / 2 + self.took / 2))
    }
}

impl ServiceArgs {
    /// Asks whether the service is there. `name` is what it is told that asks.
    ///
    /// # Errors
    ///
    /// `Failed` where nobody answers within `patience`, or what answers is another service; `Usage` for a clock at a real
    /// service.
    pub fn reach(&self, name: &str, patience: Duration) -> Result<Reached> {
        let clock = self.clock()?;
        let limits = Limits { deadline: patience, head: patience, stall: patience, most_bytes: ANSWER_BYTES };
        let call = Call::get(PING, &[]).accepting("text/plain").within(limits);
        let before = clock.now();
        let answer = mes_web::Client::new(self.api().clone(), name).send(call).map_err(Error::failed)?;
        let took = clock.now().steady.saturating_sub(before.steady);
        let date = answer.header("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        let theirs = date.and_then(|date| date.timestamp_nanos_opt());
        if answer.bytes().map_err(Error::failed)?.trim_ascii() != b"pong" {
            return Err(Error::failed(format!("{}: not what TopstepX answers", self.api().as_str())));
        }
        Ok(Reached { at: before.utc.saturating_add(took / 2), took, theirs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_that_is_cut_off_is_no_lead() {
        let reached = |ms: i64, theirs| Reached { at: ms * (SECOND / 1000), took: SECOND / 10, theirs };
        let (ahead, unsure) = reached(100_600, Some(100 * SECOND)).ahead().expect("a time");
        assert!(ahead.abs() <= unsure && unsure == SECOND * 11 / 20);
        assert_eq!(reached(107_500, Some(100 * SECOND)).ahead().map(|(ahead, _)| ahead), Some(7 * SECOND));
        assert!(reached(0, None).ahead().is_none());
    }
}
