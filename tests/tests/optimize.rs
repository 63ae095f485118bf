//! Searches on a made-up market: the same whatever the threads, resumed after a kill, and refusing what means nothing.

use std::{fs, path::Path};

use mes_golden::shell;
use serde_json::Value;

const SEARCH: &str = "mes-lab optimize -q --vary exits.stop_ticks=4..16 --vary exits.target_ticks=8..24/4 \
                      --vary costs.slippage.rth_ticks=0,1 --min-trades 5";

fn predictions(folder: &Path) {
    let line = "mes-fetch synth -q --sessions 8 --seed 4 --session rth | mes-bars -q --session rth |
                mes-predict -q --rule ema-cross --to parquet > predictions.parquet";
    shell::ok(folder, line, b"");
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn threads_and_rows_left_out_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    predictions(folder);
    for method in ["--grid", "--random 40", "--adaptive 40 --prune", "--tpe 40 --prune"] {
        let run = |more: &str, out: &str| {
            fs::remove_dir_all(folder.join(out)).ok();
            let line = format!("{SEARCH} {method} {more} --out {out} predictions.parquet");
            (shell::ok(folder, &line, b""), read(folder, &format!("{out}/trials.jsonl")))
        };
        let first = run("--jobs 1", "a");
        assert_eq!(run("--jobs 4 --every-row", "b"), first, "{method}");
        let outcome: Value = serde_json::from_slice(&first.0).expect("JSON");
        assert!(outcome["counts"]["scored"].as_u64() > Some(0), "{method}: {outcome}");
        assert_eq!(outcome["holdout"]["days"], 2);
        assert!(outcome["searched"]["trials"] == outcome["counts"]["trials"], "{outcome}");
    }
    for name in
        ["optimize.txt", "optimize.json", "trials.csv", "map.svg", "best-rules.toml", "best-costs.toml"]
    {
        assert!(!read(folder, &format!("a/{name}")).is_empty());
    }
    // The best values as files, on the same days, come to what the search said.
    let outcome: Value = serde_json::from_slice(&read(folder, "a/optimize.json")).expect("JSON");
    let line = "mes-bt -q --json --rules a/best-rules.toml --costs a/best-costs.toml --ledger a/trials.jsonl \
                --out whole predictions.parquet";
    let summary: Value = serde_json::from_slice(&shell::ok(folder, line, b"")).expect("JSON");
    let days = String::from_utf8(read(folder, "whole/days.csv")).expect("text");
    let net: f64 =
        days.lines().skip(1).take(6).filter_map(|day| day.split(',').nth(5)?.parse::<f64>().ok()).sum();
    let best = outcome["best"]["net_usd"].as_f64().expect("a net");
    assert!((net - best).abs() < 0.005, "{net} {best}");
    assert_eq!(summary["evidence"]["sharpe"]["searched"], outcome["searched"]);
    assert!(summary["evidence"]["sharpe"]["dsr"].as_f64() <= summary["evidence"]["sharpe"]["psr"].as_f64());
}

#[test]
fn a_search_goes_on_where_it_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    predictions(folder);
    let whole = format!("{SEARCH} --tpe 60 --out a predictions.parquet");
    let first = shell::ok(folder, &whole, b"");
    let ledger = read(folder, "a/trials.jsonl");
    // What is left of the ledger by a kill within any line.
    for cut in [ledger.len() / 3, ledger.len() / 2 + 7, ledger.len() - 1] {
        fs::write(folder.join("a/trials.jsonl"), &ledger[..cut]).expect("writes");
        assert_eq!(shell::ok(folder, &whole, b""), first, "cut at {cut}");
        assert_eq!(read(folder, "a/trials.jsonl"), ledger, "cut at {cut}");
    }
    // A longer search is the shorter one and more.
    shell::ok(folder, &whole.replace("--tpe 60", "--tpe 76"), b"");
    let longer = read(folder, "a/trials.jsonl");
    assert!(longer.starts_with(&ledger) && longer.len() > ledger.len());
    // Another search of the same rows counts with it, and so does its look at the rows held out.
    let other = format!("{SEARCH} --random 20 --seed 9 --ledger a/trials.jsonl --out b predictions.parquet");
    let outcome: Value = serde_json::from_slice(&shell::ok(folder, &other, b"")).expect("JSON");
    assert!(outcome["searched"]["trials"].as_u64() > outcome["counts"]["trials"].as_u64());
    let text = String::from_utf8(read(folder, "b/optimize.txt")).expect("text");
    assert!(text.contains("rows held out were looked at"), "{text}");
}

#[test]
fn what_means_nothing_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    predictions(folder);
    for (flags, code, named) in [
        ("--grid --vary exits.stop_tick=4,8", 2, "exits.stop_tick"),
        ("--grid --vary nothing.stop_ticks=4,8", 2, "nothing.stop_ticks"),
        ("--grid --vary exits.stop_ticks=1,2", 2, "exits.stop_ticks"),
        ("--grid --vary entries.confidence=0.6..0.8", 2, "needs a step"),
        ("--grid --vary exits.stop_ticks=4,8 --vary exits.stop_ticks=6,8", 2, "twice"),
        ("--grid --vary exits.stop_ticks=8..4", 2, "not a range"),
        ("--vary exits.stop_ticks=4,8", 2, "--grid"),
        ("--grid --random 5 --vary exits.stop_ticks=4,8", 2, "--random"),
        ("--grid --vary exits.stop_ticks=4,8 --holdout 0.9", 3, "too few"),
    ] {
        let output =
            shell::run(folder, &format!("mes-lab optimize {flags} --out o predictions.parquet"), b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{flags}: {said}");
        assert!(said.contains(named), "{flags}: {said}");
    }
    // Values that break the rules are trials that were refused, with the reason, as long as others do not.
    let line = "mes-lab optimize -q --grid --vary entries.confidence=0.6,0.4 --vary exits.target_ticks=8,12 --min-trades 1 \
                --out o predictions.parquet";
    let outcome: Value = serde_json::from_slice(&shell::ok(folder, line, b"")).expect("JSON");
    assert_eq!((&outcome["counts"]["refused"], &outcome["counts"]["trials"]), (&2.into(), &4.into()));
    let trials = String::from_utf8(read(folder, "o/trials.csv")).expect("text");
    assert!(trials.contains("entries.confidence = 0.4"), "{trials}");
}
