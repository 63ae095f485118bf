//! `mes-fetch live` at an exchange to practise on, through real sockets: what only they can do wrong. What it sends is
//! proved in virtual time beside the code, in `src/live/line/tests.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use mes_pipe::clock::{Clock, Deadline};
use mes_projectx::{
    Access, Credentials, Keeper,
    share::{Borrowed, Share},
};
use mes_web::{Base, Secret};
use serde_json::Value;
use tempfile::TempDir;

/// Of a made-up day on which it is busy.
const FROM: &str = "2026-11-20T15:00:00Z";
const SPEED: &str = "10";

fn tool(name: &str) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_mes-fetch")).with_file_name(name);
    assert!(path.exists(), "{}: build it first, cargo build -p {name}", path.display());
    Command::new(path)
}

/// An exchange that runs until it is dropped.
struct Sim {
    child: Child,
    folder: TempDir,
    at: Value,
}

impl Sim {
    fn start() -> Sim {
        let folder = TempDir::new().expect("a folder");
        let day = File::create(folder.path().join("day.parquet")).expect("a file");
        let synth = tool("mes-fetch")
            .args(["synth", "-q", "--sessions", "1", "--ticks", "--session", "rth", "--to", "parquet"])
            .stdout(day)
            .status();
        assert!(synth.expect("mes-fetch").success());
        let mut child = tool("mes-sim")
            .args(["day.parquet", "--port", "0", "--unlimited", "--from", FROM, "--speed", SPEED])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mes-sim");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let at = serde_json::from_str(&line).expect("where it is");
        Sim { child, folder, at }
    }

    fn text(&self, field: &str) -> &str {
        self.at[field].as_str().expect("a text")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What clients of it are to be told.
    fn client(&self, args: &str) -> Command {
        let mut command = tool("mes-fetch");
        command
            .arg("live")
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("MES_RUN")
            .env("TOPSTEPX_USERNAME", self.text("user"))
            .env("TOPSTEPX_API_KEY", self.text("key"))
            .env("TOPSTEPX_API_URL", self.text("api"))
            .env("TOPSTEPX_HUBS_URL", self.text("hubs"))
            .env("MES_CLOCK", self.text("clock"))
            .stdin(Stdio::null());
        command
    }

    /// Listens into a file, with the words for a person in another.
    fn listen(&self, name: &str, args: &str) -> Live<'_> {
        let file = |end: &str| File::create(self.path(&format!("{name}.{end}"))).expect("a file");
        let child = self.client(args).args(["--to", "csv"]).stdout(file("csv")).stderr(file("err")).spawn();
        Live { sim: self, name: name.to_owned(), child: child.expect("mes-fetch") }
    }

    fn keeper(&self) -> Arc<Keeper> {
        let base = Base::parse(self.text("api")).expect("an address");
        let carrier = Arc::new(mes_web::Client::new(base, "tests"));
        let credentials =
            Credentials { user: Secret::new(self.text("user")), key: Secret::new(self.text("key")) };
        Arc::new(Keeper::new(carrier, credentials, Clock::parse(self.text("clock")).expect("a clock")))
    }

    fn fault(&self, words: &[&str]) {
        let fault = tool("mes-sim").arg("fault").args(words).current_dir(self.folder.path()).output();
        assert!(fault.expect("mes-sim").status.success());
    }

    fn logins(&self) -> usize {
        let journal = fs::read_to_string(self.path("run/sim/journal.jsonl")).expect("a journal");
        journal.matches("\"kind\":\"login\"").count()
    }

    /// The bars of ticks, by their stamps.
    fn bars(&self, ticks: &str) -> BTreeMap<String, [String; 5]> {
        let output = tool("mes-bars").args(["-q", "--to", "csv"]).arg(self.path(ticks)).output();
        let text = String::from_utf8(output.expect("mes-bars").stdout).expect("text");
        let mut bars = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let bar = [cells[1], cells[2], cells[3], cells[4], cells[5]].map(str::to_owned);
            assert_eq!(bars.insert(cells[0].to_owned(), bar), None, "{} is doubled", cells[0]);
        }
        bars
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A feed that runs until it is dropped.
struct Live<'a> {
    sim: &'a Sim,
    name: String,
    child: Child,
}

impl Live<'_> {
    fn said(&self) -> String {
        fs::read_to_string(self.sim.path(&format!("{}.err", self.name))).expect("words")
    }

    fn sent(&self) -> String {
        fs::read_to_string(self.sim.path(&format!("{}.csv", self.name))).expect("rows")
    }

    /// Waits until it has said something so many times.
    fn says(&self, what: &str, times: usize) {
        let until = Deadline::after(Duration::from_secs(30));
        while self.said().matches(what).count() < times {
            assert!(!until.left().is_zero(), "{what:?} {times} times: {}", self.said());
            sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a person does, and returns its exit code.
    fn end(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        self.child.wait().expect("its end").code()
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The seconds that hold a tick which came later than heartbeats wait: on a busy machine some do, at ten times the speed.
fn touched(rows: &str) -> BTreeSet<String> {
    let mut seconds = BTreeSet::new();
    for cells in rows.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        if !cells[9].is_empty() {
            seconds.extend([cells[0], cells[9]].map(|ts| ts[..19].to_owned()));
        }
    }
    seconds
}

/// The stamp of a bar is its end: that of the second before is its beginning.
fn begin(stamp: &str) -> String {
    let ts = mes_core::time::parse(stamp).expect("an instant");
    mes_core::time::format(ts - mes_core::time::SECOND)[..19].to_owned()
}

#[test]
fn joined_in_mid_session_and_cut_it_makes_the_bars_of_the_recording() {
    let sim = Sim::start();
    let mut live = sim.listen("live", "--run r --wait 0 --warm-up 20min");
    live.says("live: ", 1);
    sleep(Duration::from_millis(1_500));
    sim.fault(&["line-cut"]);
    live.says("connected again", 1);
    sim.fault(&["lines-refused", "--for", "12"]);
    live.says("connected again", 2);
    sim.fault(&["evicted"]);
    live.says("connected again", 3);
    sleep(Duration::from_millis(1_500));
    assert_eq!(live.end(), Some(4), "{}", live.said());
    let (said, rows) = (live.said(), live.sent());
    assert!(said.contains("MESZ6 (CON.F.US.MES.Z26), with a session of its own"), "{said}");
    assert!(said.contains("thrown out") && said.contains("stopped by a person (SIGINT)"), "{said}");
    for secret in [sim.text("key"), "eyJ"] {
        assert!(!said.contains(secret) && !rows.contains(secret), "{said}");
    }
    assert!(rows.starts_with("ts,price,size,side,bid,ask,bid_size,ask_size,symbol,ts_event\n"));
    let (recorded, made) = (sim.bars("day.parquet"), sim.bars("live.csv"));
    let (first, last) = (made.keys().next().expect("bars"), made.keys().next_back().expect("bars"));
    assert!(first.starts_with("2026-11-20T14:4"), "{first}");
    assert!(made.len() > 1_240, "{} bars", made.len());
    let touched = touched(&rows);
    assert!(touched.len() < 100, "{} seconds in which something came late: {touched:?}", touched.len());
    // The second in which it was stopped is not whole.
    for (stamp, bar) in recorded.range(first.clone()..last.clone()) {
        let found = made.get(stamp);
        assert!(found.is_some(), "{stamp} is missing\n{said}");
        assert!(
            touched.contains(&begin(stamp)) || found == Some(bar),
            "{stamp}: {found:?} for {bar:?}\n{said}"
        );
    }
    assert!(made.keys().all(|stamp| recorded.contains_key(stamp)));
}

#[test]
fn quotes_that_stand_still_are_noticed_and_heartbeats_stop() {
    let sim = Sim::start();
    let mut live = sim.listen("frozen", "--run r --wait 0 --warm-up 0");
    live.says("live: ", 1);
    sleep(Duration::from_millis(500));
    sim.fault(&["quotes-frozen", "--for", "25"]);
    // Five of its seconds, the answer of REST, and what a busy machine takes.
    live.says("quotes stand still since", 1);
    live.says("connected again", 1);
    sleep(Duration::from_millis(4_000));
    assert_eq!(live.end(), Some(4), "{}", live.said());
    let said = live.said();
    assert!(said.matches("quotes stand still").count() <= 2, "{said}");
    let since = said.split("stand still since ").nth(1).expect("when")[..19].to_owned();
    let since = mes_core::time::parse(&format!("{since}Z")).expect("an instant");
    let at = |line: &str| mes_core::time::parse(&line[..line.find(',').unwrap_or(0)]).expect("an instant");
    let second = mes_core::time::SECOND;
    let rows = live.sent();
    let beats = rows.lines().filter(|line| line.ends_with("Z,,,,,,,,,")).map(at);
    let frozen: Vec<_> = beats.filter(|ts| (since + 7 * second..since + 20 * second).contains(ts)).collect();
    assert!(frozen.is_empty(), "heartbeats without quotes: {frozen:?}\n{said}");
    let quotes =
        rows.lines().skip(1).filter(|line| line.split(',').nth(5).is_some_and(|ask| !ask.is_empty()));
    assert!(quotes.map(at).any(|ts| ts > since + 20 * second), "quotes come back: {said}");
}

#[test]
fn one_run_has_one_session() {
    let sim = Sim::start();
    // It waits for the lender, who comes later.
    let mut live = sim.listen("borrows", "--run r --warm-up 0");
    sleep(Duration::from_millis(300));
    let share = Share::open(&sim.path("r"), sim.keeper()).expect("lent");
    live.says("with the session of the run", 1);
    live.says("live: ", 1);
    assert_eq!((live.end(), sim.logins()), (Some(4), 1));
    drop(share);
    // Alone it logs in, and lends in its turn.
    let mut live = sim.listen("lends", "--run r --wait 0 --warm-up 0");
    live.says("live: ", 1);
    let borrowed = Borrowed::from(&sim.path("r"), Duration::from_secs(5)).expect("a lender");
    assert!(borrowed.token().is_ok());
    let mut second = sim.listen("second", "--run r --wait 0 --warm-up 0");
    second.says("with the session of the run", 1);
    second.says("live: ", 1);
    assert_eq!((second.end(), live.end(), sim.logins()), (Some(4), Some(4), 2));
}

#[test]
fn it_says_what_it_cannot_do_and_ends_when_nobody_reads() {
    let sim = Sim::start();
    let told = |command: &mut Command| {
        let done = command.output().expect("mes-fetch");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, words) = told(&mut sim.client("--wait 0 --contract CL"));
    assert!(code == Some(2) && words.contains("no contract \"CL\" can be traded now"), "{words}");
    let (code, words) = told(sim.client("--wait 0").env("TOPSTEPX_API_KEY", "another-key-of-nobody"));
    assert!(code == Some(2) && words.contains("InvalidCredentials"), "{words}");
    let (code, words) = told(sim.client("--wait 0").env_remove("TOPSTEPX_API_KEY"));
    assert!(code == Some(2) && words.contains("export TOPSTEPX_API_KEY"), "{words}");
    let (code, words) = told(&mut sim.client("--wait 0 --api https://api.topstepx.com"));
    assert!(code == Some(2) && words.contains("unset MES_CLOCK"), "{words}");
    let mut child = sim
        .client("--wait 0 --warm-up 1min --to jsonl")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("mes-fetch");
    let out = BufReader::new(child.stdout.take().expect("stdout"));
    assert_eq!(out.lines().take(3).filter(Result::is_ok).count(), 3);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}
