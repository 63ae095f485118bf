//! Slack, by an incoming webhook: `{"text": …}`, which answers `ok`.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use mes_pipe::Result;
use serde::Deserialize;
use serde_json::json;

use super::{Channel, Environment, Failure, http::Address};
use crate::{alert::Message, text};

/// Slack cuts a text at 40,000 characters; nobody reads so many.
const MOST: usize = 4000;

/// What the TOML says of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The variable that holds the webhook's address.
    url_env: String,
}

impl Keys {
    /// Makes it ready.
    ///
    /// # Errors
    ///
    /// `Usage` where the environment has no address.
    pub fn open(&self, environment: Environment) -> Result<Box<dyn Channel>> {
        Ok(Box::new(Slack(Address::secret(environment, "url_env", &self.url_env)?)))
    }
}

struct Slack(Address);

impl Channel for Slack {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        // What is escaped mentions nobody and links to nothing.
        let text = text::escaped(&text::plain(message, MOST));
        let answer = self.0.post(&json!({ "text": text, "mrkdwn": false }), None, true)?;
        if answer.trim_ascii() == b"ok" {
            return Ok(());
        }
        Err(Failure::lasting("the server takes it and does not say ok: is it an incoming webhook?"))
    }
}
