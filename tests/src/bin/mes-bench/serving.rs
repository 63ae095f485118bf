//! Models as they are served: `mes-predict bench` beside onnxruntime (from PyPI) on the same files in the same run, and
//! a live row's p99 of every family. Each goal is a line of its own, MET or MISSED.

use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::Command,
};

use mes_golden::shell;
use serde_json::Value;

use crate::{Result, shell_line};

/// A family, the flags that train it quickly (how well does not matter here), the least ratio to onnxruntime, and the
/// least rows a second.
struct Family {
    name: &'static str,
    flags: &'static str,
    ratio: Option<f64>,
    rate: Option<f64>,
}

/// What was measured of a family.
struct Served {
    rate: f64,
    /// Of onnxruntime, where there is one.
    theirs: Option<f64>,
    p50: f64,
    p99: f64,
}

const FAMILIES: [Family; 7] = [
    Family { name: "logistic", flags: "", ratio: None, rate: None },
    Family {
        name: "boosted",
        flags: "--rounds 100 --patience 100 --learning-rate 0.02",
        ratio: Some(0.8),
        rate: None,
    },
    Family { name: "forest", flags: "--min-leaf 2", ratio: Some(0.8), rate: None },
    Family { name: "mlp", flags: "--epochs 1", ratio: None, rate: Some(1.3e6) },
    Family { name: "lstm", flags: "--epochs 1", ratio: None, rate: None },
    Family { name: "hybrid", flags: "--epochs 1", ratio: None, rate: None },
    Family { name: "transformer", flags: "--epochs 1", ratio: None, rate: None },
];

/// What a live row may take at the 99th percentile.
const LIVE_P99_US: f64 = 300.0;

/// Trains a model of every family in `folder` and prints the table.
pub fn cases(folder: &Path) -> Result<()> {
    shell_line(
        folder,
        "mes-fetch synth -q --sessions 3 --seed 4 --session rth | mes-bars -q --session rth |
         mes-features -q --warm-within 24h --labels=horizon --to arrow > served.arrow",
    )?;
    let mut models = Vec::new();
    for family in &FAMILIES {
        let Family { name, flags, .. } = family;
        shell_line(folder, &format!("mes-train {name} -q {flags} --out served-{name}.onnx served.arrow"))?;
        models.push(folder.join(format!("served-{name}.onnx")));
    }
    let peer = onnxruntime(&models)?;
    let served: Vec<Served> = models
        .iter()
        .enumerate()
        .map(|(index, model)| {
            let theirs = peer.get(index).map(|peer| number(&peer["rows_per_s"])).transpose()?;
            let own = own(model)?;
            let [p50, p99] = ["p50_us", "p99_us"].map(|name| number(&own["live"][name]));
            Ok(Served { rate: number(&own["batch_rows_per_s"])?, theirs, p50: p50?, p99: p99? })
        })
        .collect::<Result<_>>()?;
    print(&served)
}

fn print(served: &[Served]) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nModels, features in memory to probabilities, one core; onnxruntime beside it where there is one."
    )?;
    if served.iter().all(|served| served.theirs.is_none()) {
        writeln!(out, "NO ONNXRUNTIME BESIDE: `make oracle` installs it into .venv")?;
    }
    writeln!(
        out,
        "\n{:<14} {:>13} {:>13} {:>7} {:>12} {:>12}",
        "family", "rows/s", "onnxruntime", "ratio", "live p50", "live p99"
    )?;
    let text =
        |value: Option<f64>, places: usize| value.map_or("-".into(), |value| format!("{value:.places$}"));
    for (family, one) in FAMILIES.iter().zip(served) {
        let Served { rate, theirs, p50, p99 } = one;
        let ratio = theirs.map(|theirs| rate / theirs);
        let (theirs, ratio) = (text(*theirs, 0), text(ratio, 2));
        let name = family.name;
        writeln!(out, "{name:<14} {rate:>13.0} {theirs:>13} {ratio:>7} {p50:>9.1} µs {p99:>9.1} µs")?;
    }
    writeln!(out)?;
    for (family, one) in FAMILIES.iter().zip(served) {
        for line in goals(family, one) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}

/// Says what is wanted of a family, what was found, and whether that is enough.
fn goals(family: &Family, served: &Served) -> Vec<String> {
    let Family { name, ratio, rate, .. } = family;
    let line = |what: String, found: Option<String>, met: bool| {
        let (found, met) = match found {
            Some(found) => (found, if met { "MET" } else { "MISSED" }),
            None => ("-".into(), "NOT MEASURED"),
        };
        format!("{:<54} {found:>12}  {met}", format!("goal: {name}, {what}"))
    };
    let (p99, found) = (served.p99, served.rate);
    let mut lines = vec![line(
        format!("a live row's p99 under {LIVE_P99_US} µs"),
        Some(format!("{p99:.1} µs")),
        p99 < LIVE_P99_US,
    )];
    if let Some(goal) = rate {
        let what = format!("{:.1} M rows/s or more on one core", goal / 1e6);
        lines.push(line(what, Some(format!("{:.2} M", found / 1e6)), found >= *goal));
    }
    if let Some(goal) = ratio {
        let share = served.theirs.map(|theirs| found / theirs);
        let what = format!("onnxruntime × {goal} or more");
        lines.push(line(
            what,
            share.map(|share| format!("× {share:.2}")),
            share.is_some_and(|share| share >= *goal),
        ));
    }
    lines
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
