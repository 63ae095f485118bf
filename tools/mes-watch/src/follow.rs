//! Follows a journal by its name while others write it: it may not be there yet, and another may take its place. Looks at
//! it and reads it, and does nothing else to it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use mes_core::record::Record;
use mes_pipe::{Error, Result, journal::Reader};

use crate::day::Day;

/// The longest line of a journal.
const LINE_BYTES: usize = 16 << 20;
/// What is read at once: whoever asks for a view meanwhile waits for no more.
const CHUNK_BYTES: u64 = 1 << 20;

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is no such file.
    Absent,
    /// Nothing new.
    Idle,
    /// Something was read, and there may be more.
    Read,
}

/// A file that grows.
pub struct Follower {
    path: PathBuf,
    open: Option<Opened>,
}

struct Opened {
    file: File,
    /// Device and number: what tells it from one that took its name.
    id: (u64, u64),
    read: u64,
    line: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    /// It cannot be read on, and that was said.
    broken: bool,
}

impl Follower {
    /// Begins before the first look.
    pub fn new(path: &Path) -> Follower {
        Follower { path: path.into(), open: None }
    }

    /// Looks at the file, and takes what is new in it into `day`.
    ///
    /// # Errors
    ///
    /// `Data` or `Usage` where what is there is no journal, or one of another calendar: with file and line, once. `Failed`
    /// where the system does not let us read it.
    pub fn look(&mut self, day: &mut Day) -> Result<Look> {
        let at = |error: std::io::Error| Error::failed(error).at(self.path.display());
        let about = match fs::metadata(&self.path) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // What was read stays on show: the name is free between two journals.
                return Ok(if self.open.is_some() { Look::Idle } else { Look::Absent });
            }
            Err(error) => return Err(at(error)),
        };
        let id = (about.dev(), about.ino());
        let same = self.open.as_ref().is_some_and(|open| open.id == id && open.read <= about.len());
        if !same {
            let file = File::open(&self.path).map_err(at)?;
            self.open = Some(Opened { file, id, read: 0, line: 0, rest: Vec::new(), broken: false });
            day.anew();
        }
        let Some(open) = &mut self.open else { return Ok(Look::Absent) };
        open.take(day).map_err(|error| error.at(format!("{}: line {}", self.path.display(), open.line)))
    }
}

impl Opened {
    fn take(&mut self, day: &mut Day) -> Result<Look> {
        if self.broken {
            return Ok(Look::Idle);
        }
        let begun = self.rest.len();
        let read = (&self.file).take(CHUNK_BYTES).read_to_end(&mut self.rest).map_err(Error::failed)?;
        self.read += read as u64;
        if read == 0 {
            return Ok(Look::Idle);
        }
        let bytes = std::mem::take(&mut self.rest);
        let end = bytes[begun..].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| begun + at + 1);
        let taken = bytes[..end].split_inclusive(|byte| *byte == b'\n').try_for_each(|line| {
            self.line += 1;
            let line = line.trim_ascii();
            if line.is_empty() {
                return Ok(());
            }
            day.take(Record::read(line).map_err(Error::data)?)
        });
        self.rest = bytes[end..].to_vec();
        let long = self.rest.len() > LINE_BYTES;
        let taken = if long { Err(Error::data("the line is too long for a journal")) } else { taken };
        self.broken = taken.is_err();
        taken.map(|()| Look::Read)
    }
}

/// Reads a whole journal, packed or not, into `day`; `-` is stdin. Returns what it lacks, where it is not whole.
///
/// # Errors
///
/// `Usage` where there is no such file or it needs another calendar, `Data` with file and line where it is no journal.
pub fn read(path: &Path, day: &mut Day) -> Result<Option<&'static str>> {
    let mut journal = Reader::open(path)?;
    while let Some(record) = journal.next()? {
        day.take(record).map_err(|error| journal.here(error))?;
    }
    Ok(journal.missing().map(|missing| missing.words()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use mes_core::broker::Kind;

    use super::*;
    use crate::sample;

    fn all(follower: &mut Follower, day: &mut Day) -> Look {
        let mut last = follower.look(day).expect("a journal");
        while last == Look::Read {
            last = follower.look(day).expect("a journal");
        }
        last
    }

    #[test]
    fn a_journal_is_followed_from_before_it_is_there_through_cut_lines_to_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two, name) = (folder.path().join("1"), folder.path().join("2"), folder.path().join("now"));
        let (mut day, mut follower) = (sample::day(), Follower::new(&name));
        assert_eq!(all(&mut follower, &mut day), Look::Absent);
        let text = sample::lines(&sample::records(Kind::Paper, "one", 50, &[5]));
        let (head, tail) = text.split_at(text.len() - 40);
        fs::write(&one, head).expect("written");
        std::os::unix::fs::symlink(&one, &name).expect("a link");
        assert_eq!((all(&mut follower, &mut day), day.moments.len()), (Look::Idle, 49));
        let mut file = File::options().append(true).open(&one).expect("open");
        file.write_all(tail.as_bytes()).expect("written");
        assert_eq!((all(&mut follower, &mut day), day.moments.len()), (Look::Idle, 50));
        fs::remove_file(&name).expect("free");
        assert_eq!((all(&mut follower, &mut day), day.moments.len()), (Look::Idle, 50));
        fs::write(&two, sample::lines(&sample::records(Kind::Paper, "two", 7, &[]))).expect("written");
        std::os::unix::fs::symlink(&two, &name).expect("a link");
        assert_eq!((all(&mut follower, &mut day), day.moments.len()), (Look::Idle, 7));
        assert_eq!(day.book.expect("a book").run.broker.name, "two");
    }

    #[test]
    fn a_line_that_is_no_record_is_said_once_with_its_number_and_what_came_before_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let text = sample::lines(&sample::records(Kind::Paper, "", 3, &[]));
        fs::write(&path, format!("{text}{{\"kind\":\"row\",\"ts\":NaN}}\nmore\n")).expect("written");
        let (mut day, mut follower) = (sample::day(), Follower::new(&path));
        let error = follower.look(&mut day).expect_err("refused");
        assert!(error.code() == 3 && error.to_string().contains("journal.jsonl: line 8: "), "{error}");
        assert_eq!((follower.look(&mut day).expect("quiet"), day.moments.len()), (Look::Idle, 3));
        // Written anew in its place.
        fs::write(&path, &text).expect("written");
        assert_eq!((all(&mut follower, &mut day), day.moments.len()), (Look::Idle, 3));
    }
}
