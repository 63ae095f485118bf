//! Prints how fast the tools are on this machine: `make bench`. All data is synthetic and made first, in a folder
//! that goes away again. Rates are medians of three; what counts is the column `ratio`, which compares cases of one run.
//! `mes-bench GROUP…` runs other groups of cases than those that [`GROUPS`] marks; some take many minutes.

mod engine;
mod exchange;
mod features;
mod floor;
mod in_process;
mod jobs;
mod lab;
mod large;
mod live;
mod serving;
mod table;
mod tools;
mod training;
mod watch;

use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use mes_golden::shell;
use table::{Case, Table};
use tools::Data;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each case runs.
const RUNS: usize = 3;

/// A group by name, whether it runs unasked, and its cases.
type Group = (&'static str, bool, fn(&Path) -> Result<()>);

const GROUPS: [Group; 12] = [
    ("tools", true, tools),
    ("features", true, features),
    ("loop", true, in_process),
    ("serving", true, serving::cases),
    ("training", false, training),
    ("rows", false, large::bench),
    ("lab", false, |_| lab::run()),
    ("jobs", false, jobs::run),
    ("exchange", false, exchange::run),
    ("live", false, live::run),
    ("day", false, live::day),
    ("watch", false, watch::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [verb, bars, rules, costs] if verb == "engine" => engine::print(bars, rules, costs),
        groups => bench(groups),
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

fn bench(asked: &[String]) -> Result<()> {
    if let Some(unknown) = asked.iter().find(|name| GROUPS.iter().all(|(known, ..)| known != name)) {
        let known: Vec<&str> = GROUPS.iter().map(|(name, ..)| *name).collect();
        return Err(format!("no group {unknown:?} among {}", known.join(", ")).into());
    }
    for (name, unasked, cases) in GROUPS {
        if asked.iter().any(|asked| asked == name) || asked.is_empty() && unasked {
            cases(tempfile::tempdir()?.path())?;
        }
    }
    Ok(())
}

fn tools(folder: &Path) -> Result<()> {
    let data = Data::make(folder)?;
    let mut table = Table::begin(data.rows)?;
    lines(folder, tools::cases(&data), &mut table)
}

fn features(folder: &Path) -> Result<()> {
    let data = Data::make(folder)?;
    let mut table = Table::begin(data.rows)?;
    lines(folder, features::cases(&data), &mut table)?;
    let live = features::Live::read(folder)?;
    let [computed, by_pipes] = features::live_cases();
    table.add(&computed, &three_times(|| live.compute())?)?;
    table.add(&by_pipes, &three_times(|| live.round_trips(folder))?)
}

fn in_process(folder: &Path) -> Result<()> {
    let data = Data::make(folder)?;
    let mut table = Table::begin(data.rows)?;
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
        table.add(&Case::rows(name, rows.len()).goal(7e6), &runs)?;
    }
    Ok(())
}

fn training(folder: &Path) -> Result<()> {
    let mut table = Table::begin(training::rows())?;
    training::cases(folder, &mut table)
}

/// Runs shell lines three times each.
fn lines(folder: &Path, lines: Vec<tools::Line>, table: &mut Table) -> Result<()> {
    for case in lines {
        let runs = three_times(|| shell_line(folder, &case.line))?;
        table.add(&Case { name: case.name, rows: case.rows, goal: case.goal, unit: case.unit }, &runs)?;
    }
    Ok(())
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
