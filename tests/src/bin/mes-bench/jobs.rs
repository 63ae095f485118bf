//! Jobs in numbers (`mes-bench jobs`): collecting some 10,000 results, and what a job costs beside its work. The results are
//! those of one real fold, with other days: what is measured is reading, checking and putting together.

use std::{
    fs,
    io::{Write, stdout},
    path::Path,
};

use chrono::{Datelike, NaiveDate, TimeDelta};
use mes_pipe::hash;
use serde_json::{Value, json};

use crate::{Result, lab::watched, shell_line, timed};

/// Weekdays, of which 1,667 folds are made in each of six families.
const DAYS_PLANNED: usize = 1_823;
const RESULTS: usize = 10_002;
/// Days of equity in each: those of a month's test, and so many that a result has nearly 100 kB.
const DAYS: [i64; 2] = [21, 380];
/// Goals of both.
const GOAL_S: f64 = 10.0;
const GOAL_MB: f64 = 200.0;

/// Makes results, collects them, and prints what that took.
pub fn run(folder: &Path) -> Result<()> {
    plan(folder)?;
    let mut out = stdout().lock();
    writeln!(out, "{:<52} {:>9} {:>9} {:>9} {:>9}", "what", "seconds", "goal", "MB", "goal")?;
    for days in DAYS {
        let bytes = results(folder, days)?;
        let mut peak_kb = 0;
        let took = timed(&mut || {
            peak_kb = watched(folder, "exec mes-lab collect -q --out all jobs.jsonl > /dev/null")?;
            Ok(())
        })?;
        let (seconds, megabytes) = (took.as_secs_f64(), peak_kb as f64 / 1024.0);
        let name = format!("mes-lab collect, {RESULTS} results of {days} days, {} kB", bytes / 1000);
        let missed = if seconds > GOAL_S || megabytes > GOAL_MB { " MISSED" } else { "" };
        writeln!(out, "{name:<52} {seconds:>9.1} {GOAL_S:>9.0} {megabytes:>9.0} {GOAL_MB:>9.0}{missed}")?;
    }
    let there = timed(&mut || {
        shell_line(folder, "for line in $(seq 50); do mes-lab job -q --line $line jobs.jsonl; done")
    })?;
    writeln!(
        out,
        "{:<52} {:>9.3}",
        "mes-lab job of a plan of 10,000, there already",
        there.as_secs_f64() / 50.0
    )?;
    shell_line(folder, "head -n 1 jobs.jsonl > one.jsonl")?;
    let there =
        timed(&mut || shell_line(folder, "for line in $(seq 50); do mes-lab job -q one.jsonl; done"))?;
    writeln!(
        out,
        "{:<52} {:>9.3}",
        "mes-lab job of a line of its own, there already",
        there.as_secs_f64() / 50.0
    )?;
    Ok(())
}

/// Plans many folds over days of one row each, and runs one real fold.
fn plan(folder: &Path) -> Result<()> {
    let first = NaiveDate::from_ymd_opt(2019, 5, 6).ok_or("a date")?;
    let weekdays = first.iter_days().filter(|date| date.weekday().number_from_monday() < 6);
    let row = |date: NaiveDate| format!("{date}T15:00:00Z,3000.00,3000.25,2999.75,3000.00,100,0,MES\n");
    let rows: String = weekdays.take(DAYS_PLANNED).map(row).collect();
    fs::write(folder.join("days.csv"), format!("ts,open,high,low,close,volume,seg,symbol\n{rows}"))?;
    shell_line(
        folder,
        &format!(
            "mes-lab walk-forward -q --plan --family logistic,boosted,forest,mlp,lstm,hybrid --out folds \
                 --train 100sessions --validate 20sessions --test 20sessions --step 1sessions days.csv > jobs.jsonl &&
             test \"$(wc -l < jobs.jsonl)\" = {RESULTS} &&
             mes-fetch synth -q --sessions 8 --seed 3 --session rth | mes-bars -q --session rth --interval 1m |
                 mes-features -q --labels=horizon --horizon 5m --to parquet > features.parquet &&
             mes-lab walk-forward -q --train 5sessions --validate 1sessions --test 2sessions --step 9sessions \
                 --train-args='--without f_delta_30,f_spread,f_queue,f_micro' --out real features.parquet > /dev/null"
        ),
    )
}

/// Writes a result for every job; returns the bytes of one.
fn results(folder: &Path, days: i64) -> Result<usize> {
    let real: Value = serde_json::from_slice(&fs::read(folder.join("real/fold-001/fold.json"))?)?;
    let done: Value = serde_json::from_slice(&fs::read(folder.join("real/fold-001/job.json"))?)?;
    let mut bytes = 0;
    for line in fs::read_to_string(folder.join("jobs.jsonl"))?.lines() {
        let job: Value = serde_json::from_str(line)?;
        let (mut result, mut done) = (real.clone(), done.clone());
        result["key"] = job["key"].clone();
        result["fold"] = job["task"]["fold"].clone();
        let begins = result["fold"]["test"]["from"].as_str().ok_or("a time")?[..10].parse::<NaiveDate>()?;
        let day = |index: i64| {
            let end = 100_000 + (index * 7919) % 3_001 - 1_500;
            json!({
                "date": begins + TimeDelta::days(1 + index), "start_cents": 100_000, "end_cents": end,
                "high_cents": end.max(100_000) + 250, "low_cents": end.min(100_000) - 300,
                "drawdown_cents": 550, "drawdown_ratio": 0.0055,
            })
        };
        result["days"] = (0..days).map(day).collect();
        let text = serde_json::to_string_pretty(&result)? + "\n";
        (done["key"], done["blake3"]) = (job["key"].clone(), hash(text.as_bytes()).into());
        let out = folder.join(job["out"].as_str().ok_or("a folder")?);
        fs::create_dir_all(&out)?;
        bytes = text.len();
        fs::write(out.join("fold.json"), text)?;
        fs::write(out.join("job.json"), done.to_string())?;
    }
    Ok(bytes)
}
