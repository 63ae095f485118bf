//! How something is told: one way, one file. Each tells one message, once, and says what became of it.

mod child;
mod desktop;
mod discord;
mod http;
mod mail;
mod slack;
mod sound;
mod telegram;
mod webhook;

use std::time::Duration;

use mes_pipe::{Error, Result, answer};
use mes_web::Secret;

pub use webhook::record;

use crate::{alert::Message, config::table, text};

/// Why a message was not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub what: String,
    /// Whether it may be told later.
    pub passes: bool,
    /// How long the receiver asks to wait.
    pub asked: Option<Duration>,
}

impl Failure {
    /// Makes one that waiting may mend.
    pub fn passing(what: impl std::fmt::Display) -> Failure {
        Failure { what: what.to_string(), passes: true, asked: None }
    }

    /// Makes one that waiting does not mend.
    pub fn lasting(what: impl std::fmt::Display) -> Failure {
        Failure { what: what.to_string(), passes: false, asked: None }
    }
}

/// Tells a message.
pub trait Channel: Send + Sync {
    /// Tells it; may take as long as it likes, since whoever calls waits no longer than it wants to.
    ///
    /// # Errors
    ///
    /// Why it was not told.
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure>;
}

/// How a channel tells, as it was set.
#[derive(Clone)]
pub enum Means {
    Console,
    Mail(Box<mail::Keys>),
    Slack(slack::Keys),
    Discord(discord::Keys),
    Telegram(telegram::Keys),
    Webhook(webhook::Keys),
    Desktop,
    Sound(sound::Keys),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct None {}

impl Means {
    /// The names of all types.
    pub const TYPES: [&str; 8] =
        ["console", "mail", "slack", "discord", "telegram", "webhook", "desktop", "sound"];

    /// Reads the keys of a type; `place` is what errors call them.
    ///
    /// # Errors
    ///
    /// What is wrong with a key.
    pub fn read(kind: &str, keys: toml::Table, place: &str) -> std::result::Result<Means, String> {
        Ok(match kind {
            "mail" => Means::Mail(Box::new(mail::Keys::read(keys, place)?)),
            "slack" => Means::Slack(table(keys, place)?),
            "discord" => Means::Discord(table(keys, place)?),
            "telegram" => Means::Telegram(table(keys, place)?),
            "webhook" => Means::Webhook(table(keys, place)?),
            "sound" => Means::Sound(table(keys, place)?),
            other => {
                let _: None = table(keys, place)?;
                if other == "desktop" { Means::Desktop } else { Means::Console }
            }
        })
    }

    /// Makes it ready to tell; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// `Usage` where the environment lacks a secret, or what it holds cannot be one.
    pub fn open(&self, name: &str, environment: Environment) -> Result<Box<dyn Channel>> {
        let opened: Result<Box<dyn Channel>> = match self {
            Means::Console => Ok(Box::new(Console)),
            Means::Mail(keys) => keys.open(environment),
            Means::Slack(keys) => keys.open(environment),
            Means::Discord(keys) => keys.open(environment),
            Means::Telegram(keys) => keys.open(environment),
            Means::Webhook(keys) => keys.open(environment),
            Means::Desktop => Ok(Box::new(desktop::Desktop)),
            Means::Sound(keys) => Ok(keys.open()),
        };
        opened.map_err(|error| error.at(format!("channels.{name}")))
    }
}

/// Looks a variable of the environment up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Looks a variable of this process up.
pub fn own(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// Reads a secret from the environment; `key` is the key that names the variable.
fn secret(environment: Environment, key: &str, variable: &str) -> Result<Secret> {
    let text = environment(variable).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Error::usage(format!("{key} names {variable}, which the environment does not have")));
    }
    Ok(Secret::new(text.trim()))
}

/// What the console fails of when nobody reads it any more.
pub const READER_GONE: &str = "stdout: the reader is gone";

/// Says it on stdout, a line each.
struct Console;

impl Channel for Console {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        let said = text::plain(message, usize::MAX) + "\n";
        answer::print(said).map_err(|error| match error {
            Error::ReaderGone => Failure::lasting(READER_GONE),
            error => Failure::lasting(format!("stdout: {error}")),
        })
    }
}

#[cfg(test)]
mod tests;
