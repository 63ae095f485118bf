//! Models as they are served: `mes-predict bench` beside onnxruntime (from PyPI) on the same files in the same run, and
//! a live row's p99 of every family.

use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::Command,
};

use mes_golden::shell;
use serde_json::Value;

use crate::{Result, shell_line};

/// A family, the flags that train it quickly (how well does not matter here), and the least ratio to onnxruntime.
struct Family {
    name: &'static str,
    flags: &'static str,
    ratio: Option<f64>,
}

const FAMILIES: [Family; 7] = [
    Family { name: "logistic", flags: "", ratio: None },
    Family { name: "boosted", flags: "--rounds 100 --patience 100 --learning-rate 0.02", ratio: Some(0.8) },
    Family { name: "forest", flags: "--min-leaf 2", ratio: Some(0.8) },
    Family { name: "mlp", flags: "--epochs 1", ratio: None },
    Family { name: "lstm", flags: "--epochs 1", ratio: None },
    Family { name: "hybrid", flags: "--epochs 1", ratio: None },
    Family { name: "transformer", flags: "--epochs 1", ratio: None },
];

/// What a live row may take at the 99th percentile.
const LIVE_P99_US: f64 = 300.0;

/// Trains a model of every family in `folder` and prints the table.
pub fn cases(folder: &Path) -> Result<()> {
    shell_line(
        folder,
        "mes-fetch synth -q --sessions 3 --seed 4 --session rth | mes-bars -q --session rth |
         mes-features -q --labels=horizon --to arrow > served.arrow",
    )?;
    let mut models = Vec::new();
    for family in &FAMILIES {
        let Family { name, flags, .. } = family;
        shell_line(folder, &format!("mes-train {name} -q {flags} --out served-{name}.onnx served.arrow"))?;
        models.push(folder.join(format!("served-{name}.onnx")));
    }
    let peer = onnxruntime(&models)?;
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nModels, features in memory to probabilities, one core; onnxruntime beside it where there is one."
    )?;
    if peer.is_empty() {
        writeln!(out, "NO ONNXRUNTIME BESIDE: `make oracle` installs it into .venv")?;
    }
    writeln!(
        out,
        "\n{:<14} {:>13} {:>13} {:>7} {:>12} {:>10} {:>10} {:>10}",
        "family", "rows/s", "onnxruntime", "ratio", "goal", "live p50", "live p99", "goal"
    )?;
    for (index, family) in FAMILIES.iter().enumerate() {
        let own = own(&models[index])?;
        let rate = number(&own["batch_rows_per_s"])?;
        let [p50, p99] = ["p50_us", "p99_us"].map(|name| number(&own["live"][name]));
        let (p50, p99) = (p50?, p99?);
        let theirs = peer.get(index).map(|peer| number(&peer["rows_per_s"])).transpose()?;
        let ratio = theirs.map(|theirs| rate / theirs);
        let text =
            |value: Option<f64>, places: usize| value.map_or("-".into(), |value| format!("{value:.places$}"));
        let goal = family
            .ratio
            .map_or(String::new(), |goal| met(ratio.is_none_or(|ratio| ratio >= goal), format!("≥ {goal}")));
        let live = met(p99 <= LIVE_P99_US, format!("≤ {LIVE_P99_US} µs"));
        writeln!(
            out,
            "{:<14} {rate:>13.0} {:>13} {:>7} {goal:>12} {:>10} {:>10} {live:>10}",
            family.name,
            text(theirs, 0),
            text(ratio, 2),
            format!("{p50:.1} µs"),
            format!("{p99:.1} µs"),
        )?;
    }
    Ok(out.flush()?)
}

fn met(met: bool, goal: String) -> String {
    if met { goal } else { format!("{goal} MISSED") }
}

fn own(model: &Path) -> Result<Value> {
    let output = Command::new(shell::tools().join("mes-predict")).arg("bench").arg(model).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Returns what onnxruntime does with the same files, or nothing where there is none.
fn onnxruntime(models: &[PathBuf]) -> Result<Vec<Value>> {
    let python = shell::root().join(".venv/bin/python");
    if !python.exists() {
        return Ok(Vec::new());
    }
    let output =
        Command::new(python).arg(shell::root().join("tests/oracle/speed.py")).args(models).output()?;
    if !output.status.success() {
        return Err(format!("speed.py: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let lines = std::str::from_utf8(&output.stdout)?.lines();
    Ok(lines.map(serde_json::from_str).collect::<std::result::Result<_, _>>()?)
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().ok_or_else(|| format!("{value} is no number").into())
}
