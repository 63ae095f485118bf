//! Telegram, by a bot: `sendMessage` with at most 4,096 characters, which answers `"ok": true`. The token stands in the
//! address, and in no error.
//! <https://core.telegram.org/bots/api#sendmessage>

use mes_pipe::{Error, Result};
use mes_web::{Base, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Channel, Environment, Failure, http::Address, secret};
use crate::{alert::Message, kinds::Priority, text};

const MOST: usize = 4096;

/// What the TOML says of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The variable that holds the bot's token.
    token_env: String,
    /// `-1001234567890`, or `@channel`.
    chat_id: String,
    /// A Bot API server of one's own.
    #[serde(default = "telegram")]
    api: String,
}

fn telegram() -> String {
    "https://api.telegram.org".into()
}

impl Keys {
    /// Makes it ready.
    ///
    /// # Errors
    ///
    /// `Usage` where the environment has no token, or `api` is no address.
    pub fn open(&self, environment: Environment) -> Result<Box<dyn Channel>> {
        let token = secret(environment, "token_env", &self.token_env)?;
        let base =
            Base::parse(&self.api).map_err(|bad| Error::usage(format!("api = {:?} {bad}", self.api)))?;
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_');
        if !token.reveal().chars().all(fit) {
            let variable = &self.token_env;
            return Err(Error::usage(format!("{variable} is no token of a bot, such as 123456:ABC-DEF")));
        }
        let path = format!("bot{}/sendMessage", token.reveal());
        let hidden = Secret::new(path.clone());
        let address = Address::below(base, &path, vec![token, hidden]);
        Ok(Box::new(Telegram { address, chat_id: self.chat_id.clone() }))
    }
}

struct Telegram {
    address: Address,
    chat_id: String,
}

impl Channel for Telegram {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        let body = json!({
            "chat_id": self.chat_id,
            // Without parse_mode nothing in it is markup.
            "text": text::plain(message, MOST),
            "link_preview_options": { "is_disabled": true },
            "disable_notification": message.priority() == Priority::Info,
        });
        let answer = self.address.post(&body, None, true)?;
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if said["ok"] == true {
            return Ok(());
        }
        Err(Failure::lasting("the server takes it and does not say \"ok\":true: is it a Bot API server?"))
    }
}
