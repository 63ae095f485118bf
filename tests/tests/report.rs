//! Whatever has a journal has a report: `mes-bt report` says of a backtest's journal what the backtest said, of the pipe's the
//! same, and `mes-bt table` lays its records flat.

use std::{fs, path::Path};

use mes_golden::{market, shell};
use serde_json::Value;
use tempfile::TempDir;

/// A backtest with its journal, and what the pipe keeps of the same rows.
fn traded() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rows.jsonl"), market::eventful(3)).expect("rows");
    let rules = shell::root().join(market::RULES);
    fs::copy(rules, folder.path().join("rules.toml")).expect("rules");
    let line = "mes-bt -q --rules rules.toml --out own --journal journal.jsonl rows.jsonl > own.json &&
         mes-risk --rules rules.toml < rows.jsonl | tee pipe.jsonl | mes-exec --rules rules.toml > /dev/null &&
         gzip -k journal.jsonl && zstd -q journal.jsonl";
    shell::ok(folder.path(), line, b"");
    folder
}

fn ok(folder: &Path, line: &str) -> String {
    String::from_utf8(shell::ok(folder, line, b"")).expect("text")
}

#[test]
fn the_report_of_a_journal_is_that_of_the_backtest() {
    let folder = traded();
    let folder = folder.path();
    for (name, line) in [
        ("file", "mes-bt report -q journal.jsonl"),
        ("pipe", "mes-bt report -q pipe.jsonl"),
        ("gzip", "mes-bt report -q journal.jsonl.gz"),
        ("zstd", "mes-bt report -q journal.jsonl.zst"),
        ("stdin", "cat journal.jsonl | mes-bt report -q"),
    ] {
        let printed = ok(folder, &format!("{line} --out {name}"));
        assert_eq!(printed, fs::read_to_string(folder.join("own.json")).expect("own"), "{name}");
        // A journal may come from anybody: what it says is not sealed as made here.
        let differ = ok(folder, &format!("diff -rq own {name} || true"));
        assert_eq!(differ, "Only in own: made-here\n", "{name}");
    }
    let summary: Value = serde_json::from_str(&ok(folder, "cat own/summary.json")).expect("JSON");
    assert!(summary["trades"]["all"]["trades"].as_u64().is_some_and(|trades| trades >= 20), "{summary}");
}

#[test]
fn what_a_journal_lacks_is_said() {
    let folder = traded();
    let folder = folder.path();
    for (cut, said) in [
        ("grep -v '\"kind\":\"end\"' journal.jsonl | head -n -1", "has no end record"),
        ("head -n -1 journal.jsonl", "the last statement is missing"),
        ("head -c -20 journal.jsonl", "the last line is cut off"),
    ] {
        let line = format!("{cut} > cut.jsonl; mes-bt report --out cut cut.jsonl 2> said && cat said >&2");
        let output = shell::run(folder, &line, b"");
        let (json, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.contains(said), "{cut}: {told}");
        let summary: Value = serde_json::from_str(&json).expect("JSON");
        let warnings = summary["warnings"].to_string();
        assert!(warnings.contains("the journal is not whole") && warnings.contains(said), "{warnings}");
    }
}

#[test]
fn a_journal_is_judged_by_its_own_calendar() {
    let folder = traded();
    let calendar = shell::root().join("data/cme_calendar.csv");
    let line = format!(
        "(cat {}; echo) > other.csv; mes-bt report --calendar other.csv journal.jsonl",
        calendar.display()
    );
    let output = shell::run(folder.path(), &line, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("another calendar"), "{said}");
}

#[test]
fn tables_hold_every_record_in_every_format() {
    let folder = traded();
    let folder = folder.path();
    let count = |what: &str| ok(folder, what).trim().parse::<u64>().expect("a number");
    for (what, records) in [
        ("fills", "jq -c 'select(.kind == \"statement\").fills[]' journal.jsonl | wc -l"),
        ("orders", "grep -c '\"kind\":\"order\"' journal.jsonl"),
        ("denials", "grep -c '\"kind\":\"deny\"' journal.jsonl"),
        ("statements", "grep -c '\"kind\":\"statement\"' journal.jsonl"),
    ] {
        let rows = count(&format!("mes-bt table {what} journal.jsonl --to csv | tail -n +2 | wc -l"));
        assert!(rows > 0 && rows == count(records), "{what}: {rows}");
        assert_eq!(count(&format!("mes-bt table {what} --to jsonl journal.jsonl.gz | wc -l")), rows);
        for (format, magic) in [("parquet", "PAR1"), ("arrow", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}")] {
            let bytes = shell::ok(folder, &format!("mes-bt table {what} --to {format} journal.jsonl"), b"");
            assert!(String::from_utf8_lossy(&bytes).starts_with(magic), "{what} as {format}");
        }
    }
    // To the cent: what all fills brought and cost is what the account made.
    let sum = "mes-bt table fills --to jsonl journal.jsonl | jq -s 'map((.gross_usd - .commission_usd) * 100) | add | round'";
    let net = ok(folder, sum).trim().parse::<f64>().expect("a number");
    let own: Value = serde_json::from_str(&ok(folder, "cat own.json")).expect("JSON");
    assert_eq!(own["account"]["net_usd"].as_f64().map(|net| (net * 100.0).round()), Some(net));
}
