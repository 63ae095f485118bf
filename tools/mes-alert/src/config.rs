//! The TOML: who is told what, when and how. Secrets are not in it, only the names of the environment's variables that hold them.

mod read;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::NaiveTime;
use chrono_tz::Tz;
use mes_core::time::SECOND;
use mes_pipe::{Error, Result};
use serde::Deserialize;

use crate::{
    channels::Means,
    desk::{Pace, Plan, Quiet, Route},
    kinds::{self, Priority},
};

use read::likest;
pub(crate) use read::table;

/// All that a person has set.
pub struct Config {
    pub plan: Plan,
    pub channels: BTreeMap<String, Means>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    same_s: i64,
    silence_s: i64,
    silence_again_s: i64,
    heartbeat_s: i64,
    quiet: Option<QuietHours>,
    priority: BTreeMap<String, Priority>,
    channels: BTreeMap<String, toml::Table>,
    route: Vec<ToRoute>,
}

impl Default for File {
    fn default() -> File {
        let plan = Plan::console();
        File {
            same_s: plan.same / SECOND,
            silence_s: plan.silence / SECOND,
            silence_again_s: plan.silence_again / SECOND,
            heartbeat_s: 0,
            quiet: None,
            priority: BTreeMap::new(),
            channels: BTreeMap::new(),
            route: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietHours {
    from: String,
    to: String,
    #[serde(default = "new_york")]
    zone: String,
}

fn new_york() -> String {
    "America/New_York".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToRoute {
    #[serde(default = "all")]
    kinds: Vec<String>,
    #[serde(default = "info")]
    least: Priority,
    to: Vec<String>,
}

fn all() -> Vec<String> {
    vec!["*".into()]
}

fn info() -> Priority {
    Priority::Info
}

impl Config {
    /// Returns what holds without a file: everything is told on the console.
    pub fn console() -> Config {
        let channels = BTreeMap::from([("console".to_owned(), Means::Console)]);
        Config { plan: Plan::console(), channels }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// `Usage` with the key that is unknown, missing, or says what cannot be.
    pub fn read(path: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::unread(path, &error))?;
        Config::parse(&text).map_err(|what| Error::usage(what).at(path.display()))
    }

    /// Reads the file at `path`, or else what holds without one.
    ///
    /// # Errors
    ///
    /// As [`Config::read`].
    pub fn at(path: Option<&PathBuf>) -> Result<Config> {
        path.map_or_else(|| Ok(Config::console()), |path| Config::read(path))
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> std::result::Result<Config, String> {
        let file: toml::Table =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let file: File = table(file, "")?;
        let mut channels = BTreeMap::new();
        let mut paces = BTreeMap::new();
        for (name, keys) in file.channels {
            let (means, pace) = channel(keys, &format!("channels.{name}"))?;
            paces.insert(name.clone(), pace);
            channels.insert(name, means);
        }
        let routes = routes(file.route, &channels)?;
        for kind in file.priority.keys() {
            known(kind).map_err(|what| format!("[priority]: {what}"))?;
        }
        let plan = Plan {
            routes,
            channels: paces,
            quiet: file.quiet.map(quiet).transpose()?,
            same: seconds("same_s", file.same_s, 0)?,
            heartbeat: (file.heartbeat_s != 0)
                .then(|| seconds("heartbeat_s", file.heartbeat_s, 10))
                .transpose()?,
            silence: seconds("silence_s", file.silence_s, 5)?,
            silence_again: seconds("silence_again_s", file.silence_again_s, 10)?,
            priorities: file.priority,
        };
        Ok(Config { plan, channels })
    }
}

/// Reads a channel: what all have, and what its type has.
fn channel(mut keys: toml::Table, place: &str) -> std::result::Result<(Means, Pace), String> {
    let take = |keys: &mut toml::Table, key: &str| keys.remove(key);
    let Some(toml::Value::String(kind)) = take(&mut keys, "type") else {
        return Err(format!("{place}: type = \"...\" is missing: one of {}", Means::TYPES.join(", ")));
    };
    if !Means::TYPES.contains(&kind.as_str()) {
        let meant = likest(&kind, Means::TYPES.iter().copied());
        return Err(format!("{place}: there is no type {kind:?}{meant}: one of {}", Means::TYPES.join(", ")));
    }
    let here = matches!(kind.as_str(), "console" | "webhook");
    let mut pace = Pace { per_minute: if here { 600 } else { 10 }, quiet: !here };
    if let Some(value) = take(&mut keys, "per_minute") {
        pace.per_minute = value
            .as_integer()
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| (1..=6000).contains(count))
            .ok_or_else(|| format!("{place}: per_minute = {value} is not within 1 and 6000"))?;
    }
    if let Some(value) = take(&mut keys, "quiet") {
        pace.quiet =
            value.as_bool().ok_or_else(|| format!("{place}: quiet = {value} is neither true nor false"))?;
    }
    Means::read(&kind, keys, place).map(|means| (means, pace))
}

fn routes(
    routes: Vec<ToRoute>,
    channels: &BTreeMap<String, Means>,
) -> std::result::Result<Vec<Route>, String> {
    if routes.is_empty() {
        return Err("no [[route]] says who is told: to = [\"CHANNEL\", ...]".into());
    }
    routes
        .into_iter()
        .enumerate()
        .map(|(index, ToRoute { kinds, least, to })| {
            let place = format!("route {}", index + 1);
            if to.is_empty() || kinds.is_empty() {
                return Err(format!("{place}: to and kinds name one at least"));
            }
            if let Some(none) = to.iter().find(|name| !channels.contains_key(*name)) {
                let meant = likest(none, channels.keys().map(String::as_str));
                return Err(format!("{place}: there is no [channels.{none}]{meant}"));
            }
            for pattern in &kinds {
                known(pattern).map_err(|what| format!("{place}: {what}"))?;
            }
            Ok(Route { kinds, least, to })
        })
        .collect()
}

/// Refuses a pattern that no kind fits: who mistypes one waits for ever.
fn known(pattern: &str) -> std::result::Result<(), String> {
    let kinds = kinds::all();
    if kinds.iter().any(|kind| crate::desk::fits(pattern, kind.name)) {
        return Ok(());
    }
    let meant = likest(pattern, kinds.iter().map(|kind| kind.name));
    Err(format!("there is no kind {pattern:?}{meant}; mes-alert list names all"))
}

fn quiet(hours: QuietHours) -> std::result::Result<Quiet, String> {
    let clock = |key: &str, text: &str| {
        NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| format!("quiet.{key} = {text:?} is no time such as 22:00"))
    };
    let zone: Tz = hours
        .zone
        .parse()
        .map_err(|_| format!("quiet.zone = {:?} is no zone such as Europe/Berlin", hours.zone))?;
    Ok(Quiet { from: clock("from", &hours.from)?, to: clock("to", &hours.to)?, zone })
}

fn seconds(key: &str, value: i64, least: i64) -> std::result::Result<i64, String> {
    if (least..=86_400).contains(&value) {
        return Ok(value * SECOND);
    }
    Err(format!("{key} = {value} is not within {least} and 86400"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        heartbeat_s = 1800
        silence_s = 45
        [quiet]
        from = "22:00"
        to = "07:00"
        zone = "Europe/Berlin"
        [priority]
        exit = "urgent"
        [channels.desk]
        type = "console"
        [channels.phone]
        type = "telegram"
        token_env = "T"
        chat_id = "-1"
        per_minute = 20
        [channels.post]
        type = "mail"
        host = "mail.example.com"
        from = "mes@example.com"
        to = ["me@example.com"]
        user = "mes"
        password_env = "P"
        [[route]]
        least = "notice"
        to = ["phone", "post"]
        [[route]]
        kinds = ["daily_*"]
        to = ["desk"]
    "#;

    fn wrong(from: &str, to: &str) -> String {
        let text = WHOLE.replace(from, to);
        assert_ne!(text, WHOLE, "{from}");
        Config::parse(&text).err().unwrap_or_else(|| format!("{to} is taken"))
    }

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::parse(WHOLE).expect("reads");
        assert_eq!(config.channels.len(), 3);
        assert_eq!(config.plan.heartbeat, Some(1800 * SECOND));
        assert_eq!(config.plan.channels["phone"].per_minute, 20);
        assert!(config.plan.channels["post"].quiet && !config.plan.channels["desk"].quiet);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_meant() {
        for (from, to, said) in [
            ("heartbeat_s", "hartbeat_s", "unknown key hartbeat_s: did you mean heartbeat_s?"),
            ("chat_id", "chatid", "channels.phone: unknown key chatid: did you mean chat_id?"),
            ("zone =", "zon =", "quiet: unknown key zon: did you mean zone?"),
            ("\"Europe/Berlin\"", "\"Berlin\"", "quiet.zone = \"Berlin\" is no zone such as Europe/Berlin"),
            (
                "\"telegram\"",
                "\"telegramm\"",
                "channels.phone: there is no type \"telegramm\": did you mean telegram?",
            ),
            ("\"daily_*\"", "\"dayly_*\"", "route 2: there is no kind \"dayly_*\""),
            ("exit =", "exits =", "[priority]: there is no kind \"exits\": did you mean exit?"),
            ("\"post\"]", "\"pots\"]", "route 1: there is no [channels.pots]: did you mean post?"),
            ("\"22:00\"", "\"22\"", "quiet.from = \"22\" is no time such as 22:00"),
            ("least = \"notice\"", "least = \"high\"", "unknown variant"),
            ("silence_s = 45", "silence_s = 0", "silence_s = 0 is not within 5 and 86400"),
            ("host = \"mail.example.com\"", "", "channels.post: missing field `host`"),
            (
                "per_minute = 20",
                "per_minute = -1",
                "channels.phone: per_minute = -1 is not within 1 and 6000",
            ),
            ("user = \"mes\"", "tls = \"none\"", "channels.post: user and password_env go together"),
        ] {
            let what = wrong(from, to);
            assert!(what.contains(said), "{what}");
        }
        assert!(Config::parse("").is_err(), "nobody would be told");
    }
}
