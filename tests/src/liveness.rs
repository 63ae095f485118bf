//! The proof that a stage does not look ahead. A stage that answers row k before it is given row k+1 cannot have
//! looked at it; if it gives the same rows when it is given all at once, it never does.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use mes_core::time::{self, Ts};

use crate::shell;

/// How long a stage may take to answer one row.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks that a filter of JSON lines looks at no row before its time. `command` is a shell line that writes JSON lines
/// without a header; `rows` are its input, with or without one. An answer is due as soon as a row of its time or later
/// has been given: of mes-bars, when the interval has ended. Returns how many answers there were.
///
/// # Errors
///
/// Says at which row the stage waited for the next, or where the answers to rows given otherwise differ.
pub fn check(folder: &Path, command: &str, rows: &str) -> Result<usize, String> {
    let bulk = given(folder, command, rows, usize::MAX)?;
    let times = bulk.lines().map(time_of).collect::<Result<Vec<_>, _>>()?;
    let drip = drip(folder, command, rows, &times)?;
    same("all rows at once", &drip, &bulk)?;
    for count in [1, 7, 1024] {
        same(&format!("chunks of {count} rows"), &drip, &given(folder, command, rows, count)?)?;
    }
    Ok(times.len())
}

fn time_of(line: &str) -> Result<Ts, String> {
    let row: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    let text = row["ts"].as_str().ok_or_else(|| format!("no ts: {line}"))?;
    time::parse(text).map_err(|error| error.to_string())
}

/// Compares what came drop by drop with what came otherwise.
pub fn same(how: &str, drip: &str, other: &str) -> Result<(), String> {
    if drip == other {
        return Ok(());
    }
    let (mut mine, mut theirs) = (drip.lines(), other.lines());
    let line = (1..).find(|_| match (mine.next(), theirs.next()) {
        (None, None) => true,
        (mine, theirs) => mine != theirs,
    });
    let shown = |text: &str| text.lines().nth(line.unwrap_or(1) - 1).unwrap_or("nothing").to_owned();
    let line = line.unwrap_or_default();
    Err(format!("row {line}: {} when dripped, {} from {how}", shown(drip), shown(other)))
}

/// Runs the command with `text` on stdin, so many rows at a time.
fn given(folder: &Path, command: &str, text: &str, rows: usize) -> Result<String, String> {
    let (child, mut stdin) = start(folder, command)?;
    let chunks: Vec<String> = match rows {
        usize::MAX => vec![text.to_owned()],
        _ => text.split_inclusive('\n').collect::<Vec<_>>().chunks(rows).map(<[_]>::concat).collect(),
    };
    let feeder = thread::spawn(move || {
        for chunk in chunks {
            if stdin.write_all(chunk.as_bytes()).is_err() {
                return;
            }
        }
    });
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let _ = feeder.join();
    if !output.status.success() {
        return Err(format!("{command}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// Gives each row only after all answers due before it have come, and returns the answers. `times` are those of all
/// answers.
fn drip(folder: &Path, command: &str, rows: &str, times: &[Ts]) -> Result<String, String> {
    let (mut child, mut stdin) = start(folder, command)?;
    let answers = answers(&mut child)?;
    let (mut out, mut count) = (String::new(), 0);
    let mut lines = rows.split_inclusive('\n').peekable();
    if let Some(header) = lines.next_if(|line| line.starts_with("{\"kind\"") && !line.contains("\"ts\"")) {
        give(&mut stdin, header)?;
    }
    for (row, line) in lines.enumerate() {
        give(&mut stdin, line)?;
        let now = time_of(line)?;
        while times.get(count).is_some_and(|due| *due <= now) {
            match answers.recv_timeout(PATIENCE) {
                Ok(answer) => out += &answer,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("row {}: the stage ended", row + 1));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let _ = child.kill();
                    let seconds = PATIENCE.as_secs();
                    return Err(format!(
                        "row {}: no answer within {seconds} s, so the stage waits for a later row: {line}",
                        row + 1
                    ));
                }
            }
            count += 1;
        }
    }
    drop(stdin);
    out.extend(answers);
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(out) } else { Err(format!("{command}: {status}")) }
}

fn give(stdin: &mut ChildStdin, line: &str) -> Result<(), String> {
    stdin.write_all(line.as_bytes()).map_err(|error| format!("the stage reads no more: {error}"))
}

fn start(folder: &Path, command: &str) -> Result<(Child, ChildStdin), String> {
    let mut bash = shell::bash(folder, command);
    let child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let stdin = child.stdin.take().ok_or("no stdin")?;
    Ok((child, stdin))
}

/// Reads lines in a thread of their own, so that waiting for one can end.
fn answers(child: &mut Child) -> Result<Receiver<String>, String> {
    let mut stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        while matches!(stdout.read_line(&mut line), Ok(count) if count > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
