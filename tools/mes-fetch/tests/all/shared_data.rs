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

/// Imports files and returns what `verify` says of them.
fn verified(import: &str, files: &[PathBuf]) -> serde_json::Value {
    verified_as(import, "", files)
}

fn verified_as(import: &str, flags: &str, files: &[PathBuf]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.arrow");
    let rows = fetch(&format!("import --to arrow {import}"), files);
    assert!(rows.status.success(), "{}", String::from_utf8_lossy(&rows.stderr));
    std::fs::write(&path, rows.stdout).expect("a file");
    let found = fetch(&format!("verify {flags}"), &[path]);
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

/// What `verify` should find: rows, suspicious holes, missing rows that nobody traded in, and other counts above 0.
fn found(report: &serde_json::Value) -> (i64, usize, i64, Vec<(String, i64)>) {
    let checks = report["checks"].as_array().expect("checks").iter();
    let counts = checks.map(|check| {
        (check["check"].as_str().unwrap_or_default().to_owned(), check["count"].as_i64().unwrap_or(-1))
    });
    (
        report["rows"].as_i64().unwrap_or(-1),
        report["gaps"]["suspicious"].as_array().map_or(0, Vec::len),
        report["gaps"]["expected"]["rows"].as_i64().unwrap_or(-1),
        counts.filter(|(_, count)| *count > 0).collect(),
    )
}

/// The whole day of ES as ticks, as the bars made from them, and as DBN: nothing wrong, and the same holes.
#[test]
fn a_day_of_es_is_fit_in_all_its_forms() {
    let Some(root) = shared() else { return };
    let day = root.join("es-1s-2019-12-16");
    let ticks = verified("", &[day.join("ESH0_20191216_ticks.csv.gz")]);
    assert_eq!((ticks["rows"].as_u64(), ticks["fit"].as_bool()), (Some(421_785), Some(true)));
    let bars = verified("--stamp open --interval 1s", &[day.join("ESH0_20191216_1s.csv.gz")]);
    let dbn = verified("", &[day.join("ESH0_20191216_ohlcv-1s.dbn.zst")]);
    for report in [&bars, &dbn] {
        assert_eq!(found(report), (24_471, 0, 82_800 - 900 - 24_471, vec![]));
    }
}

#[test]
fn two_days_of_nq_are_fit() {
    let Some(root) = shared() else { return };
    for (day, rows) in [("08", 43_441), ("09", 42_483)] {
        let file = root.join(format!("nq-1s-2025-12/nq_202512{day}.csv.gz"));
        let report = verified("--preset madrid-1s --symbol NQZ5", &[file]);
        let last_second = i64::from(report["last"] != "2025-12-08T21:59:59Z");
        assert_eq!(found(&report), (rows, 0, 82_799 + last_second - rows, vec![]));
    }
}

/// Half a year of cash sessions: the window is fixed in UTC, so from 13 March on it begins an hour late.
#[test]
fn half_a_year_of_quotes_begins_late_every_day() {
    let Some(root) = shared() else { return };
    let files: Vec<_> =
        (1..=6).map(|month| root.join(format!("mes-5s-2022/MES_5s_bbo_2022-0{month}.csv.gz"))).collect();
    let report = verified_as("--preset mes-5s", "--session rth", &files);
    let (rows, suspicious, _, counts) = found(&report);
    assert_eq!((rows, counts), (564_860, vec![("jumps".to_owned(), 37), ("crossed".to_owned(), 1)]));
    assert_eq!(suspicious, 127);
    let holes = report["gaps"]["suspicious"].as_array().expect("holes");
    let late = |rows: i64| {
        holes.iter().filter(|hole| hole["rows"] == rows && hole["where"] == "cash session").count()
    };
    // From 09:30:00 to 09:34:10, and to 10:34:10: 50 and 770 rows of 5 seconds.
    assert_eq!((late(50), late(770)), (47, 74));
    let hint = report["hints"][0].as_str().expect("a hint");
    assert!(hint.contains("of 127 holes begin between 09:00 and 09:59 New York"), "{hint}");
}

/// Contracts to their expiry, across the change to summer time of 12 March 2023, Good Friday and early closes.
#[test]
fn contracts_of_2023_are_fit_to_their_expiry() {
    let Some(root) = shared() else { return };
    for (month, rows, last) in [("H", 17_118, "03-17"), ("M", 17_625, "06-16"), ("U", 17_577, "09-15")] {
        let file = root.join(format!("es-5m-2023/ES{month}23-CME.scid_BarData__5m.txt.gz"));
        let report = verified(&format!("--preset sierra --interval 5m --symbol ES{month}23"), &[file]);
        assert_eq!(found(&report), (rows, 0, 0, vec![]));
        assert_eq!(report["last"], format!("2023-{last}T13:30:00Z"));
    }
}

/// Two expiries in one zip are two markets: one has to be chosen.
#[test]
fn of_two_expiries_one_is_chosen() {
    let Some(root) = shared() else { return };
    let file = root.join("es-1m-2013/20131202_trade.zip");
    let both = fetch("import --preset lean --to csv", std::slice::from_ref(&file));
    let told = String::from_utf8_lossy(&both.stderr).into_owned();
    assert!(both.status.code() == Some(2) && told.contains("choose one with --entry NAME"), "{told}");
    let near = verified("--preset lean --entry 201312", std::slice::from_ref(&file));
    // The calendar begins with 2014: nobody knows what is missing.
    assert_eq!(found(&near), (1370, 0, 0, vec![("beyond".to_owned(), 1370)]));
    assert_eq!(near["symbols"][0], "ESZ3");
    let far = verified("--preset lean --entry 201403", &[file]);
    assert_eq!(found(&far), (427, 0, 0, vec![("beyond".to_owned(), 427)]));
}

#[test]
fn shares_have_a_tick_of_their_own() {
    let Some(root) = shared() else { return };
    let file = root.join("spy-1s-2013/20131007_trade.zip");
    let report = verified_as("--preset lean-equity", "--tick 0.01", std::slice::from_ref(&file));
    assert_eq!((report["rows"].as_u64(), report["fit"].as_bool()), (Some(16_675), Some(true)));
    let quarter = verified("--preset lean-equity", &[file]);
    assert!(quarter["unfit"].as_str().expect("unfit").starts_with("grid "), "{quarter}");
}

/// Every file of DBN that holds ticks or bars is read, whatever its version; two instruments in one are told.
#[test]
fn dbn_of_every_version() {
    let Some(root) = shared() else { return };
    let mut read = 0;
    for entry in std::fs::read_dir(root.join("dbn")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let done = fetch("import --to csv", std::slice::from_ref(&path));
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        let table = ["trades", "tbbo", "mbp-1", "bbo-1s", "ohlcv"].iter().any(|schema| name.contains(schema));
        if name.starts_with("futures_ohlcv") {
            assert!(
                done.status.code() == Some(3) && told.contains("holds ESU4, NQU4 side by side"),
                "{told}"
            );
        } else if table && !name.ends_with(".dbz") {
            assert!(done.status.success(), "{told}");
            let rows = done.stdout.iter().filter(|byte| **byte == b'\n').count() - 1;
            let samples = name.starts_with("test_data.bbo-1s");
            assert!(rows == 2 || samples || name.starts_with("futures"), "{name}: {rows} rows");
            read += 1;
        } else {
            let known = told.contains("is neither ticks nor bars")
                || told.contains("neither text nor Parquet nor DBN");
            assert!(done.status.code() == Some(3) && known, "{name}: {told}");
        }
    }
    assert_eq!(read, 25);
    let two = fetch("verify", &[root.join("dbn/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst")]);
    let report: serde_json::Value = serde_json::from_slice(&two.stdout).expect("JSON");
    assert_eq!(
        (&report["symbols"], found(&report).3),
        (&serde_json::json!(["ESU4", "NQU4"]), vec![("mixed".to_owned(), 46)])
    );
}
