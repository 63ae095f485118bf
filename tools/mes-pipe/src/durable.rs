//! Lines that outlive a kill: the memory of an account, and what was said to it.
//!
//! Files of JSON lines that only grow (`x-000001.jsonl` and on), and beside them a mark (`x.mark`) that says which file
//! is in use, how many lines it has and the checksum of the last. Every line carries a checksum over itself and the
//! checksum before it, so a line that was changed, lost or added in the middle breaks the chain. A line is written by one
//! `write`, and then the mark counts it. So at any moment of a kill −9:
//!
//! - what stands behind the last line end was being written and never counted: it is cut off (a torn line, no damage);
//! - the mark may be one line behind, never ahead (after a power cut many lines behind: only the lines are synced);
//! - a file that the mark does not name yet was never in use.
//!
//! Fewer whole lines than the mark counts, a broken chain, the file or the mark gone: that is damage. Nobody can know what
//! the account remembers then, so nothing is traded and a person is told what to do. The mark is also the lock: one
//! process writes, others read.

mod chain;

use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;

use crate::{Error, Result, log, private};

use chain::{Chain, SUM_CHARS};

/// What a folder of lines holds.
const MARKS: [&str; 3] = ["ledger.mark", "account.mark", "person.mark"];

/// Whether to wait for whoever writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    Wait,
    Refuse,
}

/// Lines that are open for writing, by nobody else.
pub struct Durable {
    base: PathBuf,
    number: u32,
    path: PathBuf,
    file: File,
    mark: File,
    chain: Chain,
    bytes: u64,
}

impl Durable {
    /// Opens the lines of `base` (`DIR/x`), or begins them with `head`, and returns their records without the head. A
    /// torn last line is cut off.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when another process writes them, [`Error::Data`] when their `v` is newer than that of `head`,
    /// [`Error::Stopped`] when they are damaged or their head is another's.
    pub fn open(base: &Path, head: &Value, busy: Busy) -> Result<(Durable, Vec<Value>)> {
        if let Some(folder) = base.parent() {
            private::folder(folder, &MARKS)?;
        }
        let mark_path = mark_of(base);
        let mut options = File::options();
        let mark = private::open(&mark_path, options.read(true).write(true).create(true).truncate(false))
            .map_err(|error| Error::from(error).at(mark_path.display()))?;
        lock(&mark, base, busy)?;
        let Checked { mut records, number, bytes, chain } = check(base, head["v"].as_u64().unwrap_or(0))?;
        let path = file_of(base, number);
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        if !records.is_empty() {
            belongs(&path, &records.remove(0), head)?;
        }
        let file = private::open(&path, File::options().create(true).append(true)).map_err(at)?;
        if file.metadata().map_err(at)?.len() > bytes {
            log::note(format!("{}: cut off a line that a kill left unfinished", path.display()));
            file.set_len(bytes).map_err(at)?;
        }
        let mut durable = Durable { base: base.to_owned(), number, path, file, mark, chain, bytes };
        if durable.chain.lines == 0 {
            durable.append(head)?;
            durable.sync_mark()?;
        } else {
            durable.count()?;
        }
        Ok((durable, records))
    }

    /// Returns how long the file in use is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes on in a new file that begins with `head` and `first`, which has to hold all that is to be known. The old
    /// file stays for whoever wants to read it.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it: then the old file is still the one in use.
    pub fn renew(&mut self, head: &Value, first: &impl Serialize) -> Result<()> {
        let path = file_of(&self.base, self.number + 1);
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        // What a kill may have left there was never in use.
        let fresh = private::open(&path, File::options().write(true).create(true).truncate(true));
        let file = fresh.map_err(at)?;
        let mut chain = Chain::default();
        let text = [chain.add(head)?, chain.add(first)?].concat();
        (&file).write_all(&text).map_err(|error| self.failed(error))?;
        file.sync_data().map_err(at)?;
        let file = private::open(&path, File::options().append(true)).map_err(at)?;
        (self.number, self.path, self.file, self.chain) = (self.number + 1, path, file, chain);
        self.bytes = text.len() as u64;
        self.count()?;
        self.sync_mark()
    }

    /// Adds one record, which must be an object. It is there when this returns, even if the process is killed.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it: nothing more may be appended then.
    pub fn append(&mut self, record: &impl Serialize) -> Result<()> {
        let line = self.chain.add(record)?;
        self.file.write_all(&line).map_err(|error| self.failed(error))?;
        self.bytes += line.len() as u64;
        self.count()
    }

    /// Waits until all of it is on the disk, for what must outlive the machine's power too. The mark may stay behind: more
    /// lines than it counts are no damage as long as they hang together.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.failed(error))
    }

    /// Waits until the disk knows which file is in use.
    fn sync_mark(&self) -> Result<()> {
        self.mark.sync_data().map_err(|error| self.failed(error))
    }

    fn count(&self) -> Result<()> {
        let text = format!("{:06} {:020} {}\n", self.number, self.chain.lines, self.chain.sum);
        self.mark.write_all_at(text.as_bytes(), 0).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::failed(format!(
            "{}: {error}: what is not remembered must not be traded, so trading stops here",
            self.path.display()
        ))
    }
}

/// Reads the records of `base` while another process may be writing them, the head first; none where there are none.
/// `newest` is the newest `v` of the head that the caller knows.
///
/// # Errors
///
/// `Stopped` where they are damaged, `Data` where their `v` is newer, `Failed` where they cannot be read.
pub fn read(base: &Path, newest: u64) -> Result<Vec<Value>> {
    // A mark that is being written may be seen half written; not twice.
    Ok(check(base, newest).or_else(|_| check(base, newest))?.records)
}

/// Says whether some process has `base` open for writing.
pub fn written(base: &Path) -> bool {
    let Ok(mark) = private::open_to_read(&mark_of(base)) else { return false };
    matches!(mark.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Says whether `base` was ever begun.
pub fn exists(base: &Path) -> bool {
    mark_of(base).exists() || file_of(base, 1).exists()
}

/// Removes all that belongs to `base`.
///
/// # Errors
///
/// `Failed` where a file stays.
pub fn remove(base: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::from(error).at(base.display());
    for number in 1.. {
        match fs::remove_file(file_of(base, number)) {
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            removed => removed.map_err(failed)?,
        }
    }
    match fs::remove_file(mark_of(base)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(failed),
    }
}

/// Reads records as others add them; only of lines that are never renewed.
pub struct Follower {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines read so far.
    read: u64,
    chain: Chain,
    waiting: std::vec::IntoIter<Value>,
}

impl Follower {
    /// Follows the lines of `base` from their beginning; the head is passed over.
    ///
    /// # Errors
    ///
    /// `Failed` where they cannot be read, `Stopped` where they are damaged.
    pub fn open(base: &Path) -> Result<Follower> {
        let path = file_of(base, 1);
        let file = private::open_to_read(&path).map_err(|error| Error::from(error).at(path.display()))?;
        let waiting = Vec::new().into_iter();
        let mut follower = Follower { path, file, read: 0, chain: Chain::default(), waiting };
        follower.next()?;
        Ok(follower)
    }

    /// Returns the next record, if there is one. Costs one system call when there is none.
    ///
    /// # Errors
    ///
    /// `Failed` where they cannot be read, `Stopped` where they are damaged.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Value>> {
        if let Some(record) = self.waiting.next() {
            return Ok(Some(record));
        }
        let at = |error: std::io::Error| Error::from(error).at(self.path.display());
        if self.file.metadata().map_err(at)?.len() <= self.read {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(self.read)).map_err(at)?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).map_err(at)?;
        let (records, whole) = self.chain.take(&bytes).map_err(|what| damaged(&self.path, &what))?;
        self.read += whole;
        self.waiting = records.into_iter();
        Ok(self.waiting.next())
    }
}

/// What a file and its mark come to.
struct Checked {
    /// The head first.
    records: Vec<Value>,
    number: u32,
    /// Of whole lines.
    bytes: u64,
    chain: Chain,
}

fn check(base: &Path, newest: u64) -> Result<Checked> {
    // The mark first: it is never ahead, so it counts no line that is not yet in what is read after it.
    let mark = bytes_of(&mark_of(base))?.unwrap_or_default();
    let Some((number, counted, sum)) = counted(&mark) else {
        return Err(damaged(&mark_of(base), "it is not what was written"));
    };
    let path = file_of(base, number);
    let damaged = |what: &str| damaged(&path, what);
    let Some(text) = bytes_of(&path)? else {
        if counted > 0 {
            return Err(damaged(&format!("it is gone, and had {counted} lines")));
        }
        return Ok(Checked { records: Vec::new(), number, bytes: 0, chain: Chain::default() });
    };
    let mut chain = Chain::default();
    let (mut records, mut bytes) = (Vec::new(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        records.push(chain.line(text).map_err(|what| damaged(&what))?);
        bytes += line.len() as u64;
        if chain.lines == counted && chain.sum != sum {
            return Err(damaged("it is not the file that its mark belongs to"));
        }
    }
    if chain.lines < counted {
        return Err(damaged(&format!("it ends after {} of {counted} lines", chain.lines)));
    }
    // The head alone may have been written before its first mark.
    if counted == 0 && chain.lines > 1 {
        return Err(damaged("its mark is gone, so nobody knows whether it is whole"));
    }
    let version = records.first().and_then(|head| head["v"].as_u64()).unwrap_or(0);
    if version > newest {
        return Err(Error::data(format!(
            "{}: version {version} is newer than this tool reads ({newest}): use the mes that wrote it",
            path.display()
        )));
    }
    Ok(Checked { records, number, bytes, chain })
}

/// Reads a mark: the number of the file, its lines, the sum of the last. An empty one counts none.
fn counted(mark: &[u8]) -> Option<(u32, u64, String)> {
    if mark.is_empty() {
        return Some((1, 0, String::new()));
    }
    let text = std::str::from_utf8(mark).ok()?.strip_suffix('\n')?;
    let (number, rest) = text.split_once(' ')?;
    let (lines, sum) = rest.split_once(' ')?;
    let whole = number.len() == 6 && lines.len() == 20 && sum.len() == SUM_CHARS;
    Some((number.parse().ok().filter(|_| whole)?, lines.parse().ok()?, sum.to_owned()))
}

/// Checks that a file is of the account that is meant.
fn belongs(path: &Path, found: &Value, head: &Value) -> Result<()> {
    // The paper account was called sim once, and a first line stays as it is.
    let called = |head: &Value| head.to_string().replace(":\"sim\"", ":\"paper\"");
    if called(found) == called(head) {
        return Ok(());
    }
    let path = path.display();
    Err(Error::stopped(format!(
        "{path}: begins with {found} and should with {head}: was it moved here from another account?"
    )))
}

fn damaged(path: &Path, what: &str) -> Error {
    let folder = path.parent().unwrap_or(Path::new(".")).display();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.split('-').next().unwrap_or_default();
    Error::stopped(format!(
        "{}: damaged: {what}. Nothing is traded on it. Put back a whole copy of {folder}; or look at the account yourself \
         and begin anew: mkdir -p {folder}/damaged && mv {folder}/{stem}[-.]* {folder}/damaged/",
        path.display()
    ))
}

fn mark_of(base: &Path) -> PathBuf {
    base.with_extension("mark")
}

fn file_of(base: &Path, number: u32) -> PathBuf {
    let name = base.file_name().unwrap_or_default().to_string_lossy();
    base.with_file_name(format!("{name}-{number:06}.jsonl"))
}

/// Reads a whole regular file; `None` where there is none.
fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() && !meta.is_symlink() => {
            Err(Error::usage(format!("{} is not a regular file", path.display())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Ok(_) => private::read(path).map(Some).map_err(|error| Error::from(error).at(path.display())),
        Err(error) => Err(Error::from(error).at(path.display())),
    }
}

fn lock(mark: &File, base: &Path, busy: Busy) -> Result<()> {
    let at = |error: std::io::Error| Error::from(error).at(base.display());
    if busy == Busy::Wait {
        return mark.lock().map_err(at);
    }
    // Whoever only asks whether it is written holds it for a moment: a second look tells the two apart.
    for look in 1.. {
        match mark.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if look < 5 => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!(
                    "{}: another process trades this account: stop it, or give another --state",
                    base.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
    }
    Ok(())
}
