//! Runs the real tools, joined by pipes, and says which one failed and why.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use mes_pipe::{Error, Result, beside};

use super::cost::peak;

/// Between two looks at what the programs of a pipe hold.
const LOOK: Duration = Duration::from_millis(50);

/// A tool and its arguments.
pub struct Stage {
    pub tool: &'static str,
    pub args: Vec<OsString>,
}

impl Stage {
    /// Makes a stage of a tool and its arguments.
    pub fn new<A: Into<OsString>>(tool: &'static str, args: impl IntoIterator<Item = A>) -> Stage {
        Stage { tool, args: args.into_iter().map(Into::into).collect() }
    }

    /// Adds arguments.
    pub fn with<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Stage {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
}

/// Runs the stages as one pipe until all have ended. The last one's stdout goes into `out`, or nowhere; what they say
/// is added to `log`. Returns the most memory that they were seen to hold together, in bytes.
///
/// # Errors
///
/// What the first tool that failed ended with, by its exit code; `Failed` where one cannot be started.
pub fn pipe(stages: &[Stage], out: Option<&Path>, log: &Path) -> Result<u64> {
    let file = |path: &Path| File::create(path).map_err(|error| Error::from(error).at(path.display()));
    let mut children: Vec<Child> = Vec::new();
    let spawned = stages.iter().enumerate().try_for_each(|(index, stage)| {
        let input = match children.last_mut().and_then(|child| child.stdout.take()) {
            Some(upstream) => Stdio::from(upstream),
            None => Stdio::null(),
        };
        let output = match out.filter(|_| index + 1 == stages.len()) {
            Some(path) => Stdio::from(file(path)?),
            None if index + 1 == stages.len() => Stdio::null(),
            None => Stdio::piped(),
        };
        let said = OpenOptions::new().create(true).append(true).open(log);
        let said = said.map_err(|error| Error::from(error).at(log.display()))?;
        let mut command = Command::new(beside(stage.tool));
        command.args(&stage.args).stdin(input).stdout(output).stderr(said);
        children.push(command.spawn().map_err(|error| Error::from(error).at(stage.tool))?);
        Ok(())
    });
    if let Err(error) = spawned {
        // Those that run lose their reader or their writer and end by themselves.
        children.iter_mut().for_each(|child| drop(child.stdout.take()));
        children.iter_mut().for_each(|child| drop(child.wait()));
        return Err(error);
    }
    let (codes, memory) = wait(&mut children)?;
    // Who fails cuts the input of those after it, and those before it only lose their reader, which is no failure.
    match stages.iter().zip(codes).find(|(_, code)| *code != Some(0)) {
        None => Ok(memory),
        Some((stage, code)) => Err(failure(stage.tool, code, log)),
    }
}

/// Waits for all of a pipe. Returns their exit codes and the most memory that they held together.
fn wait(children: &mut [Child]) -> Result<(Vec<Option<i32>>, u64)> {
    let pids: Vec<u32> = children.iter().map(Child::id).collect();
    let (over, ended) = channel::<()>();
    thread::scope(|scope| {
        let watching = scope.spawn(move || {
            let mut most = vec![0; pids.len()];
            loop {
                for (most, pid) in most.iter_mut().zip(&pids) {
                    *most = peak(*pid).max(*most);
                }
                if ended.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return most.iter().sum();
                }
            }
        });
        let codes: Result<_> = children.iter_mut().map(|child| Ok(child.wait()?.code())).collect();
        drop(over);
        // It only reads and adds.
        Ok((codes?, watching.join().unwrap_or_default()))
    })
}

/// Passes on what a tool said last before it failed, with its exit code.
fn failure(tool: &str, code: Option<i32>, log: &Path) -> Error {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    // Arguments that it does not know are refused in clap's words.
    let told = said.lines().rev().find(|line| line.starts_with(tool) || line.starts_with("error: "));
    let last = told.map_or(tool.to_owned(), |line| line.replacen("error:", &format!("{tool}:"), 1));
    match code {
        Some(2) => Error::usage(last),
        Some(3) => Error::data(last),
        Some(4) => Error::stopped(last),
        Some(_) => Error::failed(last),
        None => Error::failed(format!("{tool} was killed; {}", log.display())),
    }
}
