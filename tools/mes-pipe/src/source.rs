//! The bytes of one input, and whether reading them could wait.

use std::{
    fs::File,
    io::{self, Read, Seek},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::FileType,
};

use crate::{Error, Result, log, stop};

pub(crate) struct Source {
    pub name: String,
    reader: Box<dyn Read + Send>,
    /// Bytes that were looked at and belong to the next read.
    head: Vec<u8>,
    /// The descriptor to wait on; a regular file never waits.
    fd: Option<OwnedFd>,
    /// A peer whose death must be noticed while we wait.
    watch: Option<OwnedFd>,
    /// Between us and the file is a decoder, which may still have what came before.
    decoded: bool,
    /// The file itself, where it can be read at any place.
    pub file: Option<File>,
}

impl Source {
    /// Opens stdin; a person at a terminal is told what is `awaited` there.
    ///
    /// # Errors
    ///
    /// `Failed` where stdin is closed, `Usage` where it is a directory.
    pub fn stdin(awaited: &str) -> Result<Source> {
        log::awaits(awaited);
        let owned = io::stdin().as_fd().try_clone_to_owned()?;
        Source::new("stdin".to_owned(), File::from(owned))
    }

    /// Opens a file by its path.
    ///
    /// # Errors
    ///
    /// `Usage` where it is not there or a directory, `Failed` where it cannot be opened.
    pub fn open(path: &Path) -> Result<Source> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Source::new(name, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::usage(format!("{name}: no such file")))
            }
            Err(error) => Err(Error::failed(format!("{name}: {error}"))),
        }
    }

    /// Reads a file that is open; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// `Usage` where it is a directory, `Failed` where the system says nothing of it.
    pub fn new(name: String, file: File) -> Result<Source> {
        let status = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        let kind = FileType::from_raw_mode(status.st_mode);
        if kind == FileType::Directory {
            return Err(Error::usage(format!("{name} is a directory")));
        }
        let regular = kind == FileType::RegularFile;
        let fd = if regular { None } else { Some(file.as_fd().try_clone_to_owned()?) };
        let kept = if regular { Some(file.try_clone()?) } else { None };
        Ok(Source {
            name,
            reader: Box::new(file),
            head: Vec::new(),
            fd,
            watch: None,
            decoded: false,
            file: kept,
        })
    }

    /// Looks at the next bytes, up to `wanted` of them, without consuming any.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be read.
    pub fn peek(&mut self, wanted: usize) -> Result<&[u8]> {
        while self.head.len() < wanted {
            self.wait()?;
            let mut more = vec![0; wanted - self.head.len()];
            match self.reader.read(&mut more) {
                Ok(0) => break,
                Ok(count) => self.head.extend_from_slice(&more[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from(error).at(&self.name)),
            }
        }
        Ok(&self.head)
    }

    /// Drops bytes that were looked at.
    pub fn skip(&mut self, count: usize) {
        self.head.drain(..count.min(self.head.len()));
    }

    /// Puts a decoder between the file and whoever reads on.
    ///
    /// # Errors
    ///
    /// What `decoder` says.
    pub fn decoded(
        mut self,
        decoder: impl FnOnce(Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>>,
    ) -> Result<Source> {
        let head = io::Cursor::new(std::mem::take(&mut self.head));
        self.reader = decoder(Box::new(head.chain(self.reader)))?;
        (self.file, self.decoded) = (None, true);
        Ok(self)
    }

    /// Returns a file that can be read at any place: this one, or a nameless copy of a pipe.
    ///
    /// # Errors
    ///
    /// `Failed` where the pipe cannot be read, or the temporary folder takes no more.
    pub fn into_file(mut self) -> Result<File> {
        if let Some(mut file) = self.file.take() {
            file.rewind()?;
            return Ok(file);
        }
        crate::log::note(format!(
            "{}: read whole into a temporary file, since it ends with its index",
            self.name
        ));
        let mut copy = tempfile::tempfile()?;
        io::copy(&mut self, &mut copy)?;
        copy.rewind()?;
        Ok(copy)
    }

    /// Makes waits end with an error when the other end of `peer` is gone.
    pub fn watch(&mut self, peer: OwnedFd) {
        self.watch = Some(peer);
    }

    /// Says whether the next read returns at once.
    pub fn ready(&self) -> bool {
        let Some(fd) = self.fd.as_ref().filter(|_| self.head.is_empty()) else { return true };
        let mut polled = [PollFd::new(fd, PollFlags::IN)];
        matches!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(count) if count > 0)
    }

    /// Waits for bytes, for a person who ends the day, or for the watched peer.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] when the day is ended, [`Error::Failed`] when the peer is gone.
    pub fn wait(&self) -> Result<()> {
        let Some(fd) = self.fd.as_ref().filter(|_| self.head.is_empty() && !self.decoded) else {
            return Ok(());
        };
        let input = |fd| (fd, PollFlags::IN);
        let peer = self.watch.as_ref().map(AsFd::as_fd);
        let [_, stopped, peer] =
            any_of([Some(fd.as_fd()), stop::descriptor(), peer].map(|fd| fd.map(input)), None)?;
        match &self.watch {
            _ if stopped => Err(stop::error()),
            // In lock-step the peer has nothing to say while we wait for a row, but that it was stopped.
            Some(watched) if peer => Err(last_word(watched.as_fd())?),
            _ => Ok(()),
        }
    }

    /// Returns what to wait on; a regular file never waits.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }
}

/// A descriptor and what it is waited on for; its end always is.
pub type Awaited<'a> = (BorrowedFd<'a>, PollFlags);

/// Waits until something that is waited for has come, or until `timeout` is over; says of which.
pub(crate) fn any_of<const N: usize>(
    awaited: [Option<Awaited>; N],
    timeout: Option<Duration>,
) -> Result<[bool; N]> {
    let Some((any, _)) = awaited.iter().flatten().next().copied() else { return Ok([false; N]) };
    let timeout = timeout
        .map(|wait| Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) });
    // Another, asked for nothing, stands in the place of one that is not there.
    let mut polled = awaited.map(|awaited| {
        let (fd, flags) = awaited.unwrap_or((any, PollFlags::empty()));
        PollFd::from_borrowed_fd(fd, flags)
    });
    // After a handler has run, what it did is among what we wait for.
    while let Err(error) = poll(&mut polled, timeout.as_ref()) {
        if error != rustix::io::Errno::INTR {
            return Err(io::Error::from(error).into());
        }
    }
    let mut found = [false; N];
    for ((found, polled), awaited) in found.iter_mut().zip(&polled).zip(&awaited) {
        *found = awaited.is_some() && !polled.revents().is_empty();
    }
    Ok(found)
}

/// Returns why a peer that has nothing to say has spoken: it is gone, or it was stopped, which it says in a record that
/// stays where it is for whoever reads its statements.
fn last_word(peer: BorrowedFd) -> Result<Error> {
    let [gone] = any_of([Some((peer, PollFlags::empty()))], Some(Duration::ZERO))?;
    Ok(if gone { Error::failed("mes-exec is gone") } else { stop::elsewhere("mes-exec") })
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return self.reader.read(into);
        }
        let count = into.len().min(self.head.len());
        into[..count].copy_from_slice(&self.head[..count]);
        self.head.drain(..count);
        Ok(count)
    }
}
