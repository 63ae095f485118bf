//! Bad files by their names, and outputs that cannot be written.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use arrow_array::{ArrayRef, Float64Array};

use crate::pass::{
    self, table,
    tables::{LINES, START, TICKS, ticks},
};

const FIRST: &str = "ts,price\n2025-11-24T14:30:01Z,1.0\n2025-11-24T14:30:02Z,1.0\n";

/// A file name, its bytes; the arguments; the exit code; what is said.
type Filed = (&'static [(&'static str, &'static str)], &'static [&'static str], i32, &'static str);

#[test]
fn every_bad_file_is_named() {
    let cases: [Filed; 10] = [
        (&[], &["nowhere.csv"], 2, "nowhere.csv: no such file"),
        (&[], &["."], 2, ".: no *.parquet within"),
        (
            &[("a", FIRST), ("b", FIRST)],
            &["a", "b"],
            3,
            "b: line 2: time goes back from 2025-11-24T14:30:02Z to 2025-11-24T14:30:01Z: sort the rows by ts",
        ),
        (
            &[("a", FIRST), ("b", "ts,size\n2025-11-24T14:30:03Z,1\n")],
            &["a", "b"],
            3,
            "b: columns ts size after ts price",
        ),
        (
            &[("a", "ts,x\n2025-11-24T14:30:01Z,1\n"), ("b", "ts,x\n2025-11-24T14:30:03Z,a\n")],
            &["a", "b"],
            3,
            "b: column \"x\" is text after a file in which it is i64",
        ),
        (
            &[("a", FIRST), ("b", "ts,price\n2025-11-24T14:30:03Z,x\n")],
            &["a", "b"],
            3,
            "b: line 2: column \"price\": \"x\" is not a number",
        ),
        (&[("a", FIRST), ("b", "")], &["a", "b"], 3, "b: empty: no header and no rows"),
        (&[("a", FIRST)], &["a", "nowhere.csv"], 2, "nowhere.csv: no such file"),
        (
            &[
                (
                    "a",
                    "{\"kind\":\"bar\",\"interval\":\"1s\"}\n{\"ts\":\"2025-11-24T14:30:01Z\",\"close\":1.0}\n",
                ),
                (
                    "b",
                    "{\"kind\":\"bar\",\"interval\":\"1m\"}\n{\"ts\":\"2025-11-24T14:31:00Z\",\"close\":1.0}\n",
                ),
            ],
            &["a", "b"],
            3,
            "b: rows of 1m after rows of 1s",
        ),
        (
            &[("a", FIRST)],
            &["--to", "arrow", "--lineage-to", "no/where", "a"],
            1,
            "no/where: No such file or directory (os error 2)",
        ),
    ];
    let mut wrong = String::new();
    for (files, arguments, code, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let output = pass::run(folder.path(), &[&["-q"], arguments].concat(), b"");
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(code) || stderr != format!("pass: {expected}\n") {
            wrong += &format!(
                "{files:?} {arguments:?}\n  exit {:?}\n  is   {stderr}  not  {expected}\n",
                output.status.code()
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn nan_under_a_null_is_nothing() {
    let values = Float64Array::new(vec![1.0, f64::NAN].into(), Some(vec![true, false].into()));
    let table = table(vec![START, START + 1], vec![("price", Arc::new(values) as ArrayRef)]);
    let folder = tempfile::tempdir().expect("a folder");
    for bytes in [pass::arrow_stream(&table, 10), pass::arrow_file(&table, 10), pass::parquet(&table, 10)] {
        let csv = pass::ok(folder.path(), &["-q", "--to", "csv"], &bytes);
        assert_eq!(csv.iter().filter(|byte| **byte == b'\n').count(), 3);
        assert!(csv.ends_with(b",\n"), "{}", String::from_utf8_lossy(&csv));
    }
}

/// Runs a line of bash in which `$pass` is the example.
fn bash(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-c", line])
        .env("pass", pass::program())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    // Much more than a pipe holds.
    let table = ticks((1..=300_000).map(f64::from).collect());
    fs::write(folder.path().join("rows"), pass::arrow_stream(&table, 8192)).expect("a file");
    for format in ["csv", "jsonl", "arrow", "parquet"] {
        let line = format!("$pass --to {format} rows | head -c 10 | wc -c");
        assert_eq!(bash(folder.path(), &line), (Some(0), "10\n".to_owned(), String::new()), "{format}");
    }
}

#[test]
fn a_full_disk_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rows"), TICKS).expect("a file");
    for format in ["csv", "jsonl", "arrow", "parquet"] {
        let found = bash(folder.path(), &format!("$pass --to {format} rows > /dev/full"));
        let said = "pass: stdout: No space left on device (os error 28)\n";
        assert_eq!(found, (Some(1), String::new(), said.to_owned()), "{format}");
    }
}

#[test]
fn binary_on_a_terminal_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rows"), TICKS).expect("a file");
    if bash(folder.path(), "command -v script").0 != Some(0) {
        let _ = writeln!(std::io::stderr(), "skipped: no program \"script\" to make a terminal with");
        return;
    }
    for (format, code) in [("arrow", 2), ("parquet", 2), ("csv", 0), ("jsonl", 0)] {
        let line = format!("script -qec \"$pass --to {format} rows\" typescript");
        let (found, said, _) = bash(folder.path(), &line);
        assert_eq!(found, Some(code), "{format}: {said}");
        if code == 2 {
            let refused = format!("pass: --to {format} on a terminal is of no use: redirect it\r\n");
            assert_eq!(said, refused);
        }
    }
    // Without --to a terminal gets JSON lines.
    let (_, said, _) = bash(folder.path(), "script -qec \"$pass rows\" typescript");
    assert_eq!(said, LINES.replace('\n', "\r\n"));
}
