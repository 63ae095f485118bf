//! Follows a journal by its name while others write it: it may not be there yet, and another may take its place. Looks at
//! it and reads it, and does nothing else to it.

use std::path::{Path, PathBuf};

use mes_core::record::Record;
use mes_pipe::{
    Error, Result,
    growing::{Growing, Look, Piece},
    journal::Reader,
};

use crate::day::Day;

/// A file that grows.
pub struct Follower {
    path: PathBuf,
    growing: Growing,
    line: u64,
    /// It cannot be read on, and that was said.
    broken: bool,
}

impl Follower {
    /// Begins before the first look.
    pub fn new(path: &Path) -> Follower {
        Follower { path: path.into(), growing: Growing::default(), line: 0, broken: false }
    }

    /// Looks at the file, and takes what is new in it into `day`.
    ///
    /// # Errors
    ///
    /// `Data` or `Usage` where what is there is no journal, or one of another calendar: with file and line, once. `Failed`
    /// where the system does not let us read it.
    pub fn look(&mut self, day: &mut Day) -> Result<Look> {
        let Follower { path, growing, line, broken } = self;
        let mut failed = None;
        let looked = growing.look(Some(path), &mut |piece| {
            if matches!(piece, Piece::Replaced { .. }) {
                (*line, *broken) = (0, false);
                day.anew();
            } else if !*broken {
                *line += 1;
                failed = take(piece, day).err();
                *broken = failed.is_some();
            }
        });
        match failed {
            Some(error) => Err(error.at(format!("{}: line {line}", path.display()))),
            None => looked.map_err(|error| Error::failed(error).at(path.display())),
        }
    }
}

fn take(piece: Piece<'_>, day: &mut Day) -> Result<()> {
    match piece {
        Piece::TooLong => Err(Error::data("the line is too long for a journal")),
        Piece::Line(text) if !text.trim_ascii().is_empty() => {
            day.take(Record::read(text.trim_ascii()).map_err(Error::data)?)
        }
        Piece::Line(_) | Piece::Replaced { .. } => Ok(()),
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
    use std::{
        fs::{self, File},
        io::Write,
    };

    use mes_core::broker::Kind;

    use super::*;
    use crate::sample;

    fn all(follower: &mut Follower, day: &mut Day) -> Look {
        let mut last = follower.look(day).expect("a journal");
        while last == Look::More {
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
