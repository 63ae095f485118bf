//! A stage as a running program: given bytes, heard row by row, and gone when it is dropped, with all it started.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use mes_pipe::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::wire::{Said, read};

/// Rows that a stage may be ahead of its listener.
const QUEUE: usize = 1024;
/// Bytes given in one write.
const PIECE: usize = 1 << 16;
/// The end of stderr that is kept.
const LAST_WORDS: usize = 4096;
/// Between two looks whether a stage has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Program {
    pub argv: Vec<OsString>,
    /// How long it may be silent.
    pub patience: Duration,
}

/// A stage that runs; dropping it ends it.
pub struct Running {
    child: Child,
    feed: Option<Sender<Vec<u8>>>,
    /// Pieces written so far.
    fed: Arc<AtomicUsize>,
    seen: usize,
    said: Receiver<Said>,
    stderr: Arc<Mutex<Vec<u8>>>,
    patience: Duration,
}

/// What listening came to.
pub enum Heard {
    Said(Said),
    End,
    /// Nothing for as long as patience lasts.
    Silence,
}

impl Program {
    /// Starts it in a process group of its own, with these variables of the environment set.
    ///
    /// # Errors
    ///
    /// `Usage` where it is no program, `Failed` where it cannot be started.
    pub fn start(&self, environment: &[(&str, &str)]) -> Result<Running> {
        let (name, arguments) = self.argv.split_first().ok_or_else(|| Error::usage("no command"))?;
        let mut command = Command::new(name);
        command.args(arguments).envs(environment.iter().copied()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            let name = name.to_string_lossy();
            match error.kind() {
                io::ErrorKind::NotFound => Error::usage(format!("{name}: no such program")),
                io::ErrorKind::PermissionDenied => Error::usage(format!("{name}: not a program")),
                _ => Error::failed(format!("{name}: {error}")),
            }
        })?;
        Running::of(child, self.patience)
    }
}

impl Running {
    fn of(mut child: Child, patience: Duration) -> Result<Running> {
        let lost = || Error::failed("a pipe to the stage is missing");
        let stdin = child.stdin.take().ok_or_else(lost)?;
        let stdout = child.stdout.take().ok_or_else(lost)?;
        let errors = child.stderr.take().ok_or_else(lost)?;
        let (feed, pieces) = channel();
        let (sender, said) = sync_channel(QUEUE);
        let (fed, stderr) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (count, words) = (Arc::clone(&fed), Arc::clone(&stderr));
        let running = Running { child, feed: Some(feed), fed, seen: 0, said, stderr, patience };
        // From here on a failure drops, and so ends, the child.
        thread::Builder::new().spawn(move || give(stdin, &pieces, &count))?;
        thread::Builder::new().spawn(move || read(stdout, &sender))?;
        thread::Builder::new().spawn(move || listen(errors, &words))?;
        Ok(running)
    }

    /// Hands over bytes without waiting until they are read.
    pub fn give(&self, bytes: Vec<u8>) {
        if let Some(feed) = &self.feed {
            // A stage that reads no more is heard to end.
            let _ = feed.send(bytes);
        }
    }

    /// Closes its stdin when all is given.
    pub fn close(&mut self) {
        self.feed = None;
    }

    /// Waits for what it says next. While it still takes what it is given it is not silent.
    pub fn next(&mut self) -> Heard {
        loop {
            match self.said.recv_timeout(self.patience) {
                Ok(said) => return Heard::Said(said),
                Err(RecvTimeoutError::Disconnected) => return Heard::End,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let fed = self.fed.load(Ordering::Relaxed);
            if fed == self.seen {
                return Heard::Silence;
            }
            self.seen = fed;
        }
    }

    /// Waits for an answer that is due now.
    pub fn answer(&mut self) -> Heard {
        match self.said.recv_timeout(self.patience) {
            Ok(said) => Heard::Said(said),
            Err(RecvTimeoutError::Disconnected) => Heard::End,
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
        }
    }

    /// Waits until it has ended and says what is wrong with how it did; `Ok` is exit code 0.
    ///
    /// # Errors
    ///
    /// `Failed` where the system does not say.
    pub fn finish(&mut self) -> Result<std::result::Result<(), String>> {
        self.close();
        let looks = self.patience.as_millis() / PAUSE.as_millis();
        for _ in 0..looks.max(1) {
            if let Some(status) = self.child.try_wait()? {
                let told = format!("{status}{}", self.last_words());
                return Ok(if status.success() { Ok(()) } else { Err(told) });
            }
            thread::sleep(PAUSE);
        }
        let seconds = self.patience.as_secs_f64();
        Ok(Err(format!("it wrote its last row and closed stdout, but had not ended {seconds} s later")))
    }

    /// Returns the last line of stderr, to be put after other words.
    pub fn last_words(&self) -> String {
        let words = self.stderr.lock().map(|words| words.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&words).into_owned();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        if last.is_empty() { String::new() } else { format!("; stderr: {last}") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group may be gone already; a child that is not waited for stays a zombie.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn give(mut stdin: ChildStdin, pieces: &Receiver<Vec<u8>>, fed: &AtomicUsize) {
    for bytes in pieces {
        for piece in bytes.chunks(PIECE) {
            if stdin.write_all(piece).is_err() {
                return;
            }
            fed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn listen(mut errors: impl Read, words: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 1024];
    while let Ok(count) = errors.read(&mut bytes) {
        let Ok(mut words) = words.lock() else { return };
        if count == 0 {
            return;
        }
        words.extend_from_slice(&bytes[..count]);
        let more = words.len().saturating_sub(LAST_WORDS);
        words.drain(..more);
    }
}
