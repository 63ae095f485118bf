//! `mes demo`: a week of a made-up market through the very tools that trade, to a report. Each stage is a process of its own,
//! as in a shell; the model is the one that is shipped.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
};

use clap::Args;
use mes_pipe::{Error, Result, answer, clock::Clock, log};
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Trained by `make demo-model`, on other days of another market of the same kind.
const MODEL: &[u8] = include_bytes!("../../../models/demo.onnx");
/// What a person may have set for the account that he trades is not that of a demonstration.
const SETTINGS: [&str; 7] =
    ["MES_RUN", "MES_STATE", "MES_MODEL", "MES_ACCOUNT", "MES_CLOCK", "MES_PREDICT", "MES_CONTRACT"];

#[derive(Args)]
#[command(after_help = "Examples:
  mes demo
  mes demo /tmp/demo --sessions 20 --seed 3
  mes demo --edge 0                       # a market with nothing to find

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped on purpose")]
pub(crate) struct DemoArgs {
    /// Folder for the model, the journal and the report
    #[arg(value_name = "DIR", default_value = "mes-demo")]
    folder: PathBuf,
    /// How many days are traded
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=250))]
    sessions: u32,
    /// Another seed makes another market
    #[arg(long, default_value_t = 2)]
    seed: u64,
    /// How well order flow foretells the next half minute: 0 not at all, 1 much
    #[arg(long, value_name = "0..1", default_value_t = 1.0)]
    edge: f64,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the pipe and prints what it came to.
///
/// # Errors
///
/// `Usage` where the folder cannot be made, `Failed` where a tool fails or cannot be started.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let clock = Clock::machine();
    let folder = open(&args.folder)?;
    let synth = format!(
        "synth --ticks --session rth --sessions {} --seed {} --edge {}",
        args.sessions, args.seed, args.edge
    );
    log::note(format!("made-up ticks, in {}:", folder.display()));
    log::note(format!(
        "mes-fetch {synth} | mes-bars | mes-features | mes-predict --model demo.onnx | mes-risk | tee journal.jsonl | mes-exec"
    ));
    trade(&folder, &synth)?;
    log::note("mes-bt report journal.jsonl --out .");
    let mut report = tool(&folder, "mes-bt", "report -q journal.jsonl --out .")?;
    let judged = report.stdin(Stdio::null()).stdout(Stdio::null()).status();
    ended("mes-bt", judged.map_err(|error| Error::from(error).at("mes-bt"))?.code())?;
    let summary = folder.join("summary.txt");
    let text = fs::read_to_string(&summary).map_err(|error| Error::from(error).at(summary.display()))?;
    let seconds = clock.now().steady as f64 / 1e9;
    answer::print(format!(
        "{text}\n\
         The market is made up, with something in it to find: none of this says that money can be made.\n\
         report   {0}/report.html (opens in a browser, without a network)\n\
         journal  {0}/journal.jsonl (every row, statement, order and denial)\n\
         took     {seconds:.1} s\n\
         next     mes help pipe, mes help money, mes --help\n",
        folder.display()
    ))
}

/// Makes the folder and puts the model into it.
fn open(folder: &Path) -> Result<PathBuf> {
    let refused = |error: io::Error| {
        Error::usage(format!("{}: {error}: name another folder, mes demo DIR", folder.display()))
    };
    fs::create_dir_all(folder).map_err(refused)?;
    let folder = folder.canonicalize().map_err(refused)?;
    fs::write(folder.join("demo.onnx"), MODEL).map_err(refused)?;
    Ok(folder)
}

/// Pipes made-up ticks through all tools, and keeps the journal.
fn trade(folder: &Path, synth: &str) -> Result<()> {
    // What a tool writes hangs on who reads it, and here the reader may not have begun: --to says it.
    // The run directory is named from where the tools stand, so that no path makes its socket's name too long.
    let stages = [
        ("mes-fetch", format!("{synth} -q --to arrow")),
        ("mes-bars", "-q --to arrow".to_owned()),
        ("mes-features", "-q --to arrow".to_owned()),
        ("mes-predict", "-q --to arrow --model demo.onnx".to_owned()),
        ("mes-risk", "-q --run run".to_owned()),
    ];
    let allowed = sched_getaffinity(None);
    let mut children: Vec<(&str, Child)> = Vec::new();
    let mut before: Option<ChildStdout> = None;
    for (name, words) in &stages {
        // From here on a row goes down and a statement up, one at a time: to wake another core for each takes longer than all the rest.
        if *name == "mes-risk" {
            stay_on_one_core();
        }
        let input = before.take().map_or_else(Stdio::null, Stdio::from);
        let mut child = start(tool(folder, name, words)?.stdin(input).stdout(Stdio::piped()), name)?;
        before = child.stdout.take();
        children.push((name, child));
    }
    let statements = create(&folder.join("statements.jsonl"))?;
    let journal = create(&folder.join("journal.jsonl"))?;
    let mut broker = tool(folder, "mes-exec", "-q --run run")?;
    let mut broker = start(broker.stdin(Stdio::piped()).stdout(statements), "mes-exec")?;
    let onward = broker.stdin.take();
    children.push(("mes-exec", broker));
    let kept = thread::spawn(move || tee(before, journal, onward));
    let ends: Vec<_> = children.iter_mut().map(|(name, child)| (*name, child.wait())).collect();
    let kept = kept.join().unwrap_or_else(|_| Err(io::Error::other("the journal's thread died")));
    kept.map_err(|error| Error::from(error).at(folder.join("journal.jsonl").display()))?;
    if let Ok(allowed) = allowed {
        let _ = sched_setaffinity(None, &allowed);
    }
    for (name, status) in ends {
        ended(name, status.map_err(|error| Error::from(error).at(name))?.code())?;
    }
    Ok(())
}

/// Keeps this thread, and whatever it starts, on the core that it is on; where that cannot be, all is as right and slower.
fn stay_on_one_core() {
    let mut one = CpuSet::new();
    one.set(sched_getcpu());
    let _ = sched_setaffinity(None, &one);
}

/// Writes what comes to both: the disk first, so that whatever the broker has seen is kept.
fn tee(from: Option<ChildStdout>, mut journal: File, onward: Option<impl Write>) -> io::Result<()> {
    let (Some(mut from), Some(mut onward)) = (from, onward) else { return Ok(()) };
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = io::Read::read(&mut from, &mut piece)?;
        if length == 0 {
            return Ok(());
        }
        journal.write_all(&piece[..length])?;
        match onward.write_all(&piece[..length]) {
            // It has gone, and says why itself.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
}

/// This program by the name of a tool, with these words, in the folder.
fn tool(folder: &Path, name: &str, words: &str) -> Result<Command> {
    let own = std::env::current_exe().map_err(|error| Error::from(error).at(name))?;
    let mut command = Command::new(own);
    command.arg0(name).args(words.split(' ')).current_dir(folder);
    SETTINGS.iter().for_each(|setting| {
        command.env_remove(setting);
    });
    Ok(command)
}

fn start(command: &mut Command, name: &str) -> Result<Child> {
    command.spawn().map_err(|error| Error::from(error).at(name))
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| Error::from(error).at(path.display()))
}

/// Passes on how a tool ended; why, it has said itself.
fn ended(name: &str, code: Option<i32>) -> Result<()> {
    match code {
        Some(0) => Ok(()),
        Some(4) | None => Err(Error::stopped(format!("{name} was stopped"))),
        Some(code) => Err(Error::failed(format!("{name} ended with exit code {code}"))),
    }
}
