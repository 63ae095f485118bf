//! When mes-exec fails, on a full disk too: a halt before all else, then flat; both told.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_golden::shell;
use mes_pipe::{
    account,
    durable::{Busy, Durable},
};
use serde_json::{Value, json};

use super::{folder, rules, traded};

/// Mes-exec with a state, and a risk that is played by hand.
struct Hand {
    exec: Child,
    socket: BufReader<UnixStream>,
    /// As a risk would, it has its ledger open.
    _ledger: Durable,
}

impl Hand {
    /// Starts `line`, knocks, and sends a run record of the account.
    fn start(folder: &Path, line: &str) -> Hand {
        let mut exec = shell::bash(folder, line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("exec");
        let place = folder.join("run/account.sock");
        let socket = loop {
            match UnixStream::connect(&place) {
                Ok(socket) => break socket,
                Err(_) => assert!(exec.try_wait().expect("a child").is_none(), "exec is gone"),
            }
            sleep(Duration::from_millis(10));
        };
        let ledger = folder.join("state/paper-paper/ledger");
        let head = account::head("ledger", "paper", "paper");
        let (ledger, _) = Durable::open(&ledger, &head, Busy::Refuse).expect("a ledger");
        let mut hand = Hand { exec, socket: BufReader::new(socket), _ledger: ledger };
        let hello = hand.hear();
        let mut run: Value = serde_json::from_str(&journal(folder)[0]).expect("a run");
        let past = &hello["kept"]["past"];
        let order = &hello["kept"]["order"];
        run["kept"] = json!({ "id": hello["kept"]["id"], "pasts": [past], "order": order });
        run["broker"] = hello;
        hand.say(&run.to_string());
        hand
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.socket.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("a record")
    }

    fn say(&mut self, line: &str) {
        writeln!(self.exec.stdin.as_mut().expect("stdin"), "{line}").expect("exec reads");
    }

    /// Sends rows and orders of the journal until a position is open, and returns the last row and its statement.
    fn open(&mut self, folder: &Path) -> (Value, Value) {
        for line in &journal(folder)[1..] {
            let record: Value = serde_json::from_str(line).expect("a record");
            let kind = record["kind"].as_str().expect("a kind");
            if ["row", "order"].contains(&kind) {
                self.say(line);
            }
            if kind == "row" {
                let statement = self.hear();
                if statement["position"] != 0 {
                    return (record, statement);
                }
            }
        }
        panic!("nothing was opened");
    }

    /// Ends the input; the exit code, the last statement printed and what was said.
    fn end(self) -> (Option<i32>, Value, String) {
        let output = self.exec.wait_with_output().expect("an end");
        let out = String::from_utf8_lossy(&output.stdout);
        let last =
            out.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).expect("a record"));
        (output.status.code(), last, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The journal of the first part, by mes-bt.
fn journal(folder: &Path) -> Vec<String> {
    let line = format!("mes-bt -q {} --journal - 0.jsonl", rules());
    let text = shell::ok(folder, &line, b"");
    String::from_utf8(text).expect("text").lines().map(str::to_owned).collect()
}

fn exec(flags: &str) -> String {
    format!("exec mes-exec {} --state state {flags}", rules())
}

/// What a status says of halts that are to take effect.
fn unheard(folder: &Path) -> Vec<Value> {
    let status = shell::ok(folder, "mes-risk status --state state", b"");
    let status: Value = serde_json::from_slice(&status).expect("a status");
    status["unheard"].as_array().cloned().unwrap_or_default()
}

/// Trades a part of the halted account: nothing is entered.
fn nothing_is_entered(folder: &Path, part: usize) {
    traded(folder, part, "state");
    let statements = fs::read_to_string(folder.join("out.jsonl")).expect("statements");
    assert!(!statements.contains("\"exit\":null"), "{statements}");
}

#[test]
fn a_panic_of_mes_exec_halts_first_and_flattens() {
    let folder = folder();
    let path = folder.path();
    traded(path, 7, "state");
    let mut hand = Hand::start(path, &exec(""));
    let (mut row, _) = hand.open(path);
    // Together they are more than a sum can hold.
    for _ in 0..2 {
        let ts = mes_core::time::parse(row["ts"].as_str().expect("a time")).expect("a time");
        row["ts"] = mes_core::time::format(ts + mes_core::time::SECOND).into();
        row["volume"] = (1_i64 << 62).into();
        hand.say(&row.to_string());
    }
    let (code, last, said) = hand.end();
    assert!(matches!(code, Some(1 | 3)), "{code:?}: {said}");
    assert_eq!(last["position"], 0, "{last}");
    assert!(!last["fills"].as_array().expect("fills").is_empty(), "{last}");
    let person = fs::read_to_string(path.join("state/paper-paper/person-000001.jsonl")).expect("a halt");
    assert!(person.contains("\"says\":\"halt\""), "{person}");
}

#[test]
fn an_error_before_the_first_row_halts_too_and_an_upstream_that_never_began_does_not() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    let person = path.join("state/paper-paper/person-000001.jsonl");
    let said = |what: &str| fs::read_to_string(&person).expect("lines").matches(what).count();
    let mut hand = Hand::start(path, &exec(""));
    hand.say("{\"kind\":\"nonsense\"}");
    assert_eq!(hand.end().0, Some(3));
    assert_eq!(said("nonsense"), 1);
    let line = format!("mes-risk {0} --state state no.jsonl | mes-exec {0} --state state", rules());
    assert_eq!(shell::run(path, &line, b"").status.code(), Some(4));
    assert_eq!(said("halt"), 1);
}

/// Trades parts until `enough`, and returns the next.
fn trade_until(folder: &Path, mut part: usize, enough: impl Fn() -> bool) -> usize {
    while !enough() {
        traded(folder, part, "state");
        part += 1;
    }
    part
}

/// The halt has no room either; once as the account is opened, once as the run begins.
#[test]
fn a_state_that_could_not_be_written_locks_the_account_until_a_person_has_looked() {
    let folder = folder();
    let path = folder.path();
    let bytes =
        |file: &str| fs::metadata(path.join("state/paper-paper").join(file)).map_or(0, |about| about.len());
    let mut part = trade_until(path, 0, || bytes("account-000001.jsonl") > 1100);
    // A limit on file sizes is a full disk for those who do not die of its signal.
    for (blocks, opens) in [(0, false), (1, true)] {
        let long = "x".repeat(1100);
        shell::ok(path, &format!("mes-risk halt --state state --reason {long}"), b"");
        shell::ok(path, "mes-risk resume --state state --reason 'long enough'", b"");
        let line = format!("ulimit -f {blocks}; {}", exec(""));
        let (code, said) = if opens {
            let (code, _, said) = Hand::start(path, &line).end();
            (code, said)
        } else {
            let output = shell::run(path, &line, b"");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("state/paper-paper/account") && said.contains("must not be traded"), "{said}");
        assert!(path.join("state/paper-paper/halt.unwritten").exists(), "{said}");
        let locked = unheard(path);
        assert!(locked.iter().any(|said| said["says"] == "halt" && said["by"] == "mes-exec"), "{locked:?}");
        // There is room again: the restart trades nothing before a person has looked.
        nothing_is_entered(path, part);
        assert!(!path.join("state/paper-paper/halt.unwritten").exists());
        nothing_is_entered(path, part + 1);
        shell::ok(path, "mes-risk resume --state state --reason 'the disk has room'", b"");
        let statements = || fs::read_to_string(path.join("out.jsonl")).expect("statements");
        part = trade_until(path, part + 2, || statements().contains("\"exit\":null"));
    }
}

#[test]
fn a_full_disk_with_a_position_open_halts_and_closes() {
    let folder = folder();
    let path = folder.path();
    // Room for the head, the start of a run and the first orders.
    let mut hand = Hand::start(path, &format!("ulimit -f 1; {}", exec("")));
    let (mut row, statement) = hand.open(path);
    let stop = &statement["working"][0]["price"];
    let mut order = json!({ "kind": "order", "signal": "HOLD", "action": "move_stop", "stop": stop });
    for id in 100..110 {
        let ts = mes_core::time::parse(row["ts"].as_str().expect("a time")).expect("a time");
        row["ts"] = mes_core::time::format(ts + mes_core::time::SECOND).into();
        (order["ts"], order["id"]) = (row["ts"].clone(), id.into());
        for line in [&row, &order] {
            let stdin = hand.exec.stdin.as_mut().expect("stdin");
            if writeln!(stdin, "{line}").is_err() {
                break;
            }
        }
    }
    let (code, last, said) = hand.end();
    assert_eq!((code, &last["position"]), (Some(1), &0.into()), "{said}");
    assert!(said.contains("must not be traded"), "{said}");
    // What was closed is told, and is what the account goes on with: nothing is booked at a stop.
    assert!(last["fills"].as_array().expect("fills").iter().any(|fill| !fill["exit"].is_null()), "{last}");
    let output = shell::run(path, &exec(""), b"");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("booked at its stop"), "{output:?}");
    let account = fs::read_to_string(path.join("state/paper-paper/account-000001.jsonl")).expect("lines");
    let kept: Value = serde_json::from_str(account.lines().last().expect("a line")).expect("a record");
    assert_eq!((&kept["position"], &kept["balance_cents"]), (&0.into(), &last["balance_cents"]), "{account}");
    let person = fs::read_to_string(path.join("state/paper-paper/person-000001.jsonl")).expect("a halt");
    assert!(person.contains("must not be traded"), "{person}");
}

#[test]
fn a_full_stdout_is_said_and_not_a_success() {
    let folder = folder();
    let rules = rules();
    let line = format!("mes-risk {rules} 0.jsonl | tee journal.jsonl | mes-exec {rules} > /dev/full");
    let output = shell::run(folder.path(), &line, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stdout: No space left on device"), "{said}");
    let traded = fs::read_to_string(folder.path().join("journal.jsonl")).expect("a journal");
    assert_eq!(traded.lines().collect::<Vec<_>>(), journal(folder.path()), "and trading went on to its end");
}
