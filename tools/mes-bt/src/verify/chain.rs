//! From the links of a chain to the commands that make them again.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mes_core::{
    fills::{Fills, Latency, Model},
    time,
};
use mes_pipe::{Error, Result, beside};
use serde::Deserialize;
use serde_json::Value;

use super::{
    files::Files,
    typed::{self, Given, Setting, Type},
};

/// What holds a table.
const TABLES: [&str; 10] =
    [".parquet", ".arrow", ".csv", ".jsonl", ".gz", ".zst", ".dbn", ".txt", ".zip", ".feather"];
/// No chain of these tools is longer, and none reads more files at one place.
const LINKS: usize = 16;
const INPUTS: usize = 4096;
/// Recorded latencies, in the folder that commands run in.
const LATENCY: &str = "latency.csv";

/// Commands to be joined by pipes; the last is this tool's.
pub struct Plan {
    /// The link that it begins with.
    pub first: usize,
    commands: Vec<Vec<OsString>>,
    /// The files that the commands are told to read.
    pub reads: Vec<PathBuf>,
    /// What is written into their folder before they run.
    latency: Option<String>,
}

impl Plan {
    /// Plans the rerun of a summary's chain: from the last link whose files are there, or from the first.
    ///
    /// # Errors
    ///
    /// `Failed` where a link is none that these tools make, or its files are not found.
    pub fn of(summary: &Value, files: &Files, deep: bool) -> Result<Plan> {
        let links = summary["lineage"].as_array().map(Vec::as_slice).unwrap_or_default();
        if links.len() > LINKS {
            return Err(cannot("the chain", "it has more links than these tools make"));
        }
        let (first, reads) = begin(links, files, deep)?;
        let mut plan = Plan { first, commands: Vec::new(), reads, latency: None };
        for link in &links[first..] {
            let words = plan.link(link, files)?;
            plan.commands.push(words);
        }
        let inputs: Vec<OsString> = plan.reads[..plan.inputs(links)].iter().map(OsString::from).collect();
        if let Some(first) = plan.commands.first_mut() {
            first.extend(inputs);
        }
        let words = plan.backtest(&summary["settings"], files)?;
        plan.commands.push(words);
        Ok(plan)
    }

    /// Counts the tables that the first command reads.
    fn inputs(&self, links: &[Value]) -> usize {
        links.get(self.first).and_then(|link| link["input"].as_array()).map_or(0, Vec::len)
    }

    /// Writes the pipe as one would in a shell.
    pub fn text(&self) -> String {
        let words = |command: &Vec<OsString>| {
            command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        self.commands.iter().map(words).collect::<Vec<_>>().join(" | ")
    }

    /// Runs the pipe in `folder`, which is all that it may write into, and returns the summary that comes out.
    ///
    /// # Errors
    ///
    /// `Failed` where a tool cannot be started or fails, or no summary comes out.
    pub fn run(&self, folder: &Path) -> Result<Value> {
        if let Some(latency) = &self.latency {
            let path = folder.join(LATENCY);
            fs::write(&path, latency).map_err(|error| Error::from(error).at(path.display()))?;
        }
        let mut running: Vec<(String, Child)> = Vec::new();
        for words in &self.commands {
            let tool = words[0].to_string_lossy().into_owned();
            let input = running.last_mut().and_then(|(_, child)| child.stdout.take());
            let child = Command::new(beside(&tool))
                .args(&words[1..])
                .env_remove("MES_MODEL")
                .current_dir(folder)
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

    /// Turns a link into the command that made it, without its input.
    fn link(&mut self, link: &Value, files: &Files) -> Result<Vec<OsString>> {
        let named = link["tool"].as_str().unwrap_or_default();
        let (tool, settings) = typed::TOOLS
            .iter()
            .find(|(known, _)| *known == named)
            .ok_or_else(|| cannot(&shown(named), "an unknown tool"))?;
        if let Some(key) = unknown(link, &["tool", "settings", "input"]) {
            return Err(cannot(tool, &format!("the key {key} of its link is unknown")));
        }
        let mut words: Vec<OsString> = vec![(*tool).into()];
        if *tool == "mes-fetch" {
            words.push("synth".into());
        }
        words.push("-q".into());
        // Left out, the tool would take a model that nobody was shown.
        if *tool == "mes-predict" && ["model", "rule"].iter().all(|key| link["settings"][*key].is_null()) {
            return Err(cannot(tool, "it says neither model nor rule"));
        }
        self.settings(tool, settings, &link["settings"], files, &mut words)?;
        Ok(words)
    }

    /// Adds the flags of the settings that a tool said.
    fn settings(
        &mut self,
        tool: &str,
        known: &[Setting],
        said: &Value,
        files: &Files,
        words: &mut Vec<OsString>,
    ) -> Result<()> {
        let said = said.as_object().ok_or_else(|| cannot(tool, "its settings are no object"))?;
        for (name, value) in said {
            let setting = known.iter().find(|(known, ..)| known == name);
            let (name, of, given) =
                setting.ok_or_else(|| cannot(tool, &format!("the setting {} is unknown", shown(name))))?;
            if let Given::Within(inner) = given {
                self.settings(tool, inner, value, files, words)?;
                continue;
            }
            let text = typed::read(value, *of).ok_or_else(|| {
                cannot(tool, &format!("{name} {} is not one that it takes", shown(&value.to_string())))
            })?;
            match (given, of) {
                (Given::Not | Given::Within(_), _) => {}
                (Given::By("--calendar"), _) if is_shipped(&text) => {}
                // Said with the script itself.
                (Given::By("--rule"), _) if text == "script" => {}
                (Given::By(flag), Type::Switch) if text == "true" => words.push((*flag).into()),
                (Given::By(_), Type::Switch) => {}
                (Given::By(flag), Type::File(endings)) => {
                    let path = self.find(&text, endings, files).ok_or_else(|| {
                        cannot(tool, &format!("{name} {text} is not here; --search names more folders"))
                    })?;
                    words.push(joined(&format!("{flag}="), &path));
                }
                (Given::By(flag), _) => words.push(format!("{flag}={text}").into()),
                (Given::ByFlag(flags), _) => {
                    words.extend(
                        flags.iter().filter(|(word, _)| *word == text).map(|(_, flag)| (*flag).into()),
                    );
                }
                (Given::Script, _) => {
                    let path = self
                        .find(&text, &[], files)
                        .ok_or_else(|| cannot(tool, &format!("script {text} is not here")))?;
                    words.push(joined("--rule=script:", &path));
                }
            }
        }
        Ok(())
    }

    /// Finds a file by its hash, and remembers that it will be read.
    fn find(&mut self, blake3: &str, endings: &[&str], files: &Files) -> Option<PathBuf> {
        let path = files.by_hash(blake3, endings)?.to_owned();
        self.reads.push(path.clone());
        Some(path)
    }

    /// Writes the backtest's own command.
    fn backtest(&mut self, settings: &Value, files: &Files) -> Result<Vec<OsString>> {
        let missing =
            |what: &str| cannot("mes-bt", &format!("the {what} not here; --search names more folders"));
        let hash = |name: &str| {
            typed::hash(&settings[name]).ok_or_else(|| cannot("mes-bt", &format!("{name} is no BLAKE3")))
        };
        let mut words: Vec<OsString> = ["mes-bt", "-q", "--json"].map(OsString::from).into();
        for (flag, name, shipped) in [
            ("--rules=", "rules_blake3", Files::shipped_rules as fn(&str) -> Option<&'static str>),
            ("--costs=", "costs_blake3", Files::shipped_costs),
        ] {
            let blake3 = hash(name)?;
            words.push(match shipped(blake3) {
                Some(name) => format!("{flag}{name}").into(),
                None => {
                    let path = self.find(blake3, &[".toml"], files);
                    joined(flag, &path.ok_or_else(|| missing(&format!("{} are", &flag[2..7])))?)
                }
            });
        }
        let calendar = hash("calendar_blake3")?;
        if !is_shipped(calendar) {
            let path = self.find(calendar, &[".csv"], files);
            words.push(joined("--calendar=", &path.ok_or_else(|| missing("days of the calendar are"))?));
        }
        let fills = Fills::deserialize(&settings["fills"])
            .map_err(|error| cannot("mes-bt", &format!("fills: {error}")))?;
        words.push(format!("--fills={}", model(fills.model)).into());
        words.push(self.latency(&fills.latency, &settings["fills"]["latency"])?);
        if !settings["ledger_blake3"].is_null() {
            let path = self.find(hash("ledger_blake3")?, &[".jsonl"], files);
            words.push(joined(
                "--ledger=",
                &path.ok_or_else(|| missing("trials of its search (--ledger) are"))?,
            ));
        }
        match &settings["from"] {
            Value::Null => {}
            from => {
                let from = from.as_str().and_then(|from| time::parse(from).ok());
                let from = from.ok_or_else(|| cannot("mes-bt", "from is no time"))?;
                words.push(format!("--from={}", time::format(from)).into());
            }
        }
        if settings["refill"] == true {
            words.push("--refill".into());
        }
        Ok(words)
    }

    /// Gives latencies again: one number, or a recording that is written anew from what was said of it.
    fn latency(&mut self, latency: &Latency, said: &Value) -> Result<OsString> {
        let wrong = || cannot("mes-bt", "its latencies are none that a recording gives");
        if let Some(nanos) = latency.is_constant() {
            Latency::constant(nanos).map_err(|error| cannot("mes-bt", &error.to_string()))?;
            return Ok(format!("--latency={}", nanos as f64 / 1e6).into());
        }
        let mut csv = String::from("req,exch\n");
        for nanos in said.as_array().into_iter().flatten() {
            let _ = writeln!(csv, "0,{}", nanos.as_i64().ok_or_else(wrong)?);
        }
        if Latency::parse(&csv).ok().as_ref() != Some(latency) {
            return Err(wrong());
        }
        self.latency = Some(csv);
        Ok(format!("--latency={LATENCY}").into())
    }
}

/// Chooses the link to begin with, and finds its files.
fn begin(links: &[Value], files: &Files, deep: bool) -> Result<(usize, Vec<PathBuf>)> {
    let mut missing = String::new();
    let mut order: Vec<usize> = (0..links.len()).collect();
    if !deep {
        order.reverse();
    }
    for index in order {
        let link = &links[index];
        let name = shown(link["tool"].as_str().unwrap_or("?"));
        match &link["input"] {
            Value::Null if index == 0 && link["settings"]["synthetic"] == true => {
                return Ok((0, Vec::new()));
            }
            Value::Array(hashes) => {
                let wrong = || cannot(&name, "its input is no list of BLAKE3");
                let hashes: Option<Vec<&str>> = hashes.iter().map(typed::hash).collect();
                let hashes = hashes.filter(|hashes| hashes.len() <= INPUTS).ok_or_else(wrong)?;
                let found: Option<Vec<PathBuf>> =
                    hashes.iter().map(|hash| files.by_hash(hash, &TABLES).map(Path::to_owned)).collect();
                match found {
                    Some(found) => return Ok((index, found)),
                    None => missing = format!("the input of {name}, {}", hashes.join(" ")),
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

fn cannot(whose: &str, what: &str) -> Error {
    Error::failed(format!("cannot re-run: {whose}: {what}"))
}

/// Writes what a stranger said so that it cannot move a terminal's cursor, and not all of it where it is long.
fn shown(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}

fn unknown(object: &Value, known: &[&str]) -> Option<String> {
    let keys = object.as_object()?.keys();
    keys.filter(|key| !known.contains(&key.as_str())).map(|key| shown(key)).next()
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut word = OsString::from(flag);
    word.push(path);
    word
}

fn model(model: Model) -> &'static str {
    match model {
        Model::Conservative => "conservative",
        Model::Realistic => "realistic",
        Model::Optimistic => "optimistic",
    }
}

fn is_shipped(calendar: &str) -> bool {
    mes_pipe::hash(mes_core::calendar::SHIPPED.as_bytes()) == calendar
}
