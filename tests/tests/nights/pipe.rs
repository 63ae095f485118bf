//! The exchange and the pipe of a night: processes, and what a person does to them.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_golden::shell;
use mes_pipe::clock::Deadline;

const PATIENCE: Duration = Duration::from_secs(40);
/// A made-up cash session.
pub const CASH: &str = "--synth 1 --seed 3";
const LOOK: Duration = Duration::from_millis(20);

/// Some processes of one group, which a signal reaches all at once, as ^C does in a terminal.
pub struct Group {
    pub child: Child,
    ended: Option<ExitStatus>,
}

impl Group {
    /// Starts a line in a folder; what it prints goes to files of this name there.
    pub fn start(folder: &Path, name: &str, line: &str) -> Group {
        let file = |end: &str| File::create(folder.join(format!("{name}.{end}"))).expect("a file");
        let child = shell::bash(folder, line)
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .process_group(0)
            .spawn()
            .expect("bash starts");
        Group { child, ended: None }
    }

    /// Says whether it is over.
    pub fn is_over(&mut self) -> bool {
        self.ended = self.ended.or(self.child.try_wait().expect("a child"));
        self.ended.is_some()
    }

    /// Waits until it is over; says whether it was in time.
    pub fn ends_within(&mut self, wait: Duration) -> bool {
        let patience = Deadline::after(wait);
        while !self.is_over() && !patience.left().is_zero() {
            sleep(Duration::from_millis(20));
        }
        self.is_over()
    }

    /// Sends a signal to all of it.
    pub fn signal(&self, name: &str) {
        kill(name, &format!("-{}", self.child.id()));
    }

    /// Sends a signal to one of its tools; says whether it was there.
    pub fn signal_one(&self, name: &str, tool: &str) -> bool {
        let process = processes(self.child.id()).into_iter().find(|(_, is)| is == tool);
        process.is_some_and(|(id, _)| kill(name, &id.to_string()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whatever is left of it, and only of it.
        self.signal("KILL");
        let _ = self.child.wait();
    }
}

fn kill(name: &str, id: &str) -> bool {
    let sent = Command::new("kill").args(["-s", name, "--", id]).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

/// Lists the processes of a group, by id and name.
fn processes(group: u32) -> Vec<(u32, String)> {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    all.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (name, rest) = (stat.split_once('(')?.1).rsplit_once(')')?;
        let of: u32 = rest.split_whitespace().nth(2)?.parse().ok()?;
        (of == group).then(|| (id, name.to_owned()))
    })
    .collect()
}

/// An exchange with an account for each pipe.
pub fn exchange(folder: &Path, market: &str, from: &str, speed: u32) -> Group {
    let line = format!(
        "exec mes-sim {market} --from {from} --speed {speed} --port 0 --unlimited --run sim \
         --account PRAC-A,balance=3000 --account PRAC-B,balance=3000 --account PRAC-C,balance=3000"
    );
    let sim = Group::start(folder, "sim", &line);
    until(|| folder.join("sim/sim.json").exists(), "mes-sim does not start");
    sim
}

/// Waits for something.
pub fn until(mut is: impl FnMut() -> bool, what: &str) {
    let patience = Deadline::after(PATIENCE);
    while !is() {
        assert!(!patience.left().is_zero(), "{what}");
        sleep(LOOK);
    }
}

/// Starts live.sh on an account; `first` is said to its shell before.
pub fn live(folder: &Path, name: &str, account: &str, first: &str) -> Group {
    let root = shell::root().display();
    let line = format!(
        "eval \"$(mes-sim env --run sim)\"; export MES_AWAKE=1 MES_RUN=run-{name} MES_WARM_UP=0 \
         MES_PREDICT='--rule random --seed 5 --rate 0.3' RULES={root}/tests/fixtures/night.toml; {first} \
         exec {root}/pipelines/live.sh {account} $RULES"
    );
    Group::start(folder, name, &line)
}

/// Waits until a pipe has an answer to a row.
pub fn trades(folder: &Path, name: &str) {
    let journal = folder.join(format!("run-{name}/journal.jsonl"));
    let text = || fs::read_to_string(&journal).unwrap_or_default();
    until(|| text().contains("\"kind\":\"statement\""), &format!("{name} does not trade"));
}

/// Waits for the end of a pipe; returns its exit code.
pub fn code(folder: &Path, name: &str, pipe: &mut Group) -> Option<i32> {
    let said = || fs::read_to_string(folder.join(format!("{name}.err"))).unwrap_or_default();
    assert!(pipe.ends_within(PATIENCE), "{name} does not end: {}", said());
    pipe.child.wait().expect("an end").code()
}

/// A folder that is kept where somebody wants to look.
pub fn folder(seed: u64) -> (Option<tempfile::TempDir>, PathBuf) {
    match std::env::var_os("NIGHT_KEEP") {
        Some(keep) => {
            let path = PathBuf::from(keep).join(seed.to_string());
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a folder");
            (None, path)
        }
        None => {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().to_owned();
            (Some(folder), path)
        }
    }
}
