//! The run directory and what is kept of accounts: whose they are, who trades there, what halts it, how the last day ended.

use std::{
    fs,
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use mes_pipe::account;
use rustix::process::geteuid;
use serde_json::Value;

use super::{
    Desk,
    check::{Check, fail, ok, warn},
    model::tool,
};
use crate::topstepx::control::{self, Line, Word};

const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
/// How deep the run directory is looked through: state, account, file.
const DEEP: u32 = 4;
/// The end of a journal that is read: more than its longest last lines.
const TAIL_BYTES: u64 = 1 << 16;

/// Looks whose the run directory and the memory of accounts are, and whether others can look in.
pub fn owned(desk: &Desk) -> Check {
    let run = desk.run();
    if !run.exists() {
        return ok("run", format!("{} is made by the first start", run.display()));
    }
    let mut found = Vec::new();
    for folder in [run, &desk.state] {
        strangers(folder, DEEP, &mut found);
    }
    let (first, count) = (found.first(), found.len());
    match first {
        None => ok("run", format!("{} and {} are nobody else's", run.display(), desk.state.display())),
        Some((path, why, true)) => fail("run", format!("{}: {why}; {count} in all", path.display())),
        Some((path, why, false)) => warn("run", format!("{}: {why}; {count} in all", path.display())),
    }
}

/// Finds what is not ours alone; true where others could change it.
fn strangers(path: &Path, deep: u32, found: &mut Vec<(PathBuf, String, bool)>) {
    let Ok(about) = fs::symlink_metadata(path) else { return };
    if about.is_symlink() {
        return;
    }
    let (mode, shown) = (about.mode() & 0o777, path.display());
    if about.uid() != geteuid().as_raw() {
        found.push((
            path.to_owned(),
            "belongs to another user: chown it, or give another --run".to_owned(),
            true,
        ));
    } else if mode & OTHERS != 0 {
        let says = format!("others may look in (mode {mode:03o}): chmod -R go-rwx {shown}");
        found.push((path.to_owned(), says, mode & OTHERS_WRITE != 0));
    }
    // Below a folder that only we can enter, nobody gets at anything.
    let closed = about.mode() & OTHERS == 0 && about.uid() == geteuid().as_raw();
    if deep > 0 && about.is_dir() && !closed {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| strangers(&entry.path(), deep - 1, found));
    }
}

/// Looks whether a pipeline trades there already.
pub fn alone(desk: &Desk) -> Check {
    let run = desk.run();
    if let Some(reply) = Line::reach(run).and_then(|mut line| line.say(Word::Status, None)) {
        return ok("pipeline", format!("one trades in {} now: {}", run.display(), reply.left));
    }
    let held: Vec<_> =
        ["exec", "risk"].into_iter().filter(|tool| is_held(&run.join(format!("{tool}.lock")))).collect();
    if held.is_empty() {
        return ok("pipeline", format!("none trades in {}", run.display()));
    }
    let (run, tools) = (run.display(), held.join(" and mes-"));
    warn(
        "pipeline",
        format!("mes-{tools} runs in {run} and does not answer: paper, or one that starts or hangs"),
    )
}

/// Says whether somebody holds a lock, without taking it for an instant, in which another start would be refused.
fn is_held(lock: &Path) -> bool {
    let Ok(about) = fs::metadata(lock) else { return false };
    let inode = format!(":{}", about.ino());
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().filter(|line| line.contains(" FLOCK ")).any(|line| {
        line.split_whitespace().any(|word| word.matches(':').count() == 2 && word.ends_with(&inode))
    })
}

/// Looks whether something keeps entries away until a person lifts it.
pub fn halted(desk: &Desk) -> Check {
    for (id, folder) in account::folders(&desk.state, "topstepx") {
        if control::is_halted(&folder) {
            return fail("halts", format!("account {id} was killed and enters nothing: mes-exec resume"));
        }
    }
    if !desk.state.exists() {
        return ok("halts", "no account is kept yet");
    }
    let asked =
        Command::new(tool("mes-risk")).args(["-q", "status", "--json", "--state"]).arg(&desk.state).output();
    let output = match asked {
        Ok(output) => output,
        Err(error) => return warn("halts", format!("mes-risk does not start: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let accounts: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for account in &accounts {
        let stops = account["stops"].as_array().into_iter().flatten();
        // What ends by itself is told by the day.
        if let Some(stop) = stops.into_iter().find(|stop| stop["until"].is_null()) {
            let word = |field: &str| stop[field].as_str().unwrap_or_default();
            let name = account["account"].as_str().unwrap_or_default();
            return fail(
                "halts",
                format!("{name}: {} ({}): {}", word("rule"), word("why"), word("lifted_by")),
            );
        }
    }
    ok("halts", format!("none, of {} accounts kept", accounts.len()))
}

/// Looks how the last day ended.
pub fn journal(desk: &Desk) -> Check {
    let path = desk.run().join("journal.jsonl");
    let last = match last_line(&path) {
        Ok(Some(line)) => line,
        Ok(None) => {
            return warn("journal", format!("{} is empty: the last start came to nothing", path.display()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return ok("journal", "none yet"),
        Err(error) => return fail("journal", format!("{}: {error}", path.display())),
    };
    let record: Value = serde_json::from_str(&last).unwrap_or_default();
    let flat = record["position"].as_i64() == Some(0);
    match record["kind"].as_str() {
        _ if is_held(&desk.run().join("risk.lock")) => ok("journal", "is being written"),
        Some("statement") if flat => ok("journal", "the last day ended in order, flat"),
        Some("statement") => {
            warn("journal", "the last day ended with a position: the next start takes it over")
        }
        _ => warn("journal", "the last day was cut off: the next start takes over what is open, and asks"),
    }
}

fn last_line(path: &Path) -> std::io::Result<Option<String>> {
    let mut file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail).into_owned();
    Ok(text.lines().last().map(str::to_owned))
}
