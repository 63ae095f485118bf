//! What all that is told over HTTP have: one POST of JSON, within a time, and what its answer means.

use std::time::Duration;

use mes_pipe::{Error, Result};
use mes_web::{Base, Call, Client, Fault, Limits, Secret};
use serde::Serialize;
use serde_json::Value;

use super::{Environment, Failure};
use crate::text;

/// How long and how much one POST may take; what comes back is a line.
pub const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(10),
    head: Duration::from_secs(10),
    stall: Duration::from_secs(5),
    most_bytes: 1 << 16,
};
/// The most of somebody else's words that is shown.
const SHOWN: usize = 200;

/// One address that takes POSTs. All of it may be secret.
pub struct Address {
    client: Client,
    path: String,
    pub secrets: Vec<Secret>,
}

impl Address {
    /// Reads an address, all of which is secret.
    ///
    /// # Errors
    ///
    /// `Usage` where it is none that may be asked.
    pub fn secret(environment: Environment, key: &str, variable: &str) -> Result<Address> {
        let url = super::secret(environment, key, variable)?;
        let text = url.reveal().to_owned();
        let (base, path) = parted(&text);
        let base = Base::parse(base).map_err(|bad| Error::usage(format!("{variable} {bad}")))?;
        let hidden = Secret::new(path);
        Ok(Address::below(base, path, vec![url, hidden]))
    }

    /// Makes one of a server and a path below it.
    pub fn below(base: Base, path: &str, secrets: Vec<Secret>) -> Address {
        let client = Client::new(base, concat!("mes-alert/", env!("CARGO_PKG_VERSION")));
        Address { client, path: path.to_owned(), secrets }
    }

    /// Posts once; returns what came back of an answer with 2xx, where `reads` wants it.
    ///
    /// # Errors
    ///
    /// Why it was not taken.
    pub fn post(
        &self,
        body: &impl Serialize,
        token: Option<&Secret>,
        reads: bool,
    ) -> std::result::Result<Vec<u8>, Failure> {
        let mut call = Call::json(&self.path, body).map_err(|fault| failure(&fault))?.within(LIMITS);
        for secret in &self.secrets {
            call = call.hiding(secret);
        }
        if let Some(token) = token {
            call = call.bearer(token);
        }
        let answer = self.client.send(call).map_err(|fault| failure(&fault))?;
        // It has been taken: what else is said of that matters to nobody.
        if !reads {
            return Ok(Vec::new());
        }
        answer.bytes().map_err(|fault| failure(&fault))
    }
}

/// Parts an address behind its host.
fn parted(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or((url, ""), |at| url.split_at(host + at))
}

fn failure(fault: &Fault) -> Failure {
    let (Fault::Status(refusal) | Fault::Limited(refusal)) = fault else {
        return Failure { what: fault.to_string(), passes: fault.pause().is_some(), asked: None };
    };
    let said: Value = serde_json::from_str(&refusal.body).unwrap_or_default();
    // Discord and Telegram say it in seconds, each in its place; others in a header.
    let seconds =
        [&said["retry_after"], &said["parameters"]["retry_after"]].into_iter().find_map(Value::as_f64);
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let words = [&said["message"], &said["description"], &said["error"]].into_iter().find_map(Value::as_str);
    let words = words.unwrap_or(refusal.body.trim());
    let words: String = text::clean(words).chars().take(SHOWN).collect();
    let colon = if words.is_empty() { "" } else { ": " };
    Failure {
        what: format!("{fault}{colon}{words}"),
        passes: fault.pause().is_some(),
        asked: seconds.or(refusal.retry_after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_parted_behind_its_host() {
        assert_eq!(parted("https://a.b/c/d?e=f"), ("https://a.b", "/c/d?e=f"));
        assert_eq!(parted("http://127.0.0.1:80"), ("http://127.0.0.1:80", ""));
        assert_eq!(parted("nonsense"), ("nonsense", ""));
    }
}
