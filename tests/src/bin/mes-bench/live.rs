//! The whole pipeline of `live.sh` against mes-sim, at the pace of a market: from a quote on the exchange's wire to an order
//! on it, from `mes-exec kill` to a flat order, what it costs in time and memory.
//!
//! Seconds close at whole seconds of the exchange, and a print lies at each. A client of this benchmark's own hears the same
//! prints: an order that is decided on the second that ends at `ts` is on the wire, or at mes-exec, so much after that
//! client had the print of `ts`. So what mes-sim itself is late by, it is not blamed on the pipe; the client's own reading
//! of a print, some 0.1 ms, is in its favour.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; nothing it measures does")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use mes_core::time::{self, SECOND, Ts};
use mes_golden::shell;
use serde_json::Value;

use super::{
    Result,
    exchange::{Sim, percentiles},
    floor,
};

/// Seconds that are traded, at the pace of the market.
const TRADED: i64 = 180;
const BEFORE: i64 = 30;
/// Seconds within which something has to be open, for the kill.
const KILLED: i64 = 90;
/// Of a day for memory alone: so much faster, so few ticks a second, so many looks.
const SPEED: i64 = 60;
const FEW: i64 = 12;
const PARTS: i64 = 23;
const DAY_SECONDS: i64 = 23 * 3600;
/// What the last line is measured against.
const FLOOR: &str = "as many cats (11) and as many syncs (2)";
const TOOLS: [&str; 6] = ["mes-fetch", "mes-bars", "mes-features", "mes-predict", "mes-risk", "mes-exec"];

/// Prints all of it.
pub fn run(folder: &Path) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "the live pipeline against mes-sim: synthetic ticks, 42 quotes and 20 trades a second")?;
    let (sim, mut ticks) =
        Sim::start(folder, &["--speed", "1", "--run", "sim", "--account", "PRAC-BENCH,balance=150000"])?;
    rules(folder)?;
    let heard = Arc::new(Mutex::new(BTreeMap::new()));
    let mut pipe = Pipe::start(folder, &sim)?;
    let (_, access) = sim.client()?;
    let _client = sim.listen(access, {
        let heard = Arc::clone(&heard);
        move |ts, now| {
            if let Ok(mut heard) = heard.lock() {
                heard.entry(ts).or_insert(now);
            }
        }
    })?;
    for second in 1..BEFORE + TRADED + KILLED {
        ticks.second(second)?;
    }
    ticks.flush()?;
    sleep(Duration::from_secs(BEFORE as u64));
    let (cpu, begun, memory) = (pipe.cpu()?, Instant::now(), pipe.memory()?);
    sleep(Duration::from_secs((TRADED - BEFORE - 20) as u64));
    let share = 100.0 * (pipe.cpu()? - cpu) / begun.elapsed().as_secs_f64();
    let grown = 100.0 * (pipe.memory()? / memory - 1.0);
    let killed = pipe.kill(folder, &sim)?;
    pipe.end()?;
    let decided = decisions(&folder.join("run/journal.jsonl"))?;
    let heard = heard.lock().map_err(|_| "poisoned")?;
    let mut told = ways(folder, &decided, &heard)?;
    told.push((FLOOR, floor::floor(folder)?));
    for (name, times) in &mut told {
        let count = times.len();
        let [half, most] = percentiles(times);
        writeln!(out, "{name:<46} p50 {half:>8.0} us   p99 {most:>8.0} us   ({count} times)")?;
    }
    writeln!(out, "{:<46} {killed}", "mes-exec kill -> close on the wire")?;
    writeln!(
        out,
        "{:<46} {share:>8.1} % of one core, {grown:+.1} % memory",
        "the six tools while they trade"
    )?;
    Ok(())
}

/// Prints the memory of the pipe over a day.
pub fn day(folder: &Path) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "a day of 23 hours against mes-sim, {SPEED} times as fast, {FEW} synthetic ticks a second"
    )?;
    let speed = SPEED.to_string();
    let (sim, mut ticks) =
        Sim::start(folder, &["--speed", &speed, "--run", "sim", "--account", "PRAC-BENCH,balance=150000"])?;
    rules(folder)?;
    let mut pipe = Pipe::start(folder, &sim)?;
    // mes-sim reads ahead no further than it must: this waits for it.
    let fed = std::thread::spawn(move || {
        (1..DAY_SECONDS).try_for_each(|second| ticks.second_of(FEW, second)).is_ok() && ticks.flush().is_ok()
    });
    let began = Instant::now();
    let mut all = Vec::new();
    for part in 1..=PARTS {
        let until = Duration::from_secs((DAY_SECONDS * part / PARTS / SPEED) as u64);
        sleep(until.saturating_sub(began.elapsed()));
        let megabytes = pipe.memory()?;
        all.push(megabytes);
        writeln!(
            out,
            "{:>5.1} h   {megabytes:>7.1} MB resident in six tools",
            23.0 * part as f64 / PARTS as f64
        )?;
    }
    let rows = fs::read_to_string(folder.join("run/journal.jsonl"))?;
    let rows = rows.lines().filter(|line| line.contains("\"kind\":\"row\"")).count();
    // The first parts fill windows, threads and pools.
    let warm = all.get(PARTS as usize / 4..).unwrap_or_default();
    let (least, most) = warm.iter().fold((f64::MAX, 0.0_f64), |(a, b), one| (a.min(*one), b.max(*one)));
    writeln!(
        out,
        "{rows} rows; from {least:.1} to {most:.1} MB after the first quarter ({:+.1} %)",
        100.0 * (most / least - 1.0)
    )?;
    pipe.end()?;
    drop(sim);
    let _ = fed.join();
    Ok(())
}

/// Writes rules that enter as often as they may, at any hour, few contracts, so that no limit of a day ends it.
fn rules(folder: &Path) -> Result<()> {
    let rules = fs::read_to_string(shell::root().join("pipelines/rules/topstep-150k.toml"))?;
    let rules = rules
        .replace("cooldown_s = 30", "cooldown_s = 0")
        .replace("session = \"rth\"", "session = \"all\"")
        .replace("losses = 3 ", "losses = 0 ")
        .replace("more_losses = 5 ", "more_losses = 0 ")
        .replace("risk_percent = 0.2\n", "risk_percent = 0.02\n");
    Ok(fs::write(folder.join("rules.toml"), rules)?)
}

/// The tools of the pipe, the shell around them, and how to ask the system for them.
struct Pipe {
    shell: Child,
}

impl Pipe {
    fn start(folder: &Path, sim: &Sim) -> Result<Pipe> {
        let script = "mkdir -p run; mes-fetch live --warm-up 0 | mes-bars | mes-features | \
             mes-predict --rule random --seed 3 --rate 0.9 | \
             mes-risk --state state --rules rules.toml --costs topstepx | tee run/journal.jsonl | \
             mes-exec --broker topstepx --account PRAC-BENCH --state state --rules rules.toml --costs topstepx > run/out.jsonl";
        let shell = command(folder, sim, "bash").args(["-c", script]).stdin(Stdio::null()).spawn()?;
        Ok(Pipe { shell })
    }

    /// Returns the processes of the tools.
    fn tools(&self) -> Result<Vec<u32>> {
        let text = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.shell.id()))?;
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        Ok(pids.filter(|pid| name_of(*pid).is_some_and(|name| TOOLS.contains(&&*name))).collect())
    }

    /// Returns the seconds of a processor that the tools have used.
    fn cpu(&self) -> Result<f64> {
        let mut ticks = 0.0;
        for pid in self.tools()? {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let after = stat.rsplit(')').next().unwrap_or_default();
            let fields: Vec<&str> = after.split_whitespace().collect();
            ticks += [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>();
        }
        Ok(ticks / 100.0)
    }

    /// Returns their resident memory, in MB.
    fn memory(&self) -> Result<f64> {
        let mut pages = 0.0;
        for pid in self.tools()? {
            let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
            pages +=
                statm.split_whitespace().nth(1).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        }
        Ok(pages * 4096.0 / 1e6)
    }

    /// Kills by `mes-exec kill` once something is open; returns how long it took until the exchange had the close.
    fn kill(&self, folder: &Path, sim: &Sim) -> Result<String> {
        let clock = sim.clock()?;
        let patience = Instant::now();
        loop {
            let status = command(folder, sim, "mes-exec").arg("status").output()?.stdout;
            let status: Value = serde_json::from_slice(&status).unwrap_or_default();
            if status["position"].as_i64().unwrap_or(0) != 0 {
                break;
            }
            if patience.elapsed() > Duration::from_secs(KILLED as u64) {
                return Ok("nothing was open to close".to_owned());
            }
        }
        let said = clock.now().utc;
        command(folder, sim, "mes-exec").arg("kill").output()?;
        let journal = fs::read_to_string(folder.join("sim/journal.jsonl"))?;
        let closes = journal.lines().filter_map(|line| made(line, false)).map(|(_, ts)| ts);
        let first = closes.filter(|ts| *ts >= said).min();
        Ok(first.map_or("a leg was quicker".to_owned(), |ts| format!("{:.1} ms", (ts - said) as f64 / 1e6)))
    }

    fn end(&mut self) -> Result<()> {
        for pid in self.tools()? {
            Command::new("kill").args(["-TERM", &pid.to_string()]).status()?;
        }
        self.shell.wait()?;
        Ok(())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.shell.kill();
    }
}

fn command(folder: &Path, sim: &Sim, program: &str) -> Command {
    let path = format!("{}:{}", shell::tools().display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("PATH", path)
        .env("TOPSTEPX_USERNAME", sim.text("user"))
        .env("TOPSTEPX_API_KEY", sim.text("key"))
        .env("TOPSTEPX_API_URL", sim.text("api"))
        .env("TOPSTEPX_HUBS_URL", sim.text("hubs"))
        .env("MES_CLOCK", sim.text("clock"))
        .env("MES_RUN", "run")
        .env("MES_STATE", "state");
    command
}

fn name_of(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim().to_owned())
}

/// Returns the entries of risk's journal: id and the second that they were decided on.
fn decisions(journal: &Path) -> Result<Vec<(u64, Ts)>> {
    let text = fs::read_to_string(journal)?;
    let orders = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let entries = orders.filter(|record| record["kind"] == "order" && record["action"] == "enter");
    Ok(entries
        .filter_map(|order| Some((order["id"].as_u64()?, time::parse(order["ts"].as_str()?).ok()?)))
        .collect())
}

/// Returns tag and time of an order that the exchange made: of an entry of ours, or of a close, which has no tag.
fn made(line: &str, entry: bool) -> Option<(String, Ts)> {
    let record: Value = serde_json::from_str(line).ok()?;
    let order = record.get("order").unwrap_or(&record);
    let tag = order["customTag"].as_str().unwrap_or_default();
    let is_entry = tag.starts_with("mes.") && tag.matches('.').count() == 2 && !tag.contains('-');
    let is_close = tag.is_empty() && order["type"] == 2 && order["id"].is_i64();
    if !(if entry { is_entry } else { is_close }) {
        return None;
    }
    Some((tag.to_owned(), time::parse(order["creationTimestamp"].as_str()?).ok()?))
}

/// Returns how long rows and entries took since the print that closed their second was heard: to mes-exec, and to the
/// exchange; and how late the print was.
fn ways(
    folder: &Path,
    decided: &[(u64, Ts)],
    heard: &BTreeMap<Ts, Ts>,
) -> Result<Vec<(&'static str, Vec<Duration>)>> {
    let after = |row: Ts, ts: Ts| heard.get(&row).map(|at| Duration::from_nanos((ts - at).max(0) as u64));
    let since = |id: u64, ts: Ts| {
        let (_, row) = decided.iter().find(|(of, _)| *of == id)?;
        after(*row, ts)
    };
    let (mut to_exec, mut rows) = (Vec::new(), Vec::new());
    for path in fs::read_dir(folder.join("state/topstepx-7"))?.flatten().map(|entry| entry.path()) {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("exec-")) {
            for line in fs::read_to_string(path)?.lines() {
                let record: Value = serde_json::from_str(line)?;
                // One row a second, of the whole second before it came.
                if let (Some("row"), Some(ts)) = (record["event"]["event"].as_str(), record["ts"].as_i64()) {
                    rows.extend(after(ts / SECOND * SECOND, ts));
                }
                let order = &record["event"]["order"];
                if let (Some(id), Some(ts)) = (order["id"].as_u64(), record["ts"].as_i64()) {
                    to_exec.extend(since(id, ts));
                }
            }
        }
    }
    let journal = fs::read_to_string(folder.join("sim/journal.jsonl"))?;
    let mut to_exchange = BTreeMap::new();
    for (tag, ts) in journal.lines().filter_map(|line| made(line, true)) {
        let id = tag.rsplit('.').next().and_then(|id| id.parse().ok());
        if let Some((id, time)) = id.and_then(|id| Some((id, since(id, ts)?))) {
            to_exchange.entry(id).or_insert(time);
        }
    }
    let whole = heard.iter().filter(|(ts, _)| *ts % SECOND == 0);
    let late = whole.map(|(ts, at)| Duration::from_nanos((at - ts).max(0) as u64)).collect();
    Ok(vec![
        ("stamp of a tick -> tick on the wire (mes-sim)", late),
        ("tick on the wire -> row at mes-exec", rows),
        ("tick on the wire -> order at mes-exec", to_exec),
        ("tick on the wire -> order on the wire", to_exchange.into_values().collect()),
    ])
}
