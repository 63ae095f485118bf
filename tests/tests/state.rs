//! What risk remembers outlives it: killed after any line, it judges on as if nothing had been.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Stdio},
    thread,
};

use mes_golden::{market, shell};
use serde_json::Value;
use tempfile::TempDir;

/// Rows of a market that leads through every way out of a trade, and the journal of trading them without a kill.
struct Reference {
    folder: TempDir,
    rules: &'static str,
    /// Lines of the journal.
    journal: Vec<String>,
}

/// Verdicts by the time of their row.
type Verdicts = BTreeMap<String, Vec<String>>;

/// Every way out of a trade; and rules that remember most: stops by ATR, reversals, breakers.
const BUSY: &str = market::RULES;
const NIMBLE: &str = "tests/fixtures/nimble.toml";

fn rules(name: &str) -> String {
    format!("--rules {}", shell::root().join(name).display())
}

/// A week and a day, which have every kind of day in them.
fn reference(rules_name: &'static str, seed: u64) -> Reference {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = market::eventful(seed);
    let end = rows.find("{\"ts\":\"2026-03-03").expect("a second week");
    fs::write(folder.path().join("rows.jsonl"), &rows[..end]).expect("rows");
    shell::ok(
        folder.path(),
        &format!("mes-bt -q {} --journal journal.jsonl rows.jsonl > out", rules(rules_name)),
        b"",
    );
    let text = fs::read_to_string(folder.path().join("journal.jsonl")).expect("a journal");
    Reference { folder, rules: rules_name, journal: text.lines().map(str::to_owned).collect() }
}

/// Collects orders, denials, holds and alerts; a last line that is cut is none.
fn verdicts(lines: &[String]) -> Verdicts {
    let mut found = Verdicts::new();
    for line in lines {
        let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
        let kind = record["kind"].as_str().expect("a kind");
        if ["order", "deny", "hold", "alert"].contains(&kind) {
            let ts = record["ts"].as_str().expect("a time").to_owned();
            found.entry(ts).or_default().push(line.clone());
        }
    }
    found
}

impl Reference {
    /// Starts risk on the rows and the recorded statements, with a state of this name.
    fn start(&self, state: &str, rows: Stdio) -> Child {
        let line = format!("exec mes-risk -q {} --state {state} --account journal.jsonl", rules(self.rules));
        shell::bash(self.folder.path(), &line)
            .stdin(rows)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("risk")
    }

    fn rows(&self) -> Stdio {
        fs::File::open(self.folder.path().join("rows.jsonl")).expect("rows").into()
    }

    /// Kills risk as soon as so many lines have come, wherever in the rows after it may be by then.
    fn killed(&self, state: &str, count: usize) {
        let mut child = self.start(state, self.rows());
        let lines: Vec<String> = BufReader::new(child.stdout.take().expect("stdout"))
            .lines()
            .take(count)
            .map(|l| l.expect("a line"))
            .collect();
        child.kill().expect("kill -9");
        child.wait().expect("an end");
        self.same_as_reference(&lines, count);
    }

    /// Gives risk the rows up to the line of the journal's that is the count-th, lets it wait for the next, and kills it.
    fn killed_while_waiting(&self, state: &str, count: usize) {
        let mut child = self.start(state, Stdio::piped());
        let rows = self.journal[..count].iter().filter(|line| line.starts_with("{\"kind\":\"row\"")).count();
        let text = fs::read_to_string(self.folder.path().join("rows.jsonl")).expect("rows");
        let mut stdin = child.stdin.take().expect("stdin");
        let given: String = text.lines().take(1 + rows).flat_map(|line| [line, "\n"]).collect();
        // Kept open until risk is dead.
        let feeder = thread::spawn(move || {
            stdin.write_all(given.as_bytes()).expect("risk reads");
            stdin
        });
        // Without any row nobody knows the columns, so nothing comes.
        let wanted = if rows == 0 { 0 } else { count };
        let lines: Vec<String> = BufReader::new(child.stdout.take().expect("stdout"))
            .lines()
            .take(wanted)
            .map(|l| l.expect("a line"))
            .collect();
        let stdin = feeder.join().expect("given");
        child.kill().expect("kill -9");
        child.wait().expect("an end");
        drop(stdin);
        self.same_as_reference(&lines, wanted);
    }

    /// What came before the kill is what comes without one.
    fn same_as_reference(&self, lines: &[String], count: usize) {
        assert_eq!(lines.len(), count);
        for (line, wanted) in lines.iter().zip(&self.journal).skip(1) {
            assert_eq!(line, wanted);
        }
    }

    /// Starts risk again on the same rows and checks that every row that was not judged before the kill is judged as
    /// without one.
    fn goes_on(&self, state: &str, what: &str) {
        let known = self.last_judged(state);
        let output = self.start(state, self.rows()).wait_with_output().expect("an end");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {stderr}");
        let lines: Vec<String> =
            String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
        let mut wanted = verdicts(&self.journal);
        wanted.retain(|ts, _| *ts > known);
        let found = verdicts(&lines);
        let first = wanted.iter().find(|(ts, wanted)| found.get(*ts) != Some(wanted));
        assert!(found == wanted, "{what}, known up to {known:?}: the first row judged otherwise: {first:?}");
    }

    fn forget(&self, state: &str) {
        fs::remove_dir_all(self.folder.path().join(state)).expect("a state");
    }

    /// Returns the time of the last row that the state has; nothing before the first.
    fn last_judged(&self, state: &str) -> String {
        let line = format!("mes-risk status --state {state}");
        let output = shell::run(self.folder.path(), &line, b"");
        if !output.status.success() {
            return String::new();
        }
        let status: Value = serde_json::from_slice(&output.stdout).expect("a status");
        status["ts"].as_str().unwrap_or_default().to_owned()
    }
}

/// Lines after which to kill: evenly over the whole run; with SOAK=n every 100/n-th, so with 100 every one.
fn cuts(lines: usize, kills: usize) -> Vec<usize> {
    match mes_golden::soak() {
        Some(times) => (0..lines).step_by((100 / times.clamp(1, 100)).max(1)).collect(),
        None => (0..kills).map(|kill| kill * (lines - 1) / (kills - 1)).collect(),
    }
}

#[test]
fn killed_after_any_line_it_judges_on_as_if_nothing_had_been() {
    let reference = reference(NIMBLE, 21);
    for count in cuts(reference.journal.len(), 20) {
        let state = format!("state-{count}");
        reference.killed(&state, count);
        reference.goes_on(&state, &format!("killed after line {count}"));
        reference.forget(&state);
    }
}

#[test]
fn killed_while_it_waits_for_a_row_it_judges_on_as_if_nothing_had_been() {
    let reference = reference(BUSY, 2);
    // Risk that waits for a row has not said that it was the last.
    for count in cuts(reference.journal.len() - 2, 20) {
        let state = format!("state-{count}");
        reference.killed_while_waiting(&state, count);
        reference.goes_on(&state, &format!("killed after line {count}, waiting"));
        reference.forget(&state);
    }
}

#[test]
fn killed_again_and_again_it_judges_on_as_if_nothing_had_been() {
    let reference = reference(NIMBLE, 22);
    let lines = reference.journal.len();
    for kill in 1..10 {
        let mut child = reference.start("state", reference.rows());
        let taken =
            BufReader::new(child.stdout.take().expect("stdout")).lines().take(kill * lines / 10).count();
        assert!(taken > 0);
        child.kill().expect("kill -9");
        child.wait().expect("an end");
    }
    reference.goes_on("state", "killed nine times");
    // And once it has seen everything, nothing is judged twice.
    reference.goes_on("state", "started again at the end");
}

/// Risk with a state, alone; the exit code and what it says.
fn risk(folder: &Path, flags: &str) -> (Option<i32>, String) {
    let line = format!("mes-risk -q --state state --account journal.jsonl {flags} rows.jsonl > out");
    let output = shell::run(folder, &line, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_damaged_state_stops_with_4_and_says_what_to_do() {
    let reference = reference(BUSY, 1);
    let folder = reference.folder.path();
    assert_eq!(risk(folder, &rules(BUSY)).0, Some(0));
    let account = folder.join("state/recorded_paper-paper");
    let (ledger, mark) = (account.join("ledger-000001.jsonl"), account.join("ledger.mark"));
    let whole = fs::read(&ledger).expect("a ledger");
    let damage = |how: &str, damage: &dyn Fn()| {
        fs::write(&ledger, &whole).expect("written");
        damage();
        let (code, stderr) = risk(folder, &rules(BUSY));
        assert_eq!(code, Some(4), "{how}: {stderr}");
        assert!(stderr.contains("damaged: ") && stderr.contains("mkdir -p state/"), "{how}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let status = shell::run(folder, "mes-risk status --state state", b"");
        assert_eq!(status.status.code(), Some(4), "{how}");
        let halt = shell::run(folder, "mes-risk halt --reason x --state state", b"");
        assert_eq!(halt.status.code(), Some(4), "{how}");
    };
    damage("cut in the middle", &|| fs::write(&ledger, &whole[..whole.len() / 2]).expect("written"));
    damage("cut at a line", &|| {
        let end = whole[..whole.len() / 2].iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
        fs::write(&ledger, &whole[..end]).expect("written");
    });
    damage("a byte", &|| {
        let mut changed = whole.clone();
        changed[whole.len() / 3] ^= 4;
        fs::write(&ledger, changed).expect("written");
    });
    damage("empty", &|| fs::write(&ledger, b"").expect("written"));
    damage("gone", &|| fs::remove_file(&ledger).expect("removed"));
    // What it says to do works: then the account begins anew.
    let (_, stderr) = risk(folder, &rules(BUSY));
    let command = &stderr[stderr.find("mkdir -p").expect("what to do")..];
    shell::ok(folder, command, b"");
    assert!(!mark.exists());
    assert_eq!(risk(folder, &rules(BUSY)).0, Some(0));
}

#[test]
fn a_state_of_another_account_or_other_rules_is_refused() {
    let reference = reference(BUSY, 1);
    let folder = reference.folder.path();
    assert_eq!(risk(folder, &rules(BUSY)).0, Some(0));
    let (code, stderr) = risk(folder, "--rules mes-1k");
    assert_eq!(code, Some(4), "{stderr}");
    assert!(
        stderr.contains("busy") && stderr.contains("mes-1k") && stderr.contains("mes-risk resume"),
        "{stderr}"
    );
    // A person may agree to other rules.
    shell::ok(folder, "mes-risk resume --state state --rules mes-1k --reason 'the owner said so'", b"");
    assert_eq!(risk(folder, "--rules mes-1k").0, Some(0));
    assert_eq!(risk(folder, &rules(BUSY)).0, Some(4), "and the old ones are the other ones now");
    // Whatever they trade, at whatever costs.
    shell::ok(folder, "mes-risk resume --state state --rules mnq-1k --reason 'another market'", b"");
    // Moved under another name.
    shell::ok(
        folder,
        "cp -r state/recorded_paper-paper kept; mv state other; mkdir -p state; mv kept state/recorded_paper-paper",
        b"",
    );
    shell::ok(
        folder,
        "sed -i 's/\"account\":\"paper\"/\"account\":\"eva\"/' journal.jsonl; mv state/recorded_paper-paper state/recorded_paper-eva",
        b"",
    );
    let (code, stderr) = risk(folder, "--rules mes-1k");
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("another account"), "{stderr}");
}

#[test]
fn a_disk_that_takes_no_more_stops_trading() {
    let reference = reference(BUSY, 1);
    let folder = reference.folder.path();
    // A limit on file sizes is a full disk for those who ignore its signal.
    let line = format!(
        "trap '' XFSZ; ulimit -f 64; mes-risk -q {} --state state --account journal.jsonl rows.jsonl | cat > /dev/null",
        rules(BUSY)
    );
    let output = shell::run(folder, &line, b"");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("must not be traded"), "{stderr}");
    // The line that did not fit is torn, and no damage: with room again it goes on as if nothing had been.
    reference.goes_on("state", "after a full disk");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let reference = reference(BUSY, 1);
    let folder = reference.folder.path();
    fs::write(folder.join("state"), "a file").expect("written");
    let (code, stderr) = risk(folder, &rules(BUSY));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("state/recorded_paper-paper"), "{stderr}");
}

/// Days of one account: each begins with what the one before ended with, in its ledger and in its report, and one that is
/// killed after a clean end can be read.
#[test]
fn the_next_day_goes_on_where_the_last_one_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("rows.jsonl"), market::eventful(1)).expect("rows");
    let pipe = |rows: &str, risk: &str, name: &str| {
        let rules = rules(BUSY);
        let exec = format!("mes-exec -q --state state {rules} > out");
        format!("{rows} | {risk} mes-risk -q --state state {rules} | tee {name}.jsonl | {exec}")
    };
    let report = |name: &str| -> Value {
        let line = format!("mes-bt report -q {name}.jsonl --out {name}");
        serde_json::from_slice(&shell::ok(folder, &line, b"")).expect("JSON")
    };
    shell::ok(folder, &pipe("head -3000 rows.jsonl", "", "first"), b"");
    shell::ok(folder, &pipe("sed -n 3001,6000p rows.jsonl", "", "second"), b"");
    let (first, second) = (report("first"), report("second"));
    assert_ne!(first["account"]["net_usd"].as_f64(), Some(0.0), "{first}");
    assert_eq!(first["account"]["end_usd"], second["account"]["start_usd"]);
    let sum = |report: &Value| report["trades"]["all"]["net_usd"].as_f64();
    assert_eq!(sum(&second), second["account"]["net_usd"].as_f64(), "{second}");

    let killed = pipe("(sed -n 6001,7000p rows.jsonl; sleep 9)", "timeout -s KILL 3", "third");
    shell::ok(folder, &format!("{killed} 2> err || true"), b"");
    shell::ok(folder, "mes-risk status --state state", b"");
    shell::ok(folder, &pipe("sed -n 7001,7200p rows.jsonl", "", "fourth"), b"");
}
