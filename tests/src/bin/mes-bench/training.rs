//! Training: every family once on as many rows as two years of cash sessions have at a stride of one horizon (about
//! 400,000), with the most memory that it held.

use std::{
    fs,
    io::{Write, stdout},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use mes_golden::shell;
use serde_json::Value;

use crate::{Result, shell_line, timed};

/// Cash sessions of one-second rows, all of which are taken; 60 or 70 % of them are trained on.
const SESSIONS: usize = 31;
const POLL: Duration = Duration::from_millis(20);

/// A family and the flags that make its work the same on any data.
const FAMILIES: [(&str, &[&str]); 3] =
    [("logistic", &[]), ("boosted", &["--rounds", "100", "--patience", "100"]), ("forest", &[])];

/// Trains a model of every family in `folder` and prints the table.
pub fn cases(folder: &Path) -> Result<()> {
    shell_line(
        folder,
        &format!(
            "mes-fetch synth -q --sessions {SESSIONS} --seed 9 --session rth | mes-bars -q --session rth |
             mes-features -q --labels=horizon --to parquet > trained.parquet"
        ),
    )?;
    let mut out = stdout().lock();
    writeln!(out, "\nTraining, {SESSIONS} sessions of 1 s, every row taken, once each.\n")?;
    writeln!(out, "{:<14} {:>10} {:>10} {:>12}  flags", "family", "rows", "seconds", "memory")?;
    for (family, flags) in FAMILIES {
        let (mut peak_bytes, model) = (0, folder.join(format!("trained-{family}.onnx")));
        let spent = timed(&mut || {
            let mut tool = Command::new(shell::tools().join("mes-train"));
            tool.args([family, "-q", "--stride", "all", "--out"]).arg(&model).args(flags);
            let child = tool.arg(folder.join("trained.parquet")).stderr(Stdio::null()).spawn()?;
            peak_bytes = peak(child)?;
            Ok(())
        })?;
        let rows = rows(&model)?;
        let memory = format!("{} MB", peak_bytes >> 20);
        let (seconds, flags) = (spent.as_secs_f64(), flags.join(" "));
        writeln!(out, "{family:<14} {rows:>10} {seconds:>10.1} {memory:>12}  {flags}")?;
        out.flush()?;
    }
    Ok(())
}

/// Returns how many rows a model was trained on.
fn rows(model: &Path) -> Result<u64> {
    let mut inspect = Command::new(shell::tools().join("mes-predict"));
    let card: Value =
        serde_json::from_slice(&inspect.args(["inspect", "--json"]).arg(model).output()?.stdout)?;
    card["rows"]["train"].as_u64().ok_or_else(|| format!("{}: no rows in its card", model.display()).into())
}

/// Waits for a program and returns the most memory that it was seen to hold, in bytes.
fn peak(mut child: Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: u64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
        most = most.max(kilobytes << 10);
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(most) } else { Err(format!("mes-train: {status}").into()) };
        }
        thread::sleep(POLL);
    }
}
