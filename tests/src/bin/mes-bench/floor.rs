//! What the machine itself takes of an order's way: a line through as many programs, none of which does anything, and the
//! disk's word that it has it, as often as the law asks for it.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; nothing it measures does")]

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::Result;

/// Who is woken between a tick on the wire and an order on it: six tools and tee down the pipe, mes-risk by the statement,
/// tee and mes-exec by the order, the exchange.
const WOKEN: usize = 11;
/// mes-risk keeps its ledger, mes-exec its journal.
const SYNCS: usize = 2;
const LINES: usize = 200;
const APART: Duration = Duration::from_millis(50);

/// Sends lines through so many programs and syncs so often; returns what each took.
pub fn floor(folder: &Path) -> Result<Vec<Duration>> {
    let chain = ["cat"; WOKEN].join(" | ");
    let mut shell =
        Command::new("bash").args(["-c", &chain]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut into, from) = (shell.stdin.take().ok_or("a pipe")?, shell.stdout.take().ok_or("a pipe")?);
    let (mut from, mut kept) = (BufReader::new(from), File::create(folder.join("floor"))?);
    let line = "x".repeat(300) + "\n";
    let mut times = Vec::with_capacity(LINES);
    for _ in 0..LINES {
        sleep(APART);
        let begun = Instant::now();
        into.write_all(line.as_bytes())?;
        from.read_line(&mut String::new())?;
        for _ in 0..SYNCS {
            kept.write_all(line.as_bytes())?;
            kept.sync_data()?;
        }
        times.push(begun.elapsed());
    }
    drop(into);
    shell.wait()?;
    Ok(times)
}
