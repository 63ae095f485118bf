//! Any program that takes a POST: `{"v": 1, "alerts": [ALERT, …], "left_out": 0, "failed": []}`, with an ALERT as in
//! [`crate::alert::Alert`]. Any 2xx says that it was taken.

use mes_pipe::Result;
use mes_web::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Channel, Environment, Failure, http::Address, secret};
use crate::alert::{Message, VERSION};

/// What the TOML says of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The variable that holds the address.
    url_env: String,
    /// The variable that holds a token to show.
    token_env: Option<String>,
}

impl Keys {
    /// Makes it ready.
    ///
    /// # Errors
    ///
    /// `Usage` where the environment has no address or no token.
    pub fn open(&self, environment: Environment) -> Result<Box<dyn Channel>> {
        let token =
            self.token_env.as_ref().map(|variable| secret(environment, "token_env", variable)).transpose()?;
        Ok(Box::new(Webhook { address: Address::secret(environment, "url_env", &self.url_env)?, token }))
    }
}

struct Webhook {
    address: Address,
    token: Option<Secret>,
}

impl Channel for Webhook {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        self.address.post(&record(message), self.token.as_ref(), false).map(drop)
    }
}

/// Writes a message for a program.
pub fn record(message: &Message) -> Value {
    json!({
        "v": VERSION,
        "alerts": message.alerts,
        "left_out": message.left_out,
        "failed": message.failed,
    })
}
