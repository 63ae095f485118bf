//! `mes-fetch history` against a server on this machine that does what the real one does on a bad day.

mod backfill;
mod case;
#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../databento/mod.rs"]
mod databento;
mod echo;
mod killed;

use std::fs;

use case::{Case, Done, JANUARY, WINTER, files};
use databento::Fault;
use serde_json::Value;

#[test]
fn without_yes_there_is_only_a_plan() {
    let case = Case::new();
    for flags in ["", "--plan", "--max-cost 100"] {
        let done = case.run(&format!("{WINTER} {flags}")).ended(0);
        // 23 and 21 weekdays of 150 records of 56 bytes, at 1 USD for 100 kB.
        assert_eq!(
            done.out,
            "days (UTC)                     records         MiB         USD
2024-01-01..2024-02-01            3450        0.18      1.9320
2024-02-01..2024-03-01            3150        0.17      1.7640
sum                               6600        0.35      3.6960
"
        );
    }
    assert_eq!((case.billed(), files(case.dir.path()).len()), (0, 0));
}

#[test]
fn months_come_once_and_become_parquet() {
    let case = Case::new();
    case.fetch(WINTER).ended(0);
    assert_eq!(case.billed(), 2);
    assert_eq!(case.month("2024-01"), (3450, vec!["MESH4".to_owned()]));
    assert_eq!(case.month("2024-02").0, 3150);
    let raw = case.dir.path().join("raw/MES.v.0.ohlcv-1s.20240101-20240201.dbn.zst");
    assert_eq!(blake3::hash(&fs::read(raw).expect("raw")).to_hex().to_string(), case.ledger()[3]["blake3"]);

    case.run(WINTER).ended(0).saying("nothing is missing");
    case.fetch("--from 2024-01-10 --until 2024-04-01").ended(0).saying("2024-03-01..2024-04-01");
    assert_eq!(case.billed(), 3);
    // The rows tell which contract led.
    assert_eq!(case.month("2024-03"), (21 * 150, vec!["MESH4".to_owned(), "MESM4".to_owned()]));
    // What is made from the downloads is made again without asking.
    fs::remove_dir_all(case.dir.path().join("year=2024")).expect("removed");
    case.run(WINTER).ended(0);
    assert_eq!((case.billed(), case.month("2024-02").0), (3, 3150));
}

#[test]
fn a_directory_holds_one_series() {
    let case = Case::new();
    case.fetch(JANUARY).ended(0);
    case.fetch(&format!("--symbol MES.c.0 --schema ohlcv-1s {JANUARY}")).ended(2).saying("another --to-dir");
    assert_eq!(case.billed(), 1);
}

#[test]
fn what_is_over_the_cost_is_not_asked_for() {
    let case = Case::new();
    case.fetch(&format!("{WINTER} --max-cost 3.69")).ended(4).saying("over --max-cost 3.69");
    assert_eq!(case.billed(), 0);
    // One failed try is one too many.
    case.server.fault("cut", 1000);
    case.fetch(&format!("{JANUARY} --max-cost 3")).ended(4).saying("USD of tries is over --max-cost 3");
    assert_eq!(case.billed(), 1);
    // And is remembered.
    case.fetch(&format!("{JANUARY} --max-cost 3")).ended(4);
    case.server.fault("429", 0);
    case.fetch(&format!("{JANUARY} --max-cost 4")).ended(0);
    assert_eq!(case.billed(), 2);
}

#[test]
fn a_refusal_is_final_and_told() {
    let refusals = [
        ("401", "check DATABENTO_API_KEY: Authorization failed"),
        ("402", "account_insufficient_funds: Not enough funds."),
        ("403", "license_not_found_unauthorized"),
        ("404", "Not Found"),
        (
            "422",
            "data_end_after_available_end: The dataset is available until a time. (available until 2024-02-01",
        ),
        ("422-parameter", "body.start: not a time"),
    ];
    for (name, text) in refusals {
        let case = Case::new();
        case.server.fault(name, 0);
        case.fetch(JANUARY).ended(2).saying(text);
        assert_eq!((case.billed(), case.event("stored")), (0, Value::Null), "{name}");
        case.fetch(JANUARY).ended(0);
        assert_eq!(case.month("2024-01").0, 3450);
    }
}

#[test]
fn what_passes_is_tried_again() {
    let faults = [
        ("429", 0, 1, "again in 1 s, as the server asks"),
        ("500", 0, 1, "the server answers 500: Internal Server Error"),
        ("502", 0, 1, "502 Bad Gateway"),
        ("drop", 0, 1, "no answer"),
        ("cut", 0, 2, "breaks off"),
        ("cut", 5000, 2, "breaks off"),
        ("cut-length", 5000, 2, "breaks off"),
        ("cut-neatly", 5000, 2, "the compressed data is cut off"),
        ("cut-neatly", 0, 2, "cut off"),
        ("hold", 3000, 2, "breaks off"),
        ("slow", 0, 1, ""),
    ];
    for (name, bytes, billed, text) in faults {
        let case = Case::new();
        case.server.fault(name, bytes);
        case.fetch(JANUARY).ended(0).saying(text);
        assert_eq!((case.billed(), case.month("2024-01").0), (billed, 3450), "{name} {bytes}");
    }
}

#[test]
fn five_tries_are_enough() {
    let case = Case::new();
    for _ in 0..9 {
        case.server.fault("500", 0);
    }
    case.fetch(JANUARY).ended(1).saying("(tried 5 times)");
    assert_eq!((case.billed(), case.server.state().faults.len()), (0, 4));
}

#[test]
fn free_questions_are_asked_again_too() {
    let case = Case::new();
    let busy = ["429", "502", "drop"].map(|name| Fault::named(name, 0).expect("a fault"));
    case.server.state().free_faults.extend(busy);
    case.run(JANUARY).ended(0).saying("3450");
    case.server.state().free_faults.extend(Fault::named("402", 0));
    case.run(JANUARY).ended(2).saying("no funds");
}

#[test]
fn what_is_not_the_data_is_not_taken() {
    let case = Case::new();
    case.server.fault("short", 0);
    case.fetch(JANUARY).ended(3).saying("3449 records came, the server counts 3450");
    case.server.fault("page", 0);
    case.fetch(JANUARY).ended(3).saying("the server sends text/html in place of data");
    assert_eq!(case.event("stored"), Value::Null);
    case.fetch(JANUARY).ended(0);
    assert_eq!((case.billed(), case.month("2024-01").0), (2, 3450));
}

#[test]
fn warnings_and_half_known_symbols_are_kept() {
    let case = Case::new();
    case.server.state().days.push(("2024-01-17", "degraded", "2024-01-18"));
    case.server.fault("degraded", 0);
    case.server.fault("206", 0);
    let done = case.fetch(WINTER).ended(0);
    let done =
        done.saying("not as they should be: 2024-01-17 (degraded)").saying("the server says: Warning: The");
    done.saying("2024-02-01..2024-03-01: partial");
    let stored: Vec<_> = case.ledger().into_iter().filter(|entry| entry["event"] == "stored").collect();
    assert_eq!((&stored[0]["status"], &stored[1]["status"]), (&200.into(), &206.into()));
    assert!(stored[0]["warnings"][0].as_str().expect("a warning").contains("2024-01-17"));
    assert_eq!(stored[0]["days"][16]["condition"], "degraded");
}

#[test]
fn a_day_published_again_is_noticed() {
    let case = Case::new();
    case.fetch(WINTER).ended(0);
    case.server.state().days.push(("2024-01-17", "available", "2024-06-01"));
    case.fetch(WINTER).ended(0).saying("published again since they were fetched").saying("2024-01-17");
    assert_eq!(case.billed(), 2);
    case.fetch(&format!("{WINTER} --refresh")).ended(0);
    let billed = case.server.state().billed.clone();
    assert_eq!((billed.len(), billed[2]), (3, billed[0]));
    let done = case.fetch(WINTER).ended(0);
    assert!(!done.said.contains("again"), "{}", done.said);
    assert_eq!(case.month("2024-01").0, 3450);
}

#[test]
fn the_end_moves_and_nothing_is_bought_twice() {
    let case = Case::new();
    // Friday; the next days are a weekend, which alone cannot be had.
    for (end, billed, rows) in
        [("2024-02-17T05:00:00Z", 1, 12), ("2024-02-19T00:00:00Z", 1, 12), ("2024-02-20T03:00:00Z", 2, 13)]
    {
        case.server.state().end = Some(end);
        case.fetch("--from 2024-02-01 --until 2024-06-01").ended(0).saying("reaches from 2010-06-06");
        assert_eq!((case.billed(), case.month("2024-02").0), (billed, rows * 150), "{end}");
    }
    let billed = case.server.state().billed.clone();
    assert_eq!(billed[0].1, billed[1].0);
    case.fetch("--from 2024-05-01 --until 2024-06-01")
        .ended(2)
        .saying("nothing of 2024-05-01..2024-06-01 is there");
}

#[test]
fn every_schema_and_symbol_type() {
    for schema in ["ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "trades", "tbbo", "mbp-1", "bbo-1s", "bbo-1m"] {
        let case = Case::new();
        case.fetch(&format!("--symbol MESH4 --schema {schema} {JANUARY}")).ended(0);
        let stored = case.ledger().into_iter().filter(|entry| entry["event"] == "stored");
        let rows: u64 = stored.map(|entry| entry["records"].as_u64().expect("a count")).sum();
        assert_eq!(case.month("2024-01"), (rows as usize, vec!["MESH4".to_owned()]), "{schema}");
        assert!(rows > 0, "{schema}");
    }
    for schema in ["ohlcv-1d", "definition", "status"] {
        let case = Case::new();
        case.fetch(&format!("--symbol MES.FUT --schema {schema} {JANUARY}")).ended(0);
        assert_eq!(case.event("stored")["records"], 3 * 23, "{schema}");
        assert_eq!(case.event("parquet"), Value::Null);
    }
}

#[test]
fn spreads_of_a_parent_are_left_out() {
    let case = Case::new();
    case.fetch(&format!("--symbol MES.FUT --schema ohlcv-1m {JANUARY}"))
        .ended(0)
        .saying("of spreads left out");
    let per_contract = 23 * 60;
    assert_eq!(case.month("2024-01"), (2 * per_contract, vec!["MESH4".to_owned(), "MESM4".to_owned()]));
    assert_eq!(case.event("parquet")["spreads"], per_contract);
}

/// A line that never stalls and never ends is given up all the same.
#[test]
fn a_request_that_drips_ends_at_its_deadline() {
    let case = Case::new();
    for _ in 0..5 {
        case.server.fault("drip", 0);
    }
    let done = case.fetch(&format!("{JANUARY} --deadline 0.4")).ended(1);
    done.saying("the download breaks off: it takes longer than --deadline allows (tried 5 times)");
    assert_eq!(case.billed(), 5);
}

#[test]
fn a_bad_key_or_address_is_refused_before_any_request() {
    let case = Case::new();
    let short = "db-toolittle";
    for key in [None, Some(""), Some(short), Some("xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxx")] {
        let mut command = case.command(&format!("{JANUARY} --yes"));
        match key {
            Some(key) => command.env("DATABENTO_API_KEY", key),
            None => command.env_remove("DATABENTO_API_KEY"),
        };
        let done = Done::of(command.output().expect("it runs")).ended(2).saying("DATABENTO_API_KEY");
        assert!(!done.said.contains(short), "{}", done.said);
    }
    for url in ["http://192.0.2.1", "http://hist.databento.com", "http://127.0.0.1@192.0.2.1"] {
        case.fetch(&format!("{JANUARY} --base-url {url}")).ended(2).saying("--base-url");
    }
    assert!(case.server.state().requests.is_empty());
    // A key of the right shape that the server does not know: it sends back what it got.
    let mut command = case.command(JANUARY);
    let wrong = format!("db-{}", "y".repeat(29));
    let done = Done::of(command.env("DATABENTO_API_KEY", &wrong).output().expect("it runs")).ended(2);
    assert!(!done.said.contains(&wrong) && !done.said.contains("Basic ZGIt"), "{}", done.said);
}
