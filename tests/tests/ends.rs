//! The two ends of the loop and what they keep: one account and one past, or no trading; a halt before all else when
//! mes-exec fails, on a full disk too; files and sockets that are nobody else's.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixStream,
    },
    path::Path,
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_golden::{market, shell};
use mes_pipe::{
    account,
    durable::{Busy, Durable},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Rows of seed 1 in parts of 300, each of which trades.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = market::eventful(1);
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let rows: Vec<&str> = lines.collect();
    for (part, rows) in rows.chunks(300).take(8).enumerate() {
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
    files.map(|file| fs::read(folder.join("state/sim-sim").join(file)).ok()).to_vec()
}

#[test]
fn state_on_one_end_only_is_refused_by_both() {
    let folder = folder();
    traded(folder.path(), 0, "state");
    for (risk, exec) in [("--state state", ""), ("", "--state state")] {
        refused(folder.path(), risk, exec, "--state");
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
        ("rm state/sim-sim/account*", "another account"),
        ("rm state/sim-sim/ledger*", "not traded together"),
        ("cp other/sim-sim/ledger* state/sim-sim/", "another account"),
        ("cp other/sim-sim/account* state/sim-sim/", "another account"),
        ("cp early/sim-sim/ledger* state/sim-sim/", "not traded together"),
        ("cp early/sim-sim/account* state/sim-sim/", "not traded together"),
        ("cp fork/sim-sim/account* state/sim-sim/", "not traded together"),
    ] {
        shell::ok(path, &format!("rm -r state; cp -r whole state; {damage}"), b"");
        let (codes, said) = trade(path, 7, both, both);
        assert_eq!(codes, [2, 2], "{damage}: {said}");
        assert_eq!(said.matches(why).count(), 2, "{damage}: {said}");
        assert!(said.contains("mv state/sim-sim state/sim-sim.old"), "{said}");
    }
    shell::ok(path, "rm -r state; cp -r whole state", b"");
    refused(path, both, "--state whole", "in another directory");
    // What it says to do works.
    traded(path, 7, "state");
    shell::ok(path, "mv state/sim-sim state/sim-sim.old", b"");
    traded(path, 7, "state");
}

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
        let ledger = folder.join("state/sim-sim/ledger");
        let head = account::head("ledger", "sim", "sim");
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

    /// Sends rows and orders of the journal until a position is open, and returns the last row.
    fn open(&mut self, folder: &Path) -> Value {
        let mut row = Value::Null;
        for line in &journal(folder)[1..] {
            let record: Value = serde_json::from_str(line).expect("a record");
            let kind = record["kind"].as_str().expect("a kind");
            if ["row", "order"].contains(&kind) {
                self.say(line);
            }
            if kind == "row" {
                row = record;
                if self.hear()["position"] != 0 {
                    return row;
                }
            }
        }
        panic!("nothing was opened");
    }

    /// Ends the input; the exit code, the last statement printed and what was said.
    fn end(self) -> (Option<i32>, Value, String) {
        let output = self.exec.wait_with_output().expect("an end");
        let out = String::from_utf8_lossy(&output.stdout);
        let last = out.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).expect("a record"));
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
    let mut row = hand.open(path);
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
    let person = fs::read_to_string(path.join("state/sim-sim/person-000001.jsonl")).expect("a halt");
    assert!(person.contains("\"says\":\"halt\""), "{person}");
}

#[test]
fn an_error_before_the_first_row_halts_too_and_an_upstream_that_never_began_does_not() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    let person = path.join("state/sim-sim/person-000001.jsonl");
    let said = |what: &str| fs::read_to_string(&person).expect("lines").matches(what).count();
    let mut hand = Hand::start(path, &exec(""));
    hand.say("{\"kind\":\"nonsense\"}");
    assert_eq!(hand.end().0, Some(3));
    assert_eq!(said("nonsense"), 1);
    let line = format!("mes-risk {0} --state state no.jsonl | mes-exec {0} --state state", rules());
    assert_eq!(shell::run(path, &line, b"").status.code(), Some(4));
    assert_eq!(said("halt"), 1);
}

#[test]
fn a_state_that_could_not_be_written_locks_the_account_until_a_person_has_looked() {
    let folder = folder();
    let path = folder.path();
    for part in 0..3 {
        traded(path, part, "state");
    }
    // A limit on file sizes is a full disk for those who ignore its signal; the halt has no room either.
    let long = "x".repeat(2000);
    shell::ok(path, &format!("mes-risk halt --state state --reason {long}"), b"");
    shell::ok(path, "mes-risk resume --state state --reason 'long enough'", b"");
    let hand = Hand::start(path, &format!("ulimit -f 1; {}", exec("")));
    let (code, _, said) = hand.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("account-000001.jsonl") && said.contains("must not be traded"), "{said}");
    assert!(path.join("state/sim-sim/halt.unwritten").exists(), "{said}");
    let locked = unheard(path);
    assert!(locked.iter().any(|said| said["says"] == "halt" && said["by"] == "mes-exec"), "{locked:?}");
    // There is room again: the restart trades nothing before a person has looked.
    nothing_is_entered(path, 3);
    assert!(!path.join("state/sim-sim/halt.unwritten").exists());
    nothing_is_entered(path, 4);
    shell::ok(path, "mes-risk resume --state state --reason 'the disk has room'", b"");
    traded(path, 5, "state");
    let statements = fs::read_to_string(path.join("out.jsonl")).expect("statements");
    assert!(statements.contains("\"exit\":null"), "trades again");
}

#[test]
fn a_full_disk_with_a_position_open_halts_and_closes() {
    let folder = folder();
    let path = folder.path();
    // Room for the head, the start of a run and the first orders.
    let mut hand = Hand::start(path, &format!("ulimit -f 1; {}", exec("")));
    let mut row = hand.open(path);
    let mut order = json!({ "kind": "order", "signal": "FLATTEN", "action": "exit", "reason": "limit" });
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
    assert!(said.contains("must not be traded") && said.contains("and then: "), "both are told: {said}");
    let person = fs::read_to_string(path.join("state/sim-sim/person-000001.jsonl")).expect("a halt");
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

#[test]
fn run_directory_sockets_and_state_are_ours_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let folder = folder();
        let path = folder.path();
        let rules = rules();
        let mode = |name: &str| {
            let about = fs::metadata(path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            about.permissions().mode() & 0o777
        };
        let mut exec = shell::bash(path, &format!("umask {umask}; exec mes-exec {rules} --state state"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("exec");
        while !path.join("run/account.sock").exists() || mode("run/account.sock") != 0o600 {
            assert!(exec.try_wait().expect("a child").is_none(), "umask {umask}: exec is gone");
            sleep(Duration::from_millis(10));
        }
        assert_eq!(mode("run"), 0o700, "umask {umask}");
        drop(exec.stdin.take());
        exec.wait().expect("an end");
        let flags = "--state state";
        let line = format!(
            "umask {umask}; mes-risk {rules} {flags} 0.jsonl | mes-exec {rules} {flags} | cat > /dev/null"
        );
        shell::ok(path, &line, b"");
        for place in ["run", "state/sim-sim"] {
            assert_eq!(mode(place), 0o700, "umask {umask}: {place}");
            for file in fs::read_dir(path.join(place)).expect("files") {
                let name = file.expect("a file").path();
                let name = name.strip_prefix(path).expect("within").display().to_string();
                assert_eq!(mode(&name), 0o600, "umask {umask}: {name}");
            }
        }
    }
}

#[test]
fn a_link_in_the_place_of_a_lock_or_a_state_file_is_not_followed() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    fs::write(path.join("victim"), "precious\n").expect("a file");
    for (file, code) in [
        ("run/exec.lock", 1),
        ("run/risk.lock", 1),
        ("run/risk.state", 1),
        ("state/sim-sim/ledger-000001.jsonl", 1),
        ("state/sim-sim/ledger.mark", 1),
        ("state/sim-sim/account-000001.jsonl", 1),
        ("state/sim-sim/account.mark", 1),
        ("state/sim-sim/person-000001.jsonl", 1),
        ("state/sim-sim/halt.reserve", 1),
    ] {
        let (real, aside) = (path.join(file), path.join("aside"));
        fs::rename(&real, &aside).expect("moved");
        symlink(path.join("victim"), &real).expect("a link");
        let (codes, said) = trade(path, 1, "--state state", "--state state");
        let precious = fs::read_to_string(path.join("victim")).expect("a file");
        assert_eq!(precious, "precious\n", "{file}");
        if file != "state/sim-sim/halt.reserve" {
            assert!(codes.contains(&code), "{file}: {codes:?} {said}");
            assert!(said.contains("it is a link"), "{file}: {said}");
        }
        fs::remove_file(&real).expect("removed");
        fs::rename(&aside, &real).expect("back");
        let _ = fs::remove_file(path.join("state/sim-sim/halt.unwritten"));
    }
}

#[test]
fn a_run_directory_that_everybody_may_write_in_is_refused() {
    let folder = folder();
    shell::ok(folder.path(), "mkdir -m 777 open; touch open/something", b"");
    let (codes, said) = trade(folder.path(), 0, "--run open", "--run open");
    assert_eq!(codes, [2, 2], "{said}");
    assert!(said.contains("everybody may write in open"), "{said}");
}
