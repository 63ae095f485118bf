//! The bytes of one input, and whether reading them could wait.

use std::{
    fs::File,
    io::{self, Read, Seek},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::FileType,
};

use crate::{Error, Result, log};

pub(crate) struct Source {
    pub name: String,
    reader: Box<dyn Read + Send>,
    /// Bytes that were looked at and belong to the next read.
    head: Vec<u8>,
    /// The descriptor to wait on; a regular file never waits.
    fd: Option<OwnedFd>,
    /// A peer whose death must be noticed while we wait.
    watch: Option<OwnedFd>,
    /// The file itself, where it can be read at any place.
    pub file: Option<File>,
}

impl Source {
    /// Opens stdin; a person at a terminal is told what is `awaited` there.
    pub fn stdin(awaited: &str) -> Result<Source> {
        log::awaits(awaited);
        let owned = io::stdin().as_fd().try_clone_to_owned()?;
        Source::new("stdin".to_owned(), File::from(owned))
    }

    /// Opens a file by its path.
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

    pub fn new(name: String, file: File) -> Result<Source> {
        let status = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        let kind = FileType::from_raw_mode(status.st_mode);
        if kind == FileType::Directory {
            return Err(Error::usage(format!("{name} is a directory")));
        }
        let regular = kind == FileType::RegularFile;
        let fd = if regular { None } else { Some(file.as_fd().try_clone_to_owned()?) };
        let kept = if regular { Some(file.try_clone()?) } else { None };
        Ok(Source { name, reader: Box::new(file), head: Vec::new(), fd, watch: None, file: kept })
    }

    /// Looks at the next bytes, up to `wanted` of them, without consuming any.
    pub fn peek(&mut self, wanted: usize) -> Result<&[u8]> {
        while self.head.len() < wanted {
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
    pub fn decoded(
        mut self,
        decoder: impl FnOnce(Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>>,
    ) -> Result<Source> {
        let head = io::Cursor::new(std::mem::take(&mut self.head));
        self.reader = decoder(Box::new(head.chain(self.reader)))?;
        self.file = None;
        Ok(self)
    }

    /// Returns a file that can be read at any place: this one, or a nameless copy of a pipe.
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

    /// Waits for bytes, or for the death of the watched peer.
    pub fn wait(&self) -> Result<()> {
        match &self.watch {
            // In lock-step the peer has nothing to say while we wait for a row, so a wake-up is its end.
            Some(peer) if self.wait_or(peer.as_fd())? => Err(Error::failed("mes-exec is gone")),
            _ => Ok(()),
        }
    }

    /// Waits until `other` or this source can be read; says whether `other` can.
    pub fn wait_or(&self, other: BorrowedFd) -> Result<bool> {
        let Some(fd) = &self.fd else { return Ok(false) };
        loop {
            let mut polled = [PollFd::new(fd, PollFlags::IN), PollFd::from_borrowed_fd(other, PollFlags::IN)];
            match poll(&mut polled, None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
                Ok(_) => return Ok(!polled[1].revents().is_empty()),
            }
        }
    }
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
