//! The model, tried as the pipe has it: two ticks as the market hub tells them go through the tools that stand before
//! mes-risk. What a model asks for and a live stream lacks is found before the day begins.

use std::{
    env,
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::check::{Check, fail, ok, warn};

/// All that a live tick has; in the cash session of a day that every calendar knows.
const TICKS: &str = "\
{\"ts\":\"2026-11-20T15:00:00.1Z\",\"price\":6800.25,\"size\":1,\"side\":\"buy\",\"bid\":6800.0,\"ask\":6800.25,\"bid_size\":9,\"ask_size\":8,\"symbol\":\"MESZ6\"}
{\"ts\":\"2026-11-20T15:00:01.1Z\",\"price\":6800.25,\"size\":1,\"side\":\"buy\",\"bid\":6800.0,\"ask\":6800.25,\"bid_size\":9,\"ask_size\":8,\"symbol\":\"MESZ6\"}
";
const PIPE: &str =
    "set -o pipefail; mes-bars -q | mes-features -q | mes-predict -q --allow-in-sample > /dev/null";
const RULE: &str = "set -o pipefail; mes-bars -q | mes-features -q | mes-predict -q $MES_PREDICT > /dev/null";

/// Tries what live.sh would predict by: `MES_PREDICT`, else the model.
pub fn look() -> Check {
    let rule = env::var("MES_PREDICT").ok().filter(|words| !words.trim().is_empty());
    let model = env::var_os("MES_MODEL").map_or_else(|| PathBuf::from("models/default.onnx"), PathBuf::from);
    if rule.is_none() && !model.exists() {
        return fail("model", format!("{} is not there: make model, or MES_MODEL=FILE", model.display()));
    }
    let what =
        rule.as_ref().map_or_else(|| model.display().to_string(), |words| format!("mes-predict {words}"));
    match tried(if rule.is_some() { RULE } else { PIPE }) {
        Err(error) => warn("model", format!("{what} was not tried: {error}")),
        Ok(None) => ok("model", format!("{what} takes what a live stream has")),
        Ok(Some(why)) => fail("model", format!("{what}: {why}")),
    }
}

/// Returns the last word of a pipe that failed.
fn tried(line: &str) -> std::io::Result<Option<String>> {
    let path = env::join_paths(
        beside().into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", line]).env("PATH", path.unwrap_or_else(|_| OsString::new()));
    let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that fails before it reads says why on stderr.
        let _ = stdin.write_all(TICKS.as_bytes());
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().find(|line| line.starts_with("mes-predict:")).or_else(|| said.lines().last());
    Ok((!output.status.success()).then(|| why.unwrap_or("it fails and does not say why").to_owned()))
}

/// Returns the folder of this tool: the others are the ones that came with it.
fn beside() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// Returns a tool that came with this one, else its name, for PATH.
pub fn tool(name: &str) -> PathBuf {
    beside().map(|folder| folder.join(name)).filter(|path| path.exists()).unwrap_or_else(|| name.into())
}
