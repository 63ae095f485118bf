//! Reads lines as they are written: of stdin, or of a file by its name, which may come later, grow, be cut short and become
//! another one. Each source has a thread; none ever stops reading, so whoever writes into a pipe is never held up.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::mpsc::SyncSender,
    thread::{self, JoinHandle, sleep},
    time::{Duration, SystemTime},
};

use mes_pipe::{
    Error, Result,
    growing::{Growing, Lines, Look, Piece},
};

/// Between two looks at a file.
const LOOK: Duration = Duration::from_millis(100);
const CHUNK: usize = 1 << 16;

/// Whose lines they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Journal,
    Exec,
}

/// What a source has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A line without its end; `old`: it stood there before this program began.
    Line { bytes: Vec<u8>, old: bool },
    /// A line longer than a line may be.
    TooLong,
    /// All that stood there has been read.
    Caught,
    /// Another file bears the name now; `cut`: the old one ended within a line.
    Replaced { cut: bool },
    /// Nothing more will come; `cut`: it ended within a line.
    End { cut: bool },
    /// It cannot be read.
    Trouble(String),
}

type Say<T> = SyncSender<T>;

/// Reads stdin to its end. Where nobody listens any more it is read all the same.
///
/// # Errors
///
/// `Failed` where the system gives no thread.
pub fn stdin<T: Send + 'static>(
    to: Say<T>,
    wrap: impl Fn(Said) -> T + Send + 'static,
) -> Result<JoinHandle<()>> {
    let read = move || {
        let mut lines = Lines::default();
        let mut buffer = vec![0; CHUNK];
        let mut input = io::stdin().lock();
        let mut listens = true;
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) if listens => {
                    let mut said = Vec::new();
                    lines.push(&buffer[..count], &mut |piece| say(piece, false, &mut said));
                    listens = said.into_iter().all(|said| to.send(wrap(said)).is_ok());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let _ = to.send(wrap(Said::Trouble(format!("stdin: {error}"))));
                    break;
                }
            }
        }
        let _ = to.send(wrap(Said::End { cut: lines.is_within() }));
    };
    thread::Builder::new().name("stdin".into()).spawn(read).map_err(Error::from)
}

/// Follows a file, or the newest journal of mes-exec in a folder, for as long as somebody listens.
///
/// # Errors
///
/// `Failed` where the system gives no thread.
pub fn file<T: Send + 'static>(
    path: PathBuf,
    of: Of,
    to: Say<T>,
    wrap: impl Fn(Said) -> T + Send + 'static,
) -> Result<()> {
    let follow = move || {
        let mut tail = Tail::new(path, of);
        loop {
            let mut said = Vec::new();
            let more = tail.look(&mut said);
            if !said.into_iter().all(|said| to.send(wrap(said)).is_ok()) {
                return;
            }
            if !more {
                sleep(LOOK);
            }
        }
    };
    thread::Builder::new().name("follow".into()).spawn(follow)?;
    Ok(())
}

/// A file that is followed.
pub struct Tail {
    path: PathBuf,
    of: Of,
    growing: Growing,
    /// What is read now was there before.
    old: bool,
    begun: bool,
    trouble: Option<String>,
}

impl Tail {
    /// Prepares to follow; nothing is read.
    pub fn new(path: PathBuf, of: Of) -> Tail {
        Tail { path, of, growing: Growing::default(), old: true, begun: false, trouble: None }
    }

    /// Reads on by a piece; returns whether there may be more at once.
    pub fn look(&mut self, said: &mut Vec<Said>) -> bool {
        let (found, old) = (self.found(), self.old);
        match self.growing.look(found.as_deref(), &mut |piece| say(piece, old, said)) {
            Ok(look) => {
                self.trouble = None;
                if look == Look::Idle || look == Look::Absent {
                    self.caught(said);
                }
                look == Look::More
            }
            Err(error) => {
                let text = format!("{}: {error}", self.path.display());
                if self.trouble.as_ref() != Some(&text) {
                    said.push(Said::Trouble(text.clone()));
                    self.trouble = Some(text);
                }
                false
            }
        }
    }

    fn caught(&mut self, said: &mut Vec<Said>) {
        self.old = false;
        if !std::mem::replace(&mut self.begun, true) {
            said.push(Said::Caught);
        }
    }

    /// Returns the file that is meant now.
    fn found(&self) -> Option<PathBuf> {
        if self.of == Of::Journal { Some(self.path.clone()) } else { newest(&self.path) }
    }
}

fn say(piece: Piece<'_>, old: bool, said: &mut Vec<Said>) {
    match piece {
        Piece::Line([]) => {}
        Piece::Line(text) => said.push(Said::Line { bytes: text.to_vec(), old }),
        Piece::TooLong => said.push(Said::TooLong),
        Piece::Replaced { cut } => said.push(Said::Replaced { cut }),
    }
}

/// Finds the newest journal of mes-exec in a folder or one of the folders in it.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let here = entries(folder);
    let below = here.iter().filter(|path| path.is_dir()).flat_map(|path| entries(path)).collect::<Vec<_>>();
    let is_one = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("exec-") && name.ends_with(".jsonl")
    };
    let written = |path: &PathBuf| {
        fs::metadata(path).and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    here.iter().chain(&below).filter(is_one).max_by_key(|path| (written(path), (*path).clone())).cloned()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write};

    use super::*;

    fn looked(tail: &mut Tail) -> Vec<String> {
        let mut said = Vec::new();
        while tail.look(&mut said) {}
        let text = |said: Said| match said {
            Said::Line { bytes, old } => {
                format!("{}{}", String::from_utf8_lossy(&bytes), if old { " old" } else { "" })
            }
            other => format!("{other:?}"),
        };
        said.into_iter().map(text).collect()
    }

    #[test]
    fn a_file_is_followed_by_its_name_through_all_that_becomes_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut absent = Tail::new(path.clone(), Of::Journal);
        assert_eq!(looked(&mut absent), ["Caught"]);
        fs::write(&path, "a\nb").expect("writes");
        assert_eq!(looked(&mut absent), ["a"], "new, since it was not there");
        let mut tail = Tail::new(path.clone(), Of::Journal);
        assert_eq!(looked(&mut tail), ["a old", "Caught"]);
        File::options().append(true).open(&path).expect("opens").write_all(b"c\r\n\nd\n").expect("writes");
        assert_eq!(looked(&mut tail), ["bc\r", "d"]);
        let other = folder.path().join("other");
        fs::write(&other, "e\nf").expect("writes");
        fs::rename(&other, &path).expect("renames");
        assert_eq!(looked(&mut tail), ["Replaced { cut: false }", "e"]);
        fs::write(&path, "g\n").expect("writes");
        assert_eq!(looked(&mut tail), ["Replaced { cut: true }", "g"]);
        fs::remove_file(&path).expect("removes");
        assert!(looked(&mut tail).is_empty(), "it may come again");
    }

    #[test]
    fn the_newest_journal_of_mes_exec_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let account = folder.path().join("topstepx-1");
        let mut tail = Tail::new(folder.path().to_owned(), Of::Exec);
        assert_eq!(looked(&mut tail), ["Caught"]);
        fs::create_dir(&account).expect("a folder");
        fs::write(account.join("exec-1.jsonl"), "a\n").expect("writes");
        fs::write(account.join("ledger-000001.jsonl"), "no\n").expect("writes");
        assert_eq!(looked(&mut tail), ["a"]);
        sleep(Duration::from_millis(20));
        fs::write(account.join("exec-2.jsonl"), "b\n").expect("writes");
        assert_eq!(looked(&mut tail), ["Replaced { cut: false }", "b"]);
    }
}
