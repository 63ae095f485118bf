//! The account channel: a Unix socket in the run directory over which statements go to risk.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

use mes_core::broker::Hello;
use mes_pipe::{Error, Result, lock};
use serde::Serialize;

/// Longest path that a socket may have, with room to spare below the kernel's 108 bytes.
const PATH_BYTES: usize = 100;

/// A socket that is being listened on, and the lock that says so.
pub struct Account {
    listener: UnixListener,
    path: PathBuf,
    _lock: File,
}

/// Risk at the other end.
pub struct Peer {
    stream: UnixStream,
    line: Vec<u8>,
}

impl Account {
    /// Takes the run directory and listens in it. A second pipeline there is refused.
    pub fn bind(run: &Path) -> Result<Account> {
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
        Ok(Account { listener, path, _lock: lock })
    }

    /// Waits for risk, says hello, and leaves it at the other end.
    pub fn accept(&self, hello: &Hello) -> Result<Peer> {
        let (stream, _) = self.listener.accept()?;
        let mut peer = Peer { stream, line: Vec::new() };
        peer.send(hello)?;
        Ok(peer)
    }

    /// Returns the listening descriptor, to wait on.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Peer {
    /// Sends one record. Risk waits for it, so nothing is held back.
    pub fn send<T: Serialize>(&mut self, record: &T) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record).map_err(Error::failed)?;
        self.line.push(b'\n');
        self.stream
            .write_all(&self.line)
            .map_err(|error| Error::stopped(format!("mes-risk is gone: {error}")))
    }
}
