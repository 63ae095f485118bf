//! Starts `mes-nets` and waits for what it says.

use std::{
    env,
    fs::File,
    io::{BufReader, BufWriter},
    path::PathBuf,
    process::{Command, Stdio},
};

use mes_pipe::{Error, Result};
use mes_predict::model::card;

use super::wire::{Answer, Request};

const PROGRAM: &str = "mes-nets";

/// Sends a request and returns the answer.
///
/// # Errors
///
/// [`Error::Failed`] when the program cannot be started, or ends without an answer.
pub fn ask(request: &Request, quiet: bool) -> Result<Answer> {
    let program = path();
    let at = |what: String| Error::failed(format!("{}: {what}", program.display()));
    let mut child = Command::new(&program)
        // candle's products are too small to share, and it takes the number of its threads from here alone.
        .env("RAYON_NUM_THREADS", "1")
        .args(quiet.then_some("--quiet"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            at(format!("cannot be started ({error}): it lies beside mes-train, or in the PATH"))
        })?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(at("has no pipes".into()));
    };
    let mut stdin = BufWriter::new(stdin);
    let sent = request.write(&mut stdin);
    let answer = Answer::read(&mut BufReader::new(stdout));
    // It lives as long as its stdin is open.
    drop(stdin);
    let status = child.wait()?;
    answer.map_err(|error| {
        let error = sent.err().unwrap_or(error);
        at(format!("ended without an answer ({status}; {error})"))
    })
}

/// Returns the hash of this program and of the one that fits nets.
///
/// # Errors
///
/// [`Error::Failed`] when either cannot be read.
pub fn code_hash() -> Result<String> {
    let program = path();
    let nets = File::open(&program)
        .and_then(mes_pipe::hash_of)
        .map_err(|error| Error::failed(format!("{}: {error}", program.display())))?;
    Ok(mes_pipe::hash(format!("{} {nets}", card::code_hash()?).as_bytes()))
}

/// Returns where the program is: beside this one, else where the shell finds it.
fn path() -> PathBuf {
    let beside = env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
    let in_path = || {
        let folders = env::var_os("PATH")?;
        env::split_paths(&folders).map(|folder| folder.join(PROGRAM)).find(|path| path.exists())
    };
    beside.filter(|path| path.exists()).or_else(in_path).unwrap_or_else(|| PROGRAM.into())
}
