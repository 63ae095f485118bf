//! What rows are and came from, carried around text by a side file.

use std::fs;

use crate::pass::{ok, run};
use serde_json::{Value, json};

const HEAD: &str = r#"{"kind":"bar","v":1,"interval":"5s","session":"rth","lineage":[{"tool":"mes-fetch","settings":{"synthetic":true}}]}"#;
const ROWS: &str = r#"{"ts":"2025-11-24T14:30:05Z","open":1.0,"high":1.0,"low":1.0,"close":1.0,"volume":1,"seg":0,"symbol":"MES"}
"#;

/// Returns the header that rows of JSON begin with.
fn header(bytes: &[u8]) -> Value {
    let line = bytes.split(|byte| *byte == b'\n').next().expect("a line");
    serde_json::from_slice(line).expect("a header")
}

/// Writes text without a header into stdout and its lineage into `side`, as the tool before a text stage does.
fn before(folder: &tempfile::TempDir) -> Vec<u8> {
    let text = ok(
        folder.path(),
        &["-q", "--to", "jsonl", "--lineage", "side"],
        format!("{HEAD}\n{ROWS}").as_bytes(),
    );
    assert_eq!(String::from_utf8_lossy(&text), ROWS);
    text
}

#[test]
fn a_text_stage_carries_origin_and_interval_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = before(&folder);
    let after = |flags: &[&str]| {
        header(&ok(folder.path(), &[&["-q", "--to", "jsonl", "--header"], flags].concat(), &text))
    };
    let bare = after(&[]);
    assert_eq!((&bare["interval"], &bare["lineage"]), (&Value::Null, &json!([])));
    let told = after(&["--lineage", "side"]);
    assert_eq!((&told["interval"], &told["session"]), (&json!("5s"), &json!("rth")));
    let chain =
        json!([{"tool": "mes-fetch", "settings": {"synthetic": true}}, {"tool": "text", "settings": {}}]);
    assert_eq!(told["lineage"], chain);
    // A stage may make rows of another length: what is said here counts.
    assert_eq!(after(&["--lineage", "side", "--interval", "1m"])["interval"], "1m");
    // Another text stage may follow: the same rows, one link more, in another file.
    assert_eq!(after(&["--lineage", "side", "--lineage-to", "next"])["lineage"], chain);
    let next: Value =
        serde_json::from_slice(&fs::read(folder.path().join("next")).expect("a file")).expect("JSON");
    assert_eq!(next["lineage"], chain);
    // What says itself what it is needs no side file: it is written, not read.
    fs::remove_file(folder.path().join("side")).expect("removes");
    before(&folder);
}

#[test]
fn a_side_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = before(&folder);
    let refused = |bytes: &[u8], code: i32, what: &str| {
        let output = run(folder.path(), &["-q", "--lineage", "side"], bytes);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && stderr.contains(what), "{:?} {stderr}", output.status);
    };
    // Bars are not what trades come from.
    let trade = b"{\"ts\":\"2025-11-24T14:30:05Z\",\"price\":1.0}\n";
    refused(trade, 3, "of rows of kind bar, and these are of kind tick: the lineage of another stream");
    fs::write(folder.path().join("side"), "{").expect("writes");
    refused(&text, 3, "side: no lineage, as --lineage writes it");
    fs::remove_file(folder.path().join("side")).expect("removes");
    refused(&text, 2, "side: no such file");
}
