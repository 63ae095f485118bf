//! Who reads our stdout: a tool of this house, which wants Arrow, or jq, head and the like, which want text.
//!
//! A pipe does not say who is at its other end, but /proc does: the process whose stdin is the same pipe. A shell
//! starts the stages of a pipe one by one, so a reader that is still a copy of the shell, or a program that exists to
//! become another, is given time to become what it will be; one that stays a shell is a `while read` loop. Where
//! nothing can be known, Arrow is right.

use std::{
    fs,
    os::{
        fd::AsFd,
        unix::{fs::MetadataExt, process::parent_id},
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// Between two looks, and how many there are at the most.
const PAUSE: Duration = Duration::from_millis(5);
const LOOKS: u32 = 200;

/// What becomes another program, by `exec` or with a child on the same stdin.
const LAUNCHERS: [&str; 20] = [
    "bash", "busybox", "chrt", "dash", "doas", "env", "fish", "ionice", "ksh", "nice", "nohup", "runuser",
    "setsid", "sh", "stdbuf", "sudo", "taskset", "time", "timeout", "zsh",
];

/// The surer, the larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    /// Nobody whose stdin is our stdout.
    Unknown,
    /// A shell or the like, which may yet become a program.
    Launcher,
    /// A program that reads text for all we know.
    Program,
    /// A tool of this house.
    Tool,
}

/// Says whether stdout is a pipe into a program that is not one of ours.
pub(crate) fn wants_text(stdout: impl AsFd) -> bool {
    let Ok(status) = rustix::fs::fstat(stdout) else { return false };
    let pipe = (status.st_dev, status.st_ino);
    for _ in 0..LOOKS {
        match reader(pipe) {
            Reader::Tool => return false,
            Reader::Program => return true,
            // The parent itself reads, as programs that start us do: they know what they asked for.
            Reader::Unknown if holds(&process(parent_id()), pipe) => return false,
            Reader::Launcher | Reader::Unknown => std::thread::sleep(PAUSE),
        }
    }
    reader(pipe) == Reader::Launcher
}

/// Looks for the process whose stdin is the pipe.
fn reader(pipe: (u64, u64)) -> Reader {
    let Ok(processes) = fs::read_dir("/proc") else { return Reader::Unknown };
    let shell = fs::read_link(process(parent_id()).join("exe")).ok();
    let readers =
        processes.flatten().map(|entry| entry.path()).filter(|process| is(&process.join("fd/0"), pipe));
    readers.map(|process| is_what(&process, shell.as_deref())).max().unwrap_or(Reader::Unknown)
}

/// Says what a process is; `shell` is the program that started us.
fn is_what(process: &Path, shell: Option<&Path>) -> Reader {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let same = shell.is_some() && fs::read_link(process.join("exe")).ok().as_deref() == shell;
    match name.trim_end() {
        name if name.starts_with("mes-") => Reader::Tool,
        name if same || LAUNCHERS.contains(&name) => Reader::Launcher,
        _ => Reader::Program,
    }
}

fn process(id: u32) -> PathBuf {
    Path::new("/proc").join(id.to_string())
}

/// Says whether a process holds the pipe under any number.
fn holds(process: &Path, pipe: (u64, u64)) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else { return false };
    files.flatten().any(|file| is(&file.path(), pipe))
}

fn is(path: &Path, pipe: (u64, u64)) -> bool {
    fs::metadata(path).is_ok_and(|file| (file.dev(), file.ino()) == pipe)
}
