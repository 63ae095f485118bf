//! The records that risk and exec exchange, and what is kept of them.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use mes_golden::{market, shell};
use mes_pipe::durable::{self, Busy, Durable};
use serde_json::{Value, json};

use super::{
    fields::at_extremes,
    sweep::{self, ANSWERS},
};

fn rules() -> PathBuf {
    shell::root().join(market::RULES)
}

/// The rows of an hour, and the journal that they make: entries, stops, exits.
struct Sample {
    rows: String,
    journal: Vec<Value>,
}

impl Sample {
    fn new() -> Sample {
        let folder = tempfile::tempdir().expect("a folder");
        // What comes before them is calm; in these a limit is met, a session ends and data are missing.
        let text = market::eventful(1);
        let rows: Vec<&str> = text.lines().take(1).chain(text.lines().skip(1999).take(801)).collect();
        let rows = rows.join("\n") + "\n";
        let line = format!("mes-bt --rules {} --journal journal > /dev/null", rules().display());
        shell::ok(folder.path(), &line, rows.as_bytes());
        let journal = fs::read_to_string(folder.path().join("journal")).expect("a journal");
        let journal = journal.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
        Sample { rows, journal }
    }

    /// Puts a move of the stop behind the first entry.
    fn move_a_stop(&mut self) {
        let entry = self.journal.iter().position(|record| record["action"] == "enter").expect("an entry");
        let (ts, id) = (&self.journal[entry]["ts"], &self.journal[entry]["id"]);
        let order = json!({
            "kind": "order", "ts": ts, "id": id, "signal": "HOLD", "action": "move_stop", "stop": 5000.25,
        });
        self.journal.insert(entry + 1, order);
    }

    /// Returns the places of the records to put at extremes: of each kind the one that has most to it.
    fn richest(&self, kind: &str) -> usize {
        let weight = |record: &Value| record.to_string().len();
        let of_kind = self.journal.iter().enumerate().filter(|(_, record)| record["kind"] == kind);
        of_kind.max_by_key(|(_, record)| weight(record)).unwrap_or_else(|| panic!("no {kind}")).0
    }

    /// Returns the journal with the record at this place replaced, and only these kinds of records.
    fn with(&self, place: usize, record: &Value, kinds: &[&str]) -> String {
        let mut text = String::new();
        for (at, before) in self.journal.iter().enumerate() {
            let record = if at == place { record } else { before };
            if kinds.is_empty() || kinds.iter().any(|kind| record["kind"] == *kind) {
                text += &format!("{record}\n");
            }
        }
        text
    }

    /// Puts the record at this place at extremes, in a journal of these kinds of records.
    fn cases(&self, place: usize, kinds: &[&str]) -> Vec<(String, String)> {
        let changed = at_extremes(&self.journal[place]);
        changed.into_iter().map(|(name, record)| (name, self.with(place, &record, kinds))).collect()
    }
}

/// Feeds a journal to mes-exec, with somebody in the place of risk.
fn exec(folder: &Path, journal: &str) -> Output {
    let line = sweep::bounded(30, &format!("mes-exec --rules {}", rules().display()));
    let mut command = shell::bash(folder, &line);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("mes-exec");
    let socket = folder.join("run/account.sock");
    let mut channel = loop {
        match UnixStream::connect(&socket) {
            Ok(channel) => break channel,
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let reader = std::thread::spawn(move || drop(channel.read_to_end(&mut Vec::new())));
    let _ = child.stdin.take().expect("stdin").write_all(journal.as_bytes());
    let output = child.wait_with_output().expect("mes-exec ends");
    reader.join().expect("the channel closes");
    output
}

#[test]
fn of_runs_rows_and_orders_at_mes_exec() {
    let mut sample = Sample::new();
    let kinds = ["run", "row", "order", "end"];
    sample.move_a_stop();
    let mut places: Vec<usize> = ["run", "row"].map(|kind| sample.richest(kind)).to_vec();
    for action in ["enter", "exit", "move_stop"] {
        places.extend(sample.journal.iter().position(|record| record["action"] == action));
    }
    assert_eq!(places.len(), 5);
    let cases: Vec<_> = places.into_iter().flat_map(|place| sample.cases(place, &kinds)).collect();
    sweep::all(&cases, &ANSWERS, |folder, journal| exec(folder, journal));
}

#[test]
fn of_statements_and_runs_at_mes_risk() {
    let sample = Sample::new();
    let fill =
        sample.journal.iter().rposition(|record| record["fills"][0]["exit"].is_string()).expect("an exit");
    let mut cases = Vec::new();
    for place in [sample.richest("statement"), fill, 0] {
        cases.extend(sample.cases(place, &["run", "statement"]));
    }
    sweep::all(&cases, &ANSWERS, |folder, statements| {
        fs::write(folder.join("statements"), statements).expect("written");
        let line = format!("mes-risk --rules {} --account statements > /dev/null", rules().display());
        sweep::line(folder, &line, sample.rows.as_bytes())
    });
}

#[test]
fn of_the_account_channel_at_mes_risk() {
    let sample = Sample::new();
    let hello = sample.journal[0]["broker"].clone();
    let statements = sample.with(usize::MAX, &Value::Null, &["statement"]);
    let richest = sample.richest("statement");
    let mut cases: Vec<_> = at_extremes(&hello)
        .into_iter()
        .map(|(name, hello)| (format!("hello{name}"), format!("{hello}\n{statements}")))
        .collect();
    for (name, statements) in sample.cases(richest, &["statement"]) {
        cases.push((name, format!("{hello}\n{statements}")));
    }
    sweep::all(&cases, &ANSWERS, |folder, sent| {
        fs::create_dir(folder.join("run")).expect("a folder");
        let listener = UnixListener::bind(folder.join("run/account.sock")).expect("a socket");
        let sent = sent.clone();
        std::thread::spawn(move || {
            if let Ok((mut channel, _)) = listener.accept() {
                let _ = channel.write_all(sent.as_bytes());
                let _ = channel.read(&mut [0]);
            }
        });
        let line = format!("mes-risk --rules {} | cat > /dev/null", rules().display());
        let line = format!("ulimit -v 4000000; {line}");
        shell::run(folder, &line, sample.rows.as_bytes())
    });
}

#[test]
fn of_a_journal_that_is_replayed_or_explained() {
    let mut sample = Sample::new();
    let person = json!({ "kind": "person", "ts": "2026-02-23T14:00:00Z", "says": "halt", "reason": "r", "by": "person" });
    let row = sample.richest("row");
    sample.journal.insert(row, person);
    let mut cases = Vec::new();
    for place in [0, row, row + 1] {
        cases.extend(sample.cases(place, &["run", "row", "person"]));
    }
    let rules = rules();
    sweep::all(&cases, &ANSWERS, |folder, journal| {
        let line = format!("mes-risk --rules {} --account none > /dev/null", rules.display());
        sweep::line(folder, &line, journal.as_bytes())
    });
    let kinds = ["run", "row", "statement", "order", "deny", "hold", "alert", "person", "end"];
    let found = kinds.iter().filter(|kind| sample.journal.iter().any(|record| record["kind"] == **kind));
    let cases: Vec<_> = found.flat_map(|kind| sample.cases(sample.richest(kind), &[])).collect();
    sweep::all(&cases, &ANSWERS, |folder, journal| {
        fs::write(folder.join("journal"), journal).expect("written");
        sweep::line(folder, "mes-risk explain journal --all-trades > /dev/null", b"")
    });
}

#[test]
fn of_what_is_kept_of_an_account() {
    let sample = Sample::new();
    let folder = tempfile::tempdir().expect("a folder");
    let journal = sample.with(usize::MAX, &Value::Null, &[]);
    fs::write(folder.path().join("journal"), &journal).expect("written");
    let rules = rules();
    let trade = format!("mes-risk --rules {} --account journal --state kept > /dev/null", rules.display());
    shell::ok(folder.path(), &trade, sample.rows.as_bytes());
    let account =
        fs::read_dir(folder.path().join("kept")).expect("a folder").next().expect("one").expect("one");
    let all = durable::read(&account.path().join("ledger"), u64::MAX).expect("a ledger");
    let richest = (1..all.len()).max_by_key(|at| all[*at].to_string().len()).expect("a line");
    // Each line is whole by itself, so a few stand for the ledger.
    let places: Vec<_> = BTreeSet::from([0, 1, richest, all.len() - 1]).into_iter().collect();
    let few: Vec<_> = places.iter().map(|place| all[*place].clone()).collect();
    let mut cases = Vec::new();
    for at in 0..few.len() {
        for (name, line) in at_extremes(&few[at]) {
            let mut lines = few.clone();
            lines[at] = line;
            cases.push((format!("line {}{name}", places[at]), lines));
        }
    }
    sweep::all(&cases, &ANSWERS, |folder, lines| {
        let base = folder.join("kept").join(account.file_name()).join("ledger");
        let (mut kept, _) = Durable::open(&base, &lines[0], Busy::Refuse).expect("begins");
        lines[1..].iter().for_each(|line| kept.append(line).expect("appends"));
        drop(kept);
        let status = sweep::line(folder, "mes-risk status --state kept > /dev/null", b"");
        if status.status.code() == Some(101) {
            return status;
        }
        fs::write(folder.join("journal"), &journal).expect("written");
        sweep::line(folder, &trade, sample.rows.as_bytes())
    });
}
