//! Lines that outlive a kill: every byte of them cut, flipped or left half written.

use std::{fs, path::Path};

use mes_pipe::{
    Error, Result,
    durable::{self, Busy, Durable, Follower},
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn head() -> Value {
    json!({ "kind": "test", "v": 1, "of": "a" })
}

fn open(folder: &Path) -> Result<(Durable, Vec<Value>)> {
    Durable::open(&folder.join("x"), &head(), Busy::Refuse)
}

fn record(number: u64) -> Value {
    json!({ "number": number, "text": "\"sum\":\"0123456789abcdef\"}" })
}

/// Lines of so many records, closed; the bytes of file and mark.
fn lines(folder: &Path, records: u64) -> (Vec<u8>, Vec<u8>) {
    let (mut durable, before) = open(folder).expect("opens");
    for number in before.len() as u64..records {
        durable.append(&record(number)).expect("appends");
    }
    let read = |name: &str| fs::read(folder.join(name)).expect("a file");
    (read("x-000001.jsonl"), read("x.mark"))
}

fn put(folder: &Path, file: &[u8], mark: &[u8]) {
    fs::write(folder.join("x-000001.jsonl"), file).expect("written");
    fs::write(folder.join("x.mark"), mark).expect("written");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn stopped(result: Result<(Durable, Vec<Value>)>, what: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{what}: opened"));
    assert!(matches!(error, Error::Stopped(_)), "{what}: {error}");
    let text = error.to_string();
    assert!(text.contains("damaged: ") && text.contains("mkdir -p"), "{what} says not what to do: {text}");
}

#[test]
fn come_back_as_they_were() {
    let folder = folder();
    lines(folder.path(), 3);
    let (file, _) = lines(folder.path(), 5);
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 6);
    let (_durable, records) = open(folder.path()).expect("opens");
    assert_eq!(records, (0..5).map(record).collect::<Vec<_>>());
    let read = durable::read(&folder.path().join("x"), 1).expect("reads while it is open");
    assert_eq!((read.len(), &read[0]), (6, &head()));
}

/// A kill between the bytes of a line, before the mark counts it: the line never was.
#[test]
fn a_torn_last_line_is_cut_off() {
    let folder = folder();
    let (before, mark) = lines(folder.path(), 4);
    let (after, _) = lines(folder.path(), 5);
    for length in before.len()..=after.len() {
        put(folder.path(), &after[..length], &mark);
        let (mut durable, records) = open(folder.path()).expect("a torn line is no damage");
        let whole = if length == after.len() { 5 } else { 4 };
        assert_eq!(records.len(), whole, "{length} bytes");
        durable.append(&record(9)).expect("goes on");
        drop(durable);
        assert_eq!(open(folder.path()).expect("opens").1.len(), whole + 1, "{length} bytes");
    }
}

#[test]
fn a_file_cut_anywhere_is_damage() {
    let folder = folder();
    let (file, mark) = lines(folder.path(), 5);
    for length in 0..file.len() {
        put(folder.path(), &file[..length], &mark);
        stopped(open(folder.path()), &format!("{length} bytes"));
        assert!(durable::read(&folder.path().join("x"), 1).is_err());
    }
}

#[test]
fn a_byte_that_changed_is_damage() {
    let folder = folder();
    let (file, mark) = lines(folder.path(), 5);
    for index in 0..file.len() {
        let mut changed = file.clone();
        changed[index] ^= 1;
        put(folder.path(), &changed, &mark);
        stopped(open(folder.path()), &format!("byte {index}"));
    }
    for index in 0..mark.len() {
        let mut changed = mark.clone();
        changed[index] ^= 1;
        put(folder.path(), &file, &changed);
        stopped(open(folder.path()), &format!("byte {index} of the mark"));
    }
}

#[test]
fn lines_lost_doubled_or_swapped_are_damage() {
    let folder = folder();
    let (file, mark) = lines(folder.path(), 5);
    let all: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let mut ways: Vec<(String, Vec<&[u8]>)> = Vec::new();
    for index in 0..all.len() {
        let mut lost = all.clone();
        lost.remove(index);
        ways.push((format!("line {index} lost"), lost));
        let mut doubled = all.clone();
        doubled.insert(index, all[index]);
        ways.push((format!("line {index} doubled"), doubled));
        if index > 0 {
            let mut swapped = all.clone();
            swapped.swap(index - 1, index);
            ways.push((format!("lines before {index} swapped"), swapped));
        }
    }
    for (what, lines) in ways {
        put(folder.path(), &lines.concat(), &mark);
        stopped(open(folder.path()), &what);
    }
}

#[test]
fn one_file_without_the_other_is_damage() {
    for name in ["x-000001.jsonl", "x.mark"] {
        let folder = folder();
        lines(folder.path(), 5);
        fs::remove_file(folder.path().join(name)).expect("removed");
        stopped(open(folder.path()), name);
    }
    // A kill may come before the first line is counted, or written.
    let folder = folder();
    let (file, _) = lines(folder.path(), 0);
    for length in 0..=file.len() {
        put(folder.path(), &file[..length], b"");
        assert_eq!(open(folder.path()).expect("begins").1.len(), 0);
    }
}

#[test]
fn another_account_and_a_newer_version_are_refused() {
    let folder = folder();
    lines(folder.path(), 2);
    let base = folder.path().join("x");
    let other = Durable::open(&base, &json!({ "kind": "test", "v": 1, "of": "b" }), Busy::Refuse);
    let error = other.err().expect("another account");
    assert!(matches!(error, Error::Stopped(_)) && error.to_string().contains("another account"), "{error}");
    let old = Durable::open(&base, &json!({ "kind": "test", "v": 0, "of": "a" }), Busy::Refuse);
    let error = old.err().expect("a newer version");
    assert!(matches!(error, Error::Data(_)) && error.to_string().contains("version 1"), "{error}");
}

#[test]
fn one_process_writes() {
    let folder = folder();
    let base = folder.path().join("x");
    assert!(!durable::written(&base));
    let first = open(folder.path()).expect("opens");
    assert!(durable::written(&base));
    let error = open(folder.path()).err().expect("busy");
    assert!(matches!(error, Error::Usage(_)) && error.to_string().contains("--state"), "{error}");
    drop(first);
    assert!(!durable::written(&base));
}

#[test]
fn renewed_lines_begin_with_all_that_is_known() {
    let folder = folder();
    lines(folder.path(), 5);
    let (mut durable, _) = open(folder.path()).expect("opens");
    let mark = fs::read(folder.path().join("x.mark")).expect("a mark");
    durable.renew(&head(), &record(77)).expect("renews");
    durable.append(&record(78)).expect("appends");
    drop(durable);
    assert_eq!(open(folder.path()).expect("opens").1, [record(77), record(78)]);
    // A kill before the mark names the new file: it was never in use, and is begun anew.
    fs::write(folder.path().join("x.mark"), mark).expect("written");
    let (mut durable, records) = open(folder.path()).expect("opens");
    assert_eq!(records.len(), 5);
    durable.renew(&head(), &record(79)).expect("renews");
    drop(durable);
    assert_eq!(open(folder.path()).expect("opens").1, [record(79)]);
    durable::remove(&folder.path().join("x")).expect("removes");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_follower_sees_whole_lines_as_they_come() {
    let folder = folder();
    let (mut durable, _) = open(folder.path()).expect("opens");
    let mut follower = Follower::open(&folder.path().join("x")).expect("follows");
    assert_eq!(follower.next().expect("reads"), None);
    for number in 0..3 {
        durable.append(&record(number)).expect("appends");
    }
    for number in 0..3 {
        assert_eq!(follower.next().expect("reads"), Some(record(number)));
    }
    assert_eq!(follower.next().expect("reads"), None);
    let (file, _) = lines_after(&folder, durable);
    // Half a line is none yet; a changed one is an error.
    fs::write(folder.path().join("x-000001.jsonl"), [&file[..], b"{\"half"].concat()).expect("written");
    assert_eq!(follower.next().expect("reads"), None);
    fs::write(folder.path().join("x-000001.jsonl"), [&file[..], b"{\"half\":1}\n"].concat())
        .expect("written");
    assert!(follower.next().is_err());
}

fn lines_after(folder: &TempDir, durable: Durable) -> (Vec<u8>, Vec<u8>) {
    drop(durable);
    lines(folder.path(), 0)
}
