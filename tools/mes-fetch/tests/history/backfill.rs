//! Only what is missing is bought, and it goes where it is missing.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    case::{Case, Done, JANUARY, WINTER},
    databento::KEY,
};

const MARCH: &str = "--from 2024-03-01 --until 2024-04-01";

fn backfill(case: &Case, args: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-fetch"));
    command.arg("backfill").arg(case.dir.path()).args("--retry-wait 0.01 --stall 0.5".split(' '));
    command.args(args.split_whitespace()).stdin(Stdio::null());
    command.env("DATABENTO_API_KEY", KEY).env("MES_FETCH_BASE_URL", case.server.url());
    Done::of(command.output().expect("the tool runs"))
}

fn verify(case: &Case) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-fetch"));
    let done = command.args(["verify", "--json"]).arg(case.dir.path()).output().expect("the tool runs");
    serde_json::from_slice(&done.stdout).expect("JSON")
}

/// Returns the days of the request billed last.
fn last_billed(case: &Case) -> String {
    let billed = case.server.state().billed.last().copied().expect("a request");
    let day = |ns: i64| mes_core::time::format(ns)[..10].to_owned();
    format!("{}..{}", day(billed.0), day(billed.1))
}

#[test]
fn a_month_between_two_is_bought_once() {
    let case = Case::new();
    case.fetch(JANUARY).ended(0);
    case.fetch(MARCH).ended(0);
    for flags in ["", "--plan"] {
        backfill(&case, flags).ended(0).saying("2024-02-01..2024-03-01            3150");
    }
    backfill(&case, "--yes --max-cost 1").ended(4).saying("over --max-cost 1");
    assert_eq!(case.billed(), 2);
    backfill(&case, "--yes").ended(0).saying("2024-02-01..2024-03-01: 3150 records");
    assert_eq!((case.billed(), last_billed(&case)), (3, "2024-02-01..2024-03-01".to_owned()));
    let months = ["2024-01", "2024-02", "2024-03"].map(|month| case.month(month).0);
    assert_eq!(months, [3450, 3150, 3150]);
    // What the server itself does not have is not asked for, however often.
    for _ in 0..2 {
        backfill(&case, "--yes")
            .ended(0)
            .saying("nothing is missing")
            .saying("on days that were fetched whole");
    }
    case.run("--from 2024-01-01 --until 2024-04-01").ended(0).saying("nothing is missing");
    assert_eq!(case.billed(), 3);
}

#[test]
fn a_day_published_again_is_bought_alone_and_put_in_its_place() {
    let case = Case::new();
    case.fetch(WINTER).ended(0);
    let before = fs::read(case.dir.path().join("year=2024/month=01/part.parquet")).expect("a month");
    case.server.state().days.push(("2024-01-17", "available", "2024-06-01"));
    backfill(&case, "--yes").ended(0).saying("published again since they were fetched: 2024-01-17");
    assert_eq!((case.billed(), last_billed(&case)), (3, "2024-01-17..2024-01-18".to_owned()));
    assert_eq!(case.month("2024-01"), (3450, vec!["MESH4".to_owned()]));
    let told = backfill(&case, "--yes").ended(0).saying("nothing is missing").said;
    assert!(!told.contains("published again"), "{told}");
    let told = case.fetch(WINTER).ended(0).saying("nothing is missing").said;
    assert!(!told.contains("published again"), "{told}");
    // The month is made of the old download and the new day; it can be made again from both, and costs nothing.
    let path = case.dir.path().join("year=2024/month=01/part.parquet");
    let after = fs::read(&path).expect("a month");
    assert_ne!(before, after, "the lineage names both downloads");
    fs::remove_file(&path).expect("removed");
    case.fetch(WINTER).ended(0);
    assert_eq!((fs::read(&path).expect("a month") == after, case.billed()), (true, 3));
    let rows = verify(&case);
    assert_eq!((rows["rows"].as_u64(), &rows["checks"][1]["count"]), (Some(6600), &0.into()), "no row twice");
}

#[test]
fn holes_of_a_degraded_day_are_known() {
    let case = Case::new();
    case.fetch(JANUARY).ended(0);
    let without = verify(&case)["gaps"]["suspicious"].as_array().map_or(0, Vec::len);
    let case = Case::new();
    case.server.state().days.push(("2024-01-17", "degraded", "2024-01-18"));
    case.fetch(JANUARY).ended(0);
    let found = verify(&case);
    assert_eq!(found["impaired_days"], serde_json::json!(["2024-01-17 (degraded)"]));
    let known = found["gaps"]["known"].as_array().expect("a list");
    assert!(known.iter().any(|gap| gap["why"] == "degraded at the source"), "{known:?}");
    assert!(found["gaps"]["suspicious"].as_array().map_or(0, Vec::len) < without);
    // Once the day is whole at the source, it is bought again.
    case.server.state().days.push(("2024-01-17", "available", "2024-02-10"));
    backfill(&case, "--yes").ended(0);
    assert_eq!((case.billed(), last_billed(&case)), (2, "2024-01-17..2024-01-18".to_owned()));
    assert_eq!(verify(&case)["impaired_days"], serde_json::json!([]));
}

/// New Year's Day has no session and cannot be asked for alone.
#[test]
fn trades_come_by_the_week_and_books_by_the_day() {
    for (flags, chunks, first) in [
        ("--schema trades", 5, "2024-01-01..2024-01-06"),
        ("--schema mbp-1", 22, "2024-01-01..2024-01-03"),
        ("--schema mbp-1 --chunk month", 1, "2024-01-01..2024-02-01"),
        ("--schema ohlcv-1m --chunk week", 5, "2024-01-01..2024-01-06"),
    ] {
        let case = Case::new();
        let done = case.fetch(&format!("--symbol MESH4 {flags} {JANUARY}")).ended(0);
        assert_eq!(
            (case.billed(), done.out.lines().nth(1).and_then(|line| line.get(..22))),
            (chunks, Some(first))
        );
        let rows = if flags.contains("1m") { 23 * 60 } else { 3450 };
        assert_eq!(case.month("2024-01"), (rows, vec!["MESH4".to_owned()]), "{flags}");
    }
}

#[test]
fn what_history_did_not_make_cannot_be_filled() {
    let case = Case::new();
    backfill(&case, "--yes").ended(2).saying("has no ledger.jsonl: it is not what mes-fetch history made");
    case.fetch(&format!("--symbol MES.FUT --schema status {JANUARY}")).ended(0);
    backfill(&case, "--yes").ended(2).saying("holds status, which has no rows to look at");
    assert_eq!(case.billed(), 1);
}
