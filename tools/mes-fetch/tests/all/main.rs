//! The tool from outside: files in every dialect and of strangers, data that looks fit, real days, a recorded hub. One program, since
//! each is linked with all there is.

mod cli;
mod dialects;
mod import;
mod live;
mod shared_data;
mod verify;

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs the tool with these flags and files on these bytes.
fn fetch(args: &str, files: &[&Path], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mes-fetch"))
        .args(args.split_whitespace())
        .args(files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    // A tool that refuses its flags does not read.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the tool ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
