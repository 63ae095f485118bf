//! A program that tells: started, fed, waited for, ended when it takes too long.

use std::{
    io::{ErrorKind, Write},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_pipe::clock::Deadline;

use super::Failure;

const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// Runs a program to its end.
///
/// # Errors
///
/// Where it does not exist, says that it failed, or takes longer than five seconds: then it is ended.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| {
        let what = format!("{program}: {error}");
        if error.kind() == ErrorKind::NotFound { Failure::lasting(what) } else { Failure::passing(what) }
    })?;
    let mut stdin = child.stdin.take();
    let input = input.to_owned();
    // It may read nothing: then the thread ends with it.
    std::thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(&input)));
    let deadline = Deadline::after(PATIENCE);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(Failure::passing(format!("{program}: {status}"))),
            Ok(None) if deadline.left().is_zero() => break,
            Ok(None) => sleep(LOOK),
            Err(error) => return Err(Failure::passing(format!("{program}: {error}"))),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Failure::passing(format!("{program}: takes longer than {} s", PATIENCE.as_secs())))
}
