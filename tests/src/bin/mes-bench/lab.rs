//! The lab on two years of cash sessions (`mes-bench lab`): a whole backtest with its memory, a search of 200 trials,
//! one fold of a walk-forward. Seconds, not rates; each runs once, because each takes long.

use std::{
    io::{Write, stdout},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use mes_golden::shell;

use crate::{Result, shell_line, timed};

/// Sessions of two years, and of the rows that a fold of six months, one and one needs.
const TWO_YEARS: usize = 504;
const EIGHT_MONTHS: usize = 168;

struct Case {
    name: &'static str,
    line: &'static str,
    goal_s: f64,
    goal_mb: Option<f64>,
}

const CASES: [Case; 4] = [
    Case {
        name: "mes-bt, whole, two years of seconds",
        line: "exec mes-bt -q --rules endless.toml two-years.parquet > /dev/null",
        goal_s: 10.0,
        goal_mb: Some(500.0),
    },
    Case {
        name: "mes-lab optimize, 200 trials over them",
        line: "exec mes-lab optimize -q --rules endless.toml --random 200 --vary exits.stop_ticks=4..16 \
               --vary exits.target_ticks=8..32 --holdout 0 --out all two-years.parquet > /dev/null",
        goal_s: 180.0,
        goal_mb: None,
    },
    Case {
        name: "mes-lab optimize --prune, 200 trials",
        line: "exec mes-lab optimize -q --rules endless.toml --random 200 --vary exits.stop_ticks=4..16 \
               --vary exits.target_ticks=8..32 --holdout 0 --prune --out pruned two-years.parquet > /dev/null",
        goal_s: 120.0,
        goal_mb: None,
    },
    Case {
        name: "mes-lab walk-forward, one fold, logistic",
        line: "exec mes-lab walk-forward -q --rules endless.toml --train 6mo --validate 1mo --test 3w --step 6mo \
               --train-args='--without f_delta_30,f_spread,f_queue,f_micro' --out walk features.parquet > /dev/null",
        goal_s: 30.0,
        goal_mb: None,
    },
];

/// Makes the data, runs the cases and prints what they took.
pub fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    make(folder)?;
    let cores = thread::available_parallelism()?;
    let mut out = stdout().lock();
    writeln!(out, "Synthetic data, {TWO_YEARS} cash sessions of seconds; {cores} cores; one run each.\n")?;
    writeln!(out, "{:<44} {:>9} {:>9} {:>9} {:>9}", "what", "seconds", "goal", "MB", "goal")?;
    for case in CASES {
        let mut peak_kb = 0;
        let took = timed(&mut || {
            peak_kb = watched(folder, case.line)?;
            Ok(())
        })?;
        let (seconds, megabytes) = (took.as_secs_f64(), peak_kb as f64 / 1024.0);
        let missed = seconds > case.goal_s || case.goal_mb.is_some_and(|goal| megabytes > goal);
        let goal = case.goal_mb.map_or_else(String::new, |goal| format!("{goal:.0}"));
        writeln!(
            out,
            "{:<44} {seconds:>9.1} {:>9.0} {megabytes:>9.0} {goal:>9}{}",
            case.name,
            case.goal_s,
            if missed { " MISSED" } else { "" }
        )?;
        out.flush()?;
    }
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    let rules = shell::root().join("pipelines/rules/mes-1k.toml");
    shell_line(
        folder,
        &format!(
            "sed -E 's/^(capital|daily_loss|daily_drawdown|account_drawdown|kill_loss)_usd = .*/\\1_usd = 1000000.0/' \
                 {} > endless.toml &&
             mes-fetch synth -q --sessions {TWO_YEARS} --session rth | mes-bars -q --session rth |
                 mes-predict -q --rule ema-cross --to parquet > two-years.parquet &&
             mes-fetch synth -q --sessions {EIGHT_MONTHS} --session rth | mes-bars -q --session rth |
                 mes-features -q --labels=horizon --to parquet > features.parquet",
            rules.display()
        ),
    )
}

/// Runs a line that becomes one process, and returns the most memory it held, in kB; that of tools it starts is not in it.
pub fn watched(folder: &Path, line: &str) -> Result<u64> {
    let mut command: Command = shell::bash(folder, line);
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let mut peak = 0;
    loop {
        peak = peak.max(resident_kb(&child));
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(peak) } else { Err(format!("{status}: {line}").into()) };
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the peak so far, which the system keeps, so that looking now and then misses only the very end.
fn resident_kb(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
