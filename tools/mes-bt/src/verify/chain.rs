//! From the links of a chain to the commands that make them again.

use std::{
    ffi::OsString,
    path::Path,
    process::{Child, Command, Stdio},
};

use mes_core::fills::Latency;
use mes_pipe::{Error, Result};
use serde_json::Value;

use super::files::Files;
use crate::beside;

/// What holds a table.
const TABLES: [&str; 10] =
    [".parquet", ".arrow", ".csv", ".jsonl", ".gz", ".zst", ".dbn", ".txt", ".zip", ".feather"];

/// How a link's setting becomes a flag.
enum Flag {
    /// Its value follows.
    Value(&'static str),
    /// Given alone when the setting is true.
    Switch(&'static str),
    /// Its value is the hash of a file.
    File(&'static str, &'static [&'static str]),
    /// Says nothing that has to be given again.
    Nothing,
}

/// Every setting of a link by tool; one that is not here cannot be given again.
const FLAGS: [(&str, &[(&str, Flag)]); 4] = [
    (
        "mes-fetch",
        &[
            ("synthetic", Flag::Nothing),
            ("generator", Flag::Nothing),
            ("seed", Flag::Value("--seed")),
            ("edge", Flag::Value("--edge")),
            ("no_bounce", Flag::Switch("--no-bounce")),
            ("ticks", Flag::Switch("--ticks")),
            ("session", Flag::Value("--session")),
            ("from", Flag::Value("--from")),
            ("until", Flag::Value("--until")),
            ("calendar", Flag::File("--calendar", &[".csv"])),
        ],
    ),
    (
        "mes-bars",
        &[
            ("interval", Flag::Value("--interval")),
            ("by", Flag::Value("--by")),
            ("size", Flag::Value("--size")),
            ("session", Flag::Value("--session")),
            ("sparse", Flag::Switch("--sparse")),
            ("carry_s", Flag::Value("--carry")),
            ("symbol", Flag::Value("--symbol")),
            ("calendar", Flag::File("--calendar", &[".csv"])),
        ],
    ),
    (
        "mes-features",
        &[
            ("set", Flag::Nothing),
            ("only", Flag::Value("--only")),
            ("without", Flag::Value("--without")),
            ("warm_within", Flag::Value("--warm-within")),
            ("labels", Flag::Nothing),
            ("calendar", Flag::File("--calendar", &[".csv"])),
        ],
    ),
    (
        "mes-predict",
        &[
            ("model", Flag::File("--model", &[".onnx"])),
            ("in_sample", Flag::Nothing),
            ("rule", Flag::Value("--rule")),
            ("seed", Flag::Value("--seed")),
            ("rate", Flag::Value("--rate")),
        ],
    ),
];

/// Commands to be joined by pipes; the last is this tool's.
pub struct Plan {
    /// The link that it begins with.
    pub first: usize,
    commands: Vec<Vec<OsString>>,
}

impl Plan {
    /// Plans the rerun of a summary's chain: from the last link whose files are there, or from the first.
    pub fn of(summary: &Value, files: &Files, deep: bool) -> Result<Plan> {
        let links = summary["lineage"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (first, inputs) = begin(links, files, deep)?;
        let mut commands = Vec::new();
        for link in &links[first..] {
            commands.push(command(link, files)?);
        }
        if let Some(first) = commands.first_mut() {
            first.extend(inputs);
        }
        commands.push(backtest(&summary["settings"], files)?);
        Ok(Plan { first, commands })
    }

    /// Writes the pipe as one would in a shell.
    pub fn text(&self) -> String {
        let words = |command: &Vec<OsString>| {
            command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        self.commands.iter().map(words).collect::<Vec<_>>().join(" | ")
    }

    /// Runs the pipe and returns the summary that comes out.
    pub fn run(&self) -> Result<Value> {
        let mut running: Vec<(String, Child)> = Vec::new();
        for words in &self.commands {
            let tool = words[0].to_string_lossy().into_owned();
            let input = running.last_mut().and_then(|(_, child)| child.stdout.take());
            let child = Command::new(beside(&tool))
                .args(&words[1..])
                .stdin(input.map_or_else(Stdio::null, Stdio::from))
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| Error::from(error).at(&tool))?;
            running.push((tool, child));
        }
        let mut summary = Vec::new();
        // The last first: it ends when the others have.
        for (tool, child) in running.into_iter().rev() {
            let output = child.wait_with_output().map_err(|error| Error::from(error).at(&tool))?;
            if !output.status.success() {
                return Err(Error::failed(format!("cannot re-run: {tool}: {}", output.status)));
            }
            if summary.is_empty() {
                summary = output.stdout;
            }
        }
        serde_json::from_slice(&summary).map_err(|error| Error::failed(format!("the rerun: {error}")))
    }
}

/// Chooses the link to begin with, and finds its files.
fn begin(links: &[Value], files: &Files, deep: bool) -> Result<(usize, Vec<OsString>)> {
    let mut missing = String::new();
    let mut order: Vec<usize> = (0..links.len()).collect();
    if !deep {
        order.reverse();
    }
    for index in order {
        let link = &links[index];
        let name = link["tool"].as_str().unwrap_or("?");
        match &link["input"] {
            Value::Null if index == 0 && link["settings"]["synthetic"] == true => {
                return Ok((0, Vec::new()));
            }
            Value::Array(hashes) => {
                let hashes = hashes.iter().map(|hash| hash.as_str().unwrap_or_default());
                let found: Option<Vec<OsString>> =
                    hashes.clone().map(|hash| files.by_hash(hash, &TABLES).map(OsString::from)).collect();
                match found {
                    Some(found) => return Ok((index, found)),
                    None => {
                        missing = format!("the input of {name}, {}", hashes.collect::<Vec<_>>().join(" "))
                    }
                }
            }
            Value::String(_) if missing.is_empty() => missing = format!("{name} read a pipe"),
            _ => {}
        }
        if deep {
            break;
        }
    }
    let why = if missing.is_empty() { "the chain is empty".to_owned() } else { missing };
    Err(Error::failed(format!("cannot re-run: {why}; --search names more folders")))
}

/// Turns a link into the command that made it, without its input.
fn command(link: &Value, files: &Files) -> Result<Vec<OsString>> {
    let tool = link["tool"].as_str().unwrap_or_default();
    let cannot = |what: String| Error::failed(format!("cannot re-run: {tool}: {what}"));
    let (_, flags) =
        FLAGS.iter().find(|(known, _)| *known == tool).ok_or_else(|| cannot("an unknown tool".into()))?;
    let mut words: Vec<OsString> = vec![tool.into()];
    if tool == "mes-fetch" {
        words.push("synth".into());
    }
    words.push("-q".into());
    let none = serde_json::Map::new();
    for (name, value) in link["settings"].as_object().unwrap_or(&none) {
        let flag = flags.iter().find(|(known, _)| known == name).map(|(_, flag)| flag);
        match flag.ok_or_else(|| cannot(format!("the setting {name}")))? {
            Flag::Nothing => {}
            Flag::Switch(flag) if *value == true => words.push(flag.into()),
            Flag::Switch(_) => {}
            Flag::Value(_) if tool == "mes-predict" && *value == "script" => {
                let script = link["settings"]["script"].as_str().unwrap_or_default();
                let path = files.by_hash(script, &[]).ok_or_else(|| cannot(format!("script {script}")))?;
                words.extend(["--rule".into(), OsString::from(format!("script:{}", path.display()))]);
            }
            Flag::Value(flag) => words.push(format!("{flag}={}", plain(value)).into()),
            Flag::File(flag, endings) => {
                let hash = value.as_str().unwrap_or_default();
                if *flag == "--calendar" && is_shipped(hash) {
                    continue;
                }
                let path = files
                    .by_hash(hash, endings)
                    .ok_or_else(|| cannot(format!("{name} {hash} is not here")))?;
                words.extend([OsString::from(*flag), path.into()]);
            }
        }
    }
    words.extend(special(&link["settings"]));
    Ok(words)
}

/// Writes what one setting alone does not say: labels, and what to do with rows a model was fitted on.
fn special(settings: &Value) -> Vec<OsString> {
    let mut words = Vec::new();
    if let Some(labels) = settings["labels"].as_object() {
        for (name, value) in labels {
            let flag = match name.as_str() {
                "kind" => "labels".to_owned(),
                other => other.replace("_ticks", "").replace("_s", "").replace('_', "-"),
            };
            words.push(format!("--{flag}={}", plain(value)).into());
        }
    }
    match settings["in_sample"].as_str() {
        Some("skip") => words.push("--skip-in-sample".into()),
        Some(_) => words.push("--allow-in-sample".into()),
        None => {}
    }
    words
}

/// Writes a value as a flag takes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn is_shipped(calendar: &str) -> bool {
    mes_pipe::hash(mes_core::calendar::SHIPPED.as_bytes()) == calendar
}

/// Writes the backtest's own command.
fn backtest(settings: &Value, files: &Files) -> Result<Vec<OsString>> {
    let text = |name: &str| settings[name].as_str().unwrap_or_default();
    let cannot = |what: &str| {
        Error::failed(format!("cannot re-run: the {what} are not here; --search names more folders"))
    };
    let rules = files.rules(text("rules_blake3")).ok_or_else(|| cannot("rules"))?;
    let costs = files.costs(text("costs_blake3")).ok_or_else(|| cannot("costs"))?;
    let mut words: Vec<OsString> =
        ["mes-bt", "-q", "--json", "--rules", &rules, "--costs", &costs].map(OsString::from).into();
    if !is_shipped(text("calendar_blake3")) {
        let path = files.by_hash(text("calendar_blake3"), &[".csv"]).map(Path::as_os_str);
        words.extend(["--calendar".into(), path.ok_or_else(|| cannot("days of the calendar"))?.to_owned()]);
    }
    words.push(format!("--fills={}", plain(&settings["fills"]["model"])).into());
    let latency: Latency = serde_json::from_value(settings["fills"]["latency"].clone()).unwrap_or_default();
    if let Some(nanos) = latency.is_constant() {
        words.push(format!("--latency={}", nanos as f64 / 1e6).into());
    } else {
        let path = files.latency(&latency).ok_or_else(|| cannot("recorded latencies"))?;
        words.extend([OsString::from("--latency"), path.into()]);
    }
    if let Some(hash) = settings["ledger_blake3"].as_str() {
        let path =
            files.by_hash(hash, &[".jsonl"]).ok_or_else(|| cannot("trials of its search (--ledger)"))?;
        words.extend([OsString::from("--ledger"), path.into()]);
    }
    if let Some(from) = settings["from"].as_str() {
        words.extend(["--from".into(), from.into()]);
    }
    Ok(words)
}
