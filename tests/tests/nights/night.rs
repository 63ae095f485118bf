//! One night: what is started, what goes wrong, what a person does about it, and how it is judged.

use std::{fs, path::Path, thread::sleep, time::Duration};

use mes_core::time::MILLI;
use mes_golden::shell;
use mes_pipe::clock::{Clock, Deadline};
use serde_json::Value;

use crate::{
    pipe::{Group, folder},
    plan::{Harm, Plan, What},
};

/// How many times as fast as the clock.
const SPEED: u32 = 10;
/// Starts of the pipe, the first included.
const STARTS: usize = 6;
/// What the end of a day may take: half a minute is what mes-exec gives itself, by the fast clock.
const END: Duration = Duration::from_secs(20);
/// A pipe that comes up so many milliseconds before the end has nothing to do any more.
const LATE_MS: u64 = 2_000;

pub const ENV: &str =
    "export MES_RUN=run MES_STATE=state MES_ACCOUNT=PRAC-NIGHT; eval \"$(mes-sim env --run sim)\";";

struct Night<'a> {
    plan: &'a Plan,
    folder: &'a Path,
    pipe: Group,
    starts: usize,
    clock: Clock,
    /// Tools that are to go on then, in milliseconds of the night.
    paused: Vec<(u64, &'static str)>,
    resume_ms: Option<u64>,
    done: Vec<String>,
}

/// Lets one be, and says in a line what came of it.
pub fn night(plan: &Plan) -> Result<String, String> {
    let (_kept, folder) = folder(plan.seed);
    let mut exchange = exchange(plan, &folder)?;
    let pipe = start(plan, &folder, 0);
    let (clock, paused, done) = (Clock::machine(), Vec::new(), Vec::new());
    let mut night = Night { plan, folder: &folder, pipe, starts: 1, clock, paused, resume_ms: None, done };
    night.pass();
    let ended = night.end();
    let said = night.done.join(", ");
    let starts = night.starts;
    drop(night);
    exchange.signal("TERM");
    if !exchange.ends_within(Duration::from_secs(5)) {
        return Err("mes-sim does not end".into());
    }
    let came = check(&folder)?;
    ended.map_err(|why| format!("{why}; {said}"))?;
    Ok(format!("{starts} starts, {said}; {came}"))
}

fn exchange(plan: &Plan, folder: &Path) -> Result<Group, String> {
    let drawn = format!("mes-sim faults --draw {} --count {} --within 4", plan.seed, plan.faults);
    let drawn = shell::ok(folder, &drawn, b"");
    let mut schedule: Value = serde_json::from_slice(&drawn).map_err(|error| error.to_string())?;
    if let Some(faults) = schedule["faults"].as_array_mut() {
        faults.retain(|fault| plan.has(fault["fault"].as_str().unwrap_or_default()));
    }
    fs::write(folder.join("faults.json"), schedule.to_string()).map_err(|error| error.to_string())?;
    let seed = plan.seed;
    let line = format!(
        "exec mes-sim --synth 1 --seed {seed} --speed {SPEED} --port 0 --run sim --account PRAC-NIGHT,balance=3000 \
         --parts --faults @faults.json"
    );
    let mut sim = Group::start(folder, "sim", &line);
    let patience = Deadline::after(Duration::from_secs(20));
    while !folder.join("sim/sim.json").exists() {
        if sim.is_over() || patience.left().is_zero() {
            let said = fs::read_to_string(folder.join("sim.err")).unwrap_or_default();
            return Err(format!("mes-sim does not start: {said}"));
        }
        sleep(Duration::from_millis(20));
    }
    Ok(sim)
}

/// Starts what a person starts. On a disk that is full the pipe gets EFBIG, which is the nearest that needs no root.
fn start(plan: &Plan, folder: &Path, starts: usize) -> Group {
    let full = match plan.full_kib.filter(|_| starts == 0) {
        Some(kib) => format!("trap '' XFSZ; ulimit -f {kib};"),
        None => String::new(),
    };
    let (root, seed) = (shell::root().display(), plan.seed * 10 + starts as u64);
    let line = format!(
        "{ENV} {full} MES_PREDICT='--rule random --seed {seed} --rate 0.5' MES_WARM_UP=10m exec {root}/pipelines/live.sh \
         \"$MES_ACCOUNT\" {root}/tests/fixtures/night.toml"
    );
    Group::start(folder, &format!("pipe-{starts}"), &line)
}

impl Night<'_> {
    /// Returns how old the night is, in milliseconds.
    fn ms(&self) -> u64 {
        u64::try_from(self.clock.now().steady / MILLI).unwrap_or(0)
    }

    /// Lets the night pass: harms come when they are due, and what died is started again.
    fn pass(&mut self) {
        let mut harms = self.plan.harms.iter().copied().peekable();
        while self.ms() < self.plan.lasts_ms {
            let passed = self.ms();
            while let Some(harm) = harms.next_if(|harm| harm.at_ms <= passed) {
                self.harm(harm);
            }
            self.go_on(passed);
            if self.pipe.is_over() && self.starts < STARTS && passed + LATE_MS < self.plan.lasts_ms {
                self.start_again();
            }
            sleep(Duration::from_millis(20));
        }
        self.go_on(u64::MAX);
    }

    fn harm(&mut self, Harm { at_ms, what }: Harm) {
        let there = match what {
            What::Kill(tool) => self.pipe.signal_one("KILL", tool),
            What::Pause(tool, ms) => {
                self.paused.push((self.ms() + ms, tool));
                self.pipe.signal_one("STOP", tool)
            }
            What::Cut => self.person("mes-sim fault line-cut --run sim"),
            What::Person => {
                self.resume_ms = Some(self.ms() + 2_000);
                self.person("mes-exec kill")
            }
        };
        let missed = if there { "" } else { " (nothing there)" };
        self.done.push(format!("{at_ms}: {what:?}{missed}"));
    }

    /// Does what was put off until now.
    fn go_on(&mut self, now: u64) {
        for (_, tool) in self.paused.extract_if(.., |(until, _)| *until <= now) {
            self.pipe.signal_one("CONT", tool);
        }
        if self.resume_ms.take_if(|at| *at <= now).is_some() {
            self.lift();
        }
    }

    /// Does as a person does who finds the pipe dead: whatever halted it is lifted.
    fn start_again(&mut self) {
        self.done.push(format!("start {} died", self.starts - 1));
        sleep(Duration::from_millis(300));
        self.lift();
        self.paused.clear();
        self.pipe = start(self.plan, self.folder, self.starts);
        self.starts += 1;
    }

    fn lift(&mut self) {
        self.person("mes-exec resume");
        self.person("mes-risk resume --state state --reason night");
    }

    /// Runs what a person types; says whether it went well.
    fn person(&mut self, line: &str) -> bool {
        let name = format!("person-{}", self.done.len());
        let mut typed = Group::start(self.folder, &name, &format!("{ENV} {line}"));
        typed.ends_within(Duration::from_secs(30)) && typed.child.wait().is_ok_and(|status| status.success())
    }

    /// Ends it by ^C. Where nothing runs any more, a person closes what is open.
    fn end(&mut self) -> Result<(), String> {
        if self.pipe.is_over() {
            self.done.push("over before its end".into());
            self.person("mes-exec flatten");
            return Ok(());
        }
        self.pipe.signal("INT");
        if self.pipe.ends_within(END) {
            return Ok(());
        }
        Err("^C does not end the pipe".into())
    }
}

/// Says whether mes-exec never came so far as to begin a journal; then nothing was ordered either.
fn never_began(folder: &Path) -> Result<bool, String> {
    let began = shell::run(folder, "compgen -G 'state/topstepx-*/exec-*.jsonl'", b"").status.success();
    let kept = fs::read_to_string(folder.join("sim/journal.jsonl")).map_err(|error| error.to_string())?;
    let ordered = kept.contains("\"kind\":\"order\"");
    if !began && ordered { Err("an order, and no journal of mes-exec".into()) } else { Ok(!began) }
}

/// Judges all records; returns what was measured.
fn check(folder: &Path) -> Result<String, String> {
    if never_began(folder)? {
        return Ok("it never began".into());
    }
    let line = "shopt -s nullglob; source <(grep -h ^export env.sh); mes-check day --exec state/topstepx-*/exec-*.jsonl \
                --journal run/journals/*.jsonl --exchange sim/journal.jsonl --log *.out *.err --json";
    let told = fs::read_to_string(folder.join("sim.out")).map_err(|error| error.to_string())?;
    let running: Value =
        serde_json::from_str(told.lines().next().unwrap_or_default()).map_err(|error| error.to_string())?;
    let word = |name: &str| running[name].as_str().unwrap_or_default().to_owned();
    let secrets = format!("export TOPSTEPX_USERNAME={} TOPSTEPX_API_KEY={}\n", word("user"), word("key"));
    // Its own words of where it is are to have them.
    fs::remove_file(folder.join("sim.out")).map_err(|error| error.to_string())?;
    fs::write(folder.join("env.sh"), secrets).map_err(|error| error.to_string())?;
    let output = shell::run(folder, line, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|_| format!("mes-check: {said}"))?;
    fs::write(folder.join("report.json"), &output.stdout).map_err(|error| error.to_string())?;
    let laws = report["laws"].as_array().cloned().unwrap_or_default();
    let of = |came: &str| laws.iter().filter(|law| law["came"] == came).cloned().collect::<Vec<_>>();
    let broken = of("broken");
    if !broken.is_empty() {
        let broken: Vec<String> = broken.iter().map(Value::to_string).collect();
        return Err(broken.join("\n"));
    }
    let unchecked = of("not checked");
    if let Some(law) = unchecked.first() {
        return Err(format!("not checked: {law}"));
    }
    let measured = |name: &str| {
        let law = laws.iter().find(|law| law["law"] == name);
        law.and_then(|law| law["measured"].as_str()).unwrap_or_default().to_owned()
    };
    Ok(format!("{}, {}, {}", measured("once"), measured("fills"), measured("naked")))
}
