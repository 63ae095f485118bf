//! A person beside the pipeline: what is said takes effect on the next row, is in the journal, and is replayed in place.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use mes_golden::{market, shell};
use serde_json::Value;
use tempfile::TempDir;

/// A pipeline whose rows we hold in the hand.
struct Pipeline {
    folder: TempDir,
    risk: Child,
    exec: Child,
    rows: ChildStdin,
    statements: BufReader<ChildStdout>,
    market: Vec<String>,
    sent: usize,
}

fn rules() -> String {
    format!("--rules {}", shell::root().join(market::RULES).display())
}

impl Pipeline {
    /// Starts risk and exec with these flags, the journal in `journal.jsonl`.
    fn start(flags: &str) -> Pipeline {
        Pipeline::start_in(tempfile::tempdir().expect("a folder"), flags)
    }

    fn start_in(folder: TempDir, flags: &str) -> Pipeline {
        let rules = rules();
        let spawn = |line: String, stdin: Stdio| {
            shell::bash(folder.path(), &line)
                .stdin(stdin)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("a tool")
        };
        let mut risk = spawn(format!("exec mes-risk {flags} {rules} > >(tee journal.jsonl)"), Stdio::piped());
        let journal = risk.stdout.take().expect("stdout");
        let mut exec = spawn(format!("exec mes-exec {flags} {rules}"), journal.into());
        let rows = risk.stdin.take().expect("stdin");
        let statements = BufReader::new(exec.stdout.take().expect("stdout"));
        let market = market::eventful(1).lines().map(str::to_owned).collect();
        let mut pipeline = Pipeline { folder, risk, exec, rows, statements, market, sent: 0 };
        pipeline.send(0);
        pipeline
    }

    /// Sends a line: 0 is the header.
    fn send(&mut self, line: usize) {
        writeln!(self.rows, "{}", self.market[line]).expect("risk reads");
    }

    /// Sends rows and returns the statement that answers the last.
    fn advance(&mut self, count: usize) -> Value {
        let mut statement = String::new();
        for _ in 0..count {
            self.sent += 1;
            self.send(self.sent);
            statement.clear();
            self.statements.read_line(&mut statement).expect("a statement");
        }
        serde_json::from_str(&statement).expect("a statement")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the input and returns the journal.
    fn end(self) -> (TempDir, String) {
        drop(self.rows);
        drop(self.statements);
        for child in [self.risk, self.exec] {
            let output = child.wait_with_output().expect("an end");
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{stderr}");
        }
        let journal = fs::read_to_string(self.folder.path().join("journal.jsonl")).expect("a journal");
        (self.folder, journal)
    }
}

fn ok(folder: &Path, line: &str) -> String {
    String::from_utf8(shell::ok(folder, line, b"")).expect("text")
}

fn refused(folder: &Path, line: &str) -> String {
    let output = shell::run(folder, line, b"");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
    stderr
}

fn status(folder: &Path, flags: &str) -> Value {
    serde_json::from_str(&ok(folder, &format!("mes-risk status {flags}"))).expect("a status")
}

/// Of a journal, the lines of these kinds after the last person record.
fn after_person(journal: &str, kinds: &[&str]) -> Vec<Value> {
    let at = journal.rfind("{\"kind\":\"person\"").expect("a person record");
    let records = journal[at..].lines().map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    records.filter(|record| kinds.iter().any(|kind| record["kind"] == *kind)).collect()
}

#[test]
fn a_halt_takes_effect_on_the_next_row_and_replays_in_place() {
    let mut pipeline = Pipeline::start("");
    // By now the entry of 09:00:10 has filled.
    let before = pipeline.advance(30);
    assert_ne!(before["position"], 0);
    let seen = status(pipeline.path(), "");
    assert_eq!((&seen["running"], &seen["position"]), (&Value::Bool(true), &before["position"]), "{seen}");
    let said = ok(pipeline.path(), "mes-risk halt --reason 'the news'");
    assert!(said.contains("paper-paper: halt recorded at ") && said.contains("on the next row"), "{said}");
    assert_eq!(status(pipeline.path(), "")["unheard"][0]["reason"], "the news");
    // The next row closes, the one after it fills.
    pipeline.advance(1);
    let after = pipeline.advance(2);
    assert_eq!(after["position"], 0, "{after}");
    let halted = status(pipeline.path(), "");
    assert_eq!(
        (halted["unheard"].as_array().map(Vec::len), &halted["stops"][0]["rule"]),
        (Some(0), &"halted".into())
    );
    pipeline.advance(3000);
    assert_eq!(refused(pipeline.path(), "mes-risk review --reason x").lines().count(), 1);
    ok(pipeline.path(), "mes-risk resume --reason 'it is over'");
    pipeline.advance(3000);
    let (folder, journal) = pipeline.end();

    let persons: Vec<_> = journal.match_indices("{\"kind\":\"person\"").map(|(at, _)| at).collect();
    assert_eq!(persons.len(), 2);
    let between: Vec<Value> =
        journal[persons[0]..persons[1]].lines().map(|l| serde_json::from_str(l).expect("a record")).collect();
    let orders: Vec<_> = between.iter().filter(|record| record["kind"] == "order").collect();
    assert_eq!(orders.len(), 1, "nothing is entered while halted: {orders:?}");
    assert_eq!((&orders[0]["signal"], &orders[0]["action"]), (&"FLATTEN".into(), &"exit".into()));
    let row = &between[1];
    assert_eq!((&row["kind"], &row["ts"]), (&"row".into(), &orders[0]["ts"]), "on the row right after it");
    assert!(between.iter().any(|record| record["kind"] == "deny" && record["rule"] == "halted"));
    assert!(!after_person(&journal, &["order"]).is_empty(), "trades again after resume");

    let replay = format!(
        "grep -E '^{{\"kind\":\"(run|row|person)\"' journal.jsonl > in.jsonl &&
         mes-risk --run again {0} in.jsonl | tee again.jsonl | mes-exec --run again {0} > /dev/null && cmp journal.jsonl again.jsonl &&
         mes-bt -q {0} --journal bt.jsonl in.jsonl > summary.json && cmp journal.jsonl bt.jsonl &&
         mes-risk -q {0} --account journal.jsonl in.jsonl | cmp journal.jsonl -",
        rules()
    );
    ok(folder.path(), &replay);
}

#[test]
fn nothing_said_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    for line in ["mes-risk halt --reason x", "mes-risk status", "mes-risk status --state state"] {
        let stderr = refused(folder.path(), line);
        assert!(stderr.contains("nothing has traded there"), "{stderr}");
    }
    let mut pipeline = Pipeline::start("");
    pipeline.advance(5);
    assert!(refused(pipeline.path(), "mes-risk halt --reason ' '").contains("--reason"));
    assert!(refused(pipeline.path(), "mes-risk resume --reason x").contains("nobody has halted it"));
    assert!(refused(pipeline.path(), "mes-risk reset --reason x").contains("nothing to lift"));
    let (folder, _) = pipeline.end();
    // The pipeline is over, and the next one there begins anew.
    let stderr = refused(folder.path(), "mes-risk halt --reason x");
    assert!(stderr.contains("no pipeline runs") && stderr.contains("--state"), "{stderr}");
    assert_eq!(status(folder.path(), "")["running"], false, "what was last known can still be read");
}

#[test]
fn an_account_that_is_kept_goes_on_halted() {
    let mut pipeline = Pipeline::start("--state state");
    pipeline.advance(200);
    let (folder, journal) = pipeline.end();
    let last: Value = serde_json::from_str(journal.lines().last().expect("a line")).expect("a statement");
    // Said while nothing runs, through the run directory, which knows where the account is.
    let said = ok(folder.path(), "mes-risk halt --reason 'back on Monday'");
    assert!(said.contains("when a pipeline starts"), "{said}");

    let mut pipeline = Pipeline::start_in(folder, "--state state");
    pipeline.sent = 300;
    pipeline.advance(1500);
    let (folder, journal) = pipeline.end();
    let run: Value = serde_json::from_str(journal.lines().next().expect("a line")).expect("a run");
    assert_eq!(run["broker"]["balance_cents"], last["balance_cents"], "the money is what was left");
    assert_eq!(run["broker"]["seen"], last["seen"]);
    let second = journal.lines().nth(1).expect("a line");
    assert!(second.starts_with("{\"kind\":\"person\"") && second.contains("back on Monday"), "{second}");
    assert!(!journal.contains("\"kind\":\"order\""));
    // Replayed without the state: it began with what the run record says.
    let replay = format!(
        "grep -E '^{{\"kind\":\"(run|row|person)\"' journal.jsonl | mes-risk --run again {0} | tee again.jsonl |
             mes-exec --run again {0} > /dev/null && cmp journal.jsonl again.jsonl",
        rules()
    );
    ok(folder.path(), &replay);
    let line = format!("mes-risk --state state {} --account journal.jsonl journal.jsonl", rules());
    assert!(refused(folder.path(), &line).contains("leave --state out"));
    assert_eq!(status(folder.path(), "--state state")["stops"][0]["lifted_by"], "mes-risk resume lifts that");
}

#[test]
fn an_error_of_exec_halts_the_account_that_is_kept() {
    let mut pipeline = Pipeline::start("--state state");
    pipeline.advance(30);
    // A record that cannot be: exec ends flat with an error, and the account stays halted.
    let path = pipeline.path().join("state/paper-paper");
    pipeline.risk.kill().expect("killed");
    let folder = pipeline.folder;
    drop(pipeline.rows);
    let output = pipeline.exec.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(path.join("person-000001.jsonl").exists());
    let status = status(folder.path(), "--state state");
    assert_eq!(
        (&status["unheard"][0]["says"], &status["unheard"][0]["by"]),
        (&"halt".into(), &"mes-exec".into())
    );
    ok(folder.path(), "mes-risk resume --state state --reason 'looked at it'");
}

#[test]
fn a_position_that_a_kill_of_exec_left_is_booked_at_its_stop() {
    let mut pipeline = Pipeline::start("--state state");
    let statement = pipeline.advance(30);
    assert_ne!(statement["position"], 0);
    pipeline.exec.kill().expect("kill -9");
    pipeline.exec.wait().expect("an end");
    pipeline.risk.wait().expect("an end");
    let folder = pipeline.folder;
    let mut pipeline = Pipeline::start_in(folder, "--state state");
    pipeline.sent = 30;
    let after = pipeline.advance(1);
    assert_eq!(after["position"], 0);
    let lost =
        statement["balance_cents"].as_i64().expect("cents") - after["balance_cents"].as_i64().expect("cents");
    assert!(lost > 0, "of what may have been, paper takes the worst: {lost}");
    // Risk counts it as the loss that it is.
    let seen = status(pipeline.path(), "");
    assert_eq!((&seen["losses_in_a_row"], &seen["position"]), (&1.into(), &0.into()), "{seen}");
    assert_eq!(seen["equity_cents"], after["equity_cents"]);
    pipeline.end();
}

/// Run record, summary, report and status name a shipped file with other numbers as what it is.
#[test]
fn changed_rules_are_shown_as_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = shell::root().join("pipelines/rules/mes-1k.toml");
    fs::write(folder.path().join("rows"), market::eventful(1)).expect("rows");
    let line =
        format!("sed 's/^daily_loss_usd = 50.0/daily_loss_usd = 40.0/' {} > my.toml", shipped.display());
    ok(folder.path(), &line);
    for (rules, name) in [("my.toml", "mes-1k*"), ("mes-1k", "mes-1k")] {
        let summary = ok(folder.path(), &format!("mes-bt -q --rules {rules} --journal j --out {name} rows"));
        let summary: Value = serde_json::from_str(&summary).expect("a summary");
        assert_eq!(summary["settings"]["rules"], name);
        let journal = fs::read_to_string(folder.path().join("j")).expect("a journal");
        let run: Value = serde_json::from_str(journal.lines().next().expect("a line")).expect("a record");
        assert_eq!(run["rules"]["value"]["name"], name);
        let page = fs::read_to_string(folder.path().join(name).join("report.html")).expect("a report");
        assert_eq!(page.contains("mes-1k*"), name == "mes-1k*");
        ok(folder.path(), &format!("mes-risk -q --rules {rules} --state 's{name}' --account j rows > again"));
        assert_eq!(status(folder.path(), &format!("--state 's{name}'"))["rules"], name);
    }
}

/// The last statement closes what was open: a person who asks afterwards is told of a flat account.
#[test]
fn status_is_flat_after_a_clean_end() {
    for (flags, place) in [("--state state", "--state state"), ("", "")] {
        let mut pipeline = Pipeline::start(flags);
        while pipeline.advance(1)["position"] == 0 {}
        assert_ne!(status(pipeline.path(), place)["position"], 0);
        let (folder, journal) = pipeline.end();
        let last: Value = serde_json::from_str(journal.lines().last().expect("a line")).expect("a record");
        assert_eq!((&last["kind"], &last["position"]), (&"statement".into(), &0.into()));
        let found = status(folder.path(), place);
        assert_eq!((&found["position"], &found["stop"]), (&0.into(), &Value::Null), "{found}");
        for name in ["balance_cents", "equity_cents"] {
            assert_eq!(found[name], last[name], "{name}");
        }
        assert_eq!(found["running"], false);
    }
}
