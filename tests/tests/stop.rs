//! ^C, TERM and HUP: to any tool of a pipe, in any order of arrival, after any line, a paper account ends its day: closed
//! at the last close, the journal ended, said on stderr, exit 4.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_core::time::{self, SECOND};
use mes_golden::shell;
use serde_json::Value;
use tempfile::TempDir;

const TOOLS: [&str; 4] = ["mes-bars", "mes-predict", "mes-risk", "mes-exec"];
const RISK: usize = 2;
const EXEC: usize = 3;
const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];
/// 2026-02-23T15:00:00Z, a Monday at ten in New York.
const START: i64 = 1_771_858_800 * SECOND;
/// The row after which a long position is ordered, and the one that fills it.
const SIGNAL: i64 = 4;

/// Ticks into bars, predictions, verdicts and orders; a journal by a tee; all waiting for the next tick.
struct Pipeline {
    folder: TempDir,
    tools: Vec<Child>,
    tee: Child,
    ticks: ChildStdin,
    statements: BufReader<ChildStdout>,
}

fn rules() -> String {
    format!("--rules {}", shell::root().join("tests/fixtures/busy.toml").display())
}

fn spawn(folder: &Path, line: &str, stdin: Stdio) -> Child {
    shell::bash(folder, line)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a tool")
}

fn next(child: &mut Child) -> Stdio {
    child.stdout.take().expect("stdout").into()
}

impl Pipeline {
    /// Starts all with these flags for risk and exec, and hands them so many ticks.
    fn start(flags: &str, ticks: i64) -> Pipeline {
        Pipeline::start_in(tempfile::tempdir().expect("a folder"), flags, ticks)
    }

    fn start_in(folder: TempDir, flags: &str, ticks: i64) -> Pipeline {
        let path = folder.path();
        let script = format!("ts,p_dir,p_conf\n{},1,0.95\n", time::format(START + SIGNAL * SECOND));
        fs::write(path.join("script.csv"), script).expect("a script");
        let flags = format!("{} {flags}", rules());
        let mut bars = spawn(path, "exec mes-bars --symbol MESH6", Stdio::piped());
        let mut predict = spawn(path, "exec mes-predict --rule script:script.csv", next(&mut bars));
        let mut risk = spawn(path, &format!("exec mes-risk {flags}"), next(&mut predict));
        let line = "trap '' INT HUP TERM; exec tee journal.jsonl";
        let mut tee = spawn(path, line, next(&mut risk));
        let mut exec = spawn(path, &format!("exec mes-exec {flags}"), next(&mut tee));
        let statements = BufReader::new(exec.stdout.take().expect("stdout"));
        let mut given = bars.stdin.take().expect("stdin");
        let mut text = "ts,price,size\n".to_owned();
        for tick in 0..ticks {
            writeln!(text, "{},5000.00,1", time::format(START + tick * SECOND)).expect("text");
        }
        given.write_all(text.as_bytes()).expect("bars reads");
        Pipeline { folder, tools: vec![bars, predict, risk, exec], tee, ticks: given, statements }
    }

    /// Waits for so many statements and returns the last.
    fn statements(&mut self, count: usize) -> Value {
        let mut line = String::new();
        for _ in 0..count {
            line.clear();
            if self.statements.read_line(&mut line).expect("a statement") == 0 {
                self.ended_early(count);
            }
        }
        serde_json::from_str(&line).expect("a statement")
    }

    fn ended_early(&mut self, count: usize) -> ! {
        let mut said = String::new();
        for tool in &mut self.tools {
            let _ = tool.kill();
            if let Some(stderr) = &mut tool.stderr {
                let _ = std::io::Read::read_to_string(stderr, &mut said);
            }
        }
        panic!("an end before statement {count}: {said}");
    }

    fn signal(&self, tool: usize, signal: &str) {
        let line = format!("kill -{signal} {} 2> kill.err || true", self.tools[tool].id());
        shell::ok(self.folder.path(), &line, b"");
    }

    /// Waits until a tool has ended.
    fn gone(&mut self, tool: usize) {
        for _ in 0..1000 {
            if self.tools[tool].try_wait().expect("a child").is_some() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("{} goes on", TOOLS[tool]);
    }

    /// Waits for risk and exec to end, with the ticks still coming: exit codes, what was said, and the journal.
    fn ended(mut self) -> Ended {
        self.gone(RISK);
        self.gone(EXEC);
        drop(self.ticks);
        let mut printed = String::new();
        for line in self.statements.lines() {
            printed = line.expect("a statement");
        }
        let outputs: Vec<_> =
            self.tools.into_iter().map(|tool| tool.wait_with_output().expect("an end")).collect();
        self.tee.wait().expect("an end");
        let journal = fs::read_to_string(self.folder.path().join("journal.jsonl")).expect("a journal");
        Ended {
            codes: outputs.iter().map(|output| output.status.code()).collect(),
            said: outputs.iter().map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).collect(),
            folder: self.folder,
            journal,
            printed,
        }
    }
}

struct Ended {
    folder: TempDir,
    codes: Vec<Option<i32>>,
    said: Vec<String>,
    journal: String,
    /// The last statement that mes-exec printed.
    printed: String,
}

impl Ended {
    /// Checks that the day ended in order; those of `told` were stopped, the others may have lost their reader.
    fn check(&self, told: &[usize], what: &str) {
        let Ended { codes, said, journal, printed, .. } = self;
        for tool in told.iter().chain(&[RISK, EXEC]) {
            assert_eq!(codes[*tool], Some(4), "{what}: {said:?}");
        }
        assert!(codes.iter().all(|code| [Some(0), Some(4)].contains(code)), "{what}: {codes:?}");
        for tool in [RISK, EXEC] {
            assert!(said[tool].contains("stopped by a person"), "{what}: {}", said[tool]);
        }
        assert!(said[EXEC].contains("closed 2 contracts at 4999.75"), "{what}: {}", said[EXEC]);
        let lines: Vec<Value> =
            journal.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
        let [.., person, end, last] = lines.as_slice() else { panic!("{what}: {journal}") };
        assert_eq!((&person["kind"], &person["says"]), (&"person".into(), &"stop".into()), "{what}");
        assert_eq!(end["kind"], "end", "{what}");
        assert_eq!((&last["position"], &last["fills"][0]["exit"]), (&0.into(), &"person".into()), "{what}");
        assert_eq!(last["working"].as_array().map(Vec::len), Some(0), "{what}");
        assert_eq!(journal.lines().last(), Some(printed.as_str()), "{what}");
        // Every row was answered before the end.
        let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
        assert_eq!(of("row") + 1, of("statement"), "{what}");
    }
}

/// All orders of four.
fn orders() -> Vec<[usize; 4]> {
    let all = (0..256).map(|code: usize| [code >> 6, code >> 4 & 3, code >> 2 & 3, code & 3]);
    all.filter(|order| (0..4).all(|tool| order.contains(&tool))).collect()
}

/// Every order twice: all four at once, and each only when the one before it is gone.
#[test]
fn a_stop_of_any_tool_in_any_order_closes_ends_and_says_so() {
    let orders = orders();
    assert_eq!(orders.len(), 24);
    for (run, order) in orders.iter().chain(&orders).enumerate() {
        let (signal, patient, line) = (SIGNALS[run % 3], run >= 24, 6 + run % 19);
        let mut pipeline = Pipeline::start("", 30);
        let statement = pipeline.statements(line);
        assert_eq!(statement["position"], 2, "{statement}");
        for tool in order {
            pipeline.signal(*tool, signal);
            if patient {
                pipeline.gone(*tool);
            }
        }
        let what = format!("{signal} to {order:?} after line {line}, patient: {patient}");
        pipeline.ended().check(order, &what);
    }
}

/// Nobody but one tool is told: the others learn it from the pipe.
#[test]
fn one_tool_that_is_stopped_stops_them_all_and_no_account_is_halted_by_it() {
    for (tool, name) in TOOLS.iter().enumerate() {
        let mut pipeline = Pipeline::start("--state state", 30);
        assert_eq!(pipeline.statements(20)["position"], 2);
        pipeline.signal(tool, "INT");
        let ended = pipeline.ended();
        // Downstream it is passed on; upstream a filter ends with its reader, or here with the ticks.
        ended.check(&[tool], name);
        let status = shell::ok(ended.folder.path(), "mes-risk status --state state", b"");
        let status: Value = serde_json::from_slice(&status).expect("a status");
        assert_eq!(status["unheard"].as_array().map(Vec::len), Some(0), "{name}: {status}");
        // The exit has its cooldown, as every exit; nothing else stops the account.
        let stops = status["stops"].as_array().expect("stops");
        assert!(stops.iter().all(|stop| stop["rule"] == "cooldown_s"), "{name}: {status}");
    }
}

#[test]
fn a_day_that_a_person_stopped_replays_to_itself() {
    let mut pipeline = Pipeline::start("", 30);
    pipeline.statements(12);
    pipeline.signal(EXEC, "TERM");
    let ended = pipeline.ended();
    ended.check(&[], "TERM to mes-exec");
    let line = format!(
        "grep -E '^{{\"kind\":\"(run|row|person)\"' journal.jsonl > in.jsonl
         mes-bt -q {0} --journal bt.jsonl in.jsonl > summary.json && cmp journal.jsonl bt.jsonl || exit 9
         mes-risk -q --run again {0} in.jsonl | tee again.jsonl | mes-exec --run again {0} > /dev/null
         test $? = 4 && cmp journal.jsonl again.jsonl",
        rules()
    );
    shell::ok(ended.folder.path(), &line, b"");
}

/// As `timeout -s INT` does: one to the child, one to its group.
#[test]
fn two_signals_at_once_are_one() {
    let mut pipeline = Pipeline::start("", 30);
    pipeline.statements(12);
    pipeline.signal(RISK, "STOP");
    let both = format!("kill -INT {0}; sleep 0.05; kill -INT {0}", pipeline.tools[EXEC].id());
    shell::ok(pipeline.folder.path(), &both, b"");
    sleep(Duration::from_millis(100));
    assert!(pipeline.tools[EXEC].try_wait().expect("a child").is_none(), "it ends in order");
    pipeline.signal(RISK, "CONT");
    pipeline.gone(EXEC);
    let Ended { codes, said, .. } = pipeline.ended();
    assert_eq!(codes[EXEC], Some(4), "{said:?}");
    assert!(!said[EXEC].contains("left at once"), "{said:?}");
}

#[test]
fn a_mes_exec_that_nobody_answers_closes_by_itself_and_a_second_stop_leaves_at_once() {
    for again in [false, true] {
        let mut pipeline = Pipeline::start("", 30);
        pipeline.statements(12);
        pipeline.signal(RISK, "STOP");
        pipeline.signal(EXEC, "INT");
        while again && pipeline.tools[EXEC].try_wait().expect("a child").is_none() {
            sleep(Duration::from_millis(50));
            pipeline.signal(EXEC, "INT");
        }
        pipeline.gone(EXEC);
        pipeline.signal(RISK, "KILL");
        pipeline.signal(0, "KILL");
        let Ended { codes, said, printed, .. } = pipeline.ended();
        assert_eq!(codes[EXEC], Some(4), "{said:?}");
        if again {
            assert!(said[EXEC].contains("left at once: 2 contracts long"), "{said:?}");
        } else {
            let last: Value = serde_json::from_str(&printed).expect("a statement");
            assert!(said[EXEC].contains("closed 2 contracts at 4999.75"), "{said:?}");
            assert_eq!((&last["position"], &last["fills"][0]["exit"]), (&0.into(), &"person".into()));
        }
    }
}

#[test]
fn what_a_tool_was_started_to_ignore_it_ignores() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut exec = spawn(folder.path(), "trap '' HUP; exec mes-exec", Stdio::piped());
    while !folder.path().join("run/account.sock").exists() {
        sleep(Duration::from_millis(10));
    }
    let signal = |name: &str| shell::ok(folder.path(), &format!("kill -{name} {}", exec.id()), b"");
    signal("HUP");
    sleep(Duration::from_millis(200));
    signal("INT");
    let _open = exec.stdin.take();
    let output = exec.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.contains("SIGINT")), (Some(4), true), "{said}");
}
