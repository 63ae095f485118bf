//! Who reads our stdout: a tool of this house, which wants Arrow, or jq, head and the like, which want text.
//!
//! A pipe does not say who is at its other end, but /proc does: the process whose stdin is the same pipe, or, of a
//! shell's `<( )`, the one that is told to open it (`/dev/fd/63`). A shell starts the stages of a pipe one by one, so a
//! reader that is still a copy of the shell, or a program that exists to become another, is given time to become what
//! it will be; one that stays a shell is a `while read` loop. Of whoever started us and reads what we write, a script's
//! interpreter (`subprocess`) gets text, and another program what it asked for. Where nothing can be known, Arrow is right.

use std::{
    ffi::OsString,
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

/// What runs other people's scripts, whatever its version is, as in python3.14: they want text unless they say otherwise.
const INTERPRETERS: [&str; 10] =
    ["python", "ipython", "pypy", "node", "ruby", "perl", "julia", "php", "lua", "R"];

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
    let scripted = ancestors().any(|process| is_interpreter(&process) && reads(&process, pipe));
    for _ in 0..LOOKS {
        match reader(pipe) {
            Reader::Tool => return false,
            Reader::Program => return true,
            // The parent itself reads, as programs that start us do: they know what they asked for.
            Reader::Unknown if scripted || holds(&process(parent_id()), pipe) => return scripted,
            Reader::Launcher | Reader::Unknown => std::thread::sleep(PAUSE),
        }
    }
    reader(pipe) == Reader::Launcher
}

/// Looks for the process whose stdin is the pipe, else for the one that is told to open it.
fn reader(pipe: (u64, u64)) -> Reader {
    let Ok(processes) = fs::read_dir("/proc") else { return Reader::Unknown };
    let shell = fs::read_link(process(parent_id()).join("exe")).ok();
    let processes: Vec<_> = processes.flatten().map(|entry| entry.path()).collect();
    let surest = |reads: &dyn Fn(&Path) -> bool, shell: Option<&Path>| {
        let readers = processes.iter().filter(|process| reads(process));
        readers.map(|process| is_what(process, shell)).max()
    };
    surest(&|process| is(&process.join("fd/0"), pipe), shell.as_deref())
        // It may be our parent, which was a shell when it started us and is this program now.
        .or_else(|| surest(&|process| opens(process, pipe), None))
        // A shell that holds the end to read from gives it to whom it starts next.
        .or_else(|| {
            let parent = process(parent_id());
            let shell = is_what(&parent, None) == Reader::Launcher && reads(&parent, pipe);
            shell.then_some(Reader::Launcher)
        })
        .unwrap_or(Reader::Unknown)
}

/// Says whether a process has the pipe among its arguments, as a shell's `<( )` names it.
fn opens(process: &Path, pipe: (u64, u64)) -> bool {
    let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
    let mut names = arguments.split(|byte| *byte == 0).filter_map(|argument| {
        let number = argument.strip_prefix(b"/dev/fd/").or(argument.strip_prefix(b"/proc/self/fd/"))?;
        str::from_utf8(number).ok()
    });
    names.any(|number| is(&process.join("fd").join(number), pipe))
}

/// Returns who started us, who started that, and so on.
fn ancestors() -> impl Iterator<Item = PathBuf> {
    std::iter::successors(Some(parent_id()), |id| {
        let status = fs::read_to_string(process(*id).join("status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        parent.trim().parse().ok().filter(|parent| *parent > 1)
    })
    .map(process)
}

fn is_interpreter(process: &Path) -> bool {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let letters = name.trim_end().trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    INTERPRETERS.contains(&letters)
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
    numbers(process, pipe).next().is_some()
}

/// Says whether a process holds the end of the pipe that is read.
fn reads(process: &Path, pipe: (u64, u64)) -> bool {
    numbers(process, pipe).any(|number| {
        let about = fs::read_to_string(process.join("fdinfo").join(number)).unwrap_or_default();
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
        // In octal; the last two bits are 0 where it is only read.
        flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & 3 == 0)
    })
}

/// Returns the numbers by which a process has the pipe.
fn numbers(process: &Path, pipe: (u64, u64)) -> impl Iterator<Item = OsString> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.filter(move |file| is(&file.path(), pipe)).map(|file| file.file_name())
}

fn is(path: &Path, pipe: (u64, u64)) -> bool {
    fs::metadata(path).is_ok_and(|file| (file.dev(), file.ino()) == pipe)
}
