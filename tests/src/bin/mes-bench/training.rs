//! What a fit takes, family by family, as it comes: default settings, stopped when the validation rows say so. And what
//! a live row takes of each model: the plan of `mes-predict` in this process, one row or window at a time, and the whole
//! tool over a file.

use std::{
    fs::{self, File},
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

/// A family and the distance of the rows it is trained on: every one, but of sequences one in ten.
struct Family {
    name: &'static str,
    stride: &'static str,
    /// Rows a second that the whole tool should give on one core.
    goal: Option<f64>,
}

const FAMILIES: [Family; 7] = [
    Family { name: "logistic", stride: "1s", goal: Some(1.3e6) },
    Family { name: "boosted", stride: "1s", goal: None },
    Family { name: "forest", stride: "1s", goal: None },
    Family { name: "mlp", stride: "1s", goal: Some(1.3e6) },
    Family { name: "lstm", stride: "10s", goal: None },
    Family { name: "hybrid", stride: "10s", goal: None },
    Family { name: "transformer", stride: "10s", goal: None },
];

/// Sessions and their rows, of which 400,000 and a few have all features.
const SESSIONS: usize = 19;
const ROWS: usize = 23_400;
/// What a fit of fewer rows is scaled to, and said to be.
const WANTED: usize = 400_000;
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
                "mes-fetch synth -q --sessions {sessions} --seed 3 --session rth | mes-bars -q --session rth |
                    mes-features -q --warm-within 24h {labels} --to arrow > {file}"
            ),
        )
    };
    make(SESSIONS, "--labels=horizon", "train.arrow")?;
    make(1, "", "session.arrow")?;
    table.note("fits with default settings, stopped early; reading, calibration and check included\n")?;
    for family in &FAMILIES {
        table.note(&train(folder, family)?)?;
    }
    table.note("")?;
    for family in &FAMILIES {
        live(folder, family, table)?;
    }
    Ok(())
}

fn model(folder: &Path, family: &Family) -> PathBuf {
    folder.join(format!("{}.onnx", family.name))
}

/// Times one fit and says of how many rows, how far apart, how long it went on, and the memory it took at most.
fn train(folder: &Path, family: &Family) -> Result<String> {
    let said = folder.join("said");
    let mut command = Command::new(shell::tools().join("mes-train"));
    command.args([family.name, "--stride", family.stride, "--out"]).arg(model(folder, family));
    command.arg(folder.join("train.arrow")).stderr(File::create(&said)?);
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
    let card = Model::load(&model(folder, family))?.card;
    let rows = card.rows.train + card.rows.validation + card.rows.calibration + card.rows.test;
    let what = if card.window == 1 { "rows".into() } else { format!("windows of {} rows", card.window) };
    let said = fs::read_to_string(said)?;
    let ended = said.lines().find(|line| line.contains("; validation loss"));
    let ended = ended.and_then(|line| line.split_once(": ")).map_or("nothing to stop by", |(_, ended)| ended);
    let (name, stride, seconds, mb) = (family.name, family.stride, time.as_secs_f64(), most_kb / 1024);
    let mut line = format!("fit {name}, {rows} {what} {stride} apart: {seconds:.1} s, {mb} MB ({ended})");
    if card.window > 1 {
        let scaled = seconds * WANTED as f64 / rows as f64;
        line += &format!("; SCALED, not measured: {scaled:.0} s for {WANTED}");
    }
    Ok(line)
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
