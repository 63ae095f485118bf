//! Journals that are whole, cut, packed, two, and none.

use std::{fs, io::Write, path::PathBuf};

use super::*;

const ROW: &str = r#"{"kind":"row","ts":"2026-11-20T15:00:01Z","open":10.0,"high":10.0,"low":10.0,"close":10.0,"volume":1,"seg":0}"#;
const STATEMENT: &str = r#"{"kind":"statement","ts":"2026-11-20T15:00:01Z","seen":0,"position":0,"balance_cents":1,"equity_cents":1,"working":[],"fills":[],"refused":[]}"#;
const HOLD: &str = r#"{"kind":"hold","ts":"2026-11-20T15:00:01Z","reason":"flat"}"#;
const END: &str = r#"{"kind":"end"}"#;

/// Puts bytes where a journal is looked for.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mes-journal-{}-{name}", std::process::id()));
    fs::write(&path, bytes).expect("written");
    path
}

/// Reads all records; how many there were, and what is missing.
fn read(path: &Path) -> Result<(usize, Option<Missing>)> {
    let mut journal = Reader::open(path)?;
    let mut records = 0;
    while journal.next()?.is_some() {
        records += 1;
    }
    Ok((records, journal.missing()))
}

#[test]
fn a_journal_says_what_it_lacks() {
    let half = &STATEMENT[..STATEMENT.len() / 2];
    for (name, text, records, missing) in [
        ("whole", format!("{ROW}\n{STATEMENT}\n{HOLD}\n{END}\n{HOLD}\n{STATEMENT}\n"), 6, None),
        ("unended", format!("{ROW}\n{STATEMENT}\n{END}\n{STATEMENT}"), 4, None),
        ("closing", format!("{ROW}\n{STATEMENT}\n{END}\n"), 3, Some(Missing::LastStatement)),
        ("killed", format!("{ROW}\n{STATEMENT}\n"), 2, Some(Missing::End)),
        ("cut", format!("{ROW}\n{half}"), 1, Some(Missing::Line)),
    ] {
        let path = file(name, text.as_bytes());
        assert_eq!(read(&path).expect(name), (records, missing), "{name}");
        fs::remove_file(path).expect("removed");
    }
}

#[test]
fn what_no_journal_says_is_refused_by_its_line() {
    for (name, text, place, why) in [
        ("text", format!("{ROW}\nhello\n"), "line 2", "expected value"),
        ("half", format!("{{\"kind\":\n{ROW}\n"), "line 1", "EOF"),
        ("kind", format!("{ROW}\n{{\"kind\":\"tick\"}}\n"), "line 2", "unknown kind \"tick\""),
        ("two", format!("{ROW}\n{END}\n{STATEMENT}\n{ROW}\n"), "line 4", "are these two journals?"),
        ("old", "{\"kind\":\"run\",\"v\":0}\n".into(), "line 1", "written by an older mes (records v0;"),
        ("utf8", format!("{ROW}\n{HOLD}\n").replace("flat", "\u{0}"), "line 2", "control character"),
    ] {
        let path = file(name, text.as_bytes());
        let error = read(&path).expect_err(name);
        assert_eq!(error.code(), 3);
        let said = error.to_string();
        assert!(said.contains(&format!("mes-journal-{}-{name}: {place}: ", std::process::id())), "{said}");
        assert!(said.contains(why), "{said}");
        fs::remove_file(path).expect("removed");
    }
}

#[test]
fn a_packed_journal_is_unpacked_and_other_tables_are_none() {
    let text = format!("{ROW}\n{STATEMENT}\n{END}\n{STATEMENT}\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("packed");
    for (name, bytes) in [
        ("gz", gzip.finish().expect("packed")),
        ("zst", zstd::encode_all(text.as_bytes(), 1).expect("packed")),
    ] {
        let path = file(name, &bytes);
        assert_eq!(read(&path).expect(name), (4, None));
        fs::remove_file(path).expect("removed");
    }
    let path = file("csv", b"ts,price\n1,2\n");
    assert!(read(&path).expect_err("no journal").to_string().contains("a journal is JSON lines"));
    fs::remove_file(path).expect("removed");
}

#[test]
fn a_journal_begins_with_its_run() {
    let path = file("begins", format!("{ROW}\n").as_bytes());
    let error = Reader::open(&path).expect("opens").run().expect_err("no run");
    assert!(error.to_string().contains("line 1: a journal begins with its run record"), "{error}");
    fs::remove_file(path).expect("removed");
}
