//! The account channel: a Unix socket in the run directory over which statements go to risk.

use std::{
    cell::Cell,
    fs::File,
    io::{ErrorKind, IsTerminal, Write, stdin},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use mes_core::broker::Hello;
use mes_pipe::{Error, Result, lock, log, messages::Awaited, private, stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

/// Longest path that a socket may have, with room to spare below the kernel's 108 bytes.
const PATH_BYTES: usize = 100;
/// Statements that wait for risk; in lock-step there is one.
const WAITING_BYTES: usize = 64 << 20;
/// For a risk that is just starting to knock at an account that was not opened.
const TURNING_AWAY: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// A socket that is being listened on, and the lock that says so.
pub struct AccountChannel {
    listener: UnixListener,
    path: PathBuf,
    met: Cell<bool>,
    _lock: File,
}

/// Risk at the other end.
pub struct Peer {
    stream: UnixStream,
    line: Vec<u8>,
    /// What the socket had no room for.
    waiting: Vec<u8>,
    gone: bool,
}

impl AccountChannel {
    /// Takes the run directory and listens in it. A second pipeline there is refused.
    ///
    /// # Errors
    ///
    /// `Usage` for a path longer than a socket's may be, a second pipeline in the directory, or a directory of another user;
    /// `Failed` where it cannot be written.
    pub fn bind(run: &Path) -> Result<AccountChannel> {
        let path = run.join("account.sock");
        if path.as_os_str().len() > PATH_BYTES {
            let text = format!(
                "{}: longer than a socket path may be ({PATH_BYTES} bytes): give a shorter --run",
                path.display()
            );
            return Err(Error::usage(text));
        }
        let lock = lock(run, "exec")?;
        // Whoever left it behind held the lock and is gone.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::from(error).at(path.display()));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(|error| Error::from(error).at(path.display()))?;
        private::socket(&path).map_err(|error| Error::from(error).at(path.display()))?;
        Ok(AccountChannel { listener, path, met: Cell::new(false), _lock: lock })
    }

    /// Takes in whoever knocks, says hello, and leaves it at the other end; nobody where it is another user, or
    /// gone already.
    ///
    /// # Errors
    ///
    /// `Failed` where the socket fails.
    pub fn accept(&self, hello: &Hello) -> Result<Option<Peer>> {
        let (stream, _) = self.listener.accept()?;
        if !private::is_us(&stream)? {
            log::note("another user knocked at the account and was not let in");
            return Ok(None);
        }
        let mut peer = Peer::over(stream)?;
        match peer.send(hello) {
            // Whoever knocks and runs away was not risk.
            Err(Error::Stopped(_)) => Ok(None),
            sent => {
                self.met.set(true);
                sent.map(|()| Some(peer))
            }
        }
    }

    /// Lets a risk that was not let in yet know that the account was not opened: it hears that by the line that ends. A
    /// `tee` between the two would hide our end from it, so one that is just starting is waited for.
    pub fn turn_away(&self) {
        if self.met.get() || stop::asked() || stdin().is_terminal() {
            return;
        }
        let stdin = stdin();
        // What comes in before risk has knocked is not from risk, nor is an end.
        let mut polled = [PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
        let _ = poll(&mut polled, Some(&TURNING_AWAY));
    }

    /// Returns the listening descriptor, to wait on.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

impl Drop for AccountChannel {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Peer {
    /// Takes whoever is at the other end of `stream`.
    ///
    /// # Errors
    ///
    /// `Failed` where the socket cannot be told not to block.
    pub fn over(stream: UnixStream) -> Result<Peer> {
        stream.set_nonblocking(true)?;
        Ok(Peer { stream, line: Vec::new(), waiting: Vec::new(), gone: false })
    }

    /// Sends one record. Risk waits for it, so nothing is held back; what the socket has no room for goes out as it
    /// gets some, and nothing else waits for that.
    ///
    /// # Errors
    ///
    /// `Stopped` where risk is gone or reads no more, `Failed` where the record has no JSON.
    pub fn send<T: Serialize>(&mut self, record: &T) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record).map_err(Error::failed)?;
        self.line.push(b'\n');
        let sent = if self.waiting.is_empty() { write(&self.stream, &self.line)? } else { 0 };
        self.waiting.extend_from_slice(&self.line[sent..]);
        if self.waiting.len() > WAITING_BYTES {
            return Err(Error::stopped("mes-risk is gone: it reads no statements"));
        }
        Ok(())
    }

    /// Sends what waits, after the socket has woken us; says whether the other end is still there.
    ///
    /// # Errors
    ///
    /// `Stopped` where risk is gone.
    pub fn send_on(&mut self) -> Result<bool> {
        if self.waiting.is_empty() {
            self.gone = true;
        } else {
            let sent = write(&self.stream, &self.waiting)?;
            self.waiting.drain(..sent);
        }
        Ok(!self.gone)
    }

    /// Returns what to wait for at this end: room for what waits, or that the other end is gone.
    pub fn awaited(&self) -> Option<Awaited<'_>> {
        let flags = if self.waiting.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        (!self.gone).then(|| (self.stream.as_fd(), flags))
    }
}

/// Writes as much as there is room for.
fn write(mut stream: &UnixStream, bytes: &[u8]) -> Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::stopped(format!("mes-risk is gone: {error}"))),
        }
    }
    Ok(sent)
}
