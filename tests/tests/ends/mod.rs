//! The two ends of the loop and what they keep: one account and one past, or no trading.

mod faults;
mod private;

use std::{fs, path::Path};

use mes_golden::{market, shell};
use mes_pipe::{
    account,
    durable::{self, Busy, Durable},
};
use tempfile::TempDir;

/// Rows of seed 1 in parts of 300, each of which trades.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = market::eventful(1);
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let rows: Vec<&str> = lines.collect();
    for (part, rows) in rows.chunks(300).take(24).enumerate() {
        let text = [&[header], rows].concat().join("\n") + "\n";
        fs::write(folder.path().join(format!("{part}.jsonl")), text).expect("rows");
    }
    folder
}

fn rules() -> String {
    format!("--rules {}", shell::root().join(market::RULES).display())
}

/// Trades a part; the exit codes of both ends, and what they said.
fn trade(folder: &Path, part: usize, risk: &str, exec: &str) -> ([i32; 2], String) {
    let rules = rules();
    let line = format!(
        "mes-risk {rules} {risk} {part}.jsonl | mes-exec {rules} {exec} > out.jsonl; echo \"${{PIPESTATUS[@]}}\""
    );
    let output = shell::run(folder, &line, b"");
    let codes = String::from_utf8_lossy(&output.stdout);
    let codes: Vec<i32> = codes.split_whitespace().map(|code| code.parse().expect("a code")).collect();
    (codes.try_into().expect("two"), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn traded(folder: &Path, part: usize, state: &str) {
    let flags = format!("--state {state}");
    let (codes, said) = trade(folder, part, &flags, &flags);
    assert_eq!(codes, [0, 0], "{said}");
}

fn refused(folder: &Path, risk: &str, exec: &str, why: &str) {
    let before = contents(folder);
    let (codes, said) = trade(folder, 7, risk, exec);
    assert_eq!(codes, [2, 2], "{risk} | {exec}: {said}");
    assert_eq!(said.matches(why).count(), 2, "{risk} | {exec}: {said}");
    assert_eq!(contents(folder), before, "nothing is written: {risk} | {exec}");
}

/// What the ledger and the account of `state` hold.
fn contents(folder: &Path) -> Vec<Option<Vec<u8>>> {
    let files = ["ledger-000001.jsonl", "account-000001.jsonl"];
    files.map(|file| fs::read(folder.join("state/paper-paper").join(file)).ok()).to_vec()
}

#[test]
fn state_on_one_end_only_is_refused_by_both() {
    let folder = folder();
    traded(folder.path(), 0, "state");
    for (risk, exec) in [("--state state", ""), ("", "--state state")] {
        refused(folder.path(), risk, exec, "one of mes-risk and mes-exec keeps the account");
    }
    // Neither is fine, and so are both.
    assert_eq!(trade(folder.path(), 1, "", "").0, [0, 0]);
    traded(folder.path(), 1, "state");
}

#[test]
fn files_of_another_account_or_another_past_are_refused_by_both() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    shell::ok(path, "cp -r state early", b"");
    traded(path, 1, "state");
    traded(path, 0, "other");
    shell::ok(path, "cp -r state whole; cp -r state fork", b"");
    traded(path, 2, "fork");
    let both = "--state state";
    for (damage, why) in [
        ("rm state/paper-paper/account*", "another account"),
        ("rm state/paper-paper/ledger*", "not traded together"),
        ("cp other/paper-paper/ledger* state/paper-paper/", "another account"),
        ("cp other/paper-paper/account* state/paper-paper/", "another account"),
        ("cp early/paper-paper/ledger* state/paper-paper/", "not traded together"),
        ("cp early/paper-paper/account* state/paper-paper/", "not traded together"),
        ("cp fork/paper-paper/account* state/paper-paper/", "not traded together"),
    ] {
        shell::ok(path, &format!("rm -r state; cp -r whole state; {damage}"), b"");
        let (codes, said) = trade(path, 7, both, both);
        assert_eq!(codes, [2, 2], "{damage}: {said}");
        assert_eq!(said.matches(why).count(), 2, "{damage}: {said}");
        assert!(said.contains("mv state/paper-paper state/paper-paper.old"), "{said}");
    }
    shell::ok(path, "rm -r state; cp -r whole state", b"");
    refused(path, both, "--state whole", "in another directory");
    // What it says to do works.
    traded(path, 7, "state");
    shell::ok(path, "mv state/paper-paper state/paper-paper.old", b"");
    traded(path, 7, "state");
}

/// Writes the lines of `base` anew, as they were when the paper account was called sim.
fn called_sim(base: &Path, kind: &str) {
    let records = durable::read(base, account::VERSION).expect("records");
    durable::remove(base).expect("removed");
    let head = account::head(kind, "sim", "sim");
    let (mut lines, _) = Durable::open(base, &head, Busy::Refuse).expect("lines");
    for record in &records[1..] {
        lines.append(record).expect("a line");
    }
}

#[test]
fn an_account_under_its_old_name_is_refused_with_the_command_that_renames_it() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    for kind in ["ledger", "account", "person"] {
        called_sim(&path.join("state/paper-paper").join(kind), kind);
    }
    shell::ok(path, "mv state/paper-paper state/sim-sim", b"");
    let ([_, exec], said) = trade(path, 1, "--state state", "--state state");
    let (_, command) = said.split_once("is called paper now: ").expect("a command");
    let command = command.lines().next().expect("a line");
    assert_eq!((exec, command), (2, "mv state/sim-sim state/paper-paper"), "{said}");
    assert!(!path.join("state/paper-paper").exists());
    shell::ok(path, command, b"");
    let flags = "--state state";
    let (codes, said) = trade(path, 1, flags, flags);
    assert!(codes == [0, 0] && said.contains("goes on with"), "{said}");
}
