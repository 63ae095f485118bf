//! Discord, by a webhook: `{"content": …}` of at most 2,000 characters, which answers 204.
//! <https://discord.com/developers/docs/resources/webhook#execute-webhook>

use mes_pipe::Result;
use serde::Deserialize;
use serde_json::json;

use super::{Channel, Environment, Failure, http::Address};
use crate::{alert::Message, text};

const MOST: usize = 2000;

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
        Ok(Box::new(Discord(Address::secret(environment, "url_env", &self.url_env)?)))
    }
}

struct Discord(Address);

impl Channel for Discord {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        // Whatever a name says, nobody is mentioned.
        let body = json!({ "content": text::plain(message, MOST), "allowed_mentions": { "parse": [] } });
        self.0.post(&body, None, false).map(drop)
    }
}
