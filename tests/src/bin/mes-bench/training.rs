//! What training takes, family by family, and what a live row takes of each model: the plan of `mes-predict` in this
//! process, one row or window at a time, and the whole tool over a file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::Duration,
};

use mes_golden::shell;
use mes_predict::model::Model;

use crate::{
    RUNS, Result, shell_line,
    table::{Case, Table, Unit},
    timed,
};

/// A family and how it is trained here: nets of sequences on a tenth of the rows, one epoch of each net, 100
/// rounds of boosting.
struct Family {
    name: &'static str,
    stride: &'static str,
    flags: &'static [&'static str],
    /// Rows a second that the whole tool should give on one core.
    goal: Option<f64>,
}

const FAMILIES: [Family; 7] = [
    Family { name: "logistic", stride: "all", flags: &[], goal: Some(1.3e6) },
    Family { name: "boosted", stride: "all", flags: &["--rounds", "100", "--patience", "100"], goal: None },
    Family { name: "forest", stride: "all", flags: &[], goal: None },
    Family { name: "mlp", stride: "all", flags: &["--epochs", "1"], goal: Some(1.3e6) },
    Family { name: "lstm", stride: "10s", flags: &["--epochs", "1"], goal: None },
    Family { name: "hybrid", stride: "10s", flags: &["--epochs", "1"], goal: None },
    Family { name: "transformer", stride: "10s", flags: &["--epochs", "1"], goal: None },
];

/// Sessions and their rows: 400,000 and a few.
const SESSIONS: usize = 18;
const ROWS: usize = 23_400;
/// Live rows that are timed one by one.
const LIVE: usize = 20_000;

/// Returns how many rows there are to train on.
pub fn rows() -> usize {
    SESSIONS * ROWS
}

/// Adds all cases. The data is made in `folder`.
pub fn cases(folder: &Path, table: &mut Table) -> Result<()> {
    let make = |sessions: usize, labels: &str, file: &str| {
        shell_line(
            folder,
            &format!(
                "mes-fetch synth -q --sessions {sessions} --seed 3 --session rth --to arrow |
                    mes-features -q {labels} --to arrow > {file}"
            ),
        )
    };
    make(SESSIONS, "--labels=horizon", "train.arrow")?;
    make(1, "", "session.arrow")?;
    for family in &FAMILIES {
        train(folder, family, table)?;
    }
    for family in &FAMILIES {
        live(folder, family, table)?;
    }
    Ok(())
}

fn model(folder: &Path, family: &Family) -> PathBuf {
    folder.join(format!("{}.onnx", family.name))
}

/// Times one training, with the memory it took at most.
fn train(folder: &Path, family: &Family, table: &mut Table) -> Result<()> {
    let mut command = Command::new(shell::tools().join("mes-train"));
    command.args([family.name, "-q", "--stride", family.stride, "--out"]).arg(model(folder, family));
    command.args(family.flags).arg(folder.join("train.arrow"));
    let mut most_kb = 0;
    let time = timed(&mut || {
        let mut child = command.spawn()?;
        loop {
            most_kb = peak_kb(child.id()).unwrap_or(0).max(most_kb);
            match child.try_wait()? {
                None => sleep(Duration::from_millis(20)),
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("mes-train {}: {status}", family.name).into()),
            }
        }
    })?;
    let rows = Model::load(&model(folder, family))?.card.rows;
    let rows = rows.train + rows.validation + rows.calibration + rows.test;
    let name = format!("train {} {}, {} MB", family.name, family.flags.join(" "), most_kb / 1024);
    table.add(&Case::rows(name, rows), &[time])
}

/// Reads the most memory that a process has had, where the system tells.
fn peak_kb(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Times the 99th of 100 live rows, and the tool over a file.
fn live(folder: &Path, family: &Family, table: &mut Table) -> Result<()> {
    let path = model(folder, family);
    let model = Model::load(&path)?;
    let values: Vec<f32> = (0..model.plan.values()).map(|place| (place % 97) as f32 / 97.0).collect();
    let mut slowest_of_99 = Vec::new();
    for _ in 0..RUNS {
        let mut times = (0..LIVE)
            .map(|_| timed(&mut || model.probabilities(&values).map(drop).map_err(Into::into)))
            .collect::<Result<Vec<_>>>()?;
        times.sort_unstable();
        slowest_of_99.push(times[LIVE * 99 / 100]);
    }
    let case =
        Case { unit: Unit::MicrosPerRow, ..Case::rows(format!("a live row of {}, p99", family.name), 1) };
    table.add(&case.goal(300.0), &slowest_of_99)?;

    let (file, rows) = match model.card.window {
        1 => ("train.arrow", SESSIONS * ROWS),
        // One window at a time: a session is enough.
        _ => ("session.arrow", ROWS),
    };
    let line = format!(
        "taskset -c 0 mes-predict -q --to arrow --allow-in-sample --model {} {file} > /dev/null",
        path.display()
    );
    let runs = (0..RUNS).map(|_| timed(&mut || shell_line(folder, &line))).collect::<Result<Vec<_>>>()?;
    table.add(
        &Case { goal: family.goal, ..Case::rows(format!("mes-predict {}, one core", family.name), rows) },
        &runs,
    )
}
