//! Runs one tool for each of many cases, a few at a time, and says in which it did not end as a tool ends.

use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Output,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use mes_golden::shell;

/// At once; the machine of the tests may have two cores.
const THREADS: usize = 3;
/// What `timeout` ends with.
const TIMEOUT: i32 = 124;

/// Returns a line that runs `line` within a time and a memory that no small input has reason to go beyond.
pub fn bounded(seconds: u32, line: &str) -> String {
    format!("ulimit -v 4000000; exec timeout -s KILL -k 1 {seconds} {line}")
}

/// Runs every case in a folder of its own; all have to end with one of `codes`, and without a panic.
pub fn all<T: Sync>(cases: &[(String, T)], codes: &[i32], run: impl Fn(&Path, &T) -> Output + Sync) {
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let folder = tempfile::tempdir().expect("a folder");
                    let output = run(folder.path(), case);
                    if let Some(fault) = fault(&output, codes) {
                        faults.lock().expect("no thread panics").push(format!("{name}: {fault}"));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("no thread panics");
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// Says what is wrong with how a tool ended.
fn fault(output: &Output, codes: &[i32]) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    // As a shell counts: `timeout` kills itself with what it kills.
    let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal));
    let short = || stderr.chars().take(300).collect::<String>();
    if stderr.contains("panicked") {
        return Some(format!("a panic: {}", short()));
    }
    if stderr.contains('\u{1b}') {
        return Some(format!("an escape on stderr: {}", short().escape_debug()));
    }
    match code {
        Some(code) if codes.contains(&code) => None,
        _ => Some(format!("exit {code:?}: {}", short())),
    }
}

/// The codes that a tool may end with that was given something odd: done, or whose fault it is.
pub const ANSWERS: [i32; 4] = [0, 2, 3, 4];
/// The same of a tool that may have been given endless work.
pub const OR_LONG: [i32; 7] = [0, 1, 2, 3, 4, TIMEOUT, 137];

/// Runs a line with something on stdin.
pub fn line(folder: &Path, line: &str, input: &[u8]) -> Output {
    shell::run(folder, &bounded(30, line), input)
}
