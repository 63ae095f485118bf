//! Calls: who may make them, and what goes wrong with their answers. What they say is in `endpoints`.

use std::time::Duration;

use mes_core::time::{SECOND, Ts};
use serde_json::Value;

use super::{
    Fault, Service,
    envelope::{Called, Said},
};

/// How late an answer comes, where answers are late.
const LATE: i64 = 2 * SECOND;
/// The longest body that is read.
pub const MOST_BYTES: usize = 1 << 16;

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// It breaks off after its head.
    BreaksOff,
    Lost,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// What time it is at the exchange.
    pub date: Ts,
    /// In seconds.
    pub retry_after: Option<u64>,
    /// How late it comes, in nanoseconds.
    pub late: i64,
    pub fate: Fate,
}

impl Answer {
    /// Returns what whoever asked gets of it, in the end: its body, or what went wrong on the way.
    ///
    /// # Errors
    ///
    /// As of a client over sockets.
    pub fn carried(self) -> Result<Vec<u8>, mes_web::Fault> {
        let lost = |what: &str, begun, late| mes_web::Fault::Unknown { what: what.into(), begun, late };
        let refusal = |body| {
            let retry_after = self.retry_after.map(Duration::from_secs);
            mes_web::Refusal { status: self.status, retry_after, body }
        };
        match (self.fate, self.status) {
            (Fate::Lost, _) => Err(lost("it takes longer than its deadline", false, true)),
            (Fate::BreaksOff, _) => Err(lost("the line is cut", true, false)),
            (Fate::Arrives, 200) => Ok(self.body.into_bytes()),
            (Fate::Arrives, 429) => Err(mes_web::Fault::Limited(refusal(self.body))),
            (Fate::Arrives, _) => Err(mes_web::Fault::Status(refusal(self.body))),
        }
    }
}

impl Service {
    /// Answers a call: a path such as `api/Order/place`, the token it came with, and its body.
    pub fn call(&mut self, now: Ts, path: &str, token: Option<&str>, body: &[u8]) -> Answer {
        self.pass(now);
        let said = match self.admitted(path, token) {
            Ok(()) => self.carried_out(path, token, body),
            Err(said) => Err(said),
        };
        let (Ok(said) | Err(said)) = said;
        // What goes wrong on the way goes wrong for whatever is said.
        let acts = |fault| self.faults.acts(fault);
        let fate = match () {
            () if acts(Fault::ReplyLost) => Fate::Lost,
            () if acts(Fault::ReplyCut) => Fate::BreaksOff,
            () => Fate::Arrives,
        };
        let mut text = match said.body {
            Value::String(text) => text,
            body => self.dialect().on_time(body).to_string(),
        };
        if acts(Fault::ReplyMalformed) {
            text = text.chars().take(text.chars().count() / 2).collect();
        }
        let late = if acts(Fault::ReplyLate) { LATE } else { 0 };
        let retry_after = (said.status == 429 && self.draw.below(2) == 0).then_some(1);
        let date = now.saturating_add(self.dialect().skew);
        Answer { status: said.status, body: text, date, retry_after, late, fate }
    }

    /// Says whether a call is let in at all.
    fn admitted(&mut self, path: &str, token: Option<&str>) -> Result<(), Said> {
        let plain = |status: u16| Said { status, body: Value::String(String::new()) };
        let open = matches!(path, "api/Auth/loginKey" | "api/Auth/loginApp" | "api/Status/ping");
        if !open && !token.is_some_and(|token| self.tokens.is_good(token, self.now)) {
            return Err(plain(401));
        }
        let history = usize::from(path == "api/History/retrieveBars");
        let now = self.now;
        let allowed = self.limits.as_mut().is_none_or(|limits| limits[history].take(now));
        if !allowed || self.faults.acts(Fault::Busy) {
            return Err(plain(429));
        }
        // One in two of these is carried out all the same.
        if self.faults.acts(Fault::Down) && self.draw.below(2) == 0 {
            return Err(plain(503));
        }
        Ok(())
    }

    fn carried_out(&mut self, path: &str, token: Option<&str>, body: &[u8]) -> Called {
        if body.len() > MOST_BYTES {
            return Err(Said { status: 413, body: Value::String(String::new()) });
        }
        let said = self.dispatched(path, token, body)?;
        if self.faults.acts(Fault::Down) {
            return Err(Said {
                status: 503,
                body: Value::String("<html>Service Unavailable</html>".to_owned()),
            });
        }
        Ok(said)
    }
}
