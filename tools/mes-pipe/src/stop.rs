//! A person ends the day: ^C, TERM or HUP, to whichever tool of a pipe, in whatever order they arrive.
//!
//! A tool that listens is not ended by them where it stands. It is told, ends in order, and passes it on: a filter in
//! place of the end mark of its Arrow stream, mes-exec over the account channel, mes-risk as a `person` record in the
//! journal. So all tools of a pipe end alike, whichever of them was told. A ^C after the first leaves at once, unless it comes with it.
//!
//! What was told is one fact of the process, as the signal itself is.
//!
//! Who keeps a journal by `tee` starts it as `(trap '' INT HUP TERM; exec tee ...)`, or the same ^C cuts it.

use std::{
    fs,
    io::{Write, pipe},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::exit,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mes_core::person::{Person, Says};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    iterator::Signals,
};

use crate::{
    Error, Result,
    clock::{self, Deadline},
    log,
};

const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")];
/// In the place of a signal: another tool said so.
const TOLD: usize = usize::MAX;
/// The exit code of what a person stopped.
const CODE: i32 = 4;

/// Within this time of the first, a signal is the same one: `timeout -s INT` sends it to us and to our group.
const ONE: Duration = Duration::from_millis(300);

struct Listener {
    /// The signal that came last; 0 before the first.
    signal: Arc<AtomicUsize>,
    /// Can be read once somebody was told; never is.
    wake: OwnedFd,
    waker: std::io::PipeWriter,
}

type Say = Box<dyn Fn() -> String + Send + Sync>;

static LISTENER: OnceLock<Listener> = OnceLock::new();
/// Who was told first.
static WHO: OnceLock<Person> = OnceLock::new();
static OPEN: OnceLock<Say> = OnceLock::new();

/// Listens from now on. A signal that whoever started us has us ignore (`nohup`, `trap ''`) stays ignored.
///
/// # Errors
///
/// `Failed` where the system gives no pipe, handler or thread.
pub fn listen() -> Result<()> {
    if LISTENER.get().is_some() {
        return Ok(());
    }
    let (wake, waker) = pipe()?;
    let signal = Arc::new(AtomicUsize::new(0));
    let ignored = ignored();
    let heard: Vec<i32> =
        SIGNALS.iter().map(|(number, _)| *number).filter(|number| !ignored(*number)).collect();
    for number in &heard {
        // Within the handler, so that whoever reads the end of a pipe that the same ^C closed knows why.
        signal_hook::flag::register_usize(*number, Arc::clone(&signal), *number as usize)?;
        signal_hook::low_level::pipe::register(*number, OwnedFd::from(waker.try_clone()?))?;
    }
    // A file that may not grow any more is an error like a full disk, not the end of the process.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new(&heard)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut first: Option<Deadline> = None;
        for number in signals.forever() {
            match first {
                None => first = Some(Deadline::after(ONE)),
                // A terminal that closes sends HUP twice, a supervisor TERM after INT: only a person says ^C again.
                Some(first) if number == SIGINT && first.left().is_zero() => leave(),
                Some(_) => {}
            }
        }
    })?;
    let _ = LISTENER.set(Listener { signal, wake: wake.into(), waker });
    Ok(())
}

/// Sets what is said of what is left open when a second ^C leaves at once.
pub fn open_is(say: impl Fn() -> String + Send + Sync + 'static) {
    let _ = OPEN.set(Box::new(say));
}

/// Says whether a person has ended the day. One load: cheap enough for every row.
pub fn asked() -> bool {
    LISTENER.get().is_some_and(|listener| listener.signal.load(Ordering::Relaxed) != 0)
}

/// Returns who was told first, if a person has ended the day.
pub fn person() -> Option<Person> {
    let signal = LISTENER.get()?.signal.load(Ordering::Relaxed);
    if signal == 0 {
        return None;
    }
    let name =
        SIGNALS.iter().find(|(number, _)| *number as usize == signal).map_or("a signal", |(_, name)| name);
    Some(WHO.get_or_init(|| stop(name, log::tool())).clone())
}

/// Takes in that another tool was told.
pub fn tell(person: Person) {
    let _ = WHO.set(person);
    let Some(listener) = LISTENER.get() else { return };
    // A signal that came meanwhile stays: it says the same.
    let _ = listener.signal.compare_exchange(0, TOLD, Ordering::Relaxed, Ordering::Relaxed);
    let _ = (&listener.waker).write_all(&[0]);
}

/// Takes in that another tool was told, and returns the error to end with.
pub(crate) fn elsewhere(tool: &str) -> Error {
    tell(stop("it was stopped", tool));
    error()
}

/// Returns the error that ends a tool whose day a person has ended.
pub fn error() -> Error {
    let who = WHO.get().cloned().or_else(person);
    Error::stopped(who.map_or_else(|| "stopped by a person".to_owned(), |who| words(&who)))
}

/// Says who was stopped, and how.
pub fn words(who: &Person) -> String {
    if who.by == log::tool() {
        format!("stopped by a person ({})", who.reason)
    } else {
        format!("stopped by a person ({}: {})", who.by, who.reason)
    }
}

/// Returns what can be read once a person has ended the day, to wait on.
pub fn descriptor() -> Option<BorrowedFd<'static>> {
    LISTENER.get().map(|listener| listener.wake.as_fd())
}

fn stop(reason: &str, by: &str) -> Person {
    Person { ts: clock::now(), says: Says::Stop, reason: reason.into(), by: by.into(), rules: None }
}

fn leave() -> ! {
    let open = OPEN.get().map_or_else(String::new, |say| format!(": {}", say()));
    log::error(format!("^C again: left at once{open}"));
    log::settle();
    exit(CODE);
}

/// Returns which signals this process was started to ignore; none where nobody says.
fn ignored() -> impl Fn(i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |number| mask >> (number - 1) & 1 == 1
}
