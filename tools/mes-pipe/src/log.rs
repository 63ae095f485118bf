//! Notes to the person at the terminal, on stderr, one line each.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdin},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::visible;

static TOOL: OnceLock<&str> = OnceLock::new();
static QUIET: AtomicBool = AtomicBool::new(false);

/// Sets what every line begins with, and whether notes are wanted.
pub fn begin(tool: &'static str, quiet: bool) {
    TOOL.get_or_init(|| tool);
    QUIET.store(quiet, Ordering::Relaxed);
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
    let _ = stderr().lock().write_all(text.as_bytes());
}

/// Returns the name of the tool.
pub(crate) fn tool() -> &'static str {
    TOOL.get().copied().unwrap_or("mes")
}

pub(crate) fn quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}
