//! A file that others write while it is read, by its name: it may not be there yet, be cut short, and another may take its
//! place. Nothing is done to it but reading.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::limits;

/// What is read at once: whoever waits meanwhile waits for no more.
const CHUNK_BYTES: usize = 1 << 18;

/// What of it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A line without its end.
    Line(&'a [u8]),
    /// A line longer than a line may be; the rest of it is passed over.
    TooLong,
    /// Another file bears the name now, or this one was written anew; `cut`: what was there ended within a line.
    Replaced { cut: bool },
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is no such file, and none was read before.
    Absent,
    /// Nothing new.
    Idle,
    /// There may be more at once.
    More,
}

/// A file that is read as it grows.
#[derive(Default)]
pub struct Growing {
    open: Option<Open>,
    lines: Lines,
    buffer: Vec<u8>,
}

struct Open {
    file: File,
    /// Device and inode: what tells it from one that took its name.
    identity: (u64, u64),
    read: u64,
}

impl Growing {
    /// Reads on by a piece, to the end of what is open before it turns to what `path` names now; `None` names nothing.
    ///
    /// # Errors
    ///
    /// What the system says, but for a file that is not there.
    pub fn look(&mut self, path: Option<&Path>, tell: &mut dyn FnMut(Piece<'_>)) -> io::Result<Look> {
        if self.open.is_none() && !self.opened(path)? {
            return Ok(Look::Absent);
        }
        let Some(open) = &mut self.open else { return Ok(Look::Absent) };
        self.buffer.resize(CHUNK_BYTES, 0);
        let count = match open.file.read(&mut self.buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Look::More),
            read => read?,
        };
        open.read += count as u64;
        if count > 0 {
            self.lines.push(&self.buffer[..count], tell);
            return Ok(Look::More);
        }
        let shrunk = open.file.metadata()?.len() < open.read;
        // What was read stays while the name is free.
        let now = path.and_then(|path| fs::metadata(path).ok()).map(|about| (about.dev(), about.ino()));
        if !shrunk && now.is_none_or(|now| now == open.identity) {
            return Ok(Look::Idle);
        }
        tell(Piece::Replaced { cut: self.lines.is_within() });
        (self.open, self.lines) = (None, Lines::default());
        Ok(Look::More)
    }

    fn opened(&mut self, path: Option<&Path>) -> io::Result<bool> {
        let file = match path.map(File::open) {
            None => return Ok(false),
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Some(file) => file?,
        };
        let about = file.metadata()?;
        self.open = Some(Open { file, identity: (about.dev(), about.ino()), read: 0 });
        Ok(true)
    }
}

/// Cuts bytes, as they come, into lines.
#[derive(Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    skips: bool,
}

impl Lines {
    /// Takes bytes in and tells the lines that end in them.
    pub fn push(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Piece<'_>)) {
        let most = usize::try_from(limits::get().line).unwrap_or(usize::MAX);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            if !self.skips && self.rest.len() + text.len() > most {
                self.rest = Vec::new();
                self.skips = true;
                tell(Piece::TooLong);
            }
            match (self.skips, ends) {
                (true, ends) => self.skips = !ends,
                (false, false) => self.rest.extend_from_slice(text),
                (false, true) if self.rest.is_empty() => tell(Piece::Line(text)),
                (false, true) => {
                    self.rest.extend_from_slice(text);
                    tell(Piece::Line(&self.rest));
                    self.rest.clear();
                }
            }
        }
    }

    /// Says whether what came last is within a line.
    pub fn is_within(&self) -> bool {
        self.skips || !self.rest.is_empty()
    }
}
