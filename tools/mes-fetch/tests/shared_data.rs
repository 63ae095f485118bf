//! Recorded markets, where they are at hand: nothing of them is kept here.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
};

/// Returns the folder of recorded markets, or says that the test is skipped.
fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !root.is_dir() {
        eprintln!("skipped: no shared data");
        return None;
    }
    Some(root)
}

fn fetch(args: &str, files: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-fetch"));
    command.args(args.split_whitespace()).args(files).output().expect("the tool starts")
}

fn rows(output: &Output) -> Vec<Vec<String>> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The trades of six hours make the seconds that were recorded beside them: price and volume, stamped at `floor + 1 s`.
#[test]
fn trades_make_the_recorded_seconds() {
    let Some(root) = shared() else { return };
    let folder = root.join("nq-1s-2025-12");
    let ticks =
        fetch("import --preset madrid-ticks --to csv", &[folder.join("nq_20251209_ticks_0000-0600.csv.gz")]);
    let mut made = BTreeMap::new();
    for row in rows(&ticks) {
        let (price, size): (f64, i64) = (row[1].parse().expect("a price"), row[2].parse().expect("a size"));
        let ts = mes_core::time::parse(&row[0]).expect("a time");
        let second = made.entry((ts.div_euclid(1_000_000_000) + 1) * 1_000_000_000).or_insert((0.0, 0));
        *second = (price, second.1 + size);
    }
    let seconds = fetch("import --preset madrid-1s --to csv", &[folder.join("nq_20251209.csv.gz")]);
    let mut equal = 0;
    for row in rows(&seconds) {
        let ts = mes_core::time::parse(&row[0]).expect("a time");
        if let Some(second) = made.remove(&ts) {
            let recorded = (row[4].parse().expect("a price"), row[5].parse().expect("a volume"));
            assert_eq!(second, recorded, "{}", row[0]);
            equal += 1;
        }
    }
    assert_eq!((equal, made.len()), (6663, 0));
}

/// Imports a file and returns what `verify` says of it.
fn verified(import: &str, files: &[PathBuf]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.arrow");
    let rows = fetch(&format!("import --to arrow {import}"), files);
    assert!(rows.status.success(), "{}", String::from_utf8_lossy(&rows.stderr));
    std::fs::write(&path, rows.stdout).expect("a file");
    let found = fetch("verify", &[path]);
    serde_json::from_slice(&found.stdout).expect("JSON")
}

#[test]
fn verify_tells_what_is_known_of_the_files() {
    let Some(root) = shared() else { return };
    let mes = verified("--preset ninjatrader", &[root.join("mes-1m-2026/mes_1m_20260526_20260612.txt.gz")]);
    let gap = &mes["gaps"]["suspicious"];
    assert_eq!((gap.as_array().map(Vec::len), gap[0]["rows"].as_i64()), (Some(1), Some(41)));
    assert_eq!(gap[0]["from"], "2026-06-09T14:57:00Z");
    // Across the change to summer time not a row lies outside the sessions, and none is missing.
    let file = root.join("es-5m-2023/ESH23-CME.scid_BarData__5m.txt.gz");
    let es = verified("--preset sierra --interval 5m --symbol ESH23", &[file]);
    assert_eq!((es["fit"].as_bool(), es["rows"].as_u64()), (Some(true), Some(17_118)));
    assert!(es["checks"].as_array().expect("checks").iter().all(|check| check["count"] == 0), "{es}");
    let second = root.join("es-1s-2019-12-16/ESH0_20191216_1s.csv.gz");
    let day = verified("--stamp open --interval 1s", &[second]);
    assert_eq!(day["gaps"]["known"][0]["why"], "pause of 16:15");
    assert_eq!(day["gaps"]["expected"]["rows"], 82_800 - 900 - 24_471);
}
