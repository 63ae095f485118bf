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
