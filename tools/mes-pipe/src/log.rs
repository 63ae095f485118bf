//! Notes to the person at the terminal, on stderr, one line each.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdin},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::{Result, visible};

static TOOL: OnceLock<&str> = OnceLock::new();
static QUIET: AtomicBool = AtomicBool::new(false);
/// Where lines go once nobody may wait for whoever reads them.
static ASIDE: OnceLock<SyncSender<Said>> = OnceLock::new();
/// Lines that may wait there.
const WAITING: usize = 1_000;
/// The longest that the end waits for them.
const LAST: Duration = Duration::from_secs(1);

enum Said {
    Line(String),
    /// To be told once all lines before it are written.
    All(Sender<()>),
}

/// Sets what every line begins with, and whether notes are wanted.
pub fn begin(tool: &'static str, quiet: bool) {
    TOOL.get_or_init(|| tool);
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Has lines written by a thread of their own from now on: a terminal that was stopped, or a reader that stands still, holds
/// nobody up who has an account to look after. What there is no room for is dropped.
///
/// # Errors
///
/// `Failed` where the system gives no thread.
pub fn aside() -> Result<()> {
    let (queue, said) = sync_channel(WAITING);
    thread::Builder::new().name("notes".into()).spawn(move || {
        for said in said {
            match said {
                Said::Line(text) => write(&text),
                Said::All(told) => {
                    let _ = told.send(());
                }
            }
        }
    })?;
    let _ = ASIDE.set(queue);
    Ok(())
}

/// Waits a moment for what was said aside: the process is about to end.
pub fn settle() {
    let (told, hear) = channel();
    if ASIDE.get().is_some_and(|queue| queue.try_send(Said::All(told)).is_ok()) {
        let _ = hear.recv_timeout(LAST);
    }
}

/// Says something that a person should know and a program need not; `--quiet` drops it.
pub fn note(what: impl Display) {
    if !quiet() {
        error(what);
    }
}

/// Says what is read from stdin where that is a terminal: a person who forgot the pipe would wait in silence.
pub fn awaits(what: impl Display) {
    if stdin().is_terminal() {
        note(format!(
            "nothing is piped in: waiting for {what} from this terminal; ^D ends the input, ^C stops"
        ));
    }
}

/// Says why the tool ends. A stderr that cannot be written is nobody's to tell.
pub fn error(what: impl Display) {
    // Libraries' errors may span lines; one thing said is one line.
    let what = what.to_string();
    let what = what.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let text = format!("{}: {}\n", tool(), visible::message(&what));
    match ASIDE.get() {
        Some(queue) => {
            let _ = queue.try_send(Said::Line(text));
        }
        None => write(&text),
    }
}

fn write(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Returns the name of the tool.
pub(crate) fn tool() -> &'static str {
    TOOL.get().copied().unwrap_or("mes")
}

pub(crate) fn quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}
