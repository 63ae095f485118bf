//! The machine: room on the disk and how fast it syncs, memory, open files, sleep, and the timer that starts the day.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use mes_core::time::MILLI;
use mes_pipe::{clock::Clock, private};
use rustix::{
    fs::statvfs,
    process::{Resource, getrlimit},
};

use super::{
    Desk,
    check::{Check, fail, ok, warn},
    key,
};

const MIB: u64 = 1 << 20;
/// A day's journals of both ends, unpacked.
const DAY_MIB: u64 = 300;
const WEEK_MIB: u64 = 7 * DAY_MIB;
/// An entry waits for its line to be on the disk, and is dropped after a second.
const SLOW: Duration = Duration::from_millis(100);
const TOO_SLOW: Duration = Duration::from_secs(1);
const SYNCS: usize = 5;
const FREE_MIB: u64 = 500;
const OPEN_FILES: u64 = 256;

/// Looks at the disk below the run directory: room, and how long a line takes to be on it.
pub fn disk(desk: &Desk) -> Check {
    let run = desk.run();
    let Some(folder) = run.ancestors().map(or_here).find(|folder| folder.is_dir()) else {
        return fail("disk", format!("{}: no such folder", run.display()));
    };
    let free = match statvfs(folder) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize) / MIB,
        Err(error) => return fail("disk", format!("{}: {error}", folder.display())),
    };
    let slowest = match synced(folder) {
        Ok(slowest) => slowest,
        Err(error) => return fail("disk", format!("{} takes nothing: {error}", folder.display())),
    };
    let says = format!("{free} MiB free, a line is on it within {} ms", slowest.as_millis());
    match () {
        () if free < DAY_MIB => fail("disk", format!("{says}: a day takes up to {DAY_MIB} MiB, make room")),
        () if slowest >= TOO_SLOW => {
            fail("disk", format!("{says}: no entry waits for that, take another --run"))
        }
        () if free < WEEK_MIB => warn("disk", format!("{says}: a week takes up to {WEEK_MIB} MiB")),
        () if slowest >= SLOW => warn("disk", format!("{says}: every entry waits as long")),
        () => ok("disk", says),
    }
}

/// The parent of a plain name is this folder.
fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Writes a few lines and takes them away again; says how long the slowest took to be on the disk.
fn synced(folder: &Path) -> std::io::Result<Duration> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = (|| {
        let mut file = private::open(&path, File::options().write(true).create_new(true))?;
        let (clock, mut slowest) = (Clock::machine(), 0);
        for _ in 0..SYNCS {
            let before = clock.now().steady;
            file.write_all(&[b'\n'; 512])?;
            file.sync_data()?;
            slowest = slowest.max(clock.now().steady - before);
        }
        Ok(Duration::from_millis(u64::try_from(slowest / MILLI).unwrap_or(0)))
    })();
    // It may not have come so far as to be there.
    let _ = fs::remove_file(&path);
    tried
}

/// Looks at the memory that programs can still have.
pub fn memory() -> Check {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    match kib.and_then(|kib| kib.parse::<u64>().ok()).map(|kib| kib >> 10) {
        None => warn("memory", "/proc/meminfo does not say what is left"),
        Some(free) if free < FREE_MIB => {
            warn("memory", format!("{free} MiB left: end something else before you trade"))
        }
        Some(free) => ok("memory", format!("{free} MiB left")),
    }
}

/// Looks how many files a program may open.
pub fn files() -> Check {
    let most = getrlimit(Resource::Nofile).current;
    match most {
        Some(most) if most < OPEN_FILES => {
            warn("files", format!("{most} may be open: ulimit -n {OPEN_FILES}, or more"))
        }
        _ => ok(
            "files",
            format!("{} may be open", most.map_or_else(|| "any number".to_owned(), |most| most.to_string())),
        ),
    }
}

/// Looks whether this machine can be kept from sleeping while it trades, as live.sh does.
pub fn sleep() -> Check {
    let mut inhibit = Command::new("systemd-inhibit");
    inhibit.args(["--what=sleep", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match inhibit.status() {
        Ok(status) if status.success() => ok("sleep", "is kept away while it trades"),
        _ => warn("sleep", "nothing keeps this machine from sleeping: turn it off in its settings"),
    }
}

/// Where the timer is installed: looks whether it is turned on, and runs while nobody is logged in.
pub fn timer() -> Option<Check> {
    let folder = key::config()?.join("systemd/user");
    let timers = fs::read_dir(&folder).ok()?.flatten();
    let name = timers.filter_map(|entry| entry.file_name().into_string().ok()).find(|name| {
        let made = || fs::read_to_string(folder.join(name)).unwrap_or_default();
        name.ends_with(".timer") && made().starts_with(crate::service::MARK)
    })?;
    if fs::symlink_metadata(folder.join("timers.target.wants").join(&name)).is_err() {
        return Some(warn("timer", format!("{name} is there and off: systemctl --user enable --now {name}")));
    }
    let user = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_default();
    if !PathBuf::from("/var/lib/systemd/linger").join(&user).exists() {
        return Some(warn(
            "timer",
            format!("{name} runs only while you are logged in: loginctl enable-linger"),
        ));
    }
    Some(ok("timer", format!("{name} is on")))
}
