//! Prints how fast the tools are on this machine: `make bench`. All data is synthetic and made first, in a folder
//! that goes away again. Rates are medians of three; what counts is the column `ratio`, which compares cases of one run.

mod engine;
mod in_process;
mod serving;
mod table;
mod tools;

use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use mes_golden::shell;
use table::{Case, Table};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each case runs.
const RUNS: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [] => bench(),
        [verb, predictions, rules, costs] if verb == "loop" => engine::print(predictions, rules, costs),
        _ => Err("usage: mes-bench, or mes-bench loop PREDICTIONS RULES COSTS".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "mes-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tools::Data::make(folder.path())?;
    let mut table = Table::begin(data.rows)?;
    for case in tools::cases(&data) {
        let runs = three_times(|| shell_line(folder.path(), &case.line))?;
        table.add(&Case { name: case.name, rows: case.rows, goal: case.goal, unit: case.unit }, &runs)?;
    }
    let rows = in_process::Held::read(&data.predictions)?;
    for entries in [false, true] {
        let mut fills = 0;
        let runs = three_times(|| {
            fills = rows.trade(entries)?;
            Ok(())
        })?;
        let name = match entries {
            false => "in process: loop without entries".to_owned(),
            true => format!("in process: loop with {fills} fills"),
        };
        table.add(&Case::rows(name, rows.len()).goal(3e6), &runs)?;
    }
    serving::cases(folder.path())
}

fn three_times(mut run: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    (0..RUNS).map(|_| timed(&mut run)).collect()
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; nothing it measures does")]
fn timed(run: &mut impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

fn shell_line(folder: &Path, line: &str) -> Result<()> {
    let status = shell::bash(folder, line).status()?;
    if status.success() { Ok(()) } else { Err(format!("{status}: {line}").into()) }
}
