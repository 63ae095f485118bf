//! Risk and exec at the two ends of the account channel: who comes first, who dies, who is not let in.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use mes_golden::{market, shell};
use tempfile::TempDir;

/// Rows of seed 1, in a folder of their own.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rows.jsonl"), market::eventful(1)).expect("rows");
    folder
}

fn spawn(folder: &Path, tool: &str, stdin: Stdio, stdout: Stdio) -> Child {
    let rules = shell::root().join(market::RULES);
    let line = format!("exec {tool} --rules {}", rules.display());
    shell::bash(folder, &line).stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn().expect("a tool")
}

fn code(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("an end");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A pipeline whose rows we hold in the hand: each is sent only when the statement before has come.
struct Pipeline {
    risk: Child,
    exec: Child,
    rows: ChildStdin,
    statements: BufReader<std::process::ChildStdout>,
}

impl Pipeline {
    fn start(folder: &Path) -> Pipeline {
        let mut risk = spawn(folder, "mes-risk", Stdio::piped(), Stdio::piped());
        let journal = risk.stdout.take().expect("stdout");
        let mut exec = spawn(folder, "mes-exec", journal.into(), Stdio::piped());
        let rows = risk.stdin.take().expect("stdin");
        let statements = BufReader::new(exec.stdout.take().expect("stdout"));
        Pipeline { risk, exec, rows, statements }
    }

    /// Sends the header and `count` rows and waits for the statement of each.
    fn advance(&mut self, count: usize) {
        let text = market::eventful(1);
        for (index, line) in text.lines().take(count + 1).enumerate() {
            writeln!(self.rows, "{line}").expect("risk reads");
            if index > 0 {
                let mut statement = String::new();
                self.statements.read_line(&mut statement).expect("a statement");
                assert!(statement.contains("\"kind\":\"statement\""), "row {index}: {statement}");
            }
        }
    }
}

#[test]
fn a_row_is_answered_before_the_next_is_sent() {
    let folder = folder();
    let mut pipeline = Pipeline::start(folder.path());
    pipeline.advance(50);
    drop(pipeline.rows);
    drop(pipeline.statements);
    assert_eq!(code(pipeline.risk).0, Some(0));
    assert_eq!(code(pipeline.exec).0, Some(0));
}

#[test]
fn risk_notices_the_death_of_exec_before_the_next_row() {
    let folder = folder();
    let mut pipeline = Pipeline::start(folder.path());
    pipeline.advance(20);
    pipeline.exec.kill().expect("kill -9");
    // No further row is sent and stdin stays open.
    let (code, stderr) = code(pipeline.risk);
    assert_eq!((code, stderr.as_str()), (Some(1), "mes-risk: mes-exec is gone\n"));
}

#[test]
fn exec_notices_the_death_of_risk_and_ends_flat() {
    let folder = folder();
    let mut pipeline = Pipeline::start(folder.path());
    // By now the entry of 09:00:10 has filled.
    pipeline.advance(30);
    pipeline.risk.kill().expect("kill -9");
    let mut last = String::new();
    for line in pipeline.statements.lines() {
        last = line.expect("a statement");
    }
    let (code, stderr) = code(pipeline.exec);
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("upstream died"), "{stderr}");
    assert!(last.contains("\"position\":0") && last.contains("end_of_data"), "{last}");
}

#[test]
fn risk_dies_when_exec_never_opens_the_account() {
    let folder = folder();
    let output = shell::run(folder.path(), "mes-risk rows.jsonl | true", b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mes-exec is gone"));
}

#[test]
fn both_orders_of_starting_work() {
    let folder = folder();
    let rules = shell::root().join(market::RULES);
    let rules = rules.display();
    shell::ok(
        folder.path(),
        &format!(
            "mkfifo first second
             mes-exec --rules {rules} < first > one.jsonl & mes-risk --rules {rules} rows.jsonl > first; wait $!
             mes-risk --rules {rules} rows.jsonl > second & mes-exec --rules {rules} < second > two.jsonl; wait $!
             cmp one.jsonl two.jsonl && test -s one.jsonl"
        ),
        b"",
    );
}

#[test]
fn a_second_pipeline_in_the_same_directory_is_refused() {
    let folder = folder();
    let mut pipeline = Pipeline::start(folder.path());
    pipeline.advance(3);
    for (tool, lock) in [("mes-risk rows.jsonl", "risk.lock"), ("mes-exec < rows.jsonl", "exec.lock")] {
        let output = shell::run(folder.path(), tool, b"");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{tool}: {stderr}");
        assert!(stderr.contains(lock) && stderr.contains("--run"), "{stderr}");
    }
    // The first one goes on as if nothing had been.
    drop(pipeline.rows);
    drop(pipeline.statements);
    assert_eq!(code(pipeline.risk).0, Some(0));
    assert_eq!(code(pipeline.exec).0, Some(0));
}

#[test]
fn different_rules_at_the_two_ends_are_refused() {
    let folder = folder();
    let rules = shell::root().join(market::RULES);
    let line = format!("mes-risk --rules {} rows.jsonl | mes-exec", rules.display());
    let output = shell::run(folder.path(), &line, b"");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("different rules"), "{stderr}");
}

#[test]
fn a_stale_socket_is_cleared_away() {
    let folder = folder();
    let mut pipeline = Pipeline::start(folder.path());
    pipeline.advance(3);
    pipeline.exec.kill().expect("kill -9");
    assert_eq!(code(pipeline.risk).0, Some(1));
    assert!(
        folder.path().join("run/account.sock").exists(),
        "the killed exec cannot have cleared its socket"
    );
    shell::ok(folder.path(), "mes-risk rows.jsonl | mes-exec > statements.jsonl", b"");
}

#[test]
fn a_pager_that_nobody_scrolls_does_not_stop_trading() {
    let folder = folder();
    // The reader takes one line and then holds the pipe open without reading.
    let line = "{ mes-risk rows.jsonl; echo done > risk-is-done; } | mes-exec |
        { read -r line; until [ -e risk-is-done ]; do sleep 0.05; done; cat > /dev/null; }";
    shell::ok(folder.path(), line, b"");
}

#[test]
fn the_help_of_every_tool_teaches() {
    let folder = folder();
    for tool in [
        "mes-fetch",
        "mes-bars",
        "mes-features",
        "mes-train",
        "mes-nets",
        "mes-predict",
        "mes-risk",
        "mes-exec",
        "mes-bt",
        "mes-check",
        "mes-lab",
        "mes-projectx",
        "mes-sim",
        "mes-watch",
    ] {
        let help = Command::new(shell::tools().join(tool)).arg("--help").current_dir(folder.path()).output();
        let text = String::from_utf8(help.expect("help").stdout).expect("text");
        for wanted in ["Usage:", "Examples", "Exit codes"] {
            assert!(text.contains(wanted), "{tool} --help has no {wanted}");
        }
    }
}
