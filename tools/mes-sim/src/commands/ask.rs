//! Commands that look at an exchange that runs.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
};

use mes_core::time::{MILLI, MINUTE, SECOND};
use mes_pipe::{Error, Result, answer::print, private};
use mes_web::{Answer, Base, Call, Client, Secret};
use serde_json::Value;

use super::run::{JOURNAL, Running};
use crate::{
    serve::FaultRequest,
    service::{Fault, Schedule},
};

/// Prints lines for a shell to evaluate.
pub(super) fn env(run: &Path) -> Result<()> {
    let Running { api, hubs, user, key, clock, .. } = Running::read(run)?;
    let clock = clock.map(|clock| format!(" MES_CLOCK={clock}")).unwrap_or_default();
    print(format!(
        "export TOPSTEPX_API_URL={api} TOPSTEPX_HUBS_URL={hubs} TOPSTEPX_USERNAME={user} TOPSTEPX_API_KEY={key}{clock}\n"
    ))
}

/// Begins a fault.
pub(super) fn fault(run: &Path, fault: Fault, seconds: Option<f64>) -> Result<()> {
    if seconds.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
        return Err(Error::usage("--for takes seconds, at most a day"));
    }
    let running = Running::read(run)?;
    let base = Base::parse(&running.api)
        .map_err(|bad| Error::data(format!("{}: {:?} {bad}", run.display(), running.api)))?;
    let request = FaultRequest { fault, for_ms: seconds.map(|seconds| (seconds * 1000.0) as u64) };
    let call = Call::json("sim/fault", &request).map_err(Error::failed)?.bearer(&Secret::new(running.token));
    let client = Client::new(base, concat!("mes-sim/", env!("CARGO_PKG_VERSION")));
    let said = client.send(call).and_then(Answer::bytes);
    let said = said.map_err(|fault| {
        Error::failed(format!("{}: the exchange does not answer: {fault}", run.display()))
    })?;
    print([&said[..], b"\n"].concat())
}

/// Lists faults, or draws a schedule.
pub(super) fn faults(draw: Option<u64>, count: usize, within: u64) -> Result<()> {
    if let Some(seed) = draw {
        let within_ms = within.saturating_mul((MINUTE / MILLI) as u64);
        return print(format!(
            "{}\n",
            Schedule::draw(seed, count.min(100_000), within_ms, Fault::ALL).line()
        ));
    }
    let line = |fault: &Fault| {
        let lasts = match fault.lasts() / SECOND {
            0 => "once".to_owned(),
            seconds => format!("{seconds} s"),
        };
        format!("{:<18} {lasts:>5}  {}\n", fault.name(), fault.about())
    };
    print(Fault::ALL.iter().map(line).collect::<String>())
}

/// Prints the journal, of an exchange that runs or ran.
pub(super) fn journal(run: &Path, kind: Option<&str>, json: bool) -> Result<()> {
    let path = run.join(JOURNAL);
    let file: File = private::open_to_read(&path).map_err(|error| Error::from(error).at(path.display()))?;
    let mut out = stdout().lock();
    for line in BufReader::new(file).lines() {
        let line = line?;
        // The last line of one that was killed may be cut.
        let Ok(record) = serde_json::from_str::<Value>(&line) else { continue };
        let is = record.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind.is_some_and(|kind| kind != is) {
            continue;
        }
        if json { writeln!(out, "{line}")? } else { writeln!(out, "{}", words(&record, is))? }
    }
    Ok(out.flush()?)
}

/// Says a record in a line for a person: when, what, and its fields.
fn words(record: &Value, kind: &str) -> String {
    let when = record.get("ts").and_then(Value::as_str).unwrap_or_default();
    let fields = record.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, value)| !["ts", "kind"].contains(&name.as_str()) && !value.is_null());
    let fields: Vec<String> = fields
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        })
        .collect();
    format!("{when:<30} {kind:<9} {}", fields.join("  "))
}
